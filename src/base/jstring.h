/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_JSTRING_H
#define BASE_JSTRING_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The inside of JSON strings (RFC 8259, 7), for jdoc only: what stands between
 * the quotes, as written and decoded.
 */

struct jstring {
	size_t written; /* bytes between the quotes */
	size_t decoded; /* bytes that they decode to, never more */
};

/* Checks the string whose inside starts at text and whose closing quote must
 * come within length. NULL where it is sound; else the reason why not, with
 * ret->written the offset of the fault. */
const char *jstring_scan(const char *text, size_t length, struct jstring *ret);

/* Writes the decoded bytes of an inside that jstring_scan() found sound. */
void jstring_decode(const char *inside, size_t written, unsigned char *to);

/* Whether a sound inside decodes to bytes, which are as many as jstring_scan()
 * counted. */
bool jstring_is(const char *inside, size_t written, const char *bytes);

#endif
