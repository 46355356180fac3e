/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A key of the cache says whose secret it is, so what the last process has left
 * needs no source to wait for: whoever asks first as the same identity brings
 * one.
 */
#include "base/macros.h"
#include "base/map.h"
#include "base/parked.h"
#include "base/secret.h"
#include "loop/loop.h"
#include "store/cache_private.h"
#include "store/value.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct adopted {
	struct cache *cache;
	struct value *value;
	struct parked_times times;
	struct parked *parked;
	struct loop_timer *end;
	size_t key_length;
	char key[];
};

static void free_adopted(struct adopted *adopted)
{
	(void)map_remove(adopted->cache->adopted, adopted->key,
			 adopted->key_length);
	loop_timer_cancel(adopted->end);
	parked_free(adopted->parked);
	value_unref(adopted->value);
	free(adopted);
}

static void on_end(void *owner)
{
	struct adopted *adopted = owner;

	adopted->end = NULL;
	free_adopted(adopted);
}

static void secret_done(struct secret **secret)
{
	secret_unref(*secret);
}

static int take_value(struct adopted *adopted, const struct parked_about *about,
		      const void *bytes, size_t length)
{
	CLEANUP(secret_done) struct secret *secret = secret_new(bytes, length);

	if (!secret)
		return -errno;
	adopted->value = value_new(
		secret, &(struct value_about){ .version = about->version,
					       .created_ns = about->created_ns,
					       .arn = about->arn,
					       .is_binary = about->is_binary });
	if (!adopted->value)
		return -ENOMEM;
	/* Should this process die before anybody asks. */
	adopted->parked = parked_new(about, secret);
	return 0;
}

int cache_adopt(struct cache *cache, const struct parked_about *about,
		const void *bytes, size_t length)
{
	struct adopted *adopted =
		calloc(1, sizeof(*adopted) + about->key_length);
	int r;

	if (!adopted)
		return -ENOMEM;
	adopted->cache = cache;
	adopted->times = about->times;
	adopted->key_length = about->key_length;
	memcpy(adopted->key, about->key, about->key_length);
	r = map_put(cache->adopted, adopted->key, adopted->key_length, adopted);
	if (r < 0) {
		free(adopted);
		return r;
	}
	adopted->end =
		loop_timer(cache->loop, about->times.end_ms, on_end, adopted);
	r = adopted->end ? take_value(adopted, about, bytes, length) : -ENOMEM;
	if (r < 0)
		free_adopted(adopted);
	return r;
}

void cache_adopted_take(struct entry *entry)
{
	struct adopted *adopted =
		map_find(entry->cache->adopted, entry->key, entry->key_length);

	if (!adopted)
		return;
	entry->value = TAKE(adopted->value);
	entry->parked = TAKE(adopted->parked);
	entry->created_ns = value_created_ns(entry->value);
	entry->confirmed_ms = adopted->times.confirmed_ms;
	entry->verified_ms = adopted->times.verified_ms;
	entry->refused_ms = adopted->times.refused_ms;
	/* Nobody has looked while there was no process. */
	entry->is_outdated = true;
	free_adopted(adopted);
	cache_plan(entry);
}

static void drop_each(void *owner, void *value)
{
	(void)owner;
	free_adopted(value);
}

void cache_adopted_done(struct cache *cache)
{
	map_each(cache->adopted, drop_each, NULL);
}

static struct parked_times times_of(const struct entry *entry)
{
	return (struct parked_times){
		.confirmed_ms = entry->confirmed_ms,
		.verified_ms = entry->verified_ms,
		.refused_ms = entry->refused_ms,
		.end_ms = cache_entry_end_ms(entry, entry->keep_ms),
	};
}

static void park_new(struct entry *entry, const struct parked_times *times)
{
	entry->parked = parked_new(
		&(struct parked_about){
			.key = entry->key,
			.key_length = entry->key_length,
			.version = value_version(entry->value),
			.arn = value_arn(entry->value),
			.created_ns = value_created_ns(entry->value),
			.is_binary = value_is_binary(entry->value),
			.times = *times,
		},
		value_bytes(entry->value));
}

void cache_park(struct entry *entry)
{
	struct parked_times times;

	if (!entry->value)
		return;
	times = times_of(entry);
	if (entry->parked)
		parked_set_times(entry->parked, &times);
	else
		park_new(entry, &times);
}
