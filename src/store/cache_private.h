/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_CACHE_PRIVATE_H
#define STORE_CACHE_PRIVATE_H

/* What cache.c, which serves, and cache_entry.c, which keeps, share. */

#include <sys/queue.h>

#include "base/err.h"
#include "store/cache.h"
#include "store/source.h"

struct loop_timer;
struct map;
struct source_call;

TAILQ_HEAD(get_list, cache_get);
LIST_HEAD(entry_list, entry);

struct cache {
	struct loop *loop;
	struct cache_limits limits;
	struct map *entries; /* by key */
	struct map *names;   /* an entry_list, by what keys begin with */
	cache_on_failure *on_failure;
	void *failure_owner;
};

struct cache_get {
	struct entry *entry;
	struct get_list *list; /* where it waits */
	int64_t ttl_ms;
	cache_on_result *on_result;
	void *owner;
	TAILQ_ENTRY(cache_get) link;
};

struct entry {
	struct cache *cache;
	struct source *source;
	bool is_listing;

	/* the last outcome: a value, a listing, a failure, or nothing yet */
	struct value *value;
	struct listing *listing;
	bool has_failed;
	struct err failure;
	int64_t confirmed_ms;
	bool is_outdated; /* the source said that it changed */

	/* the fetch in flight, if call is set, and who waits for it */
	struct source_call *call;
	struct loop_timer *deadline;
	struct loop_timer *linger; /* runs while nobody waits */
	int64_t timeout_ms;
	bool changed_in_flight;
	struct get_list waiting;

	/* gets whose answer is at hand, until the loop turns */
	struct loop_timer *soon;
	struct get_list served;
	bool is_serving;

	LIST_ENTRY(entry) of_name; /* the versions and stages of one name */
	struct source_want what;   /* its texts stand in key; of a listing the
				    * name is the prefix */
	size_t key_length;
	size_t name_length; /* of what key begins with: who, kind, name */
	char key[];
};

/* The maps of a new cache. 0, -ENOMEM. */
int cache_entries_init(struct cache *cache);

/* Every entry must have been dropped. */
void cache_entries_done(struct cache *cache);

/* NULL: never asked for. */
struct entry *cache_entry_find(const struct cache *cache,
			       const struct cache_want *want);

/* An entry without an outcome; the oldest idle one may go for it. NULL: no
 * memory. */
struct entry *cache_entry_add(struct cache *cache,
			      const struct cache_want *want);

/* Ends the fetch in flight and every get, without a callback, and frees. */
void cache_entry_drop(struct entry *entry);

/* Lets go of the value or listing that is held. */
void cache_entry_clear(struct entry *entry);

/* Stops the clocks of a fetch that has ended. */
void cache_entry_land(struct entry *entry);

/* Gives up the fetch in flight, if there is one. */
void cache_entry_cancel(struct entry *entry);

#endif
