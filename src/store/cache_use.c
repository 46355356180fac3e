/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is in use is confirmed before its TTL is over, so that the kernel finds
 * it confirmed when it asks, and so that whoever only watches hears of a
 * rotation. The moment is drawn, so that a node's mounts do not ask as one.
 */
#include "base/log.h"
#include "base/macros.h"
#include "base/map.h"
#include "loop/loop.h"
#include "store/cache_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

uint32_t cache_draw(const struct cache *cache, uint32_t below)
{
	uint32_t number = 0;

	if (cache->random)
		return cache->random(cache->random_owner, below);
	if (getrandom(&number, sizeof(number), GRND_NONBLOCK) < 0)
		return below / 2;
	return number % below;
}

/* Uniform in 80 to 100 %. */
static int64_t drawn_ms(const struct cache *cache, int64_t whole_ms)
{
	int64_t span_ms = whole_ms / 5;

	if (span_ms <= 0)
		return whole_ms;
	if (span_ms > UINT32_MAX - 1)
		span_ms = UINT32_MAX - 1;
	return whole_ms - cache_draw(cache, (uint32_t)span_ms + 1);
}

/* The shortest TTL among the uses. */
static int64_t used_ttl_ms(const struct entry *entry)
{
	int64_t bound_ms =
		entry->source->tells_changes ? 0 : entry->source->max_ttl_ms;
	int64_t ttl_ms = bound_ms ? bound_ms : INT64_MAX;
	const struct cache_use *use;

	LIST_FOREACH(use, &entry->uses, link)
	{
		if (use->ttl_ms < ttl_ms)
			ttl_ms = use->ttl_ms;
	}
	return ttl_ms;
}

/* Nothing held and a definite refusal: at the pace of the TTL. */
static int64_t next_ms(const struct entry *entry)
{
	const struct cache *cache = entry->cache;
	int64_t ttl_ms = used_ttl_ms(entry);
	int64_t pause_ms;
	int64_t at_ms;

	if (entry->is_outdated && entry->failures == 0)
		return loop_now_ms(cache->loop);
	/* never asked for: what shows it may be older than the machine's start,
	 * from which time counts */
	if (!entry->has_failed && !cache_entry_holds(entry))
		return loop_now_ms(cache->loop);
	if (!entry->has_failed)
		return entry->confirmed_ms + drawn_ms(cache, ttl_ms);
	pause_ms = entry->is_passing ? cache_entry_pause_ms(entry)
				     : cache->limits.negative_ms;
	if (!cache_entry_holds(entry) && !entry->is_passing)
		pause_ms = ttl_ms;
	at_ms = entry->failed_ms +
		drawn_ms(cache, pause_ms < ttl_ms ? pause_ms : ttl_ms);
	if (entry->return_ms && entry->return_ms < at_ms)
		return entry->return_ms;
	return at_ms;
}

static void on_next(void *owner)
{
	struct entry *entry = owner;

	entry->next = NULL;
	if (cache_attempt(entry) < 0)
		cache_plan(entry);
}

static void on_wipe(void *owner)
{
	struct entry *entry = owner;

	entry->wipe = NULL;
	if (!cache_entry_holds(entry))
		return;
	if (!entry->has_failed) {
		entry->has_failed = true;
		entry->is_busy = false;
		entry->failed_ms = loop_now_ms(entry->cache->loop);
		entry->is_passing = true;
		(void)err_set(&entry->failure, -EIO,
			      "not confirmed for too long");
	}
	cache_entry_clear(entry);
	log_debug("wiped", "name=%s", entry->what.name);
	cache_tell_uses(entry);
}

void cache_plan(struct entry *entry)
{
	struct loop *loop = entry->cache->loop;

	loop_timer_cancel(TAKE(entry->next));
	loop_timer_cancel(TAKE(entry->wipe));
	if (cache_entry_holds(entry))
		entry->wipe = loop_timer(
			loop, cache_entry_end_ms(entry, entry->keep_ms),
			on_wipe, entry);
	if (LIST_EMPTY(&entry->uses) || entry->call)
		return;
	cache_note_lost(entry);
	entry->next_ms = next_ms(entry);
	entry->next = loop_timer(loop, entry->next_ms, on_next, entry);
}

void cache_tell_uses(struct entry *entry)
{
	struct cache_result result = { .value = entry->value,
				       .listing = entry->listing };
	struct cache_use *use = LIST_FIRST(&entry->uses);

	if (!cache_entry_holds(entry))
		result.err = &entry->failure;
	while (use) {
		struct cache_use *following = LIST_NEXT(use, link);

		result.fresh_ms = cache_entry_rest_ms(entry, use->ttl_ms);
		use->on_change(use->owner, &result);
		use = following;
	}
}

struct cache_use *cache_use_begin(struct cache *cache,
				  const struct cache_want *want,
				  cache_on_change *on_change, void *owner)
{
	struct entry *entry = cache_entry_need(cache, want);
	struct cache_use *use = malloc(sizeof(*use));

	if (!entry || !use) {
		free(use);
		return NULL;
	}
	*use = (struct cache_use){ .entry = entry,
				   .ttl_ms = want->ttl_ms,
				   .on_change = on_change,
				   .owner = owner };
	LIST_INSERT_HEAD(&entry->uses, use, link);
	/* in flight it is planned when it lands */
	if (!entry->call)
		cache_plan(entry);
	return use;
}

void cache_use_change(struct cache_use *use, const struct cache_want *want)
{
	struct entry *entry = use->entry;

	if (!entry || use->ttl_ms == want->ttl_ms)
		return;
	use->ttl_ms = want->ttl_ms;
	if (!entry->call)
		cache_plan(entry);
}

void cache_use_end(struct cache_use *use)
{
	struct entry *entry;

	if (!use)
		return;
	entry = use->entry;
	if (entry) {
		LIST_REMOVE(use, link);
		if (LIST_EMPTY(&entry->uses))
			loop_timer_cancel(TAKE(entry->next));
	}
	free(use);
}

struct refreshing {
	const char *name;
	size_t count;
};

static void refresh_each(void *owner, void *value)
{
	struct refreshing *refreshing = owner;
	struct entry *entry = value;

	if (refreshing->name && strcmp(entry->what.name, refreshing->name) != 0)
		return;
	entry->is_outdated = true;
	entry->changed_in_flight = true;
	entry->failures = 0;
	if (LIST_EMPTY(&entry->uses))
		return;
	refreshing->count++;
	if (!entry->call)
		cache_plan(entry);
}

size_t cache_refresh(struct cache *cache, const char *name)
{
	struct refreshing refreshing = { .name = name };

	map_each(cache->entries, refresh_each, &refreshing);
	return refreshing.count;
}
