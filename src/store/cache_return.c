/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pauses grow while a place does not answer, so what nobody reads would be
 * asked for up to a minute after its return. Therefore one entry at a time is
 * sent ahead as long as the source is away; and when it is back all that failed
 * meanwhile are asked for again, spread, so that an outage does not end in a
 * storm.
 */
#include "base/macros.h"
#include "base/map.h"
#include "loop/loop.h"
#include "store/cache_private.h"

#include <stdlib.h>

/* How often one is sent ahead: 80 to 100 % of this. */
#define SCOUT_MS 5000

/* How fast the others follow, on average; never all within less than the
 * second, since other machines come back in the same moment. */
#define RETURN_EACH_MS 20
#define RETURN_LEAST_MS 1000

/* One for each source with something lost. */
struct scout {
	struct cache *cache;
	struct source *source;
	struct loop_timer *timer; /* NULL: nothing is lost */
	LIST_ENTRY(scout) link;
};

/* In use, and not known for want of an answer. */
static bool is_lost(const struct entry *entry)
{
	return !LIST_EMPTY(&entry->uses) && !entry->call && entry->has_failed &&
	       entry->is_passing && !entry->is_busy;
}

struct search {
	const struct source *source;
	struct entry *longest; /* that failed before all others */
	size_t count;
};

static void search_each(void *owner, void *value)
{
	struct search *search = owner;
	struct entry *entry = value;

	if (entry->source != search->source || !is_lost(entry))
		return;
	search->count++;
	if (!search->longest || entry->failed_ms < search->longest->failed_ms)
		search->longest = entry;
}

static struct search search_lost(const struct cache *cache,
				 const struct source *source)
{
	struct search search = { .source = source };

	map_each(cache->entries, search_each, &search);
	return search;
}

static struct scout *find_scout(const struct cache *cache,
				const struct source *source)
{
	struct scout *scout;

	LIST_FOREACH(scout, &cache->scouts, link)
	{
		if (scout->source == source)
			return scout;
	}
	return NULL;
}

/* NULL: no memory, and the pauses alone count. */
static struct scout *need_scout(struct cache *cache, struct source *source)
{
	struct scout *scout = find_scout(cache, source);

	if (scout)
		return scout;
	scout = calloc(1, sizeof(*scout));
	if (!scout)
		return NULL;
	scout->cache = cache;
	scout->source = source;
	LIST_INSERT_HEAD(&cache->scouts, scout, link);
	return scout;
}

static void on_scout(void *owner);

static void plan_scout(struct scout *scout)
{
	struct loop *loop = scout->cache->loop;

	scout->timer =
		loop_timer(loop,
			   loop_now_ms(loop) + SCOUT_MS -
				   cache_draw(scout->cache, SCOUT_MS / 5 + 1),
			   on_scout, scout);
}

static void on_scout(void *owner)
{
	struct scout *scout = owner;
	struct search search;

	scout->timer = NULL;
	if (!scout->source->is_away)
		return;
	search = search_lost(scout->cache, scout->source);
	if (!search.longest)
		return;
	if (cache_attempt(search.longest) < 0)
		cache_plan(search.longest);
	if (!scout->timer)
		plan_scout(scout);
}

void cache_note_lost(struct entry *entry)
{
	struct scout *scout;

	if (!entry->source->is_away || !is_lost(entry))
		return;
	scout = need_scout(entry->cache, entry->source);
	if (scout && !scout->timer)
		plan_scout(scout);
}

struct returning {
	const struct cache *cache;
	const struct source *source;
	uint32_t span_ms;
};

static void return_each(void *owner, void *value)
{
	const struct returning *returning = owner;
	struct entry *entry = value;

	if (entry->source != returning->source || !is_lost(entry))
		return;
	entry->return_ms = loop_now_ms(returning->cache->loop) +
			   cache_draw(returning->cache, returning->span_ms);
	cache_plan(entry);
}

void cache_on_return(void *owner, struct source *source)
{
	struct cache *cache = owner;
	size_t span_ms = search_lost(cache, source).count * RETURN_EACH_MS;
	struct returning returning = {
		.cache = cache,
		.source = source,
		.span_ms = span_ms > RETURN_LEAST_MS ? (uint32_t)span_ms
						     : RETURN_LEAST_MS,
	};

	map_each(cache->entries, return_each, &returning);
}

static void drop(struct scout *scout)
{
	LIST_REMOVE(scout, link);
	loop_timer_cancel(scout->timer);
	free(scout);
}

void cache_drop_scouts(struct cache *cache, const struct source *source)
{
	struct scout *scout = LIST_FIRST(&cache->scouts);

	while (scout) {
		struct scout *following = LIST_NEXT(scout, link);

		if (!source || scout->source == source)
			drop(scout);
		scout = following;
	}
}
