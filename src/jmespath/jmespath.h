/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JMESPATH_JMESPATH_H
#define JMESPATH_JMESPATH_H

#include <stddef.h>

#include "base/macros.h"

struct buf;
struct err;
struct jdoc;

/*
 * JMESPath (jmespath.org, the specification with its 26 functions): an
 * expression that picks a value out of a JSON document, or makes one of it.
 *
 * - What comes straight from the document keeps its text: numbers every digit,
 *   arrays and objects their order and blanks. What is made is compact JSON;
 *   numbers that are computed are doubles in their shortest form.
 * - Numbers are compared by value and exactly: 1 is 1.0, and 9007199254740993
 *   is not 9007199254740992. Strings are compared by code point.
 * - Where a name stands twice in an object, the last one counts.
 * - "&expression" stands only as the argument of a function that wants one.
 */

/* An expression is a line that a person writes, of some dozens of bytes. */
#define JMESPATH_LENGTH_MAX 8192U

/* Expressions inside one another: what bounds the stack, of which each level
 * takes less than 2 KiB. "a.b.c" counts two, so do "a || b || c". */
#define JMESPATH_DEPTH_MAX 256U

/* Arrays and objects that an expression makes inside one another, on top of
 * what a document may have (JDOC_DEPTH_MAX). */
#define JMESPATH_MADE_DEPTH_MAX 64U

/* A step is a piece of work of at most some 100 ns: an expression evaluated, an
 * item walked, 64 bytes compared. The loop of the program waits meanwhile. */
#define JMESPATH_STEPS_MAX 1000000U

/* Arrays and objects of one search; ten times what the values of a document of
 * 64 KiB need. */
#define JMESPATH_MEMORY_MAX (8U << 20)

/* Strings and numbers of one search that do not stand in the document as they
 * are. They are in locked memory, which is scarce. */
#define JMESPATH_TEXT_MAX (1U << 20)

/* A compiled expression: immutable, and owned by who compiled it. */
struct jmespath;

enum jmespath_kind {
	JMESPATH_NULL,
	JMESPATH_STRING,
	JMESPATH_JSON, /* any other value, as its JSON text */
};

/*
 * 0; -EINVAL where the expression has a fault; -E2BIG past a limit above;
 * -ENOMEM.
 *
 * The first word of an error's text is the kind of the fault, in the words of
 * the specification: "syntax", "unknown-function", "invalid-arity",
 * "invalid-type", "invalid-value", or "limit" with -E2BIG. Then comes where it
 * is in the expression, and the reason. The text may quote the expression.
 */
int jmespath_compile(const char *text, size_t length, struct jmespath **ret,
		     struct err *err);

/* NULL is allowed. */
void jmespath_free(struct jmespath *compiled);

/*
 * Evaluates over the document's root, and appends to out: a string decoded,
 * byte for byte; any other value as JSON; nothing for null. *ret says which.
 *
 * 0; -EINVAL with the kinds "invalid-type" and "invalid-value"; -E2BIG with
 * "limit"; -EFBIG where out is full; -ENOMEM. On failure nothing is appended.
 * The error's text is as above, and never holds a byte of the document.
 */
int jmespath_search(const struct jmespath *compiled, const struct jdoc *doc,
		    struct buf *out, enum jmespath_kind *ret, struct err *err);

#define cleanup_jmespath CLEANUP(jmespath_cleanup)
void jmespath_cleanup(struct jmespath **compiled);

#endif
