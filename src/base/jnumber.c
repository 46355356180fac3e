/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A number is a row of digits and the place of its decimal point in them, which
 * the exponent moves. What stands before the point is the integer part.
 */
#include "base/jnumber.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* Further than the longest text could shift a point back. */
#define EXPONENT_MAX 1000000000

struct number {
	const char *digits; /* integer and fraction, with the '.' if any */
	size_t length;
	int64_t point; /* how many digits stand before it; may be negative */
	bool is_negative;
};

/* A place in a text, which the calls below move forward. */
struct cursor {
	const char *text;
	size_t length;
	size_t at;
};

/* How many digits there were. */
static size_t skip_digits(struct cursor *cursor)
{
	size_t from = cursor->at;

	while (cursor->at < cursor->length && cursor->text[cursor->at] >= '0' &&
	       cursor->text[cursor->at] <= '9')
		cursor->at++;
	return cursor->at - from;
}

static bool skip_one_of(struct cursor *cursor, const char *bytes)
{
	if (cursor->at == cursor->length || !cursor->text[cursor->at] ||
	    !strchr(bytes, cursor->text[cursor->at]))
		return false;
	cursor->at++;
	return true;
}

static const char *scan(struct cursor *cursor)
{
	static const char fault[] = "no digits where a number needs them";
	bool is_negative = skip_one_of(cursor, "-");

	if (!skip_one_of(cursor, "0") && !skip_digits(cursor))
		return is_negative ? fault : "no value where one is due";
	if (skip_one_of(cursor, ".") && !skip_digits(cursor))
		return fault;
	if (!skip_one_of(cursor, "eE"))
		return NULL;
	(void)skip_one_of(cursor, "+-");
	return skip_digits(cursor) ? NULL : fault;
}

const char *jnumber_scan(const char *text, size_t length, size_t *ret_length)
{
	struct cursor cursor = { text, length, 0 };
	const char *fault = scan(&cursor);

	*ret_length = cursor.at;
	return fault;
}

/* The rest as an exponent, cut to what still makes a difference. */
static int64_t read_exponent(struct cursor *cursor)
{
	bool is_negative = skip_one_of(cursor, "-");
	int64_t exponent = 0;

	(void)skip_one_of(cursor, "+");
	for (; cursor->at < cursor->length && exponent < EXPONENT_MAX;
	     cursor->at++)
		exponent = exponent * 10 + (cursor->text[cursor->at] - '0');
	return is_negative ? -exponent : exponent;
}

static struct number read_number(const char *text, size_t length)
{
	struct cursor cursor = { text, length, 0 };
	struct number number = { .is_negative = skip_one_of(&cursor, "-") };

	number.digits = text + cursor.at;
	number.point = (int64_t)skip_digits(&cursor);
	if (skip_one_of(&cursor, "."))
		(void)skip_digits(&cursor);
	number.length = (size_t)(text + cursor.at - number.digits);
	if (skip_one_of(&cursor, "eE"))
		number.point += read_exponent(&cursor);
	return number;
}

int jnumber_scaled(const char *text, size_t length, unsigned places,
		   int64_t *ret)
{
	struct number number = read_number(text, length);
	int64_t point = number.point + places;
	int64_t value = 0; /* negated: that side of int64 has one more */

	for (size_t at = 0; point > 0 && (at < number.length || value); at++) {
		char digit = at < number.length ? number.digits[at] : '0';

		if (digit == '.')
			continue;
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_sub_overflow(value, digit - '0', &value))
			return -ERANGE;
		point--;
	}
	if (!number.is_negative && __builtin_sub_overflow(0, value, &value))
		return -ERANGE;
	*ret = value;
	return 0;
}
