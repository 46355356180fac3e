/* SPDX-License-Identifier: Apache-2.0 */
/* Chained buckets that double before they are full. */
#include "base/map.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define MAP_FIRST_BUCKETS 16

struct entry {
	struct entry *next;
	void *value;
	uint64_t hash;
	size_t length;
	unsigned char key[];
};

struct map {
	struct entry **buckets;
	size_t bucket_count; /* a power of two */
	size_t count;
	uint64_t seed;
};

/* FNV-1a with a seed and a final mix (murmur3's fmix64). */
static uint64_t hash_of(const struct map *map, const unsigned char *key,
			size_t length)
{
	uint64_t hash = 0xcbf29ce484222325U ^ map->seed;

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ key[i]) * 0x100000001b3U;
	hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccdU;
	hash = (hash ^ (hash >> 33)) * 0xc4ceb9fe1a85ec53U;
	return hash ^ (hash >> 33);
}

struct map *map_new(void)
{
	struct map *map = calloc(1, sizeof(*map));

	if (!map)
		return NULL;
	map->buckets = calloc(MAP_FIRST_BUCKETS, sizeof(struct entry *));
	if (!map->buckets) {
		free(map);
		return NULL;
	}
	map->bucket_count = MAP_FIRST_BUCKETS;
	if (getrandom(&map->seed, sizeof(map->seed), GRND_NONBLOCK) < 0)
		map->seed = (uint64_t)(uintptr_t)map;
	return map;
}

void map_free(struct map *map)
{
	if (!map)
		return;
	for (size_t i = 0; i < map->bucket_count; i++)
		for (struct entry *entry = map->buckets[i], *next; entry;
		     entry = next) {
			next = entry->next;
			free(entry);
		}
	free(map->buckets);
	free(map);
}

/* The link that points to the entry, or to the NULL where it would stand. */
static struct entry **link_of(const struct map *map, const void *key,
			      size_t length)
{
	uint64_t hash = hash_of(map, key, length);
	struct entry **link = &map->buckets[hash & (map->bucket_count - 1)];

	while (*link && ((*link)->hash != hash || (*link)->length != length ||
			 memcmp((*link)->key, key, length) != 0))
		link = &(*link)->next;
	return link;
}

static void grow(struct map *map)
{
	size_t count = map->bucket_count * 2;
	struct entry **buckets = calloc(count, sizeof(struct entry *));

	if (!buckets)
		return; /* longer chains, still right */
	for (size_t i = 0; i < map->bucket_count; i++)
		for (struct entry *entry = map->buckets[i], *next; entry;
		     entry = next) {
			struct entry **to = &buckets[entry->hash & (count - 1)];

			next = entry->next;
			entry->next = *to;
			*to = entry;
		}
	free(map->buckets);
	map->buckets = buckets;
	map->bucket_count = count;
}

int map_put(struct map *map, const void *key, size_t length, void *value)
{
	struct entry **link;
	struct entry *entry;

	if (map->count >= map->bucket_count)
		grow(map);
	link = link_of(map, key, length);
	if (*link)
		return -EEXIST;
	entry = malloc(sizeof(*entry) + length);
	if (!entry)
		return -ENOMEM;
	*entry = (struct entry){
		.value = value,
		.hash = hash_of(map, key, length),
		.length = length,
	};
	if (length)
		memcpy(entry->key, key, length);
	*link = entry;
	map->count++;
	return 0;
}

void *map_find(const struct map *map, const void *key, size_t length)
{
	const struct entry *entry = *link_of(map, key, length);

	return entry ? entry->value : NULL;
}

void *map_remove(struct map *map, const void *key, size_t length)
{
	struct entry **link = link_of(map, key, length);
	struct entry *entry = *link;
	void *value;

	if (!entry)
		return NULL;
	*link = entry->next;
	value = entry->value;
	free(entry);
	map->count--;
	return value;
}

size_t map_count(const struct map *map)
{
	return map->count;
}

void map_each(struct map *map, void (*each)(void *owner, void *value),
	      void *owner)
{
	for (size_t i = 0; i < map->bucket_count; i++)
		for (struct entry *entry = map->buckets[i], *next; entry;
		     entry = next) {
			next = entry->next;
			each(owner, entry->value);
		}
}
