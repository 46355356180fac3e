/* SPDX-License-Identifier: Apache-2.0 */
/* The lead byte decides the length and the range of the second byte; overlong
 * forms, surrogates and too large characters all fail in that one range. */
#include "base/utf8.h"
#include "base/macros.h"

#include <stdbool.h>

/* RFC 3629, 4, row by row: lead bytes up to `last`, their length, and what
 * their second byte may be. */
static const struct {
	unsigned char last;
	unsigned char length; /* 0: no character starts so */
	unsigned char second_min;
	unsigned char second_max;
} leads[] = {
	{ 0x7f, 1, 0, 0 },	 { 0xc1, 0, 0, 0 },
	{ 0xdf, 2, 0x80, 0xbf }, { 0xe0, 3, 0xa0, 0xbf },
	{ 0xec, 3, 0x80, 0xbf }, { 0xed, 3, 0x80, 0x9f },
	{ 0xef, 3, 0x80, 0xbf }, { 0xf0, 4, 0x90, 0xbf },
	{ 0xf3, 4, 0x80, 0xbf }, { 0xf4, 4, 0x80, 0x8f },
	{ 0xff, 0, 0, 0 },
};

static bool is_tail(unsigned char byte)
{
	return byte >= 0x80 && byte <= 0xbf;
}

size_t utf8_length_at(const void *bytes, size_t length)
{
	const unsigned char *at = bytes;
	size_t row = 0;

	if (length == 0)
		return 0;
	while (at[0] > leads[row].last)
		row++;
	if (leads[row].length > length)
		return 0;
	if (leads[row].length < 2)
		return leads[row].length;
	if (at[1] < leads[row].second_min || at[1] > leads[row].second_max)
		return 0;
	for (size_t i = 2; i < leads[row].length; i++)
		if (!is_tail(at[i]))
			return 0;
	return leads[row].length;
}

size_t utf8_length_of(uint32_t character)
{
	if (character < 0x80)
		return 1;
	if (character < 0x800)
		return 2;
	return character < 0x10000 ? 3 : 4;
}

size_t utf8_write(uint32_t character, unsigned char *to)
{
	static const unsigned char marks[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	size_t length = utf8_length_of(character);

	for (size_t i = length - 1; i > 0; i--) {
		to[i] = (unsigned char)(0x80 | (character & 0x3f));
		character >>= 6;
	}
	to[0] = (unsigned char)(marks[length] | character);
	return length;
}
