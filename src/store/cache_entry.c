/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How entries are found, made, outdated and dropped. What is in them changes
 * in cache.c. Those of one name are on a list of their own, since a change is
 * told by name and must not cost a walk through all that is cached.
 */
#include "base/macros.h"
#include "base/map.h"
#include "base/parked.h"
#include "loop/loop.h"
#include "store/cache_private.h"
#include "store/listing.h"
#include "store/source.h"
#include "store/value.h"
#include "store/want_key.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int cache_entries_init(struct cache *cache)
{
	cache->entries = map_new();
	cache->names = map_new();
	cache->adopted = map_new();
	if (cache->entries && cache->names && cache->adopted)
		return 0;
	cache_entries_done(cache);
	return -ENOMEM;
}

void cache_entries_done(struct cache *cache)
{
	map_free(cache->entries);
	map_free(cache->names);
	map_free(cache->adopted);
}

void cache_entry_clear(struct entry *entry)
{
	parked_free(TAKE(entry->parked));
	value_unref(entry->value);
	entry->value = NULL;
	listing_unref(entry->listing);
	entry->listing = NULL;
}

static void forget_gets(struct get_list *list)
{
	struct cache_get *get;

	while ((get = TAILQ_FIRST(list))) {
		TAILQ_REMOVE(list, get, link);
		free(get);
	}
}

/* They are their owners', who end them later. */
static void forget_uses(struct use_list *list)
{
	struct cache_use *use;

	LIST_FOREACH(use, list, link)
	{
		use->entry = NULL;
	}
}

/* The list that entries of a name are on; made where it is missing. NULL: no
 * memory. */
static struct entry_list *need_name(struct map *names, const void *key,
				    size_t length)
{
	struct entry_list *list = map_find(names, key, length);

	if (list)
		return list;
	list = malloc(sizeof(*list));
	if (!list)
		return NULL;
	LIST_INIT(list);
	if (map_put(names, key, length, list) < 0) {
		free(list);
		return NULL;
	}
	return list;
}

static void leave_name(struct entry *entry)
{
	struct map *names = entry->cache->names;
	struct entry_list *list =
		map_find(names, entry->key, entry->name_length);

	LIST_REMOVE(entry, of_name);
	if (LIST_EMPTY(list))
		free(map_remove(names, entry->key, entry->name_length));
}

void cache_entry_drop(struct entry *entry)
{
	map_remove(entry->cache->entries, entry->key, entry->key_length);
	leave_name(entry);
	cache_attempt_cancel(entry);
	loop_timer_cancel(entry->soon);
	loop_timer_cancel(entry->next);
	loop_timer_cancel(entry->wipe);
	forget_uses(&entry->uses);
	forget_gets(&entry->waiting);
	forget_gets(&entry->served);
	cache_entry_clear(entry);
	free(entry);
}

/* To ask for the current stage by its name is to ask for nothing special. */
static struct cache_want plain(const struct cache_want *want)
{
	struct cache_want same = *want;

	if (!same.version && same.stage &&
	    strcmp(same.stage, SOURCE_STAGE_CURRENT) == 0)
		same.stage = NULL;
	return same;
}

struct entry *cache_entry_find(const struct cache *cache,
			       const struct cache_want *want)
{
	struct cache_want same = plain(want);
	size_t length = want_key_length(&same);
	struct entry *entry;
	char *key = malloc(length);

	if (!key)
		return NULL;
	(void)want_key_write(&same, key);
	entry = map_find(cache->entries, key, length);
	free(key);
	assert(!entry || entry->source == want->source);
	return entry;
}

bool cache_entry_is_idle(const struct entry *entry)
{
	return !entry->call && !entry->is_serving && LIST_EMPTY(&entry->uses) &&
	       TAILQ_EMPTY(&entry->waiting) && TAILQ_EMPTY(&entry->served);
}

static void find_oldest(void *owner, void *value)
{
	struct entry **oldest = owner;
	struct entry *entry = value;

	if (cache_entry_is_idle(entry) &&
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

static void outdate(struct entry *entry)
{
	entry->is_outdated = true;
	entry->changed_in_flight = true;
	entry->failures = 0;
	if (!LIST_EMPTY(&entry->uses) && !entry->call)
		cache_plan(entry);
}

static void outdate_each(void *owner, void *value)
{
	struct entry *entry = value;

	if (entry->source == owner)
		outdate(entry);
}

static void outdate_name(const struct cache *cache,
			 const struct cache_want *want)
{
	struct entry_list *list;
	struct entry *entry;
	char *key = malloc(want_key_length(want));

	if (!key) { /* rather too much than a value that is old */
		map_each(cache->entries, outdate_each, want->source);
		return;
	}
	(void)want_key_write(want, key);
	list = map_find(cache->names, key, want_key_name_length(want));
	free(key);
	if (list)
		LIST_FOREACH(entry, list, of_name)
	outdate(entry);
}

static void on_source_change(void *owner, struct source *source,
			     const char *name)
{
	struct cache *cache = owner;
	struct cache_want want = { .source = source, .name = name };

	if (!name) {
		map_each(cache->entries, outdate_each, source);
		return;
	}
	want.is_listing = !*name || name[strlen(name) - 1] == '/';
	outdate_name(cache, &want);
}

static int enlist(struct entry *entry)
{
	struct cache *cache = entry->cache;
	struct entry_list *list =
		need_name(cache->names, entry->key, entry->name_length);

	if (!list)
		return -ENOMEM;
	LIST_INSERT_HEAD(list, entry, of_name);
	if (map_put(cache->entries, entry->key, entry->key_length, entry) < 0) {
		leave_name(entry);
		return -ENOMEM;
	}
	return 0;
}

static struct entry *add_entry(struct cache *cache,
			       const struct cache_want *want)
{
	struct cache_want same = plain(want);
	size_t length = want_key_length(&same);
	struct entry *entry;

	make_room(cache);
	entry = calloc(1, sizeof(*entry) + length);
	if (!entry)
		return NULL;
	entry->cache = cache;
	entry->source = want->source;
	entry->is_listing = want->is_listing;
	entry->refused_ms = NEVER_MS;
	entry->key_length = length;
	entry->name_length = want_key_name_length(&same);
	entry->what = want_key_write(&same, entry->key);
	TAILQ_INIT(&entry->waiting);
	TAILQ_INIT(&entry->served);
	if (enlist(entry) < 0) {
		free(entry);
		return NULL;
	}
	want->source->on_change = on_source_change;
	want->source->on_return = cache_on_return;
	want->source->on_change_owner = cache;
	return entry;
}

static int64_t larger(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

struct entry *cache_entry_need(struct cache *cache,
			       const struct cache_want *want)
{
	struct entry *entry = cache_entry_find(cache, want);
	bool is_new = !entry;

	if (is_new)
		entry = add_entry(cache, want);
	if (!entry)
		return NULL;
	/* for the next attempt: of mounts that differ, the last one counts */
	entry->timeout_ms = want->timeout_ms;
	entry->verify_ms = want->verify_ms;
	entry->keep_ms = larger(entry->keep_ms,
				larger(want->max_stale_ms, want->ttl_ms));
	if (is_new)
		cache_adopted_take(entry);
	return entry;
}
