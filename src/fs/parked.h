/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FS_PARKED_H
#define FS_PARKED_H

#include <stdint.h>
#include <sys/queue.h>

#include "fs/request.h"

struct cache;
struct cache_get;
struct cache_result;
struct cache_want;
struct loop;
struct loop_timer;

/*
 * Requests that wait for something to be fetched.
 *
 * A parked request goes on when what it wants is known, is answered EINTR when
 * its caller is being killed, and -EIO when the parking place closes. It is
 * embedded in what the handler needs to go on, and freed with it by free(3).
 */

struct parking {
	struct loop *loop;
	struct cache *cache;
	TAILQ_HEAD(parked_list, parked) waiting;
};

void parking_init(struct parking *parking, struct loop *loop,
		  struct cache *cache);

/* Answers whoever waits. */
void parking_done(struct parking *parking);

struct parked;
typedef void parked_go_on(struct parked *parked,
			  const struct cache_result *result);

struct parked {
	struct parking *parking;
	struct request *request; /* answered by whoever frees the struct */

	/* this module's own while the request waits */
	struct cache_get *get;
	struct loop_timer *look;
	struct loop_timer *patience;
	int64_t interrupted_ms;
	parked_go_on *go_on;
	TAILQ_ENTRY(parked) link;
};

/*
 * Calls go_on with what is wanted: at once where it is known and fresh, else
 * later. With a patience (0: none) go_on is called with -EIO when it is over,
 * and the fetch is left to whoever else waits for it. Where the request cannot
 * be parked it is failed and the struct freed.
 */
void parked_want(struct parked *parked, const struct cache_want *want,
		 int64_t patience_ms, parked_go_on *go_on);

#endif
