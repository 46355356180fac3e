/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Memory for plaintext: locked against swap, left out of core files, empty in
 * forked children, wiped when it is given back. Only `secret` and `buf` use
 * it; everything else goes through them.
 *
 * Each piece is a mapping of its own, so a small one costs a page.
 */

/* At least size bytes, zeroed; NULL with errno set when there is no memory.
 * Where the limit on locked memory is reached, the piece is served unlocked
 * and pool_is_locked() says so from then on. */
void *pool_alloc(size_t size);

/* Wipes, then gives back. size is what pool_alloc() was asked for. NULL is
 * allowed. */
void pool_free(void *bytes, size_t size);

/* Whether every piece so far could be locked. */
bool pool_is_locked(void);

#endif
