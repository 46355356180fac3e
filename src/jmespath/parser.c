/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Pratt parser: an expression is one thing, and then what follows it and
 * binds tightly enough. A table says for each token how it may begin an
 * expression, how it may continue one, and how tightly.
 */
#include "jmespath/parser.h"
#include "base/macros.h"
#include "base/utf8.h"
#include "jmespath/fault.h"
#include "jmespath/jmespath.h"
#include "jmespath/literal.h"
#include "jmespath/parser_private.h"

/* How an expression begins, with a token that is taken already. */
typedef int begin_fn(struct parser *parser, const struct token *token,
		     struct expression **ret);

struct rule {
	begin_fn *begin;
	go_on_fn *go_on;
	enum power power; /* of going on */
};

static const struct rule *rule_of(enum token_kind kind);

int parser_take(struct parser *parser, struct token *ret)
{
	*ret = parser->token;
	return lexer_next(&parser->lexer, &parser->token, parser->err);
}

int parser_expect(struct parser *parser, enum token_kind kind)
{
	struct token token;

	if (parser->token.kind != kind)
		return parser_refuse(parser, lexer_name(kind));
	return parser_take(parser, &token);
}

bool parser_stands(const struct parser *parser, enum token_kind kind)
{
	return parser->token.kind == kind;
}

enum token_kind parser_peek(const struct parser *parser)
{
	struct lexer lexer = parser->lexer;
	struct token token;

	return lexer_next(&lexer, &token, NULL) < 0 ? TOKEN_END : token.kind;
}

int parser_refuse(const struct parser *parser, const char *due)
{
	return fault_set(parser->err, FAULT_SYNTAX, parser->token.offset,
			 "%s is due here, not %s", due,
			 lexer_name(parser->token.kind));
}

int parser_new(struct parser *parser, enum expression_kind kind,
	       const struct token *token, struct expression **ret)
{
	return expression_new(parser->jmespath, kind, token, ret, parser->err);
}

int parser_combine(struct parser *parser, const struct token *token,
		   enum expression_kind kind, struct expression *const sides[2],
		   struct expression **ret)
{
	struct expression *both;
	int r = parser_new(parser, kind, token, &both);

	if (r == 0)
		r = expression_set_left(both, sides[0], parser->err);
	if (r == 0 && sides[1])
		r = expression_set_right(both, sides[1], parser->err);
	if (r == 0)
		*ret = both;
	return r;
}

static int begin_current(struct parser *parser, const struct token *token,
			 struct expression **ret)
{
	return parser_new(parser, EXPRESSION_CURRENT, token, ret);
}

static int begin_name(struct parser *parser, const struct token *token,
		      struct expression **ret)
{
	struct expression *field;
	int r;

	if (token->kind == TOKEN_IDENTIFIER &&
	    parser_stands(parser, TOKEN_PARENTHESIS))
		return parser_call(parser, token, ret);
	r = parser_new(parser, EXPRESSION_FIELD, token, &field);
	if (r == 0)
		r = literal_name(parser->jmespath, token, &field->name,
				 parser->err);
	if (r == 0)
		*ret = field;
	return r;
}

static int begin_literal(struct parser *parser, const struct token *token,
			 struct expression **ret)
{
	struct expression *literal;
	int r = parser_new(parser, EXPRESSION_LITERAL, token, &literal);

	if (r == 0)
		r = literal_set(parser->jmespath, token, literal, parser->err);
	if (r == 0)
		*ret = literal;
	return r;
}

static int begin_not(struct parser *parser, const struct token *token,
		     struct expression **ret)
{
	struct expression *sides[2] = { NULL };
	int r = parser_expression(parser, POWER_NOT, &sides[0]);

	return r < 0 ? r
		     : parser_combine(parser, token, EXPRESSION_NOT, sides,
				      ret);
}

static int begin_parenthesis(struct parser *parser, const struct token *token,
			     struct expression **ret)
{
	int r = parser_expression(parser, POWER_NONE, ret);

	(void)token;
	return r < 0 ? r : parser_expect(parser, TOKEN_PARENTHESIS_END);
}

/* These may begin an expression too, and are of the current value then. */

static int begin_by(go_on_fn *go_on, struct parser *parser,
		    const struct token *token, struct expression **ret)
{
	struct expression *current;
	int r = parser_new(parser, EXPRESSION_CURRENT, token, &current);

	return r < 0 ? r : go_on(parser, token, current, ret);
}

static int begin_star(struct parser *parser, const struct token *token,
		      struct expression **ret)
{
	return begin_by(parser_star, parser, token, ret);
}

static int begin_flatten(struct parser *parser, const struct token *token,
			 struct expression **ret)
{
	return begin_by(parser_flatten, parser, token, ret);
}

static int begin_filter(struct parser *parser, const struct token *token,
			struct expression **ret)
{
	return begin_by(parser_filter, parser, token, ret);
}

static int begin_bracket(struct parser *parser, const struct token *token,
			 struct expression **ret)
{
	bool is_star = parser_stands(parser, TOKEN_STAR) &&
		       parser_peek(parser) == TOKEN_BRACKET_END;

	if (is_star || parser_stands(parser, TOKEN_NUMBER) ||
	    parser_stands(parser, TOKEN_COLON))
		return begin_by(parser_bracket, parser, token, ret);
	return parser_list(parser, token, ret);
}

int parser_member(struct parser *parser, enum power power,
		  struct expression **ret)
{
	struct token token;
	int r;

	if (parser_stands(parser, TOKEN_IDENTIFIER) ||
	    parser_stands(parser, TOKEN_QUOTED) ||
	    parser_stands(parser, TOKEN_STAR))
		return parser_expression(parser, power, ret);
	if (!parser_stands(parser, TOKEN_BRACKET) &&
	    !parser_stands(parser, TOKEN_BRACE))
		return parser_refuse(parser, "a name, *, [ or {");
	r = parser_take(parser, &token);
	if (r < 0)
		return r;
	return token.kind == TOKEN_BRACKET ? parser_list(parser, &token, ret)
					   : parser_hash(parser, &token, ret);
}

static int go_on_dot(struct parser *parser, const struct token *token,
		     struct expression *left, struct expression **ret)
{
	struct expression *sides[] = { left, NULL };
	struct token star;
	int r;

	if (parser_stands(parser, TOKEN_STAR)) {
		r = parser_take(parser, &star);
		return r < 0 ? r : parser_star(parser, &star, left, ret);
	}
	r = parser_member(parser, POWER_DOT, &sides[1]);
	return r < 0 ? r
		     : parser_combine(parser, token, EXPRESSION_PIPE, sides,
				      ret);
}

static int go_on_infix(struct parser *parser, const struct token *token,
		       struct expression *left, struct expression **ret)
{
	static const enum expression_kind kinds[TOKEN_KINDS] = {
		[TOKEN_PIPE] = EXPRESSION_PIPE,
		[TOKEN_OR] = EXPRESSION_OR,
		[TOKEN_AND] = EXPRESSION_AND,
	};
	struct expression *sides[] = { left, NULL };
	int r = parser_expression(parser, rule_of(token->kind)->power,
				  &sides[1]);

	return r < 0 ? r
		     : parser_combine(parser, token, kinds[token->kind], sides,
				      ret);
}

static int go_on_comparator(struct parser *parser, const struct token *token,
			    struct expression *left, struct expression **ret)
{
	struct expression *sides[] = { left, NULL };
	int r = parser_expression(parser, POWER_COMPARISON, &sides[1]);

	if (r == 0)
		r = parser_combine(parser, token, EXPRESSION_COMPARISON, sides,
				   ret);
	if (r == 0)
		(*ret)->comparator = token->kind;
	return r;
}

static const struct rule *rule_of(enum token_kind kind)
{
	static const struct rule rules[TOKEN_KINDS] = {
		[TOKEN_IDENTIFIER] = { .begin = begin_name },
		[TOKEN_QUOTED] = { .begin = begin_name },
		[TOKEN_RAW] = { .begin = begin_literal },
		[TOKEN_LITERAL] = { .begin = begin_literal },
		[TOKEN_CURRENT] = { .begin = begin_current },
		[TOKEN_NOT] = { .begin = begin_not },
		[TOKEN_PARENTHESIS] = { .begin = begin_parenthesis },
		[TOKEN_BRACE] = { .begin = parser_hash },
		[TOKEN_STAR] = { .begin = begin_star },
		[TOKEN_PIPE] = { NULL, go_on_infix, POWER_PIPE },
		[TOKEN_OR] = { NULL, go_on_infix, POWER_OR },
		[TOKEN_AND] = { NULL, go_on_infix, POWER_AND },
		[TOKEN_EQUAL] = { NULL, go_on_comparator, POWER_COMPARISON },
		[TOKEN_UNEQUAL] = { NULL, go_on_comparator, POWER_COMPARISON },
		[TOKEN_LESS] = { NULL, go_on_comparator, POWER_COMPARISON },
		[TOKEN_LESS_OR_EQUAL] = { NULL, go_on_comparator,
					  POWER_COMPARISON },
		[TOKEN_GREATER] = { NULL, go_on_comparator, POWER_COMPARISON },
		[TOKEN_GREATER_OR_EQUAL] = { NULL, go_on_comparator,
					     POWER_COMPARISON },
		[TOKEN_FLATTEN] = { begin_flatten, parser_flatten,
				    POWER_FLATTEN },
		[TOKEN_FILTER] = { begin_filter, parser_filter, POWER_FILTER },
		[TOKEN_DOT] = { NULL, go_on_dot, POWER_DOT },
		[TOKEN_BRACKET] = { begin_bracket, parser_bracket,
				    POWER_BRACKET },
	};

	return &rules[kind];
}

enum power parser_power(enum token_kind kind)
{
	return rule_of(kind)->power;
}

/* What an expression begins with. */
static int begin(struct parser *parser, struct expression **ret)
{
	struct token token;
	int r;

	if (!rule_of(parser->token.kind)->begin)
		return parser_refuse(parser, "an expression");
	if (parser->depth > JMESPATH_DEPTH_MAX)
		return fault_set(parser->err, FAULT_LIMIT, parser->token.offset,
				 "expressions are more than %u deep",
				 JMESPATH_DEPTH_MAX);
	r = parser_take(parser, &token);
	return r < 0 ? r : rule_of(token.kind)->begin(parser, &token, ret);
}

int parser_expression(struct parser *parser, enum power power,
		      struct expression **ret)
{
	struct expression *left;
	int r;

	parser->depth++;
	r = begin(parser, &left);
	while (r == 0 && rule_of(parser->token.kind)->power > power) {
		struct token token;

		r = parser_take(parser, &token);
		if (r == 0)
			r = rule_of(token.kind)
				    ->go_on(parser, &token, left, &left);
	}
	parser->depth--;
	if (r == 0)
		*ret = left;
	return r;
}

static int check_utf8(const char *text, size_t length, struct err *err)
{
	size_t step;

	for (size_t at = 0; at < length; at += step) {
		step = utf8_length_at(text + at, length - at);
		if (step == 0)
			return fault_set(err, FAULT_SYNTAX, at,
					 "this is not UTF-8");
	}
	return 0;
}

int parser_run(struct jmespath *jmespath, const char *text, size_t length,
	       struct err *err)
{
	struct parser parser = {
		.jmespath = jmespath,
		.lexer = { text, length, 0 },
		.err = err,
	};
	struct token none;
	int r = check_utf8(text, length, err);

	if (r == 0)
		r = parser_take(&parser, &none);
	if (r == 0)
		r = parser_expression(&parser, POWER_NONE, &jmespath->root);
	if (r == 0 && !parser_stands(&parser, TOKEN_END))
		r = parser_refuse(&parser, "the end");
	return r;
}
