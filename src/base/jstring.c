/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A string is a row of pieces: characters that stand for themselves, and
 * escapes. One function reads a piece, for checking and for decoding, so that a
 * sound string cannot decode to more than was counted.
 */
#include "base/jstring.h"
#include "base/utf8.h"

#include <stdint.h>
#include <string.h>

#define SURROGATE_HIGH 0xd800U
#define SURROGATE_LOW 0xdc00U
#define SURROGATE_END 0xe000U

#define CODE_UNIT_LENGTH 6 /* of "\uXXXX" */
#define NO_CODE_UNIT UINT32_MAX

struct piece {
	size_t written;
	size_t decoded;
	uint32_t character; /* of escapes only */
};

/* The value of a hexadecimal digit; 16 for any other byte. */
static uint32_t hex_digit(char digit)
{
	if (digit >= '0' && digit <= '9')
		return (uint32_t)(digit - '0');
	if (digit >= 'a' && digit <= 'f')
		return (uint32_t)(digit - 'a') + 10;
	if (digit >= 'A' && digit <= 'F')
		return (uint32_t)(digit - 'A') + 10;
	return 16;
}

/* The code unit of a "\uXXXX" at text; NO_CODE_UNIT. */
static uint32_t code_unit_at(const char *text, size_t length)
{
	uint32_t unit = 0;

	if (length < CODE_UNIT_LENGTH || text[0] != '\\' || text[1] != 'u')
		return NO_CODE_UNIT;
	for (size_t i = 2; i < CODE_UNIT_LENGTH; i++) {
		uint32_t digit = hex_digit(text[i]);

		if (digit > 15)
			return NO_CODE_UNIT;
		unit = unit << 4 | digit;
	}
	return unit;
}

static struct piece escape_of(size_t written, uint32_t character)
{
	return (struct piece){ written, utf8_length_of(character), character };
}

static const char *read_code_units(const char *text, size_t length,
				   struct piece *ret)
{
	uint32_t high = code_unit_at(text, length);
	uint32_t low;

	if (high == NO_CODE_UNIT)
		return "an escape \\u without four hexadecimal digits";
	if (high < SURROGATE_HIGH || high >= SURROGATE_END) {
		*ret = escape_of(CODE_UNIT_LENGTH, high);
		return NULL;
	}
	low = code_unit_at(text + CODE_UNIT_LENGTH, length - CODE_UNIT_LENGTH);
	if (high >= SURROGATE_LOW || low < SURROGATE_LOW ||
	    low >= SURROGATE_END)
		return "a lone surrogate";
	*ret = escape_of(2 * CODE_UNIT_LENGTH,
			 0x10000 + ((high - SURROGATE_HIGH) << 10) +
				 (low - SURROGATE_LOW));
	return NULL;
}

static const char *read_escape(const char *text, size_t length,
			       struct piece *ret)
{
	static const char letters[] = "\"\\/bfnrt";
	static const char meanings[] = "\"\\/\b\f\n\r\t";
	const char *letter;

	if (length < 2)
		return "an escape without an end";
	if (text[1] == 'u')
		return read_code_units(text, length, ret);
	letter = memchr(letters, text[1], sizeof(letters) - 1);
	if (!letter)
		return "an unknown escape";
	*ret = escape_of(2, (unsigned char)meanings[letter - letters]);
	return NULL;
}

/* Reads the piece at text. NULL, or what is wrong with it. */
static const char *read_piece(const char *text, size_t length,
			      struct piece *ret)
{
	size_t plain;

	if (*text == '\\')
		return read_escape(text, length, ret);
	if ((unsigned char)*text < 0x20)
		return "a control byte in a string";
	plain = utf8_length_at(text, length);
	*ret = (struct piece){ plain, plain, 0 };
	return plain ? NULL : "invalid UTF-8";
}

const char *jstring_scan(const char *text, size_t length, struct jstring *ret)
{
	const char *fault = NULL;
	struct piece piece;

	*ret = (struct jstring){ 0 };
	while (ret->written < length && text[ret->written] != '"') {
		fault = read_piece(text + ret->written, length - ret->written,
				   &piece);
		if (fault)
			return fault;
		ret->written += piece.written;
		ret->decoded += piece.decoded;
	}
	explicit_bzero(&piece, sizeof(piece));
	return ret->written < length ? NULL : "a string without an end";
}

/* Reads a piece of a sound string, writes what it decodes to. */
static void decode_piece(const char *text, size_t length, struct piece *ret,
			 unsigned char *to)
{
	(void)read_piece(text, length, ret);
	if (*text == '\\')
		(void)utf8_write(ret->character, to);
	else
		memcpy(to, text, ret->written);
}

void jstring_decode(const char *inside, size_t written, unsigned char *to)
{
	struct piece piece;

	for (size_t at = 0; at < written; at += piece.written) {
		decode_piece(inside + at, written - at, &piece, to);
		to += piece.decoded;
	}
	explicit_bzero(&piece, sizeof(piece));
}

bool jstring_is(const char *inside, size_t written, const char *bytes)
{
	unsigned char decoded[UTF8_LENGTH_MAX];
	struct piece piece;
	bool is_same = true;

	for (size_t at = 0; is_same && at < written; at += piece.written) {
		decode_piece(inside + at, written - at, &piece, decoded);
		is_same = memcmp(decoded, bytes, piece.decoded) == 0;
		bytes += piece.decoded;
	}
	explicit_bzero(decoded, sizeof(decoded));
	explicit_bzero(&piece, sizeof(piece));
	return is_same;
}
