/* SPDX-License-Identifier: Apache-2.0 */
/*
 * epoll for descriptors, a heap for time, one signalfd for each signal. What
 * is removed while its event is being handed out is kept until the turn ends,
 * so that no event can reach freed memory.
 */
#include "loop/loop.h"
#include "base/clock.h"
#include "base/heap.h"
#include "base/macros.h"
#include "base/scrub.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define LOOP_EVENTS_MAX 64

struct loop {
	const struct clock *clock;
	int epoll_fd;
	bool stopped;
	struct heap timers;
	int64_t turn_ms; /* while timers run: since when they were due */
	struct loop_watch *removed; /* freed at the end of the turn */
};

struct loop_watch {
	struct loop *loop;
	int fd;
	bool is_removed;
	loop_on_ready *on_ready;
	void *owner;
	struct loop_watch *next_removed;
};

struct loop_timer {
	struct loop *loop;
	struct heap_item item;
	loop_on_time *on_time;
	void *owner;
};

struct loop_signal {
	struct loop_watch *watch;
	int fd;
	loop_on_signal *on_signal;
	void *owner;
};

struct loop *loop_new(const struct clock *clock)
{
	struct loop *loop = calloc(1, sizeof(*loop));

	if (!loop)
		return NULL;
	loop->clock = clock;
	loop->turn_ms = INT64_MIN;
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll_fd < 0) {
		free(loop);
		return NULL;
	}
	return loop;
}

static void free_removed(struct loop *loop)
{
	while (loop->removed) {
		struct loop_watch *watch = loop->removed;

		loop->removed = watch->next_removed;
		free(watch);
	}
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	free_removed(loop);
	heap_done(&loop->timers);
	(void)close(loop->epoll_fd);
	free(loop);
}

int64_t loop_now_ms(const struct loop *loop)
{
	return clock_now_ms(loop->clock);
}

const struct clock *loop_clock(const struct loop *loop)
{
	return loop->clock;
}

static uint32_t to_epoll(unsigned events)
{
	return ((events & LOOP_READ) ? (uint32_t)EPOLLIN : 0) |
	       ((events & LOOP_WRITE) ? (uint32_t)EPOLLOUT : 0);
}

static unsigned from_epoll(uint32_t events)
{
	return ((events & EPOLLIN) ? LOOP_READ : 0U) |
	       ((events & EPOLLOUT) ? LOOP_WRITE : 0U) |
	       ((events & (EPOLLERR | EPOLLHUP)) ? LOOP_ERROR : 0U);
}

struct loop_watch *loop_watch(struct loop *loop, int fd, unsigned events,
			      loop_on_ready *on_ready, void *owner)
{
	struct loop_watch *watch = malloc(sizeof(*watch));
	struct epoll_event event = { .events = to_epoll(events),
				     .data.ptr = watch };

	if (!watch)
		return NULL;
	*watch = (struct loop_watch){
		.loop = loop,
		.fd = fd,
		.on_ready = on_ready,
		.owner = owner,
	};
	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) {
		free(watch);
		return NULL;
	}
	return watch;
}

int loop_watch_change(struct loop_watch *watch, unsigned events)
{
	struct epoll_event event = { .events = to_epoll(events),
				     .data.ptr = watch };

	if (epoll_ctl(watch->loop->epoll_fd, EPOLL_CTL_MOD, watch->fd, &event) <
	    0)
		return -errno;
	return 0;
}

void loop_unwatch(struct loop_watch *watch)
{
	if (!watch)
		return;
	(void)epoll_ctl(watch->loop->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
	watch->is_removed = true;
	watch->next_removed = watch->loop->removed;
	watch->loop->removed = watch;
}

struct loop_timer *loop_timer(struct loop *loop, int64_t at_ms,
			      loop_on_time *on_time, void *owner)
{
	struct loop_timer *timer = malloc(sizeof(*timer));

	if (!timer)
		return NULL;
	/* behind all that are due in this turn, which would wait else */
	if (at_ms < loop->turn_ms)
		at_ms = loop->turn_ms;
	*timer = (struct loop_timer){
		.loop = loop,
		.item.at_ms = at_ms,
		.on_time = on_time,
		.owner = owner,
	};
	if (heap_add(&loop->timers, &timer->item) < 0) {
		free(timer);
		return NULL;
	}
	return timer;
}

struct loop_timer *loop_soon(struct loop *loop, loop_on_time *on_time,
			     void *owner)
{
	return loop_timer(loop, INT64_MIN, on_time, owner);
}

void loop_timer_cancel(struct loop_timer *timer)
{
	if (!timer)
		return;
	heap_remove(&timer->loop->timers, &timer->item);
	free(timer);
}

static void on_signal_ready(void *owner, unsigned events)
{
	struct loop_signal *signal = owner;
	struct signalfd_siginfo info;

	(void)events;
	if (read(signal->fd, &info, sizeof(info)) == sizeof(info))
		signal->on_signal(signal->owner);
}

struct loop_signal *loop_signal(struct loop *loop, int number,
				loop_on_signal *on_signal, void *owner)
{
	struct loop_signal *signal = malloc(sizeof(*signal));
	sigset_t set;

	if (!signal)
		return NULL;
	*signal =
		(struct loop_signal){ .on_signal = on_signal, .owner = owner };
	sigemptyset(&set);
	sigaddset(&set, number);
	(void)pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal->fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (signal->fd >= 0)
		signal->watch = loop_watch(loop, signal->fd, LOOP_READ,
					   on_signal_ready, signal);
	if (!signal->watch) {
		loop_signal_free(signal);
		return NULL;
	}
	return signal;
}

void loop_signal_free(struct loop_signal *signal)
{
	if (!signal)
		return;
	loop_unwatch(signal->watch);
	if (signal->fd >= 0)
		(void)close(signal->fd);
	free(signal);
}

/* Runs the timers that were due when the turn began, and all of them: who
 * collects what comes in one turn counts on it. */
static void run_timers(struct loop *loop)
{
	int64_t now_ms = loop_now_ms(loop);
	uint64_t newest = loop->timers.next_order;
	struct heap_item *item;

	loop->turn_ms = now_ms;
	while ((item = heap_first(&loop->timers)) && item->at_ms <= now_ms &&
	       item->order < newest) {
		struct loop_timer *timer =
			CONTAINER_OF(item, struct loop_timer, item);
		struct loop_timer due = *timer;

		loop_timer_cancel(timer);
		due.on_time(due.owner);
	}
	loop->turn_ms = INT64_MIN;
}

/* How long epoll may wait before a timer is due. */
static int wait_ms(const struct loop *loop, int max_wait_ms)
{
	const struct heap_item *item = heap_first(&loop->timers);
	int64_t now_ms = loop_now_ms(loop);
	int64_t left_ms;

	if (!item)
		return max_wait_ms;
	/* Soon is INT64_MIN, from which nothing can be taken away. And a look
	 * at the clock for each line could pass the timer by between two of
	 * them: epoll takes a negative rest for no end. */
	if (item->at_ms <= now_ms)
		return 0;
	left_ms = item->at_ms - now_ms;
	if (max_wait_ms >= 0 && max_wait_ms < left_ms)
		return max_wait_ms;
	return left_ms > INT32_MAX ? INT32_MAX : (int)left_ms;
}

int loop_turn(struct loop *loop, int max_wait_ms)
{
	struct epoll_event events[LOOP_EVENTS_MAX];
	int rest_ms = wait_ms(loop, max_wait_ms);
	int count;

	if (rest_ms != 0)
		scrub();
	count = epoll_wait(loop->epoll_fd, events, LOOP_EVENTS_MAX, rest_ms);
	if (count < 0)
		return errno == EINTR ? 0 : -errno;
	for (int i = 0; i < count; i++) {
		struct loop_watch *watch = events[i].data.ptr;

		if (!watch->is_removed)
			watch->on_ready(watch->owner,
					from_epoll(events[i].events));
	}
	run_timers(loop);
	free_removed(loop);
	return 0;
}

int loop_run(struct loop *loop)
{
	int r = 0;

	loop->stopped = false;
	while (!loop->stopped && r == 0)
		r = loop_turn(loop, -1);
	return r;
}

void loop_stop(struct loop *loop)
{
	loop->stopped = true;
}
