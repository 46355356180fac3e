/* SPDX-License-Identifier: Apache-2.0 */
/* Every number that a person writes is read here, and read strictly. */
#include "base/parse.h"
#include "base/macros.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#define DURATION_MAX_MS ((uint64_t)10 * 365 * 86400 * 1000)

/* Reads digits of a base; returns where they end, or NULL past max. */
static const char *read_digits(const char *text, unsigned base, uint64_t max,
			       uint64_t *ret)
{
	uint64_t number = 0;

	for (; *text >= '0' && *text < (char)('0' + base); text++) {
		uint64_t digit = (uint64_t)(*text - '0');

		if (number > (max - digit) / base)
			return NULL;
		number = number * base + digit;
	}
	*ret = number;
	return text;
}

static int parse_number(const char *text, unsigned base, uint64_t max,
			uint64_t *ret)
{
	uint64_t number;
	const char *end = read_digits(text, base, max, &number);

	if (!end)
		return -ERANGE;
	if (end == text || *end)
		return -EINVAL;
	*ret = number;
	return 0;
}

int parse_decimal(const char *text, uint64_t max, uint64_t *ret)
{
	return parse_number(text, 10, max, ret);
}

int parse_octal(const char *text, unsigned max, unsigned *ret)
{
	uint64_t number;
	int r = parse_number(text, 8, max, &number);

	if (r == 0)
		*ret = (unsigned)number;
	return r;
}

static const struct {
	const char *name;
	uint64_t ms;
} units[] = {
	{ "d", 86400000 }, { "h", 3600000 }, { "ms", 1 },
	{ "m", 60000 },	   { "s", 1000 },
};

/* Which unit stands at text: the units' index, or -1. */
static int unit_at(const char *text)
{
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (strncmp(text, units[i].name, strlen(units[i].name)) == 0)
			return (int)i;
	return -1;
}

int parse_duration_ms(const char *text, int64_t *ret)
{
	uint64_t total = 0;
	uint64_t last_ms = UINT64_MAX;
	uint64_t number;

	if (parse_decimal(text, DURATION_MAX_MS / 1000, &number) == 0) {
		*ret = (int64_t)number * 1000;
		return 0;
	}
	if (!*text)
		return -EINVAL;
	while (*text) {
		const char *end =
			read_digits(text, 10, DURATION_MAX_MS, &number);
		int unit = end ? unit_at(end) : -1;

		if (!end)
			return -ERANGE;
		if (end == text || unit < 0 || units[unit].ms >= last_ms)
			return -EINVAL;
		if (number > (DURATION_MAX_MS - total) / units[unit].ms)
			return -ERANGE;
		total += number * units[unit].ms;
		last_ms = units[unit].ms;
		text = end + strlen(units[unit].name);
	}
	*ret = (int64_t)total;
	return 0;
}
