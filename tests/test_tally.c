/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "base/macros.h"
#include "net/tally.h"

#include <stdio.h>
#include <string.h>

static void an_operation_is_counted_in_one_place(void **state)
{
	struct tally_operation *get;
	struct tally tally;
	char same[] = "Get";

	(void)state;
	tally_init(&tally);
	assert_int_equal(tally.count, 0);
	get = tally_of(&tally, "Get");
	get->outcomes[TALLY_OK] = 2;
	assert_ptr_not_equal(tally_of(&tally, "GetMany"), get);
	assert_ptr_equal(tally_of(&tally, same), get);
	assert_string_equal(get->name, "Get");
	assert_int_equal(get->outcomes[TALLY_OK], 2);
	assert_int_equal(tally.count, 2);
}

static void what_has_no_name_is_other(void **state)
{
	struct tally tally;

	(void)state;
	tally_init(&tally);
	assert_string_equal(tally_of(&tally, NULL)->name, TALLY_OTHER);
	assert_ptr_equal(tally_of(&tally, NULL), tally_of(&tally, TALLY_OTHER));
	assert_int_equal(tally.count, 1);
}

static void more_names_than_fit_are_one(void **state)
{
	char names[TALLY_OPERATIONS_MAX * 3][8];
	struct tally_operation *first;
	struct tally tally;

	(void)state;
	tally_init(&tally);
	first = tally_of(&tally, "first");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		(void)snprintf(names[i], sizeof(names[i]), "%zu", i);
		tally_of(&tally, names[i])->attempts++;
	}
	assert_int_equal(tally.count, TALLY_OPERATIONS_MAX);
	assert_int_equal(tally_of(&tally, TALLY_OTHER)->attempts,
			 ARRAY_SIZE(names) - (TALLY_OPERATIONS_MAX - 2));
	assert_ptr_equal(tally_of(&tally, "first"), first);
	assert_int_equal(tally_of(&tally, names[0])->attempts, 1);
}

static void each_outcome_has_a_name_of_its_own(void **state)
{
	(void)state;
	for (unsigned i = 0; i < TALLY_OUTCOMES; i++) {
		const char *name = tally_outcome_name((enum tally_outcome)i);

		assert_non_null(name);
		for (unsigned j = 0; j < i; j++)
			assert_string_not_equal(
				name,
				tally_outcome_name((enum tally_outcome)j));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_operation_is_counted_in_one_place),
		cmocka_unit_test(what_has_no_name_is_other),
		cmocka_unit_test(more_names_than_fit_are_one),
		cmocka_unit_test(each_outcome_has_a_name_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
