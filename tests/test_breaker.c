/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "base/macros.h"
#include "net/breaker.h"
#include "net/quota.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define NOW_MS 1000000

/* 0 draws the longest pause. */
#define LONGEST 0U
#define SHORTEST UINT32_MAX

static const struct err refused = { -EIO, "cannot connect to h:443" };
static const struct err silent = { -ETIMEDOUT, "no answer from h:443" };

static bool note_failure(struct breaker *breaker, bool is_probe, int64_t now_ms)
{
	return breaker_failed(breaker, is_probe, &refused, now_ms, LONGEST);
}

static void open_it(struct breaker *breaker)
{
	breaker_init(breaker);
	for (unsigned i = 0; i < BREAKER_FAILURES; i++)
		assert_int_equal(note_failure(breaker, false, NOW_MS),
				 i + 1 == BREAKER_FAILURES);
	assert_int_equal(breaker->state, BREAKER_OPEN);
}

/* Whether a call may go, which must be the probe or not, as said. */
static bool admits(struct breaker *breaker, int64_t now_ms, bool as_probe)
{
	bool is_probe = !as_probe;

	if (breaker_admit(breaker, now_ms, &is_probe, NULL) < 0)
		return false;
	assert_int_equal(is_probe, as_probe);
	return true;
}

static void opens_after_five_failures_in_a_row(void **state)
{
	struct breaker breaker;

	(void)state;
	breaker_init(&breaker);
	for (unsigned i = 0; i < 4; i++) {
		assert_true(admits(&breaker, NOW_MS, false));
		assert_false(note_failure(&breaker, false, NOW_MS));
	}
	assert_true(admits(&breaker, NOW_MS, false));
	assert_true(note_failure(&breaker, false, NOW_MS));
	assert_int_equal(breaker.failures, 5);
	assert_false(admits(&breaker, NOW_MS, false));
}

static void an_answer_begins_the_count_anew(void **state)
{
	struct breaker breaker;

	(void)state;
	breaker_init(&breaker);
	for (unsigned i = 0; i < 4; i++)
		assert_false(note_failure(&breaker, false, NOW_MS));
	assert_false(breaker_answered(&breaker));
	for (unsigned i = 0; i < 4; i++)
		assert_false(note_failure(&breaker, false, NOW_MS));
	assert_int_equal(breaker.state, BREAKER_CLOSED);
	assert_true(note_failure(&breaker, false, NOW_MS));
}

static void an_open_one_says_why_and_for_how_long(void **state)
{
	struct breaker breaker;
	struct err err;
	bool is_probe;

	(void)state;
	open_it(&breaker);
	assert_int_equal(breaker_admit(&breaker, NOW_MS, &is_probe, &err),
			 -EIO);
	assert_string_equal(err.text, "cannot connect to h:443 (not asked "
				      "again for 0.5 s)");
	assert_true(admits(&breaker, NOW_MS + 500, true));
	assert_int_equal(breaker_admit(&breaker, NOW_MS + 500, &is_probe, &err),
			 -EIO);
	assert_string_equal(err.text, "cannot connect to h:443 (not asked "
				      "again while another request tries)");
}

static void keeps_its_reason_where_the_error_is_long(void **state)
{
	struct err longest = { .code = -EIO };
	struct breaker breaker;
	struct err err;
	bool is_probe;

	(void)state;
	memset(longest.text, 'x', sizeof(longest.text) - 1);
	breaker_init(&breaker);
	for (unsigned i = 0; i < BREAKER_FAILURES; i++)
		(void)breaker_failed(&breaker, false, &longest, NOW_MS,
				     LONGEST);
	assert_int_equal(breaker_admit(&breaker, NOW_MS, &is_probe, &err),
			 -EIO);
	assert_non_null(strstr(err.text, "(not asked again for 0.5 s)"));
}

static void lets_one_probe_through_after_the_pause(void **state)
{
	struct breaker breaker;

	(void)state;
	open_it(&breaker);
	assert_int_equal(breaker.probe_at_ms, NOW_MS + 500);
	assert_false(admits(&breaker, NOW_MS + 499, true));
	assert_true(admits(&breaker, NOW_MS + 500, true));
	assert_int_equal(breaker.state, BREAKER_PROBING);
	assert_false(admits(&breaker, NOW_MS + 500, true));
	assert_false(admits(&breaker, NOW_MS + 100000, true));
}

static void an_answer_to_the_probe_closes_it(void **state)
{
	struct breaker breaker;

	(void)state;
	open_it(&breaker);
	assert_true(admits(&breaker, NOW_MS + 500, true));
	assert_true(breaker_answered(&breaker));
	assert_int_equal(breaker.state, BREAKER_CLOSED);
	assert_int_equal(breaker.failures, 0);
	assert_true(admits(&breaker, NOW_MS + 500, false));
	assert_true(admits(&breaker, NOW_MS + 500, false));
}

static void each_failed_probe_makes_the_pause_longer_to_a_bound(void **state)
{
	static const int64_t pauses_ms[] = { 500, 1000, 1000, 1000, 1000 };
	struct breaker breaker;
	int64_t now_ms = NOW_MS;

	(void)state;
	open_it(&breaker);
	for (size_t i = 0; i < ARRAY_SIZE(pauses_ms); i++) {
		assert_int_equal(breaker.probe_at_ms, now_ms + pauses_ms[i]);
		now_ms = breaker.probe_at_ms;
		assert_true(admits(&breaker, now_ms, true));
		assert_false(note_failure(&breaker, true, now_ms));
		assert_int_equal(breaker.state, BREAKER_OPEN);
	}

	/* once closed, it begins with the shortest again */
	assert_true(breaker_answered(&breaker));
	for (unsigned i = 0; i < BREAKER_FAILURES; i++)
		(void)note_failure(&breaker, false, now_ms);
	assert_int_equal(breaker.probe_at_ms, now_ms + 500);
}

static void stays_bounded_for_a_million_pauses(void **state)
{
	struct breaker breaker;
	int64_t now_ms = NOW_MS;

	(void)state;
	open_it(&breaker);
	for (unsigned i = 0; i < 1000000; i++) {
		now_ms = breaker.probe_at_ms;
		assert_true(admits(&breaker, now_ms, true));
		(void)note_failure(&breaker, true, now_ms);
	}
	assert_int_equal(breaker.probe_at_ms, now_ms + 1000);
}

static void draws_the_pause_from_its_second_half(void **state)
{
	static const struct {
		uint32_t random;
		int64_t pause_ms;
	} cases[] = {
		{ LONGEST, 500 },
		{ 1U << 31, 375 },
		{ SHORTEST, 251 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct breaker breaker;

		breaker_init(&breaker);
		for (unsigned n = 0; n < BREAKER_FAILURES; n++)
			(void)breaker_failed(&breaker, false, &refused, NOW_MS,
					     cases[i].random);
		assert_int_equal(breaker.probe_at_ms,
				 NOW_MS + cases[i].pause_ms);
	}
}

static void failures_of_calls_from_before_move_no_probe(void **state)
{
	struct breaker breaker;

	(void)state;
	open_it(&breaker);
	assert_false(breaker_failed(&breaker, false, &silent, NOW_MS + 400,
				    LONGEST));
	assert_int_equal(breaker.probe_at_ms, NOW_MS + 500);
	assert_string_equal(breaker.last.text, silent.text);

	assert_true(admits(&breaker, NOW_MS + 500, true));
	assert_false(note_failure(&breaker, false, NOW_MS + 600));
	assert_int_equal(breaker.state, BREAKER_PROBING);
}

static void an_answer_to_a_call_from_before_closes_it(void **state)
{
	struct breaker breaker;

	(void)state;
	open_it(&breaker);
	assert_true(breaker_answered(&breaker));
	assert_true(admits(&breaker, NOW_MS, false));
}

static void a_probe_that_tells_nothing_makes_room_for_another(void **state)
{
	struct breaker breaker;

	(void)state;
	open_it(&breaker);
	assert_true(admits(&breaker, NOW_MS + 500, true));
	breaker_withdrawn(&breaker, false);
	assert_false(admits(&breaker, NOW_MS + 500, true));
	breaker_withdrawn(&breaker, true);
	assert_int_equal(breaker.state, BREAKER_OPEN);
	assert_true(admits(&breaker, NOW_MS + 500, true));

	assert_true(breaker_answered(&breaker));
	breaker_withdrawn(&breaker, true);
	assert_int_equal(breaker.state, BREAKER_CLOSED);
}

/* What an outage costs the endpoint where somebody asks all the time. */
static void a_day_of_outage_is_bounded_and_ends_within_two_seconds(void **state)
{
	const int64_t day_ms = 24L * 3600 * 1000;
	struct breaker breaker;
	unsigned probes = 0;
	bool is_probe;
	int64_t now_ms = NOW_MS;

	(void)state;
	breaker_init(&breaker);
	for (; now_ms < NOW_MS + day_ms; now_ms += 50) {
		if (breaker_admit(&breaker, now_ms, &is_probe, NULL) < 0)
			continue;
		(void)breaker_failed(&breaker, is_probe, &refused, now_ms,
				     (uint32_t)now_ms * 2654435761U);
		probes++;
	}
	assert_true(probes < day_ms / (BREAKER_PAUSE_LAST_MS / 2));
	assert_true(breaker.probe_at_ms - now_ms < 2000);
}

static void a_quota_is_full_first_and_never_more(void **state)
{
	struct quota quota;

	(void)state;
	quota_init(&quota);
	assert_int_equal(quota.tokens, 500);
	quota_give(&quota, 1);
	assert_int_equal(quota.tokens, 500);
	assert_true(quota_take(&quota, 14));
	quota_give(&quota, UINT32_MAX);
	assert_int_equal(quota.tokens, 500);
}

static void a_quota_gives_all_or_nothing(void **state)
{
	struct quota quota;

	(void)state;
	quota_init(&quota);
	assert_true(quota_take(&quota, 490));
	assert_false(quota_take(&quota, 14));
	assert_int_equal(quota.tokens, 10);
	assert_true(quota_take(&quota, 5));
	assert_true(quota_take(&quota, 5));
	assert_false(quota_take(&quota, 5));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opens_after_five_failures_in_a_row),
		cmocka_unit_test(an_answer_begins_the_count_anew),
		cmocka_unit_test(an_open_one_says_why_and_for_how_long),
		cmocka_unit_test(keeps_its_reason_where_the_error_is_long),
		cmocka_unit_test(lets_one_probe_through_after_the_pause),
		cmocka_unit_test(an_answer_to_the_probe_closes_it),
		cmocka_unit_test(
			each_failed_probe_makes_the_pause_longer_to_a_bound),
		cmocka_unit_test(stays_bounded_for_a_million_pauses),
		cmocka_unit_test(draws_the_pause_from_its_second_half),
		cmocka_unit_test(failures_of_calls_from_before_move_no_probe),
		cmocka_unit_test(an_answer_to_a_call_from_before_closes_it),
		cmocka_unit_test(
			a_probe_that_tells_nothing_makes_room_for_another),
		cmocka_unit_test(
			a_day_of_outage_is_bounded_and_ends_within_two_seconds),
		cmocka_unit_test(a_quota_is_full_first_and_never_more),
		cmocka_unit_test(a_quota_gives_all_or_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
