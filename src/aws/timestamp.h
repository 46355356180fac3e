/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AWS_TIMESTAMP_H
#define AWS_TIMESTAMP_H

#include <stdint.h>

/* The forms of time in AWS's protocols. */

#define TIMESTAMP_BASIC_SIZE 17 /* "20150830T123600Z" and its NUL */

#define TIMESTAMP_MAX_S 253402300799 /* the last second of the year 9999 */

/* The form of the header x-amz-date. 0, or -ERANGE outside the years 1000 to
 * 9999. */
int timestamp_basic(int64_t time_s, char ret[TIMESTAMP_BASIC_SIZE]);

/* "2015-08-30T12:36:00Z", also with a fraction of 1 to 9 digits, which is cut
 * off, and with an offset "+02:00" in place of Z (RFC 3339, 5.6). Seconds since
 * 1970. 0, or -EINVAL for another form. */
int timestamp_parse(const char *text, int64_t *ret_s);

/* The header Date: "Mon, 23 Nov 2026 10:11:12 GMT" (RFC 9110, 5.6.7). 0, or
 * -EINVAL for another form. */
int timestamp_parse_http(const char *text, int64_t *ret_s);

#endif
