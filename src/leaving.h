/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LEAVING_H
#define LEAVING_H

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct loop_timer;
struct mounts;

/*
 * How a worker leaves: with an answer for every request that it holds, but in
 * a bounded time. Part of the worker's wiring.
 *
 * Where another one follows it, it reads no more, and what it has not answered
 * in its time it leaves to that one. Where none does, it goes on until the
 * kernel has given up its mounts, or nobody has asked for a moment, so that who
 * waits for a name also gets to read the file.
 */
struct leaving {
	struct loop *loop; /* borrowed, like mounts */
	const struct mounts *mounts;
	bool is_followed;
	/* its own */
	struct loop_timer *timer;
	int64_t end_ms;
	int64_t quiet_ms;
	uint64_t taken;
};

/* Stops the loop when it is time to go. A second call changes nothing. */
void leaving_start(struct leaving *leaving);

/* The loop does not turn any more: lets go of what is left. */
void leaving_done(struct leaving *leaving);

#endif
