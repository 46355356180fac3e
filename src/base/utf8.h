/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above
 * U+10FFFF. */

#define UTF8_LENGTH_MAX 4

/* How many bytes the character at the start of bytes takes, 1 to 4; 0 where
 * none stands there, and where length is 0. */
size_t utf8_length_at(const void *bytes, size_t length);

/* How many bytes utf8_write() writes. */
size_t utf8_length_of(uint32_t character);

/* Writes a character, at most U+10FFFF, and returns its length. */
size_t utf8_write(uint32_t character, unsigned char *to);

#endif
