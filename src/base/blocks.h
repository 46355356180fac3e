/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_BLOCKS_H
#define BASE_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>

/*
 * An allocator within one piece of memory that only grows, at its end. It asks
 * nobody for anything: who has the memory says what it is (see pool.c).
 *
 * Free bytes are always zero, but for the links that this keeps in them.
 */

#define BLOCKS_CLASSES 32
#define BLOCKS_ALIGNMENT 16
#define BLOCKS_SPACE_MAX ((size_t)1 << 30)

struct block;

struct blocks {
	char *space;
	size_t size;
	size_t used; /* bytes of blocks that are given out, with heads */
	size_t used_count;
	struct block *free[BLOCKS_CLASSES]; /* by the logarithm of the size */
};

/* space is aligned as above and becomes usable by blocks_grow(). */
void blocks_init(struct blocks *blocks, void *space);

/* The memory behind what there is so far has another `more` bytes, all zero; a
 * multiple of the alignment, past which there is nothing. */
void blocks_grow(struct blocks *blocks, size_t more);

/* size bytes, zeroed; NULL where no free block is as large. */
void *blocks_take(struct blocks *blocks, size_t size);

/* Makes a piece larger where it is, by zeros. False: what is behind it is not
 * free, or not enough. */
bool blocks_extend(struct blocks *blocks, void *bytes, size_t size);

/* Whether blocks_grow() would make room behind the piece. */
bool blocks_is_last(void *bytes);

/* Wipes. bytes came from blocks_take(); what was written beside it is our own
 * mistake, and ends the process. */
void blocks_give(struct blocks *blocks, void *bytes);

/* Whether one piece of that size is there to take. */
bool blocks_has(const struct blocks *blocks, size_t size);

#endif
