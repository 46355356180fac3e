/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AWS_FAILOVER_H
#define AWS_FAILOVER_H

#include <stddef.h>
#include <stdint.h>

struct err;
struct loop;
struct source;

/*
 * Several regions as one source of store/source.h. Each call asks the first
 * one, and the next only where that one did not answer, was throttled or
 * failed: what another region can mend. What a region says for certain, as that
 * there is no such secret, is the answer.
 *
 * - A region that is not the last has its share of the time that is left.
 * - Where none answers, the first one's failure is told, with the others' in
 *   its text: what a replica lacks while its origin is silent is not definite.
 * - A confirmation of a later region counts only if it is that all is as it
 *   was. For an hour after the first region has answered, a later one's value
 *   that is older than the last is not taken either: replicas lag behind.
 */

#define FAILOVER_PLACES_MAX 4
#define FAILOVER_TRUST_MS (3600L * 1000)

struct failover_place {
	struct source *source; /* borrowed, and outlives the failover */
	const char *region;
};

/* Copied, but for the sources, which are all of one service. */
struct failover_settings {
	const struct failover_place *places;
	size_t count; /* 2 to FAILOVER_PLACES_MAX */
	int64_t timeout_ms;

	/* What to ask for in all places but the first, whatever the want; NULL:
	 * as in the want, where ARNs are changed to those of the region. */
	const char *name;
	const char *stage; /* likewise, only with a name */
};

/* -ENOMEM with err filled. */
int failover_new(struct loop *loop, const struct failover_settings *settings,
		 struct source **ret, struct err *err);

#endif
