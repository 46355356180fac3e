/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "keeper/heartbeat.h"

#define STEP INT64_C(100)

static struct heartbeat begun(void)
{
	struct heartbeat heartbeat = { .limit_ms = 3 * STEP };

	heartbeat_begin(&heartbeat, 0);
	return heartbeat;
}

static void is_due_three_times_within_the_limit(void **state)
{
	struct heartbeat heartbeat = begun();

	(void)state;
	assert_int_equal(heartbeat_on_time(&heartbeat, STEP - 1),
			 HEARTBEAT_EARLY);
	for (int64_t beat = 1; beat < 100; beat++) {
		assert_int_equal(heartbeat_on_time(&heartbeat, beat * STEP),
				 HEARTBEAT_ASK);
		assert_int_equal(heartbeat_on_time(&heartbeat, beat * STEP + 1),
				 HEARTBEAT_EARLY);
		heartbeat_asked(&heartbeat);
		heartbeat_answered(&heartbeat);
	}
}

static void three_without_an_answer_are_stillness(void **state)
{
	struct heartbeat heartbeat = begun();

	(void)state;
	for (int64_t beat = 1; beat <= 3; beat++) {
		assert_int_equal(heartbeat_on_time(&heartbeat, beat * STEP),
				 HEARTBEAT_ASK);
		heartbeat_asked(&heartbeat);
	}
	assert_int_equal(heartbeat_on_time(&heartbeat, 4 * STEP),
			 HEARTBEAT_STILL);
	heartbeat_begin(&heartbeat, 4 * STEP);
	assert_int_equal(heartbeat_on_time(&heartbeat, 5 * STEP),
			 HEARTBEAT_ASK);
}

static void an_answer_makes_good(void **state)
{
	struct heartbeat heartbeat = begun();

	(void)state;
	for (int64_t beat = 1; beat < 100; beat++) {
		assert_int_equal(heartbeat_on_time(&heartbeat, beat * STEP),
				 HEARTBEAT_ASK);
		heartbeat_asked(&heartbeat);
		if (beat % 3 == 0)
			heartbeat_answered(&heartbeat);
	}
}

static void nobody_is_blamed_who_was_not_asked(void **state)
{
	struct heartbeat heartbeat = begun();

	(void)state;
	for (int64_t beat = 1; beat < 100; beat++)
		assert_int_equal(heartbeat_on_time(&heartbeat, beat * STEP),
				 HEARTBEAT_ASK);
}

static void who_was_held_up_itself_counts_anew(void **state)
{
	struct heartbeat heartbeat = begun();
	int64_t now = 0;

	(void)state;
	for (int beat = 0; beat < 3; beat++) {
		now += STEP;
		assert_int_equal(heartbeat_on_time(&heartbeat, now),
				 HEARTBEAT_ASK);
		heartbeat_asked(&heartbeat);
	}
	now += 50 * STEP;
	for (int beat = 0; beat < 3; beat++) {
		assert_int_equal(heartbeat_on_time(&heartbeat, now),
				 HEARTBEAT_ASK);
		heartbeat_asked(&heartbeat);
		now += STEP;
	}
	assert_int_equal(heartbeat_on_time(&heartbeat, now), HEARTBEAT_STILL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_due_three_times_within_the_limit),
		cmocka_unit_test(three_without_an_answer_are_stillness),
		cmocka_unit_test(an_answer_makes_good),
		cmocka_unit_test(nobody_is_blamed_who_was_not_asked),
		cmocka_unit_test(who_was_held_up_itself_counts_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
