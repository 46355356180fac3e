/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whoever asks is answered from what is at hand, or waits for the attempt in
 * flight. Whether something is at hand is decided for each get, since mounts
 * with other TTLs may share an entry.
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
	cache_adopted_done(cache);
	cache_drop_scouts(cache, NULL);
	cache_entries_done(cache);
	free(cache);
}

void cache_set_on_failure(struct cache *cache, cache_on_failure *on_failure,
			  void *owner)
{
	cache->on_failure = on_failure;
	cache->failure_owner = owner;
}

void cache_set_random(struct cache *cache, cache_random *random, void *owner)
{
	cache->random = random;
	cache->random_owner = owner;
}

const struct cache_counters *cache_counters(const struct cache *cache)
{
	return &cache->counters;
}

void cache_drop_source(struct cache *cache, struct source *source)
{
	map_each(cache->entries, drop_each, source);
	cache_drop_scouts(cache, source);
	source->on_change = NULL;
	source->on_return = NULL;
}

static void count_stale(struct entry *entry, int64_t ttl_ms)
{
	if (cache_entry_holds(entry) && cache_entry_rest_ms(entry, ttl_ms) == 0)
		entry->cache->counters.stale++;
}

static void count_hit(struct entry *entry, int64_t ttl_ms)
{
	entry->cache->counters.hits++;
	count_stale(entry, ttl_ms);
}

bool cache_peek(struct cache *cache, const struct cache_want *want,
		struct cache_result *ret)
{
	struct entry *entry = cache_entry_find(cache, want);

	if (!entry ||
	    !cache_entry_answers(entry, want->ttl_ms, want->max_stale_ms, ret))
		return false;
	count_hit(entry, want->ttl_ms);
	return true;
}

/* What a get on the served list is told: nobody waits for anything more. */
static struct cache_result answer_of(const struct entry *entry,
				     const struct cache_get *get)
{
	struct cache_result result;

	if (cache_entry_answers(entry, get->ttl_ms, get->max_stale_ms, &result))
		return result;
	return cache_entry_outcome(entry, get->ttl_ms, get->max_stale_ms);
}

static void move_get(struct cache_get *get, struct get_list *to)
{
	TAILQ_REMOVE(get->list, get, link);
	TAILQ_INSERT_TAIL(to, get, link);
	get->list = to;
}

/* Gives the outcome to everyone on the served list as it is now; whoever comes
 * during that is served in the next turn. */
static void serve(struct entry *entry)
{
	struct get_list batch = TAILQ_HEAD_INITIALIZER(batch);
	struct cache_get *get;

	while ((get = TAILQ_FIRST(&entry->served)))
		move_get(get, &batch);
	entry->is_serving = true;
	while ((get = TAILQ_FIRST(&batch))) {
		struct cache_result result = answer_of(entry, get);
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

void cache_serve_waiting(struct entry *entry)
{
	struct cache_get *get;

	while ((get = TAILQ_FIRST(&entry->waiting))) {
		count_stale(entry, get->ttl_ms);
		move_get(get, &entry->served);
	}
	serve(entry);
}

void cache_serve_impatient(struct entry *entry)
{
	struct cache_result ignored;
	struct cache_get *get = TAILQ_FIRST(&entry->waiting);

	while (get) {
		struct cache_get *following = TAILQ_NEXT(get, link);

		if (cache_entry_answers(entry, get->ttl_ms, get->max_stale_ms,
					&ignored)) {
			count_stale(entry, get->ttl_ms);
			move_get(get, &entry->served);
		}
		get = following;
	}
	serve(entry);
}

static void on_linger(void *owner)
{
	struct entry *entry = owner;

	entry->linger = NULL;
	log_debug("nobody waits for it any more, fetch cancelled", "name=%s",
		  entry->what.name);
	cache_attempt_cancel(entry);
}

/* Puts the get where its answer will come from: at hand, or in flight. */
static int join(struct entry *entry, struct cache_get *get)
{
	struct cache_result ignored;

	if (cache_entry_answers(entry, get->ttl_ms, get->max_stale_ms,
				&ignored)) {
		if (!entry->soon)
			entry->soon =
				loop_soon(entry->cache->loop, on_soon, entry);
		if (!entry->soon)
			return -ENOMEM;
		count_hit(entry, get->ttl_ms);
		get->list = &entry->served;
	} else {
		if (cache_attempt(entry) < 0)
			return -ENOMEM;
		loop_timer_cancel(TAKE(entry->linger));
		entry->cache->counters.misses++;
		get->list = &entry->waiting;
	}
	TAILQ_INSERT_TAIL(get->list, get, link);
	return 0;
}

struct cache_get *cache_get(struct cache *cache, const struct cache_want *want,
			    cache_on_result *on_result, void *owner)
{
	struct entry *entry = cache_entry_need(cache, want);
	struct cache_get *get = malloc(sizeof(*get));

	if (!entry || !get) {
		free(get);
		return NULL;
	}
	*get = (struct cache_get){
		.entry = entry,
		.ttl_ms = want->ttl_ms,
		.max_stale_ms = want->max_stale_ms,
		.on_result = on_result,
		.owner = owner,
	};
	if (join(entry, get) < 0) {
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
	if (!entry->call || !TAILQ_EMPTY(&entry->waiting) || entry->linger ||
	    !LIST_EMPTY(&entry->uses))
		return;
	entry->linger = loop_timer(
		loop, loop_now_ms(loop) + entry->cache->limits.linger_ms,
		on_linger, entry);
	if (!entry->linger)
		cache_attempt_cancel(entry);
}
