/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order of guesses is that of goyaml.v2's resolve(): words, then integers
 * with a prefix for their base, then decimal fractions, else text.
 */
#include "config/ydoc_scalar.h"
#include "base/macros.h"
#include "config/arena.h"
#include "config/ydoc.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Longer ones are no numbers that anybody writes. */
#define NUMBER_MAX 64
#define EXPONENT_LEAST (-4)
#define EXPONENT_MOST 6
#define DOUBLE_DIGITS 17

static const struct {
	const char *word;
	bool is_true;
} bool_words[] = {
	{ "y", true },	    { "Y", true },	{ "yes", true },
	{ "Yes", true },    { "YES", true },	{ "true", true },
	{ "True", true },   { "TRUE", true },	{ "on", true },
	{ "On", true },	    { "ON", true },	{ "n", false },
	{ "N", false },	    { "no", false },	{ "No", false },
	{ "NO", false },    { "false", false }, { "False", false },
	{ "FALSE", false }, { "off", false },	{ "Off", false },
	{ "OFF", false },
};

static const char *const null_words[] = { "", "~", "null", "Null", "NULL" };

bool ydoc_is_null(const struct ydoc_node *node)
{
	if (node->kind != YDOC_SCALAR || node->style != YDOC_PLAIN)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(null_words); i++)
		if (strcmp(node->text, null_words[i]) == 0)
			return true;
	return false;
}

int ydoc_bool_parse(const char *text, bool *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(bool_words); i++)
		if (strcmp(text, bool_words[i].word) == 0) {
			*ret = bool_words[i].is_true;
			return 0;
		}
	return -EINVAL;
}

/* Skips the prefix that says the base of an integer. */
static unsigned take_base(const char **text)
{
	static const struct {
		const char *prefix;
		unsigned base;
	} bases[] = { { "0x", 16 }, { "0X", 16 }, { "0o", 8 }, { "0O", 8 },
		      { "0b", 2 },  { "0B", 2 },  { "0", 8 } };

	for (size_t i = 0; i < ARRAY_SIZE(bases); i++) {
		size_t length = strlen(bases[i].prefix);

		if (strncmp(*text, bases[i].prefix, length) != 0 ||
		    !(*text)[length])
			continue;
		*text += length;
		return bases[i].base;
	}
	return 10;
}

static unsigned digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (unsigned)(c - 'A') + 10;
	return UINT32_MAX;
}

/* "0600" becomes "384" in place. False: no integer of 64 bits. */
static bool rewrite_integer(char number[NUMBER_MAX])
{
	bool is_negative = *number == '-';
	const char *text = number + (*number == '-' || *number == '+');
	uint64_t most = is_negative ? (uint64_t)INT64_MAX + 1 : UINT64_MAX;
	unsigned base = take_base(&text);
	uint64_t value = 0;

	if (!*text)
		return false;
	for (; *text; text++) {
		unsigned digit = digit_of(*text);

		if (digit >= base || value > (most - digit) / base)
			return false;
		value = value * base + digit;
	}
	(void)snprintf(number, NUMBER_MAX, "%s%" PRIu64,
		       is_negative && value > 0 ? "-" : "", value);
	return true;
}

/* [-+]? (.[0-9]+ | [0-9]+ (.[0-9]*)?) ([eE] [-+]? [0-9]+)? */
static bool looks_like_fraction(const char *text)
{
	static const char digits[] = "0123456789";
	size_t before;
	size_t after = 0;

	text += *text == '-' || *text == '+';
	before = strspn(text, digits);
	text += before;
	if (*text == '.') {
		after = strspn(++text, digits);
		text += after;
	}
	if (before + after == 0)
		return false;
	if (*text == 'e' || *text == 'E') {
		text++;
		text += *text == '-' || *text == '+';
		before = strspn(text, digits);
		text += before;
		if (before == 0)
			return false;
	}
	return !*text;
}

/* The fewest digits that read back as the same number: "-d.ddde+XX". */
static void write_shortest(char number[NUMBER_MAX], double value)
{
	for (int digits = 0; digits < DOUBLE_DIGITS; digits++) {
		(void)snprintf(number, NUMBER_MAX, "%.*e", digits, value);
		if (strtod(number, NULL) == value)
			return;
	}
}

/* As Go's FormatFloat(value, 'g', -1, 64) writes it. False: not a fraction, or
 * past what a double holds. */
static bool rewrite_fraction(char number[NUMBER_MAX])
{
	const char *exponent_text;
	double value;
	size_t digits;
	int exponent;

	if (!looks_like_fraction(number))
		return false;
	value = strtod(number, NULL);
	write_shortest(number, value);
	exponent_text = strchr(number, 'e');
	if (!exponent_text)
		return false;
	exponent = (int)strtod(exponent_text + 1, NULL);
	if (exponent < EXPONENT_LEAST || exponent >= EXPONENT_MOST)
		return true;
	digits = (size_t)(exponent_text - number);
	digits -= *number == '-';
	digits -= digits > 1; /* the point */
	(void)snprintf(number, NUMBER_MAX, "%.*f",
		       (int)digits - 1 > exponent ? (int)digits - 1 - exponent
						  : 0,
		       value);
	return true;
}

/* Without the '_' that may stand between digits. False: too long. */
static bool copy_number(const char *text, char number[NUMBER_MAX])
{
	size_t length = 0;

	for (; *text; text++) {
		if (*text == '_')
			continue;
		if (length == NUMBER_MAX - 1)
			return false;
		number[length++] = *text;
	}
	number[length] = '\0';
	return true;
}

const char *ydoc_scalar_text(const struct ydoc_node *node, struct arena *arena)
{
	char number[NUMBER_MAX] = "";
	bool is_true;

	if (node->style != YDOC_PLAIN)
		return node->text;
	if (ydoc_bool_parse(node->text, &is_true) == 0)
		return is_true ? "true" : "false";
	if (!strchr("+-.0123456789", *node->text) ||
	    !copy_number(node->text, number))
		return node->text;
	if ((*node->text == '.' || !rewrite_integer(number)) &&
	    !rewrite_fraction(number))
		return node->text;
	return arena_copy(arena, number, strlen(number));
}
