/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON inside of expressions is read as any JSON is. In a raw string and around
 * a literal a backslash means something before the own quote only: all other
 * pairs stay as they are.
 */
#include "jmespath/literal.h"
#include "base/err.h"
#include "base/jdoc.h"
#include "base/macros.h"
#include "jmespath/expression.h"
#include "jmespath/fault.h"

#include <errno.h>
#include <string.h>

/* Keeps bytes, of a token or made of one, which are never more than it. */
static struct text keep(struct jmespath *jmespath, const void *bytes,
			size_t length)
{
	struct text kept = { jmespath->text + jmespath->text_length, length };

	if (length)
		memcpy(jmespath->text + jmespath->text_length, bytes, length);
	jmespath->text_length += length;
	return kept;
}

/* What stands between the quotes, each of which may stand there escaped. */
static struct text keep_unescaped(struct jmespath *jmespath,
				  const struct token *token)
{
	const char *bytes = token->text.bytes;
	char quote = bytes[0];
	struct text kept = keep(jmespath, NULL, 0);

	for (size_t i = 1; i + 1 < token->text.length; i++) {
		if (bytes[i] == '\\' && bytes[i + 1] == quote)
			i++;
		else if (bytes[i] == '\\')
			kept.length += keep(jmespath, &bytes[i++], 1).length;
		kept.length += keep(jmespath, &bytes[i], 1).length;
	}
	return kept;
}

static int parse(const struct token *token, struct text json, struct jdoc **ret,
		 struct err *err)
{
	struct err reason = { 0 };
	int r = jdoc_parse(json.bytes, json.length, ret, &reason);

	if (r == -ENOMEM)
		return fault_set_memory(err);
	if (r < 0)
		return fault_set(err, r == -E2BIG ? FAULT_LIMIT : FAULT_SYNTAX,
				 token->offset, "%s", reason.text);
	return 0;
}

int literal_name(struct jmespath *jmespath, const struct token *token,
		 struct text *ret, struct err *err)
{
	cleanup_jdoc struct jdoc *doc = NULL;
	int r;

	if (token->kind == TOKEN_IDENTIFIER) {
		*ret = keep(jmespath, token->text.bytes, token->text.length);
		return 0;
	}
	r = parse(token, token->text, &doc, err);
	if (r < 0)
		return r;
	*ret = keep(jmespath, NULL, 0);
	ret->length = jdoc_string_length(doc, 0);
	jdoc_string_write(doc, 0,
			  (unsigned char *)jmespath->text +
				  jmespath->text_length);
	jmespath->text_length += ret->length;
	return 0;
}

int literal_set(struct jmespath *jmespath, const struct token *token,
		struct expression *literal, struct err *err)
{
	struct text text = keep_unescaped(jmespath, token);
	int r;

	if (token->kind == TOKEN_RAW) {
		literal->literal = jvalue_of_string(text);
		return 0;
	}
	r = parse(token, text, &literal->doc, err);
	if (r < 0)
		return r;
	literal->literal = jvalue_of_node(literal->doc, 0);
	return 0;
}
