/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A token is known by its first byte: a letter, a digit, a quote, or one of the
 * signs. Of two signs that begin alike, the longer one stands first in the
 * table.
 */
#include "jmespath/lexer.h"
#include "base/macros.h"
#include "jmespath/fault.h"

#include <stdbool.h>
#include <string.h>

#define NUMBER_MAX 1000000000

static const struct {
	const char *text;
	enum token_kind kind;
} signs[] = {
	{ "[]", TOKEN_FLATTEN },
	{ "[?", TOKEN_FILTER },
	{ "[", TOKEN_BRACKET },
	{ "]", TOKEN_BRACKET_END },
	{ "{", TOKEN_BRACE },
	{ "}", TOKEN_BRACE_END },
	{ "(", TOKEN_PARENTHESIS },
	{ ")", TOKEN_PARENTHESIS_END },
	{ ".", TOKEN_DOT },
	{ "*", TOKEN_STAR },
	{ ",", TOKEN_COMMA },
	{ ":", TOKEN_COLON },
	{ "@", TOKEN_CURRENT },
	{ "&&", TOKEN_AND },
	{ "&", TOKEN_REFERENCE },
	{ "||", TOKEN_OR },
	{ "|", TOKEN_PIPE },
	{ "!=", TOKEN_UNEQUAL },
	{ "!", TOKEN_NOT },
	{ "==", TOKEN_EQUAL },
	{ "<=", TOKEN_LESS_OR_EQUAL },
	{ "<", TOKEN_LESS },
	{ ">=", TOKEN_GREATER_OR_EQUAL },
	{ ">", TOKEN_GREATER },
};

const char *lexer_name(enum token_kind kind)
{
	static const char *const names[] = {
		[TOKEN_END] = "the end",	  [TOKEN_IDENTIFIER] = "a name",
		[TOKEN_QUOTED] = "a quoted name", [TOKEN_RAW] = "a string",
		[TOKEN_LITERAL] = "a literal",	  [TOKEN_NUMBER] = "a number",
	};

	if (kind < ARRAY_SIZE(names))
		return names[kind];
	for (size_t i = 0; i < ARRAY_SIZE(signs); i++)
		if (signs[i].kind == kind)
			return signs[i].text;
	return "something else";
}

/* 0 at the end, as no token begins with it. */
static char here(const struct lexer *lexer)
{
	return lexer->at < lexer->length ? lexer->text[lexer->at] : '\0';
}

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static bool is_letter(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
	       byte == '_';
}

static int read_identifier(struct lexer *lexer, struct token *token)
{
	while (is_letter(here(lexer)) || is_digit(here(lexer)))
		lexer->at++;
	token->kind = TOKEN_IDENTIFIER;
	return 0;
}

static int read_number(struct lexer *lexer, struct token *token,
		       struct err *err)
{
	bool is_negative = here(lexer) == '-';
	int64_t number = 0;

	if (is_negative)
		lexer->at++;
	if (!is_digit(here(lexer)))
		return fault_set(err, FAULT_SYNTAX, token->offset,
				 "digits must follow '-'");
	for (; is_digit(here(lexer)); lexer->at++)
		if (number < NUMBER_MAX)
			number = number * 10 + (here(lexer) - '0');
	token->kind = TOKEN_NUMBER;
	token->number = is_negative ? -number : number;
	return 0;
}

/* Up to the same quote again; what a backslash stands before never ends it. */
static int read_quoted(struct lexer *lexer, enum token_kind kind,
		       struct token *token, struct err *err)
{
	char quote = here(lexer);

	lexer->at++;
	while (lexer->at < lexer->length && here(lexer) != quote)
		lexer->at += here(lexer) == '\\' ? 2 : 1;
	if (lexer->at >= lexer->length)
		return fault_set(err, FAULT_SYNTAX, token->offset,
				 "no %c ends what one begins here", quote);
	lexer->at++;
	token->kind = kind;
	return 0;
}

static int read_sign(struct lexer *lexer, struct token *token, struct err *err)
{
	size_t left = lexer->length - lexer->at;

	for (size_t i = 0; i < ARRAY_SIZE(signs); i++) {
		size_t length = strlen(signs[i].text);

		if (left < length ||
		    memcmp(lexer->text + lexer->at, signs[i].text, length) != 0)
			continue;
		lexer->at += length;
		token->kind = signs[i].kind;
		return 0;
	}
	return fault_set(err, FAULT_SYNTAX, token->offset,
			 "no part of the language begins so");
}

static int read_token(struct lexer *lexer, struct token *token, struct err *err)
{
	char first = here(lexer);

	if (lexer->at == lexer->length)
		return 0;
	if (is_letter(first))
		return read_identifier(lexer, token);
	if (is_digit(first) || first == '-')
		return read_number(lexer, token, err);
	if (first == '"')
		return read_quoted(lexer, TOKEN_QUOTED, token, err);
	if (first == '\'')
		return read_quoted(lexer, TOKEN_RAW, token, err);
	if (first == '`')
		return read_quoted(lexer, TOKEN_LITERAL, token, err);
	return read_sign(lexer, token, err);
}

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

int lexer_next(struct lexer *lexer, struct token *ret, struct err *err)
{
	struct token token = { .kind = TOKEN_END };
	int r;

	while (is_blank(here(lexer)))
		lexer->at++;
	token.offset = lexer->at;
	r = read_token(lexer, &token, err);
	if (r < 0)
		return r;
	token.text.bytes = lexer->text + token.offset;
	token.text.length = lexer->at - token.offset;
	*ret = token;
	return 0;
}
