/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is true of an entry at this moment. Ages count from the last success:
 * a failure makes nothing older, it only says that asking again is no use for
 * a while.
 */
#include "base/map.h"
#include "loop/loop.h"
#include "store/cache_private.h"
#include "store/value.h"

#include <errno.h>

/* The first and the longest pause after a failure. */
#define PAUSE_MS 1000
#define PAUSE_MAX_MS 60000

static int64_t now_ms(const struct entry *entry)
{
	return loop_now_ms(entry->cache->loop);
}

static int64_t smaller(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

bool cache_entry_holds(const struct entry *entry)
{
	return entry->value || entry->listing;
}

int64_t cache_entry_rest_ms(const struct entry *entry, int64_t ttl_ms)
{
	int64_t bound_ms = entry->source->max_ttl_ms;
	int64_t left_ms;

	if (!cache_entry_holds(entry) || entry->is_outdated)
		return 0;
	if (bound_ms)
		ttl_ms = smaller(ttl_ms, bound_ms);
	left_ms = entry->confirmed_ms + ttl_ms - now_ms(entry);
	return left_ms > 0 ? left_ms : 0;
}

int64_t cache_entry_end_ms(const struct entry *entry, int64_t max_stale_ms)
{
	int64_t end_ms = entry->confirmed_ms + max_stale_ms;

	if (entry->refused_ms == NEVER_MS)
		return end_ms;
	return smaller(end_ms, entry->refused_ms + entry->source->grace_ms);
}

static bool is_definite(const struct entry *entry)
{
	return entry->has_failed && !entry->is_passing;
}

/* Of what is past its TTL: how much longer it may be taken for true. */
static int64_t stale_ms(const struct entry *entry, int64_t max_stale_ms)
{
	int64_t left_ms;

	if (!cache_entry_holds(entry))
		return 0;
	left_ms = cache_entry_end_ms(entry, max_stale_ms) - now_ms(entry);
	if (left_ms <= 0)
		return 0;
	return smaller(left_ms, entry->cache->limits.stale_ms);
}

int64_t cache_entry_pause_ms(const struct entry *entry)
{
	int64_t pause_ms = PAUSE_MS;

	for (unsigned i = 1; i < entry->failures && pause_ms < PAUSE_MAX_MS;
	     i++)
		pause_ms *= 2;
	return smaller(pause_ms, PAUSE_MAX_MS);
}

/* To ask a place that is silent costs nobody anything; of one that is busy,
 * readers who have a value ask no more than the background does. */
static int64_t failure_pause_ms(const struct entry *entry)
{
	const struct cache_limits *limits = &entry->cache->limits;

	if (is_definite(entry))
		return limits->negative_ms;
	return entry->is_busy ? cache_entry_pause_ms(entry) : limits->stale_ms;
}

/* How much longer a failure need not be tried again. */
static int64_t failure_rest_ms(const struct entry *entry)
{
	int64_t left_ms;

	if (!entry->has_failed || (is_definite(entry) && entry->is_outdated))
		return 0;
	left_ms = entry->failed_ms + failure_pause_ms(entry) - now_ms(entry);
	return left_ms > 0 ? left_ms : 0;
}

static bool is_out_of_patience(const struct entry *entry)
{
	return entry->call && now_ms(entry) - entry->started_ms >=
				      entry->cache->limits.patience_ms;
}

static struct cache_result held(const struct entry *entry, int64_t fresh_ms)
{
	return (struct cache_result){ .value = entry->value,
				      .listing = entry->listing,
				      .fresh_ms = fresh_ms };
}

bool cache_entry_answers(const struct entry *entry, int64_t ttl_ms,
			 int64_t max_stale_ms, struct cache_result *ret)
{
	int64_t fresh_ms = cache_entry_rest_ms(entry, ttl_ms);
	int64_t failed_ms = failure_rest_ms(entry);

	if (fresh_ms == 0 && (failed_ms > 0 || is_out_of_patience(entry)))
		fresh_ms = stale_ms(entry, max_stale_ms);
	if (fresh_ms > 0) {
		*ret = held(entry, fresh_ms);
		return true;
	}
	/* what may pass is tried again by whoever has nothing at all */
	if (failed_ms == 0 || !is_definite(entry) || entry->call)
		return false;
	*ret = (struct cache_result){ .err = &entry->failure,
				      .fresh_ms = failed_ms };
	return true;
}

struct cache_result cache_entry_outcome(const struct entry *entry,
					int64_t ttl_ms, int64_t max_stale_ms)
{
	int64_t fresh_ms = cache_entry_rest_ms(entry, ttl_ms);

	if (fresh_ms == 0 && entry->has_failed)
		fresh_ms = stale_ms(entry, max_stale_ms);
	else if (!entry->has_failed)
		return held(entry, fresh_ms);
	if (fresh_ms > 0)
		return held(entry, fresh_ms);
	return (struct cache_result){
		.err = &entry->failure,
		.fresh_ms = is_definite(entry) ? failure_rest_ms(entry) : 0,
	};
}

void cache_tell(struct cache *cache, const struct cache_want *want,
		struct cache_about *ret)
{
	const struct entry *entry = cache_entry_find(cache, want);

	*ret = (struct cache_about){
		.age_ms = -1,
		.next_ms = -1,
		.left_ms = -1,
	};
	if (!entry)
		return;
	ret->value = entry->value;
	ret->is_in_use = !LIST_EMPTY(&entry->uses);
	ret->is_in_flight = entry->call != NULL;
	ret->failure = entry->has_failed ? &entry->failure : NULL;
	if (entry->next)
		ret->next_ms = entry->next_ms - now_ms(entry);
	if (cache_entry_holds(entry)) {
		ret->age_ms = now_ms(entry) - entry->confirmed_ms;
		ret->left_ms = cache_entry_end_ms(entry, want->max_stale_ms) -
			       now_ms(entry);
		if (ret->left_ms < 0)
			ret->left_ms = 0;
		ret->state = cache_entry_rest_ms(entry, want->ttl_ms) > 0
				     ? CACHE_FRESH
				     : CACHE_STALE;
	} else if (entry->has_failed) {
		ret->state = CACHE_FAILED;
	}
}

struct telling {
	const struct source *source;
	cache_on_known *on_known;
	void *owner;
};

static void tell_each(void *owner, void *value)
{
	const struct telling *telling = owner;
	const struct entry *entry = value;

	if (entry->source != telling->source)
		return;
	telling->on_known(telling->owner,
			  &(struct cache_want){
				  .source = entry->source,
				  .name = entry->what.name,
				  .version = entry->what.version,
				  .stage = entry->what.stage,
				  .is_listing = entry->is_listing,
			  });
}

void cache_each(const struct cache *cache, const struct source *source,
		cache_on_known *on_known, void *owner)
{
	struct telling telling = { source, on_known, owner };

	map_each(cache->entries, tell_each, &telling);
}

const char *cache_state_name(enum cache_state state)
{
	switch (state) {
	case CACHE_FRESH:
		return "fresh";
	case CACHE_STALE:
		return "stale";
	case CACHE_FAILED:
		return "failed";
	case CACHE_EMPTY:
		break;
	}
	return "empty";
}
