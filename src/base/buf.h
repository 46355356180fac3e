/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stddef.h>

#include "base/macros.h"

/*
 * Growing bytes that may be plaintext: in pool memory, never past their limit,
 * wiped on growth and at the end. bytes[length] is always 0, so text can be
 * read as a C string where it holds no NUL.
 */

struct buf {
	unsigned char *bytes;
	size_t length;
	size_t capacity;
	size_t limit;
};

/* Allocates nothing yet. limit is the most that length may become. */
void buf_init(struct buf *buf, size_t limit);

/* Wipes and frees; the buf is as after buf_init() with limit 0. */
void buf_done(struct buf *buf);

/* Length 0, limit kept, old bytes wiped. */
void buf_clear(struct buf *buf);

/* Wipes and drops what is behind `length`, which is at most the present one. */
void buf_truncate(struct buf *buf, size_t length);

/* Room for `more` further bytes: 0, -EFBIG past the limit, -ENOMEM. On
 * success at least `more` bytes at bytes + length may be written. */
int buf_reserve(struct buf *buf, size_t more);

/* 0, -EFBIG past the limit, -ENOMEM; on failure nothing is appended. */
int buf_append(struct buf *buf, const void *bytes, size_t length);
int buf_append_text(struct buf *buf, const char *text);

/* Appends each text up to a NULL; as above, all of them or nothing. */
int buf_append_texts(struct buf *buf, ...) __attribute__((sentinel));

/* The bytes as a C string; "" while empty. */
const char *buf_text(const struct buf *buf);

#define cleanup_buf CLEANUP(buf_done)

#endif
