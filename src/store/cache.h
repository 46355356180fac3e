/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_CACHE_H
#define STORE_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct listing;
struct loop;
struct source;
struct value;

/*
 * Secrets by (identity, name, version, stage) and listings by (identity,
 * prefix), each fetched when somebody asks.
 *
 * - Gets for the same thing share one fetch, which ends by its deadline.
 * - Each get ends exactly once: in its callback, or in cache_cancel().
 * - A callback never runs before the cache_get() that set it returns.
 * - The identity of the source is part of the key: what was fetched for one
 *   identity is never given to another. Mounts that ask as the same identity
 *   share one source, and so each other's fetches.
 * - A fetch that finds the version that is held already keeps the value that
 *   is held, so that "unchanged" is visible as the same version.
 */

struct cache;
struct cache_get;

struct cache_limits {
	size_t max_entries;
	int64_t negative_ms; /* how long a definite failure is remembered */
	int64_t linger_ms;   /* how long a fetch goes on that nobody awaits */
};

/* Called once for each fetch that failed, before its waiters hear of it. */
typedef void cache_on_failure(void *owner, const char *name,
			      const struct err *err);

/* Borrows the loop. NULL: no memory. */
struct cache *cache_new(struct loop *loop, const struct cache_limits *limits);

/* Drops and wipes everything; no callback runs any more. NULL is allowed. */
void cache_free(struct cache *cache);

void cache_set_on_failure(struct cache *cache, cache_on_failure *on_failure,
			  void *owner);

struct cache_want {
	struct source *source; /* borrowed until cache_drop_source() */
	const char *name;      /* a secret, or a prefix ("" or "a/b/") */
	const char *version;   /* as in store/source.h; of a listing NULL */
	const char *stage;     /* likewise */
	bool is_listing;
	int64_t ttl_ms;	    /* what is older is fetched again */
	int64_t timeout_ms; /* then a fetch fails with -EIO */
};

/* All borrowed until the callback returns or the loop turns; on success one of
 * value and listing is set and err is NULL. */
struct cache_result {
	struct value *value;
	struct listing *listing;
	const struct err *err;
	int64_t fresh_ms; /* how much longer this may be taken for true */
};

/* What is known and fresh. False: only a cache_get() can tell. */
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

/* Ends every get of the source without a callback and drops what it gave. */
void cache_drop_source(struct cache *cache, struct source *source);

#endif
