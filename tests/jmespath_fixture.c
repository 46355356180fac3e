/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/jmespath_fixture.h"
#include "tests/test.h"

#include "base/jdoc.h"
#include "base/macros.h"

#include <string.h>

#define OUT_MAX (4U << 20)

void ask(const char *expression, const char *document, struct answer *ret)
{
	cleanup_jmespath struct jmespath *compiled = NULL;
	cleanup_jdoc struct jdoc *doc = NULL;

	*ret = (struct answer){ .out = { .limit = OUT_MAX } };
	assert_int_equal(jdoc_parse(document, strlen(document), &doc, NULL), 0);
	ret->r = jmespath_compile(expression, strlen(expression), &compiled,
				  &ret->err);
	if (ret->r == 0)
		ret->r = jmespath_search(compiled, doc, &ret->out, &ret->kind,
					 &ret->err);
}

void assert_answer(const char *expression, const char *document,
		   enum jmespath_kind kind, const char *expected)
{
	struct answer answer;

	ask(expression, document, &answer);
	if (answer.r < 0)
		fail_msg("%s: %s", expression, answer.err.text);
	if (answer.kind != kind ||
	    strcmp(buf_text(&answer.out), expected ? expected : "") != 0)
		fail_msg("%s: \"%s\" of kind %u instead of \"%s\"", expression,
			 buf_text(&answer.out), answer.kind,
			 expected ? expected : "null");
	buf_done(&answer.out);
}

void assert_refused(const char *expression, const char *document, int code,
		    const char *beginning)
{
	struct answer answer;

	ask(expression, document, &answer);
	if (answer.r != code || answer.err.code != code ||
	    strncmp(answer.err.text, beginning, strlen(beginning)) != 0)
		fail_msg("%s: %d, \"%s\" instead of \"%s\"", expression,
			 answer.r, answer.err.text, beginning);
	assert_int_equal(answer.out.length, 0);
	buf_done(&answer.out);
}
