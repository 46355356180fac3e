/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A list, and for each that waits a timer: that of its deadline, until it is
 * called up. A place is taken by who begins and not by who is called up, so one
 * that changes its mind holds none.
 */
#include "net/turns.h"
#include "base/macros.h"
#include "loop/loop.h"

#include <errno.h>

void turns_init(struct turns *turns, struct loop *loop, size_t most)
{
	*turns = (struct turns){ .loop = loop, .most = most };
	TAILQ_INIT(&turns->waiting);
}

bool turns_is_full(const struct turns *turns)
{
	return turns->taken >= turns->most;
}

void turns_take(struct turns *turns)
{
	turns->taken++;
}

void turns_give(struct turns *turns)
{
	turns->taken--;
}

static void leave(struct turn *turn)
{
	if (turn->is_waiting)
		TAILQ_REMOVE(&turn->turns->waiting, turn, link);
	turn->is_waiting = false;
}

static void on_timer(void *owner)
{
	struct turn *turn = owner;

	turn->timer = NULL;
	leave(turn);
	turn->on_turn(turn->owner);
}

void turns_call_up(struct turns *turns, bool all)
{
	size_t room = turns_is_full(turns) ? 0 : turns->most - turns->taken;
	struct turn *turn;

	for (; (all || room > 0) && (turn = TAILQ_FIRST(&turns->waiting));
	     room--) {
		struct loop_timer *soon =
			loop_soon(turns->loop, on_timer, turn);

		/* without memory it waits on, to its deadline at the latest */
		if (!soon)
			return;
		leave(turn);
		loop_timer_cancel(turn->timer);
		turn->timer = soon;
	}
}

int turn_wait(struct turn *turn, struct turns *turns, int64_t deadline_ms,
	      void (*on_turn)(void *owner), void *owner)
{
	turn->timer = loop_timer(turns->loop, deadline_ms, on_timer, turn);
	if (!turn->timer)
		return -ENOMEM;
	turn->turns = turns;
	turn->on_turn = on_turn;
	turn->owner = owner;
	if (turn->has_waited)
		TAILQ_INSERT_HEAD(&turns->waiting, turn, link);
	else
		TAILQ_INSERT_TAIL(&turns->waiting, turn, link);
	turn->is_waiting = true;
	turn->has_waited = true;
	return 0;
}

void turn_cancel(struct turn *turn)
{
	leave(turn);
	loop_timer_cancel(TAKE(turn->timer));
}
