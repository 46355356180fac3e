/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_PARSE_H
#define BASE_PARSE_H

#include <stdint.h>

/*
 * Text to numbers, whole text or nothing: no leading blanks, no sign, nothing
 * behind. All return 0, -EINVAL for another form, -ERANGE outside the bounds;
 * ret is touched on success only.
 */

int parse_decimal(const char *text, uint64_t max, uint64_t *ret);

/* "0444" or "444": octal, at most max. */
int parse_octal(const char *text, unsigned max, unsigned *ret);

/* "90", "90s", "500ms", "5m", "1h30m", "2d", to milliseconds: units fall from
 * large to small, each once; a bare number is seconds. */
int parse_duration_ms(const char *text, int64_t *ret);

#endif
