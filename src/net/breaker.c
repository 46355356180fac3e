/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A state machine without a clock or timers of its own: an open breaker costs
 * nothing until somebody calls, and a test needs no loop. Calls that began
 * before it opened end later; of these only an answer counts.
 */
#include "net/breaker.h"

#include <errno.h>
#include <limits.h>

void breaker_init(struct breaker *breaker)
{
	*breaker = (struct breaker){ .state = BREAKER_CLOSED };
}

/* The texts of net are shorter; the end is what must not be cut. */
static int refuse(const struct breaker *breaker, int64_t now_ms,
		  struct err *err)
{
	if (breaker->state == BREAKER_PROBING)
		return err_set(err, -EIO,
			       "%.400s (not asked again while another request "
			       "tries)",
			       breaker->last.text);
	return err_set(err, -EIO, "%.400s (not asked again for %.1f s)",
		       breaker->last.text,
		       (double)(breaker->probe_at_ms - now_ms) / 1000);
}

int breaker_admit(struct breaker *breaker, int64_t now_ms, bool *ret_is_probe,
		  struct err *err)
{
	if (breaker->state == BREAKER_PROBING ||
	    (breaker->state == BREAKER_OPEN && now_ms < breaker->probe_at_ms))
		return refuse(breaker, now_ms, err);
	*ret_is_probe = breaker->state == BREAKER_OPEN;
	if (*ret_is_probe)
		breaker->state = BREAKER_PROBING;
	return 0;
}

bool breaker_answered(struct breaker *breaker)
{
	bool has_closed = breaker->state != BREAKER_CLOSED;

	breaker->state = BREAKER_CLOSED;
	breaker->failures = 0;
	breaker->pauses = 0;
	return has_closed;
}

static void open_for_a_pause(struct breaker *breaker, int64_t now_ms,
			     uint32_t random)
{
	int64_t pause_ms = BREAKER_PAUSE_FIRST_MS;

	for (unsigned i = 0;
	     i < breaker->pauses && pause_ms < BREAKER_PAUSE_LAST_MS; i++)
		pause_ms *= 2;
	if (pause_ms > BREAKER_PAUSE_LAST_MS)
		pause_ms = BREAKER_PAUSE_LAST_MS;
	pause_ms -= (pause_ms / 2 * random) >> 32;
	breaker->probe_at_ms = now_ms + pause_ms;
	breaker->pauses++;
	breaker->state = BREAKER_OPEN;
}

bool breaker_failed(struct breaker *breaker, bool is_probe,
		    const struct err *err, int64_t now_ms, uint32_t random)
{
	bool was_closed = breaker->state == BREAKER_CLOSED;

	breaker->last = *err;
	if (breaker->failures < UINT_MAX)
		breaker->failures++;
	if (was_closed ? breaker->failures < BREAKER_FAILURES
		       : breaker->state == BREAKER_OPEN || !is_probe)
		return false;
	open_for_a_pause(breaker, now_ms, random);
	return was_closed;
}

void breaker_withdrawn(struct breaker *breaker, bool is_probe)
{
	if (is_probe && breaker->state == BREAKER_PROBING)
		breaker->state = BREAKER_OPEN;
}
