/* SPDX-License-Identifier: Apache-2.0 */
/* An array for the order and a map for looking up, over the same entries. */
#include "store/listing.h"
#include "base/map.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct entry {
	struct listing_name about;
	char name[];
};

struct listing {
	unsigned references;
	struct map *by_name;
	struct entry **entries;
	size_t count;
	size_t capacity;
};

struct listing *listing_new(void)
{
	struct listing *listing = calloc(1, sizeof(*listing));

	if (!listing)
		return NULL;
	listing->references = 1;
	listing->by_name = map_new();
	if (!listing->by_name) {
		free(listing);
		return NULL;
	}
	return listing;
}

struct listing *listing_ref(struct listing *listing)
{
	listing->references++;
	return listing;
}

void listing_unref(struct listing *listing)
{
	if (!listing || --listing->references > 0)
		return;
	for (size_t i = 0; i < listing->count; i++)
		free(listing->entries[i]);
	free(listing->entries);
	map_free(listing->by_name);
	free(listing);
}

static int grow(struct listing *listing)
{
	size_t capacity = listing->capacity ? listing->capacity * 2 : 16;
	struct entry **entries = reallocarray(listing->entries, capacity,
					      sizeof(struct entry *));

	if (!entries)
		return -ENOMEM;
	listing->entries = entries;
	listing->capacity = capacity;
	return 0;
}

static int append(struct listing *listing, const struct listing_name *name)
{
	size_t length = strlen(name->name);
	struct entry *entry;

	if (listing->count == listing->capacity && grow(listing) < 0)
		return -ENOMEM;
	entry = malloc(sizeof(*entry) + length + 1);
	if (!entry)
		return -ENOMEM;
	memcpy(entry->name, name->name, length + 1);
	entry->about = *name;
	entry->about.name = entry->name;
	if (map_put(listing->by_name, entry->name, length, entry) < 0) {
		free(entry);
		return -ENOMEM;
	}
	listing->entries[listing->count++] = entry;
	return 0;
}

int listing_add(struct listing *listing, const struct listing_name *name)
{
	struct entry *known;

	if (!*name->name || strchr(name->name, '/'))
		return -EINVAL;
	known = map_find(listing->by_name, name->name, strlen(name->name));
	if (!known)
		return append(listing, name);
	known->about.is_folder |= name->is_folder;
	known->about.is_secret |= name->is_secret;
	return 0;
}

size_t listing_count(const struct listing *listing)
{
	return listing->count;
}

const struct listing_name *listing_at(const struct listing *listing,
				      size_t index)
{
	return &listing->entries[index]->about;
}

const struct listing_name *listing_find(const struct listing *listing,
					const char *name)
{
	const struct entry *entry =
		map_find(listing->by_name, name, strlen(name));

	return entry ? &entry->about : NULL;
}
