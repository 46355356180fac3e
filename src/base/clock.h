/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Time, so that tests can hold it still.
 *
 * Ages and deadlines count on CLOCK_BOOTTIME, which goes on while the machine
 * sleeps. Wall time is for signatures and for what people read.
 */

struct clock {
	bool is_set;
	int64_t set_ms;
	int64_t set_wall_s;

	/* added to CLOCK_BOOTTIME; NULL: nothing is. Somebody else may move it
	 * forward at any time. */
	const volatile int64_t *shift_ms;
};

/* Zero initialisation gives the real clock. */
void clock_set(struct clock *clock, int64_t now_ms, int64_t wall_s);
void clock_advance(struct clock *clock, int64_t by_ms);

int64_t clock_now_ms(const struct clock *clock);

/* Seconds since 1970, UTC. */
int64_t clock_wall_s(const struct clock *clock);

#endif
