/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_JNUMBER_H
#define BASE_JNUMBER_H

#include <stddef.h>
#include <stdint.h>

/* JSON numbers (RFC 8259, 6), for jdoc only: never by way of a double, which
 * would lose digits. */

/* Measures the number that text starts with. NULL where there is one; else the
 * reason why not, with *ret_length the offset of the fault. */
const char *jnumber_scan(const char *text, size_t length, size_t *ret_length);

/* The integer part of a sound number times 10^places. 0, or -ERANGE outside
 * int64. */
int jnumber_scaled(const char *text, size_t length, unsigned places,
		   int64_t *ret);

#endif
