/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "base/histogram.h"
#include "base/macros.h"

static void bounds_ascend(void **state)
{
	(void)state;
	for (size_t i = 1; i < HISTOGRAM_BOUNDS; i++)
		assert_true(histogram_bound_ms(i) > histogram_bound_ms(i - 1));
}

static void what_took_as_long_as_a_bound_is_within_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < HISTOGRAM_BOUNDS; i++) {
		struct histogram histogram = { 0 };

		histogram_add(&histogram, histogram_bound_ms(i));
		histogram_add(&histogram, histogram_bound_ms(i) + 1);
		assert_int_equal(histogram_up_to(&histogram, i), 1);
		assert_int_equal(histogram_up_to(&histogram, i + 1), 2);
		if (i > 0)
			assert_int_equal(histogram_up_to(&histogram, i - 1), 0);
	}
}

static void the_last_sum_is_of_all(void **state)
{
	static const int64_t times_ms[] = { 0, 7, 30, 700, 19000, 99999, -5 };
	struct histogram histogram = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(times_ms); i++)
		histogram_add(&histogram, times_ms[i]);
	assert_int_equal(histogram_up_to(&histogram, HISTOGRAM_BOUNDS),
			 ARRAY_SIZE(times_ms));
	assert_int_equal(histogram_up_to(&histogram, 0), 2);
	assert_int_equal(histogram.sum_ms, 119736);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bounds_ascend),
		cmocka_unit_test(what_took_as_long_as_a_bound_is_within_it),
		cmocka_unit_test(the_last_sum_is_of_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
