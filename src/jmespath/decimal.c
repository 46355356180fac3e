/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two numbers compare as their signs do, then as the places of their first
 * digits that are not 0, then digit by digit. No double takes part, so that
 * long numbers keep apart.
 */
#include "jmespath/decimal.h"
#include "base/buf.h"
#include "jmespath/jvalue.h"
#include "jmespath/search.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Further than the longest text could shift a point back. */
#define EXPONENT_MAX 1000000000

/* Below it each integer is a double, and %.0f its shortest form. */
#define INTEGER_MAX 9007199254740992.0
#define DIGITS_MIN 15
#define DIGITS_MAX 17
#define NUMBER_SIZE 32

struct decimal {
	const char *at;	   /* the next digit or point */
	const char *end;   /* of the digits */
	int64_t magnitude; /* how far before the point the first digit is */
	int sign;	   /* 0: the number is 0 */
};

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

/* What stands behind the 'e', cut to what still makes a difference. */
static int64_t read_exponent(const char *at, const char *end)
{
	bool is_negative = at < end && *at == '-';
	int64_t exponent = 0;

	if (at < end && !is_digit(*at))
		at++;
	for (; at < end && exponent < EXPONENT_MAX; at++)
		exponent = exponent * 10 + (*at - '0');
	return is_negative ? -exponent : exponent;
}

/* Moves to the first digit that is not 0. */
static void skip_zeros(struct decimal *decimal)
{
	bool is_fraction = false;

	for (; decimal->at < decimal->end; decimal->at++) {
		if (*decimal->at == '.')
			is_fraction = true;
		else if (*decimal->at != '0')
			break;
		else if (is_fraction)
			decimal->magnitude--;
	}
	for (const char *at = decimal->at;
	     !is_fraction && at < decimal->end && *at != '.'; at++)
		decimal->magnitude++;
	if (decimal->at == decimal->end)
		decimal->sign = 0;
}

static struct decimal decimal_of(struct text text)
{
	const char *end = text.bytes + text.length;
	struct decimal decimal = { .at = text.bytes, .sign = 1 };
	const char *at;

	if (*decimal.at == '-') {
		decimal.sign = -1;
		decimal.at++;
	}
	at = decimal.at;
	while (at < end && (is_digit(*at) || *at == '.'))
		at++;
	decimal.end = at;
	skip_zeros(&decimal);
	if (decimal.end < end)
		decimal.magnitude += read_exponent(decimal.end + 1, end);
	return decimal;
}

/* 0 behind the last one. */
static char next_digit(struct decimal *decimal)
{
	if (decimal->at < decimal->end && *decimal->at == '.')
		decimal->at++;
	return decimal->at < decimal->end ? *decimal->at++ : '0';
}

/* Of two numbers that are not 0, without their signs. */
static int compare_size(struct decimal *a, struct decimal *b)
{
	if (a->magnitude != b->magnitude)
		return a->magnitude < b->magnitude ? -1 : 1;
	while (a->at < a->end || b->at < b->end) {
		char left = next_digit(a);
		char right = next_digit(b);

		if (left != right)
			return left < right ? -1 : 1;
	}
	return 0;
}

int decimal_compare(struct text a, struct text b)
{
	struct decimal left = decimal_of(a);
	struct decimal right = decimal_of(b);

	if (left.sign != right.sign)
		return left.sign < right.sign ? -1 : 1;
	return left.sign ? left.sign * compare_size(&left, &right) : 0;
}

int decimal_read(struct search *search, const struct jvalue *value, double *ret)
{
	struct text text;
	int r = jvalue_text(search, value, &text);

	if (r < 0)
		return r;
	/* strtod(3) needs an end, which the document does not have here. */
	buf_clear(&search->scratch);
	r = buf_append(&search->scratch, text.bytes, text.length);
	if (r < 0)
		return search_fail(search, r);
	*ret = strtod(buf_text(&search->scratch), NULL);
	return 0;
}

/* The length of what is at `to` then. */
static size_t print(char *to, double number)
{
	int length = 0;

	if (number >= -INTEGER_MAX && number <= INTEGER_MAX &&
	    number == (double)(int64_t)number)
		return (size_t)snprintf(to, NUMBER_SIZE, "%.0f", number + 0.0);
	for (int digits = DIGITS_MIN; digits <= DIGITS_MAX; digits++) {
		length = snprintf(to, NUMBER_SIZE, "%.*g", digits, number);
		if (strtod(to, NULL) == number)
			break;
	}
	return (size_t)length;
}

int decimal_write(struct search *search, double number, struct jvalue *ret)
{
	struct text text;
	size_t length;
	int r;

	buf_clear(&search->scratch);
	r = buf_reserve(&search->scratch, NUMBER_SIZE);
	if (r < 0)
		return search_fail(search, r);
	length = print((char *)search->scratch.bytes, number);
	search->scratch.length = length;
	r = search_keep(search, search->scratch.bytes, length, &text);
	if (r == 0)
		*ret = jvalue_of_number(text);
	return r;
}
