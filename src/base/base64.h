/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include <stddef.h>

struct buf;

/* Appends what standard padded base64 (RFC 4648, 4) decodes to. Strict: no
 * blanks, no missing padding, no stray bits. 0, -EBADMSG, -EFBIG, -ENOMEM; on
 * failure out is as before. */
int base64_decode(const char *text, size_t length, struct buf *out);

#endif
