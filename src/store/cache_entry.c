/* SPDX-License-Identifier: Apache-2.0 */
/* How entries are found, made, outdated and dropped. What is in them changes
 * in cache.c. */
#include "base/macros.h"
#include "base/map.h"
#include "loop/loop.h"
#include "store/cache_private.h"
#include "store/listing.h"
#include "store/source.h"
#include "store/value.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void cache_entry_clear(struct entry *entry)
{
	value_unref(entry->value);
	entry->value = NULL;
	listing_unref(entry->listing);
	entry->listing = NULL;
}

void cache_entry_land(struct entry *entry)
{
	loop_timer_cancel(TAKE(entry->deadline));
	loop_timer_cancel(TAKE(entry->linger));
	entry->call = NULL;
}

void cache_entry_cancel(struct entry *entry)
{
	struct source_call *call = entry->call;

	cache_entry_land(entry);
	if (call)
		entry->source->operations->cancel(call);
}

static void forget_gets(struct get_list *list)
{
	struct cache_get *get;

	while ((get = TAILQ_FIRST(list))) {
		TAILQ_REMOVE(list, get, link);
		free(get);
	}
}

void cache_entry_drop(struct entry *entry)
{
	map_remove(entry->cache->entries, entry->key, entry->key_length);
	cache_entry_cancel(entry);
	loop_timer_cancel(entry->soon);
	forget_gets(&entry->waiting);
	forget_gets(&entry->served);
	cache_entry_clear(entry);
	free(entry);
}

/* The key: identity, NUL, kind, name. No identity holds a NUL. */
static size_t key_length_of(const struct cache_want *want)
{
	return strlen(want->source->identity) + 2 + strlen(want->name);
}

static void write_key(const struct cache_want *want, char *key)
{
	size_t identity_length = strlen(want->source->identity) + 1;

	memcpy(key, want->source->identity, identity_length);
	key[identity_length] = want->is_listing ? 'l' : 'v';
	memcpy(key + identity_length + 1, want->name, strlen(want->name));
}

struct entry *cache_entry_find(const struct cache *cache,
			       const struct cache_want *want)
{
	size_t length = key_length_of(want);
	struct entry *entry;
	char *key = malloc(length);

	if (!key)
		return NULL;
	write_key(want, key);
	entry = map_find(cache->entries, key, length);
	free(key);
	assert(!entry || entry->source == want->source);
	return entry;
}

static bool is_idle(const struct entry *entry)
{
	return !entry->call && !entry->is_serving &&
	       TAILQ_EMPTY(&entry->waiting) && TAILQ_EMPTY(&entry->served);
}

static void find_oldest(void *owner, void *value)
{
	struct entry **oldest = owner;
	struct entry *entry = value;

	if (is_idle(entry) &&
	    (!*oldest || entry->confirmed_ms < (*oldest)->confirmed_ms))
		*oldest = entry;
}

static void make_room(struct cache *cache)
{
	struct entry *oldest = NULL;

	if (map_count(cache->entries) < cache->limits.max_entries)
		return;
	map_each(cache->entries, find_oldest, &oldest);
	if (oldest)
		cache_entry_drop(oldest);
}

static void expire_each(void *owner, void *value)
{
	struct entry *entry = value;
	const struct source *source = owner;

	if (entry->source != source)
		return;
	entry->is_outdated = true;
	entry->changed_in_flight = true;
}

static void on_source_change(void *owner, struct source *source,
			     const char *name)
{
	struct cache *cache = owner;
	struct cache_want want = { .source = source, .name = name };
	struct entry *entry;

	if (!name) {
		map_each(cache->entries, expire_each, source);
		return;
	}
	want.is_listing = !*name || name[strlen(name) - 1] == '/';
	entry = cache_entry_find(cache, &want);
	if (entry)
		expire_each(source, entry);
}

struct entry *cache_entry_add(struct cache *cache,
			      const struct cache_want *want)
{
	size_t length = key_length_of(want);
	struct entry *entry;

	make_room(cache);
	entry = calloc(1, sizeof(*entry) + length + 1);
	if (!entry)
		return NULL;
	entry->cache = cache;
	entry->source = want->source;
	entry->is_listing = want->is_listing;
	entry->key_length = length;
	write_key(want, entry->key);
	entry->name = entry->key + length - strlen(want->name);
	TAILQ_INIT(&entry->waiting);
	TAILQ_INIT(&entry->served);
	if (map_put(cache->entries, entry->key, length, entry) < 0) {
		free(entry);
		return NULL;
	}
	want->source->on_change = on_source_change;
	want->source->on_change_owner = cache;
	return entry;
}
