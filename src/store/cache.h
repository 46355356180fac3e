/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_CACHE_H
#define STORE_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/histogram.h"

struct err;
struct listing;
struct loop;
struct source;
struct value;

/*
 * Secrets and listings by (identity, name), each fetched when somebody asks,
 * and confirmed in the background as long as it is in use.
 *
 * - Gets for the same thing share one attempt, which ends by its deadline.
 * - Each get ends exactly once: in its callback, or in cache_cancel().
 * - A callback never runs before the cache_get() that set it returns.
 * - The identity of the source is part of the key: what was fetched for one
 *   identity is never given to another. Mounts that ask as the same identity
 *   share one source, and so each other's fetches.
 * - An attempt that finds the version that is held already keeps the value that
 *   is held, so that "unchanged" is visible as the same version.
 * - A value whose TTL is over is still served, for a second at a time, where
 *   an attempt fails in a way that may pass or takes longer than readers are
 *   patient; but never past max_stale_ms after the last success, and never
 *   past the source's grace after a definite refusal began. Then it is wiped.
 */

struct cache;
struct cache_get;
struct cache_use;

struct cache_limits {
	size_t max_entries;
	int64_t negative_ms; /* how long a definite failure is remembered */
	int64_t linger_ms;   /* how long a fetch goes on that nobody awaits */
	int64_t patience_ms; /* a get with an old value waits no longer */
	int64_t stale_ms;    /* how long an old value is taken for true */
};

/* Called once for each attempt that failed, before its waiters hear of it. */
typedef void cache_on_failure(void *owner, const char *name,
			      const struct err *err);

/* A number in [0, below); below > 0. */
typedef uint32_t cache_random(void *owner, uint32_t below);

/* Borrows the loop. NULL: no memory. */
struct cache *cache_new(struct loop *loop, const struct cache_limits *limits);

/* Drops and wipes everything; no callback runs any more. NULL is allowed. */
void cache_free(struct cache *cache);

void cache_set_on_failure(struct cache *cache, cache_on_failure *on_failure,
			  void *owner);

/* What the moments of confirmation are drawn with; getrandom(2) otherwise. */
void cache_set_random(struct cache *cache, cache_random *random, void *owner);

struct cache_want {
	struct source *source; /* borrowed until cache_drop_source() */
	const char *name;      /* a secret, or a prefix ("" or "a/b/") */
	const char *version;   /* as in store/source.h; of a listing NULL */
	const char *stage;     /* likewise */
	bool is_listing;
	int64_t ttl_ms;	      /* what is older is confirmed again */
	int64_t timeout_ms;   /* then an attempt fails with -EIO */
	int64_t max_stale_ms; /* what is older is gone; 0: with the TTL */
	int64_t verify_ms;    /* fetched, not only confirmed, that often */
};

/* All borrowed until the callback returns or the loop turns; on success one of
 * value and listing is set and err is NULL. */
struct cache_result {
	struct value *value;
	struct listing *listing;
	const struct err *err;
	int64_t fresh_ms; /* how much longer this may be taken for true */
};

/* What is known and needs no waiting. False: only a cache_get() can tell. */
bool cache_peek(struct cache *cache, const struct cache_want *want,
		struct cache_result *ret);

typedef void cache_on_result(void *owner, const struct cache_result *result);

/* Returns a handle for cache_cancel(), valid until on_result runs; NULL: no
 * memory. */
struct cache_get *cache_get(struct cache *cache, const struct cache_want *want,
			    cache_on_result *on_result, void *owner);

/* Forgets one get; its callback will not run. The fetch goes on for linger_ms
 * when this was its last. NULL is allowed. */
void cache_cancel(struct cache_get *get);

/*
 * Has the secret confirmed in the background until cache_use_end(): once in 80
 * to 100 % of the TTL, at a moment drawn anew each time. on_change runs from
 * the loop whenever what the secret is has become something else: another
 * version; with err, that the value is wiped, and why. It is not told what is
 * known when the use begins. It may end its own use, and no other. NULL: no
 * memory.
 */
typedef void cache_on_change(void *owner, const struct cache_result *result);
struct cache_use *cache_use_begin(struct cache *cache,
				  const struct cache_want *want,
				  cache_on_change *on_change, void *owner);

/* The same secret is wanted with another TTL from now on. */
void cache_use_change(struct cache_use *use, const struct cache_want *want);

/* NULL is allowed. */
void cache_use_end(struct cache_use *use);

/* Confirms now what is in use: every secret, or those of that name; what is not
 * in use is confirmed when somebody asks. Returns how many are confirmed now.
 */
size_t cache_refresh(struct cache *cache, const char *name);

/* Ends every get and use of the source without a callback and drops what it
 * gave. Uses must still be ended by cache_use_end(). */
void cache_drop_source(struct cache *cache, struct source *source);

/*
 * What a cache before this one held, and kept for who comes after it
 * (base/parked.h): once somebody asks for it, it is held at the age that it
 * has, and confirmed before it is taken for fresh; wiped when its time is over.
 * 0, -ENOMEM, -EFBIG.
 */
struct parked_about;
int cache_adopt(struct cache *cache, const struct parked_about *about,
		const void *bytes, size_t length);

/* What is known of one thing, for people. Texts and err are borrowed. */
enum cache_state {
	CACHE_EMPTY,  /* never known, or wiped */
	CACHE_FRESH,  /* within its TTL */
	CACHE_STALE,  /* past its TTL, still served */
	CACHE_FAILED, /* not there, or refused */
};

/* "empty", "fresh", "stale", "failed" */
const char *cache_state_name(enum cache_state state);

struct cache_about {
	enum cache_state state;
	struct value *value; /* or NULL */
	bool is_in_use;
	bool is_in_flight;
	int64_t age_ms;	 /* since the last success; -1: there was none */
	int64_t next_ms; /* until the next confirmation; -1: none is planned */
	int64_t left_ms; /* until it is wiped if nothing confirms it; -1: none
			  * is held */
	const struct err *failure; /* of the last attempt; NULL: it was good */
};
void cache_tell(struct cache *cache, const struct cache_want *want,
		struct cache_about *ret);

/* What is known of the source's secrets, as wants: with no more than what says
 * which, all borrowed. In no order; nothing may be asked for meanwhile. */
typedef void cache_on_known(void *owner, const struct cache_want *want);
void cache_each(const struct cache *cache, const struct source *source,
		cache_on_known *on_known, void *owner);

/* What has happened since the start. */
struct cache_counters {
	uint64_t hits;	   /* gets and peeks answered from what was at hand */
	uint64_t stale;	   /* answers with an old value, also after a wait */
	uint64_t fetches;  /* attempts to get a value */
	uint64_t confirms; /* attempts to confirm one */
	uint64_t failures; /* attempts that failed */
	uint64_t misses;   /* gets that an attempt had to be waited for */
	struct histogram succeeded; /* how long attempts took, by their end */
	struct histogram failed;
};
const struct cache_counters *cache_counters(const struct cache *cache);

#endif
