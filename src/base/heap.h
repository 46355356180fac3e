/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_HEAP_H
#define BASE_HEAP_H

#include <stddef.h>
#include <stdint.h>

/* What is due next: items by time, any of which can be taken out. */

struct heap_item {
	int64_t at_ms;
	uint64_t order; /* the heap's: items of one moment leave as they came */
	size_t index;	/* the heap's */
};

struct heap {
	struct heap_item **items;
	size_t count;
	size_t capacity;
	uint64_t next_order;
};

/* Zero initialisation gives an empty heap. Items are the caller's. */
void heap_done(struct heap *heap);

/* Uses item->at_ms. 0 or -ENOMEM. */
int heap_add(struct heap *heap, struct heap_item *item);

/* item must be in the heap. */
void heap_remove(struct heap *heap, struct heap_item *item);

/* The item with the smallest at_ms, or NULL. */
struct heap_item *heap_first(const struct heap *heap);

#endif
