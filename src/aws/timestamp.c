/* SPDX-License-Identifier: Apache-2.0 */
/* Reads digits by their places, so that nothing but the one form passes:
 * strptime(3) would accept blanks and signs. */
#include "aws/timestamp.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#define FRACTION_DIGITS_MAX 9

int timestamp_basic(int64_t time_s, char ret[TIMESTAMP_BASIC_SIZE])
{
	time_t time = (time_t)time_s;
	struct tm parts;

	if (!gmtime_r(&time, &parts) ||
	    strftime(ret, TIMESTAMP_BASIC_SIZE, "%Y%m%dT%H%M%SZ", &parts) !=
		    TIMESTAMP_BASIC_SIZE - 1)
		return -ERANGE;
	return 0;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Takes exactly `digits` digits of a value between min and max. */
static bool take_number(const char **at, unsigned digits, int min, int max,
			int *ret)
{
	int number = 0;

	for (unsigned i = 0; i < digits; i++) {
		if (!is_digit(**at))
			return false;
		number = number * 10 + (*(*at)++ - '0');
	}
	if (number < min || number > max)
		return false;
	*ret = number;
	return true;
}

static bool take_char(const char **at, char c)
{
	if (**at != c)
		return false;
	(*at)++;
	return true;
}

static bool take_date(const char **at, struct tm *ret)
{
	int year;
	int month;

	if (!take_number(at, 4, 1970, 9999, &year) || !take_char(at, '-') ||
	    !take_number(at, 2, 1, 12, &month) || !take_char(at, '-') ||
	    !take_number(at, 2, 1, 31, &ret->tm_mday))
		return false;
	ret->tm_year = year - 1900;
	ret->tm_mon = month - 1;
	return true;
}

/* A second 60 is a leap second; timegm(3) carries it over. */
static bool take_time(const char **at, struct tm *ret)
{
	return take_number(at, 2, 0, 23, &ret->tm_hour) && take_char(at, ':') &&
	       take_number(at, 2, 0, 59, &ret->tm_min) && take_char(at, ':') &&
	       take_number(at, 2, 0, 60, &ret->tm_sec);
}

static bool skip_fraction(const char **at)
{
	size_t digits;

	if (!take_char(at, '.'))
		return true;
	digits = strspn(*at, "0123456789");
	*at += digits;
	return digits >= 1 && digits <= FRACTION_DIGITS_MAX;
}

static bool take_offset(const char **at, int64_t *ret_s)
{
	bool is_east = **at == '+';
	int hours;
	int minutes;

	if (take_char(at, 'Z')) {
		*ret_s = 0;
		return true;
	}
	if (!take_char(at, '+') && !take_char(at, '-'))
		return false;
	if (!take_number(at, 2, 0, 23, &hours) || !take_char(at, ':') ||
	    !take_number(at, 2, 0, 59, &minutes))
		return false;
	*ret_s = (hours * 60L + minutes) * (is_east ? 60 : -60);
	return true;
}

/* timegm(3) makes 31 February into March: such days are refused. */
static bool to_seconds(const struct tm *parts, int64_t *ret_s)
{
	struct tm normal = *parts;

	*ret_s = timegm(&normal);
	return normal.tm_mday == parts->tm_mday || parts->tm_sec == 60;
}

int timestamp_parse(const char *text, int64_t *ret_s)
{
	struct tm parts = { 0 };
	int64_t offset_s;
	int64_t time_s;

	if (!take_date(&text, &parts) || !take_char(&text, 'T') ||
	    !take_time(&text, &parts) || !skip_fraction(&text) ||
	    !take_offset(&text, &offset_s) || *text != '\0' ||
	    !to_seconds(&parts, &time_s))
		return -EINVAL;
	*ret_s = time_s - offset_s;
	return 0;
}

static bool take_month(const char **at, int *ret)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	for (int month = 0; month < 12; month++) {
		if (strncmp(*at, names + (ptrdiff_t)3 * month, 3) != 0)
			continue;
		*at += 3;
		*ret = month;
		return true;
	}
	return false;
}

/* The day of the week, which says nothing more, is passed over. */
int timestamp_parse_http(const char *text, int64_t *ret_s)
{
	struct tm parts = { 0 };
	int64_t time_s;
	int year;

	if (strlen(text) < 5 || text[3] != ',' || text[4] != ' ')
		return -EINVAL;
	text += 5;
	if (!take_number(&text, 2, 1, 31, &parts.tm_mday) ||
	    !take_char(&text, ' ') || !take_month(&text, &parts.tm_mon) ||
	    !take_char(&text, ' ') ||
	    !take_number(&text, 4, 1970, 9999, &year) || !take_char(&text, ' '))
		return -EINVAL;
	parts.tm_year = year - 1900;
	if (!take_time(&text, &parts) || strcmp(text, " GMT") != 0 ||
	    !to_seconds(&parts, &time_s))
		return -EINVAL;
	*ret_s = time_s;
	return 0;
}
