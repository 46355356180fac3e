/* SPDX-License-Identifier: Apache-2.0 */
/* Beats and not moments are counted: who has not run for a while cannot tell
 * from the time alone who else has not. */
#include "keeper/heartbeat.h"

#define BEATS 3

void heartbeat_begin(struct heartbeat *heartbeat, int64_t now_ms)
{
	heartbeat->missed = 0;
	heartbeat->is_awaited = false;
	heartbeat->due_ms = now_ms + heartbeat->limit_ms / BEATS;
}

enum heartbeat_verdict heartbeat_on_time(struct heartbeat *heartbeat,
					 int64_t now_ms)
{
	int64_t late_ms = now_ms - heartbeat->due_ms;
	int64_t step_ms = heartbeat->limit_ms / BEATS;

	if (late_ms < 0)
		return HEARTBEAT_EARLY;
	heartbeat->due_ms = now_ms + step_ms;
	if (late_ms > step_ms)
		heartbeat->missed = 0;
	else if (heartbeat->is_awaited)
		heartbeat->missed++;
	return heartbeat->missed < BEATS ? HEARTBEAT_ASK : HEARTBEAT_STILL;
}

void heartbeat_asked(struct heartbeat *heartbeat)
{
	heartbeat->is_awaited = true;
}

void heartbeat_answered(struct heartbeat *heartbeat)
{
	heartbeat->is_awaited = false;
	heartbeat->missed = 0;
}
