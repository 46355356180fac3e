/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_JMESPATH_FIXTURE_H
#define TESTS_JMESPATH_FIXTURE_H

#include "base/buf.h"
#include "base/err.h"
#include "jmespath/jmespath.h"

/* One expression over one document, compiled, searched and forgotten. */
struct answer {
	struct buf out; /* the test's to empty */
	struct err err;
	enum jmespath_kind kind;
	int r;
};

/* The document must be JSON. Lengths are those of C strings. */
void ask(const char *expression, const char *document, struct answer *ret);

/* Fails the test, and says for which expression, unless the answer is this
 * text. NULL is null. */
void assert_answer(const char *expression, const char *document,
		   enum jmespath_kind kind, const char *expected);

/* Unless it is refused with this code, and a text that begins so. */
void assert_refused(const char *expression, const char *document, int code,
		    const char *beginning);

#endif
