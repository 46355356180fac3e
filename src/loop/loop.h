/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LOOP_LOOP_H
#define LOOP_LOOP_H

#include <stdint.h>

struct clock;

/*
 * The one wait of the worker: file descriptors, timers and signals.
 *
 * - Callbacks run from loop_turn() only, one after the other, never nested.
 * - A callback may add, change and remove anything, also itself.
 * - After a removal its callback does not run again, also not for an event
 *   that was already waiting.
 */

struct loop;
struct loop_watch;
struct loop_timer;
struct loop_signal;

enum {
	LOOP_READ = 1,
	LOOP_WRITE = 2,
	LOOP_ERROR = 4, /* reported always, asked for never */
};

typedef void loop_on_ready(void *owner, unsigned events);
typedef void loop_on_time(void *owner);
typedef void loop_on_signal(void *owner);

/* The clock is borrowed and must outlive the loop. NULL with errno set. */
struct loop *loop_new(const struct clock *clock);

/* Watches, timers and signals must be gone before. NULL is allowed. */
void loop_free(struct loop *loop);

int64_t loop_now_ms(const struct loop *loop);
const struct clock *loop_clock(const struct loop *loop);

/* Level-triggered; fd stays the caller's and is open until loop_unwatch().
 * NULL with errno set. */
struct loop_watch *loop_watch(struct loop *loop, int fd, unsigned events,
			      loop_on_ready *on_ready, void *owner);

/* 0 or negative errno. */
int loop_watch_change(struct loop_watch *watch, unsigned events);

/* NULL is allowed. */
void loop_unwatch(struct loop_watch *watch);

/* Runs once, when loop_now_ms() has reached at_ms, in the next turn at the
 * earliest; the handle is gone when it runs. NULL: no memory. */
struct loop_timer *loop_timer(struct loop *loop, int64_t at_ms,
			      loop_on_time *on_time, void *owner);

/* Runs on_time in the next turn: how a result that is at hand already keeps
 * the promise that callbacks never run before the start call returns. */
struct loop_timer *loop_soon(struct loop *loop, loop_on_time *on_time,
			     void *owner);

/* NULL is allowed; a timer that has run must not be passed. */
void loop_timer_cancel(struct loop_timer *timer);

/* Blocks the signal for the process and calls on_signal for it instead. NULL
 * with errno set. */
struct loop_signal *loop_signal(struct loop *loop, int number,
				loop_on_signal *on_signal, void *owner);
void loop_signal_free(struct loop_signal *signal);

/* Waits for at most max_wait_ms (-1: until something happens) and runs what
 * is due. 0 or negative errno. */
int loop_turn(struct loop *loop, int max_wait_ms);

/* Turns until loop_stop(). 0 or negative errno. */
int loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

#endif
