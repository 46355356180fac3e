/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_CACHE_PRIVATE_H
#define STORE_CACHE_PRIVATE_H

/*
 * What the files of the cache share:
 *
 *	cache.c		serves who asks
 *	cache_age.c	says what is true of an entry now
 *	cache_attempt.c	asks the source, and notes what it says
 *	cache_use.c	keeps what is in use confirmed
 *	cache_adopt.c	holds what the last process had
 *	cache_return.c	looks for a source that is away, and what follows
 *	cache_entry.c	finds, makes, outdates and drops entries
 */

#include <sys/queue.h>

#include "base/err.h"
#include "store/cache.h"
#include "store/source.h"

struct loop_timer;
struct map;
struct source_call;

TAILQ_HEAD(get_list, cache_get);
LIST_HEAD(entry_list, entry);
LIST_HEAD(use_list, cache_use);
LIST_HEAD(scout_list, scout);

#define NEVER_MS INT64_MIN

struct cache {
	struct loop *loop;
	struct cache_limits limits;
	struct map *entries; /* by key */
	struct map *names;   /* an entry_list, by what keys begin with */
	struct map *adopted; /* by key, what nobody has asked for yet */
	struct scout_list scouts;
	struct cache_counters counters;
	cache_on_failure *on_failure;
	void *failure_owner;
	cache_random *random;
	void *random_owner;
};

struct cache_get {
	struct entry *entry;
	struct get_list *list; /* where it waits */
	int64_t ttl_ms;
	int64_t max_stale_ms;
	cache_on_result *on_result;
	void *owner;
	TAILQ_ENTRY(cache_get) link;
};

struct cache_use {
	struct entry *entry; /* NULL: its source was dropped */
	int64_t ttl_ms;
	cache_on_change *on_change;
	void *owner;
	LIST_ENTRY(cache_use) link;
};

struct entry {
	struct cache *cache;
	struct source *source;
	bool is_listing;

	/* the last success, until it is wiped */
	struct value *value;
	struct listing *listing;
	struct parked *parked; /* for the next process; NULL: not kept */
	int64_t confirmed_ms;  /* when it was last found true */
	int64_t verified_ms;   /* when it was last fetched */
	int64_t created_ns;    /* the date of the last version, also wiped */
	int64_t keep_ms;       /* the longest max_stale_ms that was asked for */
	bool is_outdated;      /* the source said that it changed */

	/* the last attempt, if it failed */
	bool has_failed;
	struct err failure;
	int64_t failed_ms;
	bool is_busy;	    /* the service answered that it cannot now */
	bool is_passing;    /* the failure says nothing of the secret */
	int64_t refused_ms; /* since when it is refused; or NEVER_MS */
	unsigned failures;  /* one after the other */
	int64_t return_ms;  /* no later, since the source is back; or 0 */

	/* the attempt in flight, if call is set, and who waits for it */
	struct source_call *call;
	int64_t started_ms;
	struct loop_timer *deadline;
	struct loop_timer *patience; /* of those who wait with an old value */
	struct loop_timer *linger;   /* runs while nobody waits */
	int64_t timeout_ms;
	int64_t verify_ms;
	bool changed_in_flight;
	struct get_list waiting;

	/* gets whose answer is at hand, until the loop turns */
	struct loop_timer *soon;
	struct get_list served;
	bool is_serving;

	/* the background */
	struct use_list uses;
	struct loop_timer *next; /* the next confirmation */
	int64_t next_ms;
	struct loop_timer *wipe; /* when what is held may be held no longer */

	LIST_ENTRY(entry) of_name; /* the versions and stages of one name */
	struct source_want what;   /* its texts stand in key; of a listing the
				    * name is the prefix */
	size_t key_length;
	size_t name_length; /* of what key begins with: who, kind, name */
	char key[];
};

/* cache_age.c: nothing here changes anything. */

bool cache_entry_holds(const struct entry *entry);

/* How much longer the last success is true without a doubt; 0: not at all. */
int64_t cache_entry_rest_ms(const struct entry *entry, int64_t ttl_ms);

/* When what is held must be gone: after max_stale_ms, or the grace. */
int64_t cache_entry_end_ms(const struct entry *entry, int64_t max_stale_ms);

/* The pause after so many failures that may pass. */
int64_t cache_entry_pause_ms(const struct entry *entry);

/* Whether who asks so can be answered without an attempt, and how. */
bool cache_entry_answers(const struct entry *entry, int64_t ttl_ms,
			 int64_t max_stale_ms, struct cache_result *ret);

/* The answer of an attempt that has landed, good or not. */
struct cache_result cache_entry_outcome(const struct entry *entry,
					int64_t ttl_ms, int64_t max_stale_ms);

/* cache_attempt.c */

/* Starts an attempt unless one is in flight. 0, -ENOMEM. */
int cache_attempt(struct entry *entry);

/* Gives up the attempt in flight, if there is one. */
void cache_attempt_cancel(struct entry *entry);

/* cache.c: hands the outcome to those on the waiting list. */
void cache_serve_waiting(struct entry *entry);

/* The same to those who take an old value; the others go on waiting. */
void cache_serve_impatient(struct entry *entry);

/* cache_use.c */

/* Plans the next confirmation, and when what is held goes. */
void cache_plan(struct entry *entry);

/* A number in [0, below); below > 0. */
uint32_t cache_draw(const struct cache *cache, uint32_t below);

/* Tells the uses what the secret is now. */
void cache_tell_uses(struct entry *entry);

/* cache_adopt.c */

/* Gives a new entry what was adopted for it. */
void cache_adopted_take(struct entry *entry);

/* Lets go of what is left. */
void cache_adopted_done(struct cache *cache);

/* Keeps what the entry holds for the next process. */
void cache_park(struct entry *entry);

/* cache_return.c */

/* As source.h says; owner is the cache. */
void cache_on_return(void *owner, struct source *source);

/* The attempt of an entry has landed: what is in use and got no answer is
 * looked for while its source is away. */
void cache_note_lost(struct entry *entry);

/* No more of this source, or with NULL of any. */
void cache_drop_scouts(struct cache *cache, const struct source *source);

/* cache_entry.c */

/* The maps of a new cache. 0, -ENOMEM. */
int cache_entries_init(struct cache *cache);

/* Every entry must have been dropped. */
void cache_entries_done(struct cache *cache);

/* NULL: never asked for. */
struct entry *cache_entry_find(const struct cache *cache,
			       const struct cache_want *want);

/* The entry, made without an outcome where there was none; the oldest idle one
 * may go for it. NULL: no memory. */
struct entry *cache_entry_need(struct cache *cache,
			       const struct cache_want *want);

/* Ends the attempt in flight and every get, without a callback, and frees. */
void cache_entry_drop(struct entry *entry);

/* Lets go of the value or listing that is held. */
void cache_entry_clear(struct entry *entry);

/* Nothing refers to the entry but the maps. */
bool cache_entry_is_idle(const struct entry *entry);

#endif
