/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AWS_PERCENT_H
#define AWS_PERCENT_H

struct buf;

/* Appends text with all but unreserved characters percent-encoded (RFC 3986,
 * 2.1 and 2.3). 0, -EFBIG, -ENOMEM. */
int percent_append(struct buf *out, const char *text);

#endif
