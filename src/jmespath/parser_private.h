/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JMESPATH_PARSER_PRIVATE_H
#define JMESPATH_PARSER_PRIVATE_H

#include <stdbool.h>

#include "jmespath/expression.h"
#include "jmespath/lexer.h"

struct err;

/* For the three files of the parser only. Every call returns 0, -EINVAL, -E2BIG
 * or -ENOMEM. */

struct parser {
	struct jmespath *jmespath;
	struct lexer lexer;
	struct token token; /* the one to read next */
	unsigned depth;
	struct err *err;
};

/* How tightly what may follow an expression binds. What binds less than
 * POWER_PROJECTION ends a projection. */
enum power {
	POWER_NONE,
	POWER_PIPE,
	POWER_OR,
	POWER_AND,
	POWER_COMPARISON,
	POWER_FLATTEN,
	POWER_PROJECTION,
	POWER_STAR,
	POWER_FILTER,
	POWER_DOT,
	POWER_NOT,
	POWER_BRACKET,
};

/* Moves on, and hands out the token that was due. */
int parser_take(struct parser *parser, struct token *ret);

/* As parser_take() where the token is of this kind; else a syntax error. */
int parser_expect(struct parser *parser, enum token_kind kind);

bool parser_stands(const struct parser *parser, enum token_kind kind);

/* The kind of the token behind the one that is due; TOKEN_END where there is
 * none that is sound. */
enum token_kind parser_peek(const struct parser *parser);

/* Says that the token that is due cannot stand there. */
int parser_refuse(const struct parser *parser, const char *due);

int parser_new(struct parser *parser, enum expression_kind kind,
	       const struct token *token, struct expression **ret);

/* A new one of sides[0] and, where it is not NULL, sides[1]. */
int parser_combine(struct parser *parser, const struct token *token,
		   enum expression_kind kind, struct expression *const sides[2],
		   struct expression **ret);

enum power parser_power(enum token_kind kind);

/* An expression of what binds tighter than power. */
int parser_expression(struct parser *parser, enum power power,
		      struct expression **ret);

/* What may stand behind a dot. */
int parser_member(struct parser *parser, enum power power,
		  struct expression **ret);

/* What a projection does to each item. */
int parser_projected(struct parser *parser, enum power power,
		     struct expression **ret);

/* The following read what stands behind an opening token, which is taken
 * already, with the closing one. */

int parser_list(struct parser *parser, const struct token *token,
		struct expression **ret);
int parser_hash(struct parser *parser, const struct token *token,
		struct expression **ret);
int parser_call(struct parser *parser, const struct token *name,
		struct expression **ret);

/* How an expression goes on behind a token that is taken already; left is what
 * there is of it so far. */
typedef int go_on_fn(struct parser *parser, const struct token *token,
		     struct expression *left, struct expression **ret);

/* Those of the projections. */
go_on_fn parser_star;
go_on_fn parser_flatten;
go_on_fn parser_filter;
go_on_fn parser_bracket;

#endif
