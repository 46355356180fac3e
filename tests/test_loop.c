/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "base/clock.h"
#include "loop/loop.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

struct scene {
	struct clock clock;
	struct loop *loop;
	int order[8];
	int count;
	int pipes[2][2];
	struct loop_watch *watches[2];
	struct loop_timer *timer;
};

static int set_up(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	clock_set(&scene->clock, 1000, 0);
	scene->loop = loop_new(&scene->clock);
	for (int i = 0; i < 2; i++)
		assert_int_equal(pipe(scene->pipes[i]), 0);
	*state = scene;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *scene = *state;

	for (int i = 0; i < 2; i++) {
		loop_unwatch(scene->watches[i]);
		close(scene->pipes[i][0]);
		close(scene->pipes[i][1]);
	}
	loop_free(scene->loop);
	free(scene);
	return 0;
}

static void note(struct scene *scene, int what)
{
	scene->order[scene->count++] = what;
}

static void note_one(void *owner)
{
	note(owner, 1);
}

static void note_two(void *owner)
{
	note(owner, 2);
}

static void timers_run_by_time_and_only_once(void **state)
{
	struct scene *scene = *state;

	assert_non_null(loop_timer(scene->loop, 1200, note_two, scene));
	assert_non_null(loop_timer(scene->loop, 1100, note_one, scene));
	assert_int_equal(loop_turn(scene->loop, 0), 0);
	assert_int_equal(scene->count, 0);
	clock_advance(&scene->clock, 500);
	assert_int_equal(loop_turn(scene->loop, 0), 0);
	assert_int_equal(loop_turn(scene->loop, 0), 0);
	assert_int_equal(scene->count, 2);
	assert_int_equal(scene->order[0], 1);
	assert_int_equal(scene->order[1], 2);
}

static void a_cancelled_timer_does_not_run(void **state)
{
	struct scene *scene = *state;

	loop_timer_cancel(loop_timer(scene->loop, 0, note_one, scene));
	loop_timer_cancel(NULL);
	assert_int_equal(loop_turn(scene->loop, 0), 0);
	assert_int_equal(scene->count, 0);
}

static void note_and_start_again(void *owner)
{
	struct scene *scene = owner;

	note(scene, 1);
	assert_non_null(loop_soon(scene->loop, note_two, scene));
}

static void what_a_timer_starts_waits_for_the_next_turn(void **state)
{
	struct scene *scene = *state;

	loop_soon(scene->loop, note_and_start_again, scene);
	assert_int_equal(loop_turn(scene->loop, 0), 0);
	assert_int_equal(scene->count, 1);
	assert_int_equal(loop_turn(scene->loop, 0), 0);
	assert_int_equal(scene->count, 2);
}

static void note_and_start_in_the_past(void *owner)
{
	struct scene *scene = owner;

	note(scene, 1);
	assert_non_null(loop_timer(scene->loop, 1, note_two, scene));
}

static void what_a_timer_starts_holds_up_no_other_that_is_due(void **state)
{
	struct scene *scene = *state;

	for (int i = 0; i < 2; i++) {
		loop_timer(scene->loop, 900, note_and_start_again, scene);
		loop_timer(scene->loop, 1000, note_and_start_in_the_past,
			   scene);
	}
	assert_int_equal(loop_turn(scene->loop, 0), 0);
	assert_int_equal(scene->count, 4);
	for (int i = 0; i < 4; i++)
		assert_int_equal(scene->order[i], 1);
	assert_int_equal(loop_turn(scene->loop, 0), 0);
	assert_int_equal(scene->count, 8);
}

static void cancel_the_other(void *owner)
{
	struct scene *scene = owner;

	note(scene, 1);
	loop_timer_cancel(scene->timer);
}

static void a_timer_may_cancel_one_that_is_due_as_well(void **state)
{
	struct scene *scene = *state;

	loop_soon(scene->loop, cancel_the_other, scene);
	scene->timer = loop_soon(scene->loop, note_two, scene);
	assert_int_equal(loop_turn(scene->loop, 0), 0);
	assert_int_equal(scene->count, 1);
}

static void unwatch_both(void *owner, unsigned events)
{
	struct scene *scene = owner;

	assert_int_equal(events, LOOP_READ);
	note(scene, 1);
	for (int i = 0; i < 2; i++) {
		loop_unwatch(scene->watches[i]);
		scene->watches[i] = NULL;
	}
}

static void a_removed_watch_hears_nothing_of_a_waiting_event(void **state)
{
	struct scene *scene = *state;

	for (int i = 0; i < 2; i++) {
		scene->watches[i] = loop_watch(scene->loop, scene->pipes[i][0],
					       LOOP_READ, unwatch_both, scene);
		assert_int_equal(write(scene->pipes[i][1], "x", 1), 1);
	}
	assert_int_equal(loop_turn(scene->loop, 0), 0);
	assert_int_equal(scene->count, 1);
}

static void note_events(void *owner, unsigned events)
{
	note(owner, (int)events);
}

static void a_watch_reports_what_it_was_asked_for(void **state)
{
	struct scene *scene = *state;

	scene->watches[0] = loop_watch(scene->loop, scene->pipes[0][1], 0,
				       note_events, scene);
	assert_int_equal(loop_turn(scene->loop, 0), 0);
	assert_int_equal(scene->count, 0);
	assert_int_equal(loop_watch_change(scene->watches[0], LOOP_WRITE), 0);
	assert_int_equal(loop_turn(scene->loop, 0), 0);
	assert_int_equal(scene->order[0], LOOP_WRITE);
	assert_int_equal(loop_watch_change(scene->watches[0], 0), 0);
	close(scene->pipes[0][0]);
	scene->pipes[0][0] = dup(scene->pipes[1][0]);
	assert_int_equal(loop_turn(scene->loop, 0), 0);
	assert_int_equal(scene->order[1], LOOP_ERROR);
}

static void a_bad_descriptor_cannot_be_watched(void **state)
{
	struct scene *scene = *state;

	assert_null(loop_watch(scene->loop, -1, LOOP_READ, note_events, scene));
	assert_int_equal(errno, EBADF);
}

static void stop(void *owner)
{
	struct scene *scene = owner;

	note(scene, 3);
	loop_stop(scene->loop);
}

static void a_signal_is_told_by_the_loop(void **state)
{
	struct scene *scene = *state;
	struct loop_signal *signal =
		loop_signal(scene->loop, SIGUSR2, stop, scene);

	assert_non_null(signal);
	assert_int_equal(kill(getpid(), SIGUSR2), 0);
	assert_int_equal(loop_run(scene->loop), 0);
	assert_int_equal(scene->order[0], 3);
	loop_signal_free(signal);
}

#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(timers_run_by_time_and_only_once),
		test(a_cancelled_timer_does_not_run),
		test(what_a_timer_starts_waits_for_the_next_turn),
		test(what_a_timer_starts_holds_up_no_other_that_is_due),
		test(a_timer_may_cancel_one_that_is_due_as_well),
		test(a_removed_watch_hears_nothing_of_a_waiting_event),
		test(a_watch_reports_what_it_was_asked_for),
		test(a_bad_descriptor_cannot_be_watched),
		test(a_signal_is_told_by_the_loop),
	};

	return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
