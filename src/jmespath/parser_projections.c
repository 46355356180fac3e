/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What projects, and indices, which look alike: a projection takes what follows
 * it for its right side, up to what binds less than POWER_PROJECTION.
 */
#include "jmespath/fault.h"
#include "jmespath/parser_private.h"

#define SLICE_PARTS 3

int parser_projected(struct parser *parser, enum power power,
		     struct expression **ret)
{
	int r;

	if (parser_power(parser->token.kind) < POWER_PROJECTION)
		return parser_new(parser, EXPRESSION_CURRENT, &parser->token,
				  ret);
	if (!parser_stands(parser, TOKEN_DOT))
		return parser_expression(parser, power, ret);
	r = parser_expect(parser, TOKEN_DOT);
	return r < 0 ? r : parser_member(parser, power, ret);
}

/* A projection of left and of what follows. */
static int project(struct parser *parser, const struct token *token,
		   enum expression_kind kind, enum power power,
		   struct expression *left, struct expression **ret)
{
	struct expression *sides[] = { left, NULL };
	int r = parser_projected(parser, power, &sides[1]);

	return r < 0 ? r : parser_combine(parser, token, kind, sides, ret);
}

static void set_part(struct slice *slice, unsigned part, int64_t number)
{
	if (part == 0) {
		slice->start = number;
		slice->has_start = true;
	} else if (part == 1) {
		slice->stop = number;
		slice->has_stop = true;
	} else {
		slice->step = number;
	}
}

/* Numbers, each of which may be missing, and the colons between them. */
static int read_slice(struct parser *parser, struct slice *slice)
{
	struct token token;
	int r = 0;

	for (unsigned part = 0; r == 0 && part < SLICE_PARTS; part++) {
		if (parser_stands(parser, TOKEN_NUMBER)) {
			set_part(slice, part, parser->token.number);
			r = parser_take(parser, &token);
		}
		if (!parser_stands(parser, TOKEN_COLON) ||
		    part + 1 == SLICE_PARTS)
			break;
		if (r == 0)
			r = parser_take(parser, &token);
	}
	return r < 0 ? r : parser_expect(parser, TOKEN_BRACKET_END);
}

/* A slice projects even if nothing follows. */
static int parse_slice(struct parser *parser, const struct token *token,
		       struct expression *left, struct expression **ret)
{
	struct expression *projection;
	struct expression *right;
	struct expression *slice;
	int r = parser_new(parser, EXPRESSION_SLICE, token, &slice);

	if (r < 0)
		return r;
	slice->slice.step = 1;
	r = read_slice(parser, &slice->slice);
	if (r == 0 && slice->slice.step == 0)
		r = fault_set(parser->err, FAULT_INVALID_VALUE, token->offset,
			      "the step of a slice is 0");
	if (r == 0)
		r = expression_set_left(slice, left, parser->err);
	if (r == 0)
		r = parser_new(parser, EXPRESSION_ITEMS, token, &projection);
	if (r == 0)
		r = expression_set_left(projection, slice, parser->err);
	if (r == 0)
		r = parser_projected(parser, POWER_STAR, &right);
	if (r == 0)
		r = expression_set_right(projection, right, parser->err);
	if (r == 0)
		*ret = projection;
	return r;
}

static int parse_index(struct parser *parser, const struct token *token,
		       struct expression *left, struct expression **ret)
{
	struct expression *index;
	int r;

	if (parser_stands(parser, TOKEN_COLON) ||
	    parser_peek(parser) == TOKEN_COLON)
		return parse_slice(parser, token, left, ret);
	r = parser_new(parser, EXPRESSION_INDEX, token, &index);
	if (r < 0)
		return r;
	index->index = parser->token.number;
	r = parser_expect(parser, TOKEN_NUMBER);
	if (r == 0)
		r = parser_expect(parser, TOKEN_BRACKET_END);
	if (r == 0)
		r = expression_set_left(index, left, parser->err);
	if (r == 0)
		*ret = index;
	return r;
}

int parser_star(struct parser *parser, const struct token *token,
		struct expression *left, struct expression **ret)
{
	return project(parser, token, EXPRESSION_VALUES, POWER_STAR, left, ret);
}

int parser_flatten(struct parser *parser, const struct token *token,
		   struct expression *left, struct expression **ret)
{
	struct expression *sides[2] = { left, NULL };
	struct expression *flat;
	int r = parser_combine(parser, token, EXPRESSION_FLATTEN, sides, &flat);

	return r < 0 ? r
		     : project(parser, token, EXPRESSION_ITEMS, POWER_FLATTEN,
			       flat, ret);
}

int parser_filter(struct parser *parser, const struct token *token,
		  struct expression *left, struct expression **ret)
{
	struct expression *condition;
	struct expression *filter;
	int r = parser_expression(parser, POWER_NONE, &condition);

	if (r == 0)
		r = parser_expect(parser, TOKEN_BRACKET_END);
	if (r == 0)
		r = project(parser, token, EXPRESSION_FILTER, POWER_FILTER,
			    left, &filter);
	if (r == 0)
		r = expression_set_condition(filter, condition, parser->err);
	if (r == 0)
		*ret = filter;
	return r;
}

int parser_bracket(struct parser *parser, const struct token *token,
		   struct expression *left, struct expression **ret)
{
	int r;

	if (parser_stands(parser, TOKEN_NUMBER) ||
	    parser_stands(parser, TOKEN_COLON))
		return parse_index(parser, token, left, ret);
	if (!parser_stands(parser, TOKEN_STAR))
		return parser_refuse(parser, "an index, a slice, or *");
	r = parser_expect(parser, TOKEN_STAR);
	if (r == 0)
		r = parser_expect(parser, TOKEN_BRACKET_END);
	return r < 0 ? r
		     : project(parser, token, EXPRESSION_ITEMS, POWER_STAR,
			       left, ret);
}
