/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_TURNS_H
#define NET_TURNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

struct loop;
struct loop_timer;

/*
 * Who waits until there is room for one more, in order. A turn ends its wait
 * once: in its callback, or in turn_cancel(). The callback runs from the loop,
 * when there is room, when all are called up, or at the turn's deadline; it
 * looks for itself which, and where there is no room any more it waits again,
 * as the first.
 */

struct turn;

TAILQ_HEAD(turn_list, turn);

/* Embedded. */
struct turns {
	struct loop *loop;
	size_t most;
	size_t taken;
	struct turn_list waiting;
};

/* Embedded in what waits; zero waits for nothing. */
struct turn {
	struct turns *turns;
	struct loop_timer *timer;
	bool is_waiting; /* in the list */
	bool has_waited;
	void (*on_turn)(void *owner);
	void *owner;
	TAILQ_ENTRY(turn) link;
};

void turns_init(struct turns *turns, struct loop *loop, size_t most);

bool turns_is_full(const struct turns *turns);

/* One place is taken, and is given back. */
void turns_take(struct turns *turns);
void turns_give(struct turns *turns);

/* Calls up as many as there are places, or all of them. */
void turns_call_up(struct turns *turns, bool all);

/* 0 or -ENOMEM. */
int turn_wait(struct turn *turn, struct turns *turns, int64_t deadline_ms,
	      void (*on_turn)(void *owner), void *owner);

/* Does nothing for one that does not wait. */
void turn_cancel(struct turn *turn);

#endif
