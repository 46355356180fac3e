/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stddef.h>

/*
 * Pointers by byte strings. Keys are copied, values are the caller's. Names
 * come from strangers, so the hash is seeded.
 */

struct map;

struct map *map_new(void);

/* Frees the keys; the values stay the caller's. NULL is allowed. */
void map_free(struct map *map);

/* value must not be NULL. 0, -EEXIST, -ENOMEM. */
int map_put(struct map *map, const void *key, size_t length, void *value);

/* NULL: absent. */
void *map_find(const struct map *map, const void *key, size_t length);

/* Returns the value that was there, or NULL. */
void *map_remove(struct map *map, const void *key, size_t length);

size_t map_count(const struct map *map);

/* Calls each for every value, in no order. each may remove the value that it
 * was called for, and nothing else; it must not put. */
void map_each(struct map *map, void (*each)(void *owner, void *value),
	      void *owner);

#endif
