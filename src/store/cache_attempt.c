/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One attempt to learn what a secret is: a confirmation where that can be
 * enough, and a fetch otherwise or after it. However it goes, it lands once.
 */
#include "base/log.h"
#include "base/macros.h"
#include "base/parked.h"
#include "loop/loop.h"
#include "store/cache_private.h"
#include "store/listing.h"
#include "store/value.h"

#include <errno.h>
#include <string.h>

static void stop_clocks(struct entry *entry)
{
	loop_timer_cancel(TAKE(entry->deadline));
	loop_timer_cancel(TAKE(entry->patience));
	loop_timer_cancel(TAKE(entry->linger));
	entry->call = NULL;
}

void cache_attempt_cancel(struct entry *entry)
{
	struct source_call *call = entry->call;

	stop_clocks(entry);
	if (call)
		entry->source->operations->cancel(call);
}

static void land(struct entry *entry, bool has_changed)
{
	stop_clocks(entry);
	/* first: who is served may begin to use what is then no news */
	if (has_changed)
		cache_tell_uses(entry);
	cache_serve_waiting(entry);
	cache_plan(entry);
}

static int64_t took_ms(const struct entry *entry)
{
	return loop_now_ms(entry->cache->loop) - entry->started_ms;
}

static void land_success(struct entry *entry, bool has_changed)
{
	histogram_add(&entry->cache->counters.succeeded, took_ms(entry));
	entry->confirmed_ms = loop_now_ms(entry->cache->loop);
	entry->is_outdated = entry->changed_in_flight;
	entry->has_failed = false;
	entry->failures = 0;
	entry->refused_ms = NEVER_MS;
	cache_park(entry);
	land(entry, has_changed);
}

/* What readers are told, and whether it is for certain: see source.h. */
static void note_kind(struct entry *entry)
{
	int code = entry->failure.code;

	entry->is_busy = code == -EBUSY;
	entry->is_passing = code == -EIO || code == -EBUSY || code == -ENOKEY ||
			    code == -ENOMEM;
	if (code == -EBUSY)
		entry->failure.code = -EIO;
	else if (code == -ENOKEY)
		entry->failure.code = -EACCES;
}

/* What is held survives a passing failure, and a definite one for as long as
 * the source's grace lasts. */
static void land_failure(struct entry *entry, const struct err *err)
{
	struct cache *cache = entry->cache;
	int64_t now_ms = loop_now_ms(cache->loop);
	bool was_held = cache_entry_holds(entry);

	entry->has_failed = true;
	entry->failure = *err;
	note_kind(entry);
	entry->failed_ms = now_ms;
	entry->failures++;
	if (entry->is_passing) {
		entry->refused_ms = NEVER_MS;
		entry->is_outdated |= entry->changed_in_flight;
	} else {
		if (entry->refused_ms == NEVER_MS)
			entry->refused_ms = now_ms;
		entry->is_outdated = entry->changed_in_flight;
	}
	if (was_held && cache_entry_end_ms(entry, entry->keep_ms) <= now_ms)
		cache_entry_clear(entry);
	cache->counters.failures++;
	histogram_add(&cache->counters.failed, took_ms(entry));
	if (cache->on_failure)
		cache->on_failure(cache->failure_owner, entry->what.name,
				  &entry->failure);
	land(entry, was_held && !cache_entry_holds(entry));
}

/* No two versions share a date: whoever sees the same one sees the same
 * version. Kept here, since what shows the secret may forget it and show it
 * again. */
static void take_version(struct entry *entry, struct value *value)
{
	parked_free(TAKE(entry->parked));
	value_unref(entry->value);
	entry->value = value_ref(value);
	value_date_after(value, entry->created_ns);
	entry->created_ns = value_created_ns(value);
}

static void on_value(void *owner, struct value *value, const struct err *err)
{
	struct entry *entry = owner;
	bool has_changed = false;

	if (err) {
		land_failure(entry, err);
		return;
	}
	if (!entry->value ||
	    strcmp(value_version(entry->value), value_version(value)) != 0) {
		take_version(entry, value);
		has_changed = true;
	}
	entry->verified_ms = loop_now_ms(entry->cache->loop);
	land_success(entry, has_changed);
}

static void on_listing(void *owner, struct listing *listing,
		       const struct err *err)
{
	struct entry *entry = owner;

	if (err) {
		land_failure(entry, err);
		return;
	}
	listing_unref(entry->listing);
	entry->listing = listing_ref(listing);
	land_success(entry, false);
}

static void on_deadline(void *owner)
{
	struct entry *entry = owner;
	struct err err;

	entry->deadline = NULL;
	cache_attempt_cancel(entry);
	err_set(&err, -EIO, "no answer within %.1f s",
		(double)entry->timeout_ms / 1000);
	land_failure(entry, &err);
}

static void on_patience(void *owner)
{
	struct entry *entry = owner;

	entry->patience = NULL;
	cache_serve_impatient(entry);
}

static int fetch(struct entry *entry)
{
	const struct source_operations *operations = entry->source->operations;

	entry->cache->counters.fetches++;
	if (entry->is_listing)
		entry->call = operations->list(entry->source, entry->what.name,
					       on_listing, entry);
	else
		entry->call = operations->fetch(entry->source, &entry->what,
						on_value, entry);
	return entry->call ? 0 : -ENOMEM;
}

static void on_confirmed(void *owner, bool is_current, const struct err *err)
{
	struct entry *entry = owner;
	struct err failure;

	entry->call = NULL;
	if (err && err->code != -ENOSYS) {
		land_failure(entry, err);
	} else if (!err && is_current) {
		land_success(entry, false);
	} else if (fetch(entry) < 0) {
		err_set(&failure, -EIO, "no memory");
		land_failure(entry, &failure);
	}
}

/* A confirmation shows neither another value behind the same version, as a
 * source that told of a change may mean, nor that reading is still allowed. */
static bool can_confirm(const struct entry *entry)
{
	int64_t now_ms = loop_now_ms(entry->cache->loop);

	return entry->source->operations->confirm && entry->value &&
	       !entry->is_outdated &&
	       now_ms - entry->verified_ms < entry->verify_ms;
}

static int ask(struct entry *entry)
{
	if (!can_confirm(entry))
		return fetch(entry);
	entry->cache->counters.confirms++;
	entry->call = entry->source->operations->confirm(
		entry->source, &entry->what, value_version(entry->value),
		on_confirmed, entry);
	return entry->call ? 0 : -ENOMEM;
}

int cache_attempt(struct entry *entry)
{
	struct cache *cache = entry->cache;

	if (entry->call)
		return 0;
	loop_timer_cancel(TAKE(entry->next));
	entry->return_ms = 0;
	entry->started_ms = loop_now_ms(cache->loop);
	entry->changed_in_flight = false;
	entry->deadline =
		loop_timer(cache->loop, entry->started_ms + entry->timeout_ms,
			   on_deadline, entry);
	entry->patience = loop_timer(
		cache->loop, entry->started_ms + cache->limits.patience_ms,
		on_patience, entry);
	if (!entry->deadline || !entry->patience || ask(entry) < 0) {
		stop_clocks(entry);
		return -ENOMEM;
	}
	log_debug("fetch", "name=%s", entry->what.name);
	return 0;
}
