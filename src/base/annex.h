/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_ANNEX_H
#define BASE_ANNEX_H

#include <stddef.h>

/*
 * Ordinary memory for what is no plaintext but belongs to it: ciphertext, and
 * marks (parked.h). Beside a pool that outlives its process it is that of a
 * descriptor and does so too; else it is the heap. One thread uses it.
 */

enum annex_part {
	ANNEX_MARKS,
	ANNEX_SEALED,
};

/* When the pool is open, before the first piece. What it needs a descriptor
 * for, it does now; without one it is the heap. */
void annex_open(void);

/* size bytes, zeroed. NULL with errno ENOMEM. */
void *annex_take(enum annex_part part, size_t size);

/* Wipes, then gives back. NULL is allowed. */
void annex_give(enum annex_part part, void *piece);

/* -1: it is the heap. A piece is at its offset in it. */
int annex_fd(void);
size_t annex_offset(const void *piece);

/* Another process's, to be read. */
struct annex_other {
	const char *bytes;
	size_t size;
	size_t marks_end; /* no mark is behind it */
};

/* 0, or negative errno: -EBADMSG for what is no annex. fd stays the caller's.
 */
int annex_map_other(int fd, struct annex_other *ret);
void annex_unmap_other(const struct annex_other *other);

#endif
