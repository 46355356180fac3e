/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "keeper/deaths.h"

static void pauses_grow_up_to_five_seconds(void **state)
{
	static const int64_t pauses[] = { 0,	100,  200,  400, 800,
					  1600, 3200, 5000, 5000 };
	struct deaths deaths = { .limit = 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(pauses) / sizeof(*pauses); i++)
		assert_int_equal(deaths_note(&deaths, 0, 1000), pauses[i]);
	for (size_t i = 0; i < 100; i++)
		assert_int_equal(deaths_note(&deaths, 0, 59999), 5000);
}

static void a_minute_of_service_makes_good(void **state)
{
	struct deaths deaths = { .limit = DEATHS_LIMIT };

	(void)state;
	for (int64_t i = 0; i < 1000; i++)
		assert_int_equal(deaths_note(&deaths, i * 60000, 60000), 0);
	assert_int_equal(deaths_note(&deaths, (int64_t)60001 * 1000, 0), 100);
}

static void ten_within_a_minute_are_the_last(void **state)
{
	struct deaths deaths = { .limit = DEATHS_LIMIT };

	(void)state;
	for (int64_t i = 0; i < 9; i++)
		assert_true(deaths_note(&deaths, i * 6000, 0) >= 0);
	assert_int_equal(deaths_note(&deaths, 59999, 0), -1);
}

static void ten_within_more_than_a_minute_are_not(void **state)
{
	struct deaths deaths = { .limit = DEATHS_LIMIT };

	(void)state;
	for (int64_t i = 0; i < 1000; i++)
		assert_true(deaths_note(&deaths, i * 6700, 6000) >= 0);
	assert_true(deaths_note(&deaths, (int64_t)1000 * 6700, 10) >= 0);
}

static void a_test_has_no_pauses(void **state)
{
	struct deaths deaths = { .limit = 3, .is_at_once = true };

	(void)state;
	assert_int_equal(deaths_note(&deaths, 5, 0), 0);
	assert_int_equal(deaths_note(&deaths, 5, 0), 0);
	assert_int_equal(deaths_note(&deaths, 5, 0), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pauses_grow_up_to_five_seconds),
		cmocka_unit_test(a_minute_of_service_makes_good),
		cmocka_unit_test(ten_within_a_minute_are_the_last),
		cmocka_unit_test(ten_within_more_than_a_minute_are_not),
		cmocka_unit_test(a_test_has_no_pauses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
