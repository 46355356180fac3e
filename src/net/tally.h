/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_TALLY_H
#define NET_TALLY_H

#include <stddef.h>
#include <stdint.h>

/*
 * What became of the requests to one endpoint, by what was asked for. Every
 * attempt that was sent has one outcome, once it has ended. Counts only grow,
 * and there are never more names than fit: a program asks for a few operations
 * that it knows, so what is beyond them is "other".
 */

#define TALLY_OPERATIONS_MAX 16
#define TALLY_OTHER "other"

enum tally_outcome {
	TALLY_OK,
	TALLY_THROTTLED,
	TALLY_REFUSED,	   /* for good, as far as that can be told */
	TALLY_UNAVAILABLE, /* the service answered that it cannot now */
	TALLY_UNANSWERED,  /* failed in transport, or timed out */
	TALLY_ABANDONED,   /* nobody waited any more, or it ended here: a reply
			    * that is too long, no memory */
	TALLY_OUTCOMES
};

/* "ok", "throttled", ... */
const char *tally_outcome_name(enum tally_outcome outcome);

struct tally_operation {
	const char *name;
	uint64_t attempts; /* those in flight included */
	uint64_t retries;  /* of these: not the first of their call */
	uint64_t outcomes[TALLY_OUTCOMES];
};

struct tally {
	struct tally_operation operations[TALLY_OPERATIONS_MAX];
	size_t count;
};

/* Empty. */
void tally_init(struct tally *tally);

/* The operation's counts, which stay where they are as long as the tally does.
 * name is borrowed for that time; NULL is TALLY_OTHER. */
struct tally_operation *tally_of(struct tally *tally, const char *name);

#endif
