/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blocks lie side by side, each with a head that knows its own length and that
 * of the one before, so that neighbours which are free become one at once. Free
 * ones hang in lists by the logarithm of their length; the space ends with a
 * head without a length.
 */
#include "base/blocks.h"
#include "base/macros.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAVE_SANITIZER 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define HAVE_SANITIZER 1
#endif
#ifdef HAVE_SANITIZER
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(bytes, size) ((void)(bytes), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(bytes, size) ((void)(bytes), (void)(size))
#endif

/* Of one list, before a larger block is divided. */
#define LOOKS_MAX 32

#define GIVEN 0x6e766967U
#define FREE 0x65657266U

struct block {
	uint32_t length; /* with the head */
	uint32_t before; /* length of the block before; 0: it is the first */
	uint32_t state;
	uint32_t sum; /* of the three, and of where the head is */
	struct {
		struct block *next;
		struct block *previous;
	} link; /* while it is free; what is given out begins here */
};

#define HEAD offsetof(struct block, link)
#define LENGTH_MIN sizeof(struct block)

static uint32_t sum_of(const struct block *block)
{
	uint64_t sum = (uintptr_t)block;

	sum = (sum ^ block->length) * 0x9e3779b97f4a7c15U;
	sum = (sum ^ block->before) * 0x9e3779b97f4a7c15U;
	sum = (sum ^ block->state) * 0x9e3779b97f4a7c15U;
	return (uint32_t)(sum >> 32);
}

static void set_head(struct block *block, size_t length, size_t before,
		     uint32_t state)
{
	block->length = (uint32_t)length;
	block->before = (uint32_t)before;
	block->state = state;
	block->sum = sum_of(block);
}

/* What a neighbour wrote over must not be believed. */
static struct block *checked(struct block *block)
{
	assert(block->sum == sum_of(block));
	return block;
}

static struct block *after(struct block *block)
{
	return checked((struct block *)(void *)((char *)block + block->length));
}

static struct block *before(struct block *block)
{
	return checked((struct block *)(void *)((char *)block - block->before));
}

static unsigned class_of(size_t length)
{
	return 63U - (unsigned)__builtin_clzl(length);
}

static void add_free(struct blocks *blocks, struct block *block)
{
	struct block **first = &blocks->free[class_of(block->length)];

	block->link.next = *first;
	block->link.previous = NULL;
	if (*first)
		(*first)->link.previous = block;
	*first = block;
}

static void remove_free(struct blocks *blocks, struct block *block)
{
	struct block **first = &blocks->free[class_of(block->length)];

	assert(block->state == FREE);
	if (block->link.previous)
		block->link.previous->link.next = block->link.next;
	else
		*first = block->link.next;
	if (block->link.next)
		block->link.next->link.previous = block->link.previous;
	block->link.next = block->link.previous = NULL;
}

void blocks_init(struct blocks *blocks, void *space)
{
	*blocks = (struct blocks){ .space = space };
}

/* Joins it with neighbours that are free, and adds it to its list. */
static void release(struct blocks *blocks, struct block *block)
{
	struct block *next = after(block);
	size_t length = block->length;
	size_t first = block->before;

	if (next->state == FREE) {
		remove_free(blocks, next);
		length += next->length;
		explicit_bzero(next, HEAD);
	}
	if (first > 0 && before(block)->state == FREE) {
		struct block *joined = before(block);

		remove_free(blocks, joined);
		length += joined->length;
		explicit_bzero(block, HEAD);
		block = joined;
		first = joined->before;
	}
	set_head(block, length, first, FREE);
	next = (struct block *)(void *)((char *)block + length);
	set_head(next, next->length, length, next->state);
	add_free(blocks, block);
}

void blocks_grow(struct blocks *blocks, size_t more)
{
	struct block *block;
	struct block *end;
	size_t length = more;
	size_t previous = 0;

	assert(more % BLOCKS_ALIGNMENT == 0 && more >= 2 * LENGTH_MIN);
	assert(blocks->size + more <= BLOCKS_SPACE_MAX);
	ASAN_UNPOISON_MEMORY_REGION(blocks->space + blocks->size, more);
	if (blocks->size == 0) {
		block = (struct block *)(void *)blocks->space;
		length -= HEAD;
	} else {
		block = (struct block *)(void *)(blocks->space + blocks->size -
						 HEAD);
		previous = checked(block)->before;
	}
	blocks->size += more;
	end = (struct block *)(void *)(blocks->space + blocks->size - HEAD);
	set_head(block, length, previous, GIVEN);
	set_head(end, 0, length, GIVEN);
	release(blocks, block);
}

static size_t length_for(size_t size)
{
	size_t length = HEAD + size;

	if (length < LENGTH_MIN)
		length = LENGTH_MIN;
	return (length + BLOCKS_ALIGNMENT - 1) / BLOCKS_ALIGNMENT *
	       BLOCKS_ALIGNMENT;
}

/* The smallest of a list's first that is large enough. */
static struct block *best_of(struct block *block, size_t length)
{
	struct block *best = NULL;

	for (unsigned i = 0; block && i < LOOKS_MAX; i++) {
		if (block->length >= length &&
		    (!best || block->length < best->length))
			best = block;
		block = block->link.next;
	}
	return best;
}

static struct block *find(const struct blocks *blocks, size_t length)
{
	struct block *found = NULL;

	for (unsigned i = class_of(length); !found && i < BLOCKS_CLASSES; i++)
		found = best_of(blocks->free[i], length);
	return found;
}

static void give_rest_back(struct blocks *blocks, struct block *block,
			   size_t length)
{
	size_t rest = block->length - length;
	struct block *other;

	if (rest < LENGTH_MIN)
		return;
	set_head(block, length, block->before, GIVEN);
	other = (struct block *)(void *)((char *)block + length);
	set_head(other, rest, length, GIVEN);
	release(blocks, other);
}

void *blocks_take(struct blocks *blocks, size_t size)
{
	size_t length;
	struct block *block;

	if (size > BLOCKS_SPACE_MAX)
		return NULL;
	length = length_for(size);
	block = find(blocks, length);
	if (!block)
		return NULL;
	remove_free(blocks, checked(block));
	ASAN_UNPOISON_MEMORY_REGION(block, block->length);
	set_head(block, block->length, block->before, GIVEN);
	give_rest_back(blocks, block, length);
	blocks->used += block->length;
	blocks->used_count++;
	/* Reading past what was asked for is a mistake as well. */
	ASAN_POISON_MEMORY_REGION((char *)&block->link + size,
				  block->length - HEAD - size);
	return &block->link;
}

static struct block *block_of(void *bytes)
{
	return checked((struct block *)(void *)((char *)bytes - HEAD));
}

bool blocks_extend(struct blocks *blocks, void *bytes, size_t size)
{
	struct block *block = block_of(bytes);
	struct block *next = after(block);
	size_t had = block->length;
	size_t length = size > BLOCKS_SPACE_MAX ? SIZE_MAX : length_for(size);
	size_t whole = had + (next->state == FREE ? next->length : 0);

	if (length > whole)
		return false;
	if (next->state == FREE) {
		remove_free(blocks, next);
		ASAN_UNPOISON_MEMORY_REGION(bytes, whole - HEAD);
		explicit_bzero(next, HEAD);
		set_head(block, whole, block->before, GIVEN);
		next = (struct block *)(void *)((char *)block + whole);
		set_head(next, next->length, whole, next->state);
		give_rest_back(blocks, block, length);
	}
	blocks->used += block->length - had;
	ASAN_UNPOISON_MEMORY_REGION(bytes, size);
	return true;
}

bool blocks_is_last(void *bytes)
{
	struct block *next = after(block_of(bytes));

	return next->length == 0 ||
	       (next->state == FREE && after(next)->length == 0);
}

void blocks_give(struct blocks *blocks, void *bytes)
{
	struct block *block = (struct block *)(void *)((char *)bytes - HEAD);

	size_t length = checked(block)->length;

	assert(block->state == GIVEN);
	(void)after(block);
	ASAN_UNPOISON_MEMORY_REGION(bytes, length - HEAD);
	explicit_bzero(bytes, length - HEAD);
	blocks->used -= length;
	blocks->used_count--;
	release(blocks, block);
	ASAN_POISON_MEMORY_REGION((char *)block + LENGTH_MIN,
				  length - LENGTH_MIN);
}

bool blocks_has(const struct blocks *blocks, size_t size)
{
	return size <= BLOCKS_SPACE_MAX &&
	       find(blocks, length_for(size)) != NULL;
}
