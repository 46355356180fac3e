/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FS_PARKED_H
#define FS_PARKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "fs/request.h"

struct cache;
struct cache_want;
struct listing;
struct loop;
struct loop_timer;
struct value;
struct wait;

/*
 * Requests that wait for something to be fetched.
 *
 * A parked request goes on when what it wants is known, is answered EINTR when
 * its caller is being killed, and -EIO when the parking place closes. It is
 * embedded in what the handler needs to go on, and freed with it by release.
 */

struct parking {
	struct loop *loop;
	struct cache *cache;
	TAILQ_HEAD(parked_list, parked) waiting;
};

void parking_init(struct parking *parking, struct loop *loop,
		  struct cache *cache);

size_t parking_count(const struct parking *parking);

/* Answers whoever waits. */
void parking_done(struct parking *parking);

struct parked;

/* What became of one thing that was wanted. */
struct parked_result {
	bool is_known; /* else it was not waited for to the end */
	int code;      /* 0, or the negative errno of its failure */
	struct value *value;
	struct listing *listing;
	int64_t fresh_ms; /* how much longer this may be taken for true */
};

/* In the order of the wants; borrowed, as what they point to, until go_on
 * returns. */
struct parked_results {
	const struct parked_result *at;
	size_t count;
};

typedef void parked_go_on(struct parked *parked,
			  const struct parked_results *results);

/* Whether what is known already settles the request. */
typedef bool parked_is_enough(struct parked *parked,
			      const struct parked_results *results);

struct parked {
	struct parking *parking;
	struct request *request; /* answered by whoever frees the struct */
	void (*release)(struct parked *parked); /* frees it; never answers */

	/* this module's own while the request waits */
	struct wait *waits;
	struct parked_result *results;
	size_t count;
	size_t unknown;
	struct loop_timer *look;
	struct loop_timer *patience;
	int64_t interrupted_ms;
	parked_go_on *go_on;
	parked_is_enough *is_enough;
	TAILQ_ENTRY(parked) link;
};

/* What is waited for, and how long. */
struct parked_wants {
	const struct cache_want *at;
	size_t count;
	int64_t patience_ms; /* 0: none, the fetches' deadlines bound it */
	parked_is_enough *is_enough; /* NULL: everything */
};

/*
 * Calls what_next when everything that is wanted is known, or enough of it, or
 * when the patience is over: at once where that is so already. A fetch that is
 * given up is left to whoever else waits for it. Where the request cannot be
 * parked it is failed and the struct released.
 */
void parked_want(struct parked *parked, const struct parked_wants *wants,
		 parked_go_on *what_next);

#endif
