/* SPDX-License-Identifier: Apache-2.0 */
/* That all is answered is looked at again and again, as nobody tells of it:
 * this is for a few seconds at the end of a life. */
#include "leaving.h"
#include "base/log.h"
#include "fs/session.h"
#include "keeper/message.h"
#include "loop/loop.h"
#include "mounts.h"
#include "served.h"

/* The keeper counts the same time, and has the word to bring it here. */
#define SPARE_MS 500
#define LOOK_MS 10

/* Whoever was answered may ask on: open(2) follows a look-up, and read(2) that,
 * as soon as a busy machine lets it. Where another worker follows, that one
 * hears it. A mount that nobody holds any more is gone for the kernel once it
 * is off its place, so that nobody waits for nothing. */
#define QUIET_MS 3000

/* NULL: there is none. */
static struct session *session_at(const struct leaving *leaving, uint32_t index)
{
	const struct served *mount = mounts_find(leaving->mounts, index);

	return mount ? served_session(mount) : NULL;
}

static size_t count_waiting(const struct leaving *leaving)
{
	size_t waiting = 0;

	for (uint32_t i = 0; i < MOUNTS_MAX; i++) {
		const struct session *session = session_at(leaving, i);

		waiting += session ? session_waiting(session) : 0;
	}
	return waiting;
}

static uint64_t count_taken(const struct leaving *leaving)
{
	uint64_t taken = 0;

	for (uint32_t i = 0; i < MOUNTS_MAX; i++) {
		const struct session *session = session_at(leaving, i);

		taken += session ? session_taken(session) : 0;
	}
	return taken;
}

static bool has_session(const struct leaving *leaving)
{
	for (uint32_t i = 0; i < MOUNTS_MAX; i++)
		if (session_at(leaving, i))
			return true;
	return false;
}

static void each_session(const struct leaving *leaving,
			 void (*on_session)(struct session *session))
{
	for (uint32_t i = 0; i < MOUNTS_MAX; i++) {
		struct session *session = session_at(leaving, i);

		if (session)
			on_session(session);
	}
}

static void look(struct leaving *leaving);

static void on_time(void *owner)
{
	struct leaving *leaving = owner;

	leaving->timer = NULL;
	look(leaving);
}

static void look_later(struct leaving *leaving)
{
	leaving->timer =
		loop_timer(leaving->loop, loop_now_ms(leaving->loop) + LOOK_MS,
			   on_time, leaving);
	if (!leaving->timer)
		loop_stop(leaving->loop);
}

/* What was answered before the end began may be followed as well. */
static void expect_more(struct leaving *leaving)
{
	leaving->quiet_ms = loop_now_ms(leaving->loop) +
			    (leaving->is_followed ? 1 : QUIET_MS);
}

static void look(struct leaving *leaving)
{
	uint64_t taken = count_taken(leaving);
	size_t waiting = count_waiting(leaving);
	int64_t now_ms = loop_now_ms(leaving->loop);

	if (waiting > 0 || taken != leaving->taken)
		expect_more(leaving);
	leaving->taken = taken;
	if (has_session(leaving) && now_ms < leaving->quiet_ms &&
	    now_ms < leaving->end_ms) {
		look_later(leaving);
		return;
	}
	if (waiting > 0)
		log_warn("leaving before all is answered", "requests=%zu",
			 waiting);
	loop_stop(leaving->loop);
}

void leaving_start(struct leaving *leaving)
{
	if (leaving->timer)
		return;
	expect_more(leaving);
	leaving->end_ms =
		loop_now_ms(leaving->loop) + MESSAGE_LEAVE_MS - SPARE_MS;
	leaving->taken = count_taken(leaving);
	if (leaving->is_followed)
		each_session(leaving, session_pause);
	look_later(leaving);
}

void leaving_done(struct leaving *leaving)
{
	loop_timer_cancel(leaving->timer);
	if (leaving->is_followed)
		each_session(leaving, session_silence);
}
