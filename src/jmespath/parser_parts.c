/* SPDX-License-Identifier: Apache-2.0 */
/* What stands in brackets, any number of times: the parts of lists, hashes and
 * calls. */
#include "jmespath/fault.h"
#include "jmespath/function.h"
#include "jmespath/literal.h"
#include "jmespath/parser_private.h"

static int add_part(struct parser *parser, struct expression *parent,
		    struct expression **ret)
{
	int r = parser_expression(parser, POWER_NONE, ret);

	return r < 0 ? r : expression_add(parent, *ret, parser->err);
}

/* Whether another part follows; else takes the closing token. */
static int end_part(struct parser *parser, enum token_kind close, bool *ret)
{
	struct token token;

	*ret = parser_stands(parser, TOKEN_COMMA);
	return *ret ? parser_take(parser, &token)
		    : parser_expect(parser, close);
}

int parser_list(struct parser *parser, const struct token *token,
		struct expression **ret)
{
	struct expression *list;
	struct expression *part;
	bool has_more = true;
	int r = parser_new(parser, EXPRESSION_LIST, token, &list);

	while (r == 0 && has_more) {
		r = add_part(parser, list, &part);
		if (r == 0)
			r = end_part(parser, TOKEN_BRACKET_END, &has_more);
	}
	if (r == 0)
		*ret = list;
	return r;
}

static int add_member(struct parser *parser, struct expression *hash)
{
	struct expression *part;
	struct token token;
	struct text label;
	int r;

	if (!parser_stands(parser, TOKEN_IDENTIFIER) &&
	    !parser_stands(parser, TOKEN_QUOTED))
		return parser_refuse(parser, "the name of a member");
	r = parser_take(parser, &token);
	if (r == 0)
		r = literal_name(parser->jmespath, &token, &label, parser->err);
	if (r == 0)
		r = parser_expect(parser, TOKEN_COLON);
	if (r == 0)
		r = add_part(parser, hash, &part);
	if (r == 0)
		part->label = label;
	return r;
}

int parser_hash(struct parser *parser, const struct token *token,
		struct expression **ret)
{
	struct expression *hash;
	bool has_more = true;
	int r = parser_new(parser, EXPRESSION_HASH, token, &hash);

	while (r == 0 && has_more) {
		r = add_member(parser, hash);
		if (r == 0)
			r = end_part(parser, TOKEN_BRACE_END, &has_more);
	}
	if (r == 0)
		*ret = hash;
	return r;
}

static int add_argument(struct parser *parser, struct expression *call)
{
	bool is_reference = parser_stands(parser, TOKEN_REFERENCE);
	struct expression *part;
	struct token token;
	int r = is_reference ? parser_take(parser, &token) : 0;

	if (r == 0)
		r = add_part(parser, call, &part);
	if (r == 0)
		part->is_reference = is_reference;
	return r;
}

static int add_arguments(struct parser *parser, struct expression *call)
{
	bool has_more = true;
	int r = 0;

	if (parser_stands(parser, TOKEN_PARENTHESIS_END))
		return parser_expect(parser, TOKEN_PARENTHESIS_END);
	while (r == 0 && has_more) {
		r = add_argument(parser, call);
		if (r == 0)
			r = end_part(parser, TOKEN_PARENTHESIS_END, &has_more);
	}
	return r;
}

int parser_call(struct parser *parser, const struct token *name,
		struct expression **ret)
{
	struct expression *call;
	int r = parser_expect(parser, TOKEN_PARENTHESIS);

	if (r == 0)
		r = parser_new(parser, EXPRESSION_CALL, name, &call);
	if (r == 0)
		r = add_arguments(parser, call);
	if (r < 0)
		return r;
	call->function = function_find(name->text);
	if (!call->function)
		return fault_set(parser->err, FAULT_UNKNOWN_FUNCTION,
				 name->offset, "there is no function %.*s()",
				 (int)name->text.length, name->text.bytes);
	r = function_check(call, parser->err);
	if (r == 0)
		*ret = call;
	return r;
}
