/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One entry for each thing that was ever asked for. An entry holds the last
 * outcome and when it was confirmed; whether that is fresh is decided for each
 * get, since mounts with other TTLs may share the entry.
 */
#include "store/cache.h"
#include "base/log.h"
#include "base/macros.h"
#include "base/map.h"
#include "loop/loop.h"
#include "store/cache_private.h"
#include "store/listing.h"
#include "store/source.h"
#include "store/value.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct cache *cache_new(struct loop *loop, const struct cache_limits *limits)
{
	struct cache *cache = calloc(1, sizeof(*cache));

	if (!cache)
		return NULL;
	cache->loop = loop;
	cache->limits = *limits;
	if (cache_entries_init(cache) < 0) {
		free(cache);
		return NULL;
	}
	return cache;
}

static void drop_each(void *owner, void *value)
{
	struct entry *entry = value;
	const struct source *only = owner;

	if (!only || entry->source == only)
		cache_entry_drop(entry);
}

void cache_free(struct cache *cache)
{
	if (!cache)
		return;
	map_each(cache->entries, drop_each, NULL);
	cache_entries_done(cache);
	free(cache);
}

void cache_set_on_failure(struct cache *cache, cache_on_failure *on_failure,
			  void *owner)
{
	cache->on_failure = on_failure;
	cache->failure_owner = owner;
}

void cache_drop_source(struct cache *cache, struct source *source)
{
	map_each(cache->entries, drop_each, source);
	source->on_change = NULL;
}

/* How much longer the outcome may be taken for true; 0: not at all. */
static int64_t fresh_ms(const struct entry *entry, int64_t ttl_ms)
{
	int64_t bound_ms = entry->source->max_ttl_ms;
	int64_t left_ms;

	if (entry->has_failed)
		ttl_ms = entry->failure.code == -EIO
				 ? 0
				 : entry->cache->limits.negative_ms;
	else if (!entry->value && !entry->listing)
		return 0;
	if (entry->is_outdated)
		return 0;
	if (bound_ms && bound_ms < ttl_ms)
		ttl_ms = bound_ms;
	left_ms =
		entry->confirmed_ms + ttl_ms - loop_now_ms(entry->cache->loop);
	return left_ms > 0 ? left_ms : 0;
}

static struct cache_result result_of(const struct entry *entry, int64_t ttl_ms)
{
	struct cache_result result = { .fresh_ms = fresh_ms(entry, ttl_ms) };

	if (entry->has_failed) {
		result.err = &entry->failure;
	} else {
		result.value = entry->value;
		result.listing = entry->listing;
	}
	return result;
}

bool cache_peek(struct cache *cache, const struct cache_want *want,
		struct cache_result *ret)
{
	const struct entry *entry = cache_entry_find(cache, want);

	if (!entry || fresh_ms(entry, want->ttl_ms) == 0)
		return false;
	*ret = result_of(entry, want->ttl_ms);
	return true;
}

/* Gives the outcome to everyone on the served list as it is now; whoever comes
 * during that is served in the next turn. */
static void serve(struct entry *entry)
{
	struct get_list batch = TAILQ_HEAD_INITIALIZER(batch);
	struct cache_get *get;

	while ((get = TAILQ_FIRST(&entry->served))) {
		TAILQ_REMOVE(&entry->served, get, link);
		TAILQ_INSERT_TAIL(&batch, get, link);
		get->list = &batch;
	}
	entry->is_serving = true;
	while ((get = TAILQ_FIRST(&batch))) {
		struct cache_result result = result_of(entry, get->ttl_ms);
		struct cache_get served = *get;

		TAILQ_REMOVE(&batch, get, link);
		free(get);
		served.on_result(served.owner, &result);
	}
	entry->is_serving = false;
}

static void on_soon(void *owner)
{
	struct entry *entry = owner;

	entry->soon = NULL;
	serve(entry);
}

/* The fetch has ended and its outcome stands in the entry. */
static void land(struct entry *entry)
{
	struct cache *cache = entry->cache;
	struct cache_get *get;

	cache_entry_land(entry);
	entry->confirmed_ms = loop_now_ms(cache->loop);
	entry->is_outdated = entry->changed_in_flight;
	if (entry->has_failed && cache->on_failure)
		cache->on_failure(cache->failure_owner, entry->what.name,
				  &entry->failure);
	while ((get = TAILQ_FIRST(&entry->waiting))) {
		TAILQ_REMOVE(&entry->waiting, get, link);
		TAILQ_INSERT_TAIL(&entry->served, get, link);
		get->list = &entry->served;
	}
	serve(entry);
}

/* A definite failure means that the value is gone; a passing one does not. */
static void land_failure(struct entry *entry, const struct err *err)
{
	if (err->code != -EIO)
		cache_entry_clear(entry);
	entry->has_failed = true;
	entry->failure = *err;
	land(entry);
}

static void on_value(void *owner, struct value *value, const struct err *err)
{
	struct entry *entry = owner;

	if (err) {
		land_failure(entry, err);
		return;
	}
	entry->has_failed = false;
	if (!entry->value ||
	    strcmp(value_version(entry->value), value_version(value)) != 0) {
		value_unref(entry->value);
		entry->value = value_ref(value);
	}
	land(entry);
}

static void on_listing(void *owner, struct listing *listing,
		       const struct err *err)
{
	struct entry *entry = owner;

	if (err) {
		land_failure(entry, err);
		return;
	}
	entry->has_failed = false;
	listing_unref(entry->listing);
	entry->listing = listing_ref(listing);
	land(entry);
}

static void on_deadline(void *owner)
{
	struct entry *entry = owner;
	struct err err;

	entry->deadline = NULL;
	cache_entry_cancel(entry);
	err_set(&err, -EIO, "no answer within %.1f s",
		(double)entry->timeout_ms / 1000);
	land_failure(entry, &err);
}

static void on_linger(void *owner)
{
	struct entry *entry = owner;

	entry->linger = NULL;
	log_debug("nobody waits for it any more, fetch cancelled", "name=%s",
		  entry->what.name);
	cache_entry_cancel(entry);
}

static int take_off(struct entry *entry, int64_t timeout_ms)
{
	const struct source_operations *operations = entry->source->operations;
	struct loop *loop = entry->cache->loop;

	entry->timeout_ms = timeout_ms;
	entry->changed_in_flight = false;
	entry->deadline = loop_timer(loop, loop_now_ms(loop) + timeout_ms,
				     on_deadline, entry);
	if (entry->deadline && entry->is_listing)
		entry->call = operations->list(entry->source, entry->what.name,
					       on_listing, entry);
	else if (entry->deadline)
		entry->call = operations->fetch(entry->source, &entry->what,
						on_value, entry);
	if (!entry->call) {
		cache_entry_land(entry);
		return -ENOMEM;
	}
	log_debug("fetch", "name=%s", entry->what.name);
	return 0;
}

/* Puts the get where its answer will come from: at hand, or in flight. */
static int join(struct entry *entry, struct cache_get *get,
		const struct cache_want *want)
{
	if (fresh_ms(entry, want->ttl_ms) > 0) {
		if (!entry->soon)
			entry->soon =
				loop_soon(entry->cache->loop, on_soon, entry);
		if (!entry->soon)
			return -ENOMEM;
		get->list = &entry->served;
	} else {
		if (!entry->call && take_off(entry, want->timeout_ms) < 0)
			return -ENOMEM;
		loop_timer_cancel(TAKE(entry->linger));
		get->list = &entry->waiting;
	}
	TAILQ_INSERT_TAIL(get->list, get, link);
	return 0;
}

struct cache_get *cache_get(struct cache *cache, const struct cache_want *want,
			    cache_on_result *on_result, void *owner)
{
	struct entry *entry = cache_entry_find(cache, want);
	struct cache_get *get;

	if (!entry)
		entry = cache_entry_add(cache, want);
	get = malloc(sizeof(*get));
	if (!entry || !get) {
		free(get);
		return NULL;
	}
	*get = (struct cache_get){
		.entry = entry,
		.ttl_ms = want->ttl_ms,
		.on_result = on_result,
		.owner = owner,
	};
	if (join(entry, get, want) < 0) {
		free(get);
		return NULL;
	}
	return get;
}

void cache_cancel(struct cache_get *get)
{
	struct entry *entry;
	struct loop *loop;

	if (!get)
		return;
	entry = get->entry;
	loop = entry->cache->loop;
	TAILQ_REMOVE(get->list, get, link);
	free(get);
	if (!entry->call || !TAILQ_EMPTY(&entry->waiting) || entry->linger)
		return;
	entry->linger = loop_timer(
		loop, loop_now_ms(loop) + entry->cache->limits.linger_ms,
		on_linger, entry);
	if (!entry->linger)
		cache_entry_cancel(entry);
}
