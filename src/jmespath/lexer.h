/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JMESPATH_LEXER_H
#define JMESPATH_LEXER_H

#include <stddef.h>
#include <stdint.h>

#include "jmespath/text.h"

struct err;

/* The tokens of an expression, one at a time. */

enum token_kind {
	TOKEN_END,
	TOKEN_IDENTIFIER,
	TOKEN_QUOTED,  /* "name", a JSON string */
	TOKEN_RAW,     /* 'string' */
	TOKEN_LITERAL, /* `JSON` */
	TOKEN_NUMBER,
	TOKEN_DOT,
	TOKEN_STAR,
	TOKEN_BRACKET,
	TOKEN_BRACKET_END,
	TOKEN_FLATTEN, /* [] */
	TOKEN_FILTER,  /* [? */
	TOKEN_BRACE,
	TOKEN_BRACE_END,
	TOKEN_PARENTHESIS,
	TOKEN_PARENTHESIS_END,
	TOKEN_COMMA,
	TOKEN_COLON,
	TOKEN_CURRENT,
	TOKEN_REFERENCE, /* & */
	TOKEN_PIPE,
	TOKEN_OR,
	TOKEN_AND,
	TOKEN_NOT,
	TOKEN_EQUAL,
	TOKEN_UNEQUAL,
	TOKEN_LESS,
	TOKEN_LESS_OR_EQUAL,
	TOKEN_GREATER,
	TOKEN_GREATER_OR_EQUAL,
	TOKEN_KINDS, /* how many there are */
};

struct token {
	enum token_kind kind;
	size_t offset;
	struct text text; /* as written, with its quotes */
	int64_t number;	  /* cut to what no array is as long as */
};

/* A place in an expression. A copy of it reads ahead. */
struct lexer {
	const char *text;
	size_t length;
	size_t at;
};

/* The token at the lexer's place, which moves behind it. 0, or -EINVAL. */
int lexer_next(struct lexer *lexer, struct token *ret, struct err *err);

/* A kind in words, for errors. */
const char *lexer_name(enum token_kind kind);

#endif
