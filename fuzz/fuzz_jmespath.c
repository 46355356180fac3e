/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A line of any bytes as an expression, and the rest as the JSON that it is
 * asked: what jmespath promises in its header must hold for all of them.
 */
#include "fuzz/fuzz.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/jdoc.h"
#include "base/macros.h"
#include "base/utf8.h"
#include "jmespath/jmespath.h"

#include <errno.h>
#include <string.h>

#define OUT_MAX 65536

static const char *const kinds[] = {
	"syntax ",	 "unknown-function ", "invalid-arity ",
	"invalid-type ", "invalid-value ",
};

static bool has_kind(const char *text)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strncmp(text, kinds[i], strlen(kinds[i])) == 0)
			return true;
	return false;
}

static void check_refusal(int r, const struct err *err)
{
	PROMISE(r == err->code);
	if (r == -EINVAL)
		PROMISE(has_kind(err->text));
	else if (r == -E2BIG)
		PROMISE(strncmp(err->text, "limit ", 6) == 0);
	else
		PROMISE(r == -EFBIG);
}

static void check_string(const struct buf *out)
{
	for (size_t at = 0, length; at < out->length; at += length) {
		length = utf8_length_at(out->bytes + at, out->length - at);
		PROMISE(length > 0);
	}
}

/* Made values may be deeper than a document may be. */
static void check_json(const struct buf *out)
{
	cleanup_jdoc struct jdoc *doc = NULL;
	struct err err;
	int r = jdoc_parse(buf_text(out), out->length, &doc, &err);

	PROMISE(r == 0 || r == -E2BIG);
	PROMISE(r < 0 || (jdoc_type(doc, 0) != JDOC_NULL &&
			  jdoc_type(doc, 0) != JDOC_STRING));
}

static void check_result(const struct buf *out, enum jmespath_kind kind)
{
	if (kind == JMESPATH_STRING)
		check_string(out);
	else if (kind == JMESPATH_JSON)
		check_json(out);
	else
		PROMISE(kind == JMESPATH_NULL && out->length == 0);
}

static void check_search(const struct jmespath *compiled,
			 const struct jdoc *doc)
{
	cleanup_buf struct buf out = { .limit = OUT_MAX };
	cleanup_buf struct buf again = { .limit = OUT_MAX };
	enum jmespath_kind kind = JMESPATH_NULL;
	enum jmespath_kind kind_again = JMESPATH_NULL;
	struct err err = { 0 };
	int r = jmespath_search(compiled, doc, &out, &kind, &err);

	PROMISE(r == jmespath_search(compiled, doc, &again, &kind_again, NULL));
	PROMISE(kind == kind_again && out.length == again.length);
	PROMISE(strcmp(buf_text(&out), buf_text(&again)) == 0);
	if (r == 0)
		check_result(&out, kind);
	else
		check_refusal(r, &err);
	PROMISE(r == 0 || out.length == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	const char *text = (const char *)bytes;
	const char *end = memchr(text, '\n', length);
	cleanup_jmespath struct jmespath *compiled = NULL;
	cleanup_jdoc struct jdoc *doc = NULL;
	struct err err = { 0 };
	int r;

	if (!end)
		end = text + length;
	r = jmespath_compile(text, (size_t)(end - text), &compiled, &err);
	if (r < 0) {
		check_refusal(r, &err);
		PROMISE(!compiled && r != -EFBIG);
		return 0;
	}
	if (jdoc_parse(end, (size_t)(text + length - end), &doc, NULL) == 0)
		check_search(compiled, doc);
	return 0;
}
