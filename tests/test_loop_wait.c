/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long the loop lets epoll wait, where time does not stand still between
 * two looks at it: the clock below moves each time it is asked, and epoll_wait
 * only tells what it was asked for. Both stand in for libc's in this program.
 */
#include "tests/test.h"

#include "base/clock.h"
#include "loop/loop.h"

#include <sys/epoll.h>
#include <time.h>

static struct {
	int64_t now_ms;
	int64_t step_ms;
	int asked_ms; /* of the last epoll_wait() */
} world;

int clock_gettime(clockid_t clock_id, struct timespec *tp)
{
	(void)clock_id;
	tp->tv_sec = world.now_ms / 1000;
	tp->tv_nsec = world.now_ms % 1000 * 1000000;
	world.now_ms += world.step_ms;
	return 0;
}

int epoll_wait(int epfd, struct epoll_event *events, int maxevents, int timeout)
{
	(void)epfd;
	(void)events;
	(void)maxevents;
	world.asked_ms = timeout;
	return 0;
}

static void note(void *owner)
{
	(*(unsigned *)owner)++;
}

/* A wait that is asked for as negative has no end. */
static void never_waits_without_end_while_a_timer_is_set(void **state)
{
	(void)state;
	for (int64_t step_ms = 0; step_ms < 20; step_ms++)
		for (int64_t left_ms = -5; left_ms < 60; left_ms++) {
			struct clock clock = { 0 };
			unsigned runs = 0;
			struct loop *loop = loop_new(&clock);
			struct loop_timer *timer;

			world.now_ms = 100000;
			world.step_ms = step_ms;
			timer = loop_timer(loop, world.now_ms + left_ms, note,
					   &runs);
			assert_int_equal(loop_turn(loop, -1), 0);
			assert_in_range(world.asked_ms, 0, 60);
			if (runs == 0)
				loop_timer_cancel(timer);
			loop_free(loop);
		}
}

static void waits_no_longer_than_it_is_told(void **state)
{
	struct clock clock = { 0 };
	unsigned runs = 0;
	struct loop *loop = loop_new(&clock);
	struct loop_timer *timer;

	(void)state;
	world.now_ms = 100000;
	world.step_ms = 1;
	assert_int_equal(loop_turn(loop, 7), 0);
	assert_int_equal(world.asked_ms, 7);
	assert_int_equal(loop_turn(loop, -1), 0);
	assert_int_equal(world.asked_ms, -1);
	timer = loop_timer(loop, world.now_ms + 1000000, note, &runs);
	assert_int_equal(loop_turn(loop, 7), 0);
	assert_int_equal(world.asked_ms, 7);
	loop_timer_cancel(timer);
	timer = loop_timer(loop, INT64_MAX, note, &runs);
	assert_int_equal(loop_turn(loop, -1), 0);
	assert_int_equal(world.asked_ms, INT32_MAX);
	loop_timer_cancel(timer);
	loop_free(loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(never_waits_without_end_while_a_timer_is_set),
		cmocka_unit_test(waits_no_longer_than_it_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
