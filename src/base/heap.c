/* SPDX-License-Identifier: Apache-2.0 */
/* A binary heap whose items know their place, so that removal needs no search.
 */
#include "base/heap.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

void heap_done(struct heap *heap)
{
	free(heap->items);
	*heap = (struct heap){ 0 };
}

static bool is_before(const struct heap_item *a, const struct heap_item *b)
{
	return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->order < b->order;
}

static void place(struct heap *heap, size_t index, struct heap_item *item)
{
	heap->items[index] = item;
	item->index = index;
}

static void sift_up(struct heap *heap, struct heap_item *item)
{
	size_t index = item->index;

	while (index > 0 && is_before(item, heap->items[(index - 1) / 2])) {
		place(heap, index, heap->items[(index - 1) / 2]);
		index = (index - 1) / 2;
	}
	place(heap, index, item);
}

static void sift_down(struct heap *heap, struct heap_item *item)
{
	size_t index = item->index;

	for (;;) {
		size_t child = 2 * index + 1;

		if (child >= heap->count)
			break;
		if (child + 1 < heap->count &&
		    is_before(heap->items[child + 1], heap->items[child]))
			child++;
		if (!is_before(heap->items[child], item))
			break;
		place(heap, index, heap->items[child]);
		index = child;
	}
	place(heap, index, item);
}

int heap_add(struct heap *heap, struct heap_item *item)
{
	if (heap->count == heap->capacity) {
		size_t capacity = heap->capacity ? heap->capacity * 2 : 16;
		struct heap_item **items = reallocarray(
			heap->items, capacity, sizeof(struct heap_item *));

		if (!items)
			return -ENOMEM;
		heap->items = items;
		heap->capacity = capacity;
	}
	item->order = heap->next_order++;
	place(heap, heap->count++, item);
	sift_up(heap, item);
	return 0;
}

void heap_remove(struct heap *heap, struct heap_item *item)
{
	struct heap_item *last = heap->items[heap->count - 1];
	size_t index = item->index;

	assert(index < heap->count && heap->items[index] == item);
	heap->count--;
	if (last == item)
		return;
	place(heap, index, last);
	sift_up(heap, last);
	sift_down(heap, last);
}

struct heap_item *heap_first(const struct heap *heap)
{
	return heap->count ? heap->items[0] : NULL;
}
