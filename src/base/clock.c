/* SPDX-License-Identifier: Apache-2.0 */
/* Two clocks behind one struct; a set one moves only by clock_advance(). */
#include "base/clock.h"

#include <time.h>

void clock_set(struct clock *clock, int64_t now_ms, int64_t wall_s)
{
	clock->is_set = true;
	clock->set_ms = now_ms;
	clock->set_wall_s = wall_s;
}

void clock_advance(struct clock *clock, int64_t by_ms)
{
	clock->set_ms += by_ms;
	clock->set_wall_s += by_ms / 1000;
}

int64_t clock_now_ms(const struct clock *clock)
{
	struct timespec now;

	if (clock->is_set)
		return clock->set_ms;
	clock_gettime(CLOCK_BOOTTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 +
	       (clock->shift_ms ? *clock->shift_ms : 0);
}

int64_t clock_wall_s(const struct clock *clock)
{
	return clock->is_set ? clock->set_wall_s : (int64_t)time(NULL);
}
