/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KEEPER_HEARTBEAT_H
#define KEEPER_HEARTBEAT_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Whether the worker still turns its loop: it is asked three times within a
 * limit, and stands still when three in a row have found no answer. A keeper
 * that was held up itself, as by a machine that was, counts anew.
 */

#define HEARTBEAT_LIMIT_MS 10000

struct heartbeat {
	int64_t limit_ms; /* more than 0 */

	/* this module's own */
	int64_t due_ms;
	unsigned missed;
	bool is_awaited;
};

enum heartbeat_verdict {
	HEARTBEAT_EARLY, /* nothing is due */
	HEARTBEAT_ASK,	 /* it is time to ask, if there is one to ask */
	HEARTBEAT_STILL,
};

/* Another worker serves: nothing is held against it. */
void heartbeat_begin(struct heartbeat *heartbeat, int64_t now_ms);

/* What is to be done now. */
enum heartbeat_verdict heartbeat_on_time(struct heartbeat *heartbeat,
					 int64_t now_ms);

/* It has been asked; it has answered. */
void heartbeat_asked(struct heartbeat *heartbeat);
void heartbeat_answered(struct heartbeat *heartbeat);

#endif
