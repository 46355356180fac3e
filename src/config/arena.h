/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONFIG_ARENA_H
#define CONFIG_ARENA_H

#include <stddef.h>

#include "base/macros.h"

/*
 * Memory that is given back all at once, and never more of it than its limit:
 * what a file makes us allocate is bounded in one place. Holds no secrets.
 */

struct arena_block;

struct arena {
	struct arena_block *blocks;
	size_t limit;
	size_t used; /* of the limit */
};

/* limit counts what is asked for, with the padding of alignment. */
void arena_init(struct arena *arena, size_t limit);
void arena_done(struct arena *arena);

/* Zeroed and aligned for every type. NULL: past the limit, or no memory. */
void *arena_alloc(struct arena *arena, size_t size);

/* For count elements; as arena_alloc(). */
void *arena_array(struct arena *arena, size_t count, size_t size);

/* The bytes with a NUL behind them; as arena_alloc(). */
char *arena_copy(struct arena *arena, const char *bytes, size_t length);

#define cleanup_arena CLEANUP(arena_done)

#endif
