/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What jmespath makes of each pair of an expression and a document on standard
 * input, one line for each, for jmespath_suite.py to compare with what it
 * should be.
 *
 * In: the expression, then the document, each behind its length in four bytes,
 * least significant first.
 * Out: "MICROSECONDS null", "MICROSECONDS string HEX", "MICROSECONDS json HEX",
 * or "MICROSECONDS error TEXT".
 */
#include "base/buf.h"
#include "base/err.h"
#include "base/jdoc.h"
#include "base/macros.h"
#include "jmespath/jmespath.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define OUT_MAX (1U << 20)

struct answer {
	struct buf out;
	struct err err;
	enum jmespath_kind kind;
	int r;
};

/* NULL at the end of the input. */
static char *read_text(size_t *ret_length)
{
	unsigned char prefix[4];
	size_t length;
	char *text;

	if (fread(prefix, sizeof(prefix), 1, stdin) != 1)
		return NULL;
	length = (size_t)prefix[0] | (size_t)prefix[1] << 8 |
		 (size_t)prefix[2] << 16 | (size_t)prefix[3] << 24;
	/* As long as the text: sanitizers see a byte too far. */
	text = malloc(length ? length : 1);
	if (!text || (length && fread(text, length, 1, stdin) != 1))
		abort();
	*ret_length = length;
	return text;
}

static int64_t now_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void ask(const char *text, size_t length, const struct jdoc *doc,
		struct answer *ret)
{
	cleanup_jmespath struct jmespath *compiled = NULL;

	ret->r = jmespath_compile(text, length, &compiled, &ret->err);
	if (ret->r == 0)
		ret->r = jmespath_search(compiled, doc, &ret->out, &ret->kind,
					 &ret->err);
}

static void print_hex(const char *word, const struct buf *buf)
{
	(void)printf("%s ", word);
	for (size_t i = 0; i < buf->length; i++)
		(void)printf("%02x", buf->bytes[i]);
}

static void print(const struct answer *answer)
{
	if (answer->r < 0)
		(void)printf("error %s", answer->err.text);
	else if (answer->kind == JMESPATH_NULL)
		(void)fputs("null", stdout);
	else if (answer->kind == JMESPATH_STRING)
		print_hex("string", &answer->out);
	else
		print_hex("json", &answer->out);
	(void)putchar('\n');
}

static void dump(const char *text, size_t length, const char *json,
		 size_t json_length)
{
	cleanup_jdoc struct jdoc *doc = NULL;
	struct answer answer = { .out = { .limit = OUT_MAX } };
	int64_t from;

	if (jdoc_parse(json, json_length, &doc, NULL) < 0)
		abort();
	from = now_us();
	ask(text, length, doc, &answer);
	(void)printf("%" PRId64 " ", now_us() - from);
	print(&answer);
	buf_done(&answer.out);
}

int main(void)
{
	size_t length;
	size_t json_length = 0;
	char *text;

	while ((text = read_text(&length))) {
		char *json = read_text(&json_length);

		if (!json)
			abort();
		dump(text, length, json, json_length);
		free(json);
		free(text);
	}
	return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
