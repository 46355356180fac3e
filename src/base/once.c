/* SPDX-License-Identifier: Apache-2.0 */
/* A map from texts to the struct itself: only their being there counts. */
#include "base/once.h"
#include "base/map.h"

#include <stdlib.h>
#include <string.h>

struct once {
	struct map *seen;
	size_t limit;
};

struct once *once_new(size_t limit)
{
	struct once *once = calloc(1, sizeof(*once));

	if (!once)
		return NULL;
	once->limit = limit;
	once->seen = map_new();
	if (!once->seen) {
		free(once);
		return NULL;
	}
	return once;
}

void once_free(struct once *once)
{
	if (!once)
		return;
	map_free(once->seen);
	free(once);
}

void once_clear(struct once *once)
{
	struct map *empty = map_new();

	if (!empty)
		return;
	map_free(once->seen);
	once->seen = empty;
}

bool once_is_new(struct once *once, const char *text)
{
	return map_count(once->seen) < once->limit &&
	       map_put(once->seen, text, strlen(text), once) == 0;
}
