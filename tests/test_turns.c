/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "base/clock.h"
#include "base/macros.h"
#include "loop/loop.h"
#include "net/turns.h"

#include <stdlib.h>

#define NOW_MS 1000000
#define WAIT_MS 1000
#define MOST 2
#define WAITERS 5

struct scene;

struct waiter {
	struct scene *scene;
	struct turn turn;
	unsigned called;
};

struct scene {
	struct clock clock;
	struct loop *loop;
	struct turns turns;
	struct waiter waiters[WAITERS];
	size_t order[WAITERS * 2]; /* who was called, one after the other */
	size_t order_length;
};

static void on_turn(void *owner)
{
	struct waiter *waiter = owner;
	struct scene *scene = waiter->scene;

	waiter->called++;
	assert_in_range(scene->order_length, 0, WAITERS * 2 - 1);
	scene->order[scene->order_length++] = (size_t)(waiter - scene->waiters);
}

static void wait_for_turn(struct scene *scene, size_t index)
{
	struct waiter *waiter = &scene->waiters[index];

	assert_int_equal(turn_wait(&waiter->turn, &scene->turns,
				   loop_now_ms(scene->loop) + WAIT_MS, on_turn,
				   waiter),
			 0);
}

static void settle(struct scene *scene)
{
	assert_int_equal(loop_turn(scene->loop, 0), 0);
	assert_int_equal(loop_turn(scene->loop, 0), 0);
}

/* Both places are taken, and all wait. */
static int set_up(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	assert_non_null(scene);
	clock_set(&scene->clock, NOW_MS, 1700000000);
	scene->loop = loop_new(&scene->clock);
	turns_init(&scene->turns, scene->loop, MOST);
	for (size_t i = 0; i < MOST; i++) {
		assert_false(turns_is_full(&scene->turns));
		turns_take(&scene->turns);
	}
	assert_true(turns_is_full(&scene->turns));
	for (size_t i = 0; i < WAITERS; i++) {
		scene->waiters[i].scene = scene;
		wait_for_turn(scene, i);
	}
	*state = scene;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *scene = *state;

	for (size_t i = 0; i < WAITERS; i++)
		turn_cancel(&scene->waiters[i].turn);
	loop_free(scene->loop);
	free(scene);
	return 0;
}

static void check_order(const struct scene *scene, const size_t *order,
			size_t length)
{
	assert_int_equal(scene->order_length, length);
	for (size_t i = 0; i < length; i++)
		assert_int_equal(scene->order[i], order[i]);
}

static void without_room_nobody_is_called(void **state)
{
	struct scene *scene = *state;

	turns_call_up(&scene->turns, false);
	settle(scene);
	check_order(scene, NULL, 0);
}

static void as_many_are_called_as_there_is_room_in_order(void **state)
{
	struct scene *scene = *state;

	turns_give(&scene->turns);
	turns_call_up(&scene->turns, false);
	check_order(scene, NULL, 0); /* from the loop only */
	settle(scene);
	check_order(scene, (const size_t[]){ 0 }, 1);
	turns_give(&scene->turns);
	turns_call_up(&scene->turns, false);
	settle(scene);
	check_order(scene, (const size_t[]){ 0, 1, 2 }, 3);
}

static void who_finds_no_room_is_the_first_again(void **state)
{
	struct scene *scene = *state;

	turns_give(&scene->turns);
	turns_call_up(&scene->turns, false);
	settle(scene);
	wait_for_turn(scene, 0);
	turns_call_up(&scene->turns, false);
	settle(scene);
	check_order(scene, (const size_t[]){ 0, 0 }, 2);
}

static void all_can_be_called(void **state)
{
	struct scene *scene = *state;

	turns_call_up(&scene->turns, true);
	settle(scene);
	check_order(scene, (const size_t[]){ 0, 1, 2, 3, 4 }, WAITERS);
	turns_call_up(&scene->turns, true);
	settle(scene);
	assert_int_equal(scene->order_length, WAITERS);
}

static void at_its_deadline_each_is_called_once(void **state)
{
	struct scene *scene = *state;

	clock_advance(&scene->clock, WAIT_MS - 1);
	settle(scene);
	check_order(scene, NULL, 0);
	clock_advance(&scene->clock, 1);
	settle(scene);
	for (size_t i = 0; i < WAITERS; i++)
		assert_int_equal(scene->waiters[i].called, 1);
	turns_give(&scene->turns);
	turns_call_up(&scene->turns, false);
	settle(scene);
	assert_int_equal(scene->order_length, WAITERS);
}

static void one_that_is_cancelled_is_passed_over(void **state)
{
	struct scene *scene = *state;

	turn_cancel(&scene->waiters[0].turn);
	turns_give(&scene->turns);
	turns_call_up(&scene->turns, false);
	turn_cancel(&scene->waiters[1].turn); /* called up already */
	settle(scene);
	check_order(scene, NULL, 0);
	turns_call_up(&scene->turns, false);
	settle(scene);
	check_order(scene, (const size_t[]){ 2 }, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(without_room_nobody_is_called),
		TEST(as_many_are_called_as_there_is_room_in_order),
		TEST(who_finds_no_room_is_the_first_again),
		TEST(all_can_be_called),
		TEST(at_its_deadline_each_is_called_once),
		TEST(one_that_is_cancelled_is_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
