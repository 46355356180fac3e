/* SPDX-License-Identifier: Apache-2.0 */
/* Decodes straight into the buf, four characters to three bytes, so that no
 * copy is left elsewhere. */
#include "base/base64.h"
#include "base/buf.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define GROUP_LENGTH 4

/* The six bits of a character; 64 where it is not of the alphabet. */
static uint32_t bits_of(char character)
{
	if (character >= 'A' && character <= 'Z')
		return (uint32_t)(character - 'A');
	if (character >= 'a' && character <= 'z')
		return (uint32_t)(character - 'a') + 26;
	if (character >= '0' && character <= '9')
		return (uint32_t)(character - '0') + 52;
	if (character == '+')
		return 62;
	return character == '/' ? 63 : 64;
}

/* How many '=' stand at the end of whole groups. */
static size_t padding_of(const char *text, size_t length)
{
	if (length < GROUP_LENGTH || text[length - 1] != '=')
		return 0;
	return text[length - 2] == '=' ? 2 : 1;
}

/* Decodes one group, of which `padding` characters are not there. */
static bool decode_group(const char *group, size_t padding, unsigned char *to)
{
	uint32_t bits = 0;

	for (size_t i = 0; i < GROUP_LENGTH; i++) {
		bool is_padding = i >= GROUP_LENGTH - padding;
		uint32_t six = is_padding ? 0 : bits_of(group[i]);

		if (six > 63)
			return false;
		bits = bits << 6 | six;
	}
	for (size_t i = 0; i < 3 - padding; i++)
		to[i] = (unsigned char)(bits >> (16 - 8 * i));
	return (bits & ((1U << 8 * padding) - 1)) == 0;
}

static bool decode(const char *text, size_t length, size_t padding,
		   unsigned char *to)
{
	for (size_t at = 0; at < length; at += GROUP_LENGTH) {
		bool is_last = at + GROUP_LENGTH == length;

		if (!decode_group(text + at, is_last ? padding : 0, to))
			return false;
		to += 3;
	}
	return true;
}

int base64_decode(const char *text, size_t length, struct buf *out)
{
	size_t padding = padding_of(text, length);
	size_t decoded = length / GROUP_LENGTH * 3 - padding;
	int r;

	if (length % GROUP_LENGTH != 0)
		return -EBADMSG;
	r = buf_reserve(out, decoded);
	if (r < 0)
		return r;
	if (!decode(text, length, padding, out->bytes + out->length)) {
		explicit_bzero(out->bytes + out->length, decoded);
		return -EBADMSG;
	}
	out->length += decoded;
	out->bytes[out->length] = '\0';
	return 0;
}
