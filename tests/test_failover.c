/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "aws/failover.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/macros.h"
#include "base/secret.h"
#include "loop/loop.h"
#include "store/value.h"
#include "tests/fake_source.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define TIMEOUT_MS 20000
#define ARN "arn:aws:secretsmanager:eu-west-1:1:secret:app-a1B2c3"

static const struct source_want want = { .name = "app" };

struct setup {
	struct clock clock;
	struct loop *loop;
	struct fake_source regions[3];
	struct source *source;
};

struct seen {
	unsigned count;
	int code;
	bool is_current;
	char bytes[32];
	char text[ERR_TEXT_MAX];
};

static void see(struct seen *seen, const struct err *err)
{
	seen->count++;
	seen->code = err ? err->code : 0;
	(void)snprintf(seen->text, sizeof(seen->text), "%s",
		       err ? err->text : "");
}

static void on_value(void *owner, struct value *value, const struct err *err)
{
	struct seen *seen = owner;

	assert_true((value == NULL) != (err == NULL));
	see(seen, err);
	if (value)
		(void)snprintf(seen->bytes, sizeof(seen->bytes), "%.*s",
			       (int)secret_length(value_bytes(value)),
			       (const char *)secret_bytes(value_bytes(value)));
}

static void on_confirmed(void *owner, bool is_current, const struct err *err)
{
	struct seen *seen = owner;

	assert_false(is_current && err);
	see(seen, err);
	seen->is_current = is_current;
}

static void set_up(struct setup *setup, size_t count, const char *name,
		   const char *stage)
{
	static const char *const names[] = { "eu-west-1", "eu-west-2",
					     "us-east-1" };
	struct failover_place places[3];
	const struct failover_settings settings = {
		.places = places,
		.count = count,
		.timeout_ms = TIMEOUT_MS,
		.name = name,
		.stage = stage,
	};

	*setup = (struct setup){ 0 };
	clock_set(&setup->clock, 1000000, 1700000000);
	setup->loop = loop_new(&setup->clock);
	assert_non_null(setup->loop);
	for (size_t i = 0; i < count; i++) {
		fake_source_init(&setup->regions[i], names[i]);
		fake_source_can_confirm(&setup->regions[i]);
		places[i].source = &setup->regions[i].base;
		places[i].region = names[i];
	}
	assert_int_equal(
		failover_new(setup->loop, &settings, &setup->source, NULL), 0);
}

static void tear_down(struct setup *setup)
{
	for (size_t i = 0; i < ARRAY_SIZE(setup->regions); i++)
		assert_int_equal(setup->regions[i].open_count, 0);
	setup->source->operations->free(setup->source);
	loop_free(setup->loop);
}

static struct source_call *fetch(struct setup *setup, struct seen *seen)
{
	struct source_call *call = setup->source->operations->fetch(
		setup->source, &want, on_value, seen);

	*seen = (struct seen){ 0 };
	assert_non_null(call);
	return call;
}

static void confirm(struct setup *setup, struct seen *seen)
{
	*seen = (struct seen){ 0 };
	assert_non_null(setup->source->operations->confirm(
		setup->source, &want, "v1", on_confirmed, seen));
}

static const char *where(const struct setup *setup)
{
	return setup->source->operations->where(setup->source, &want);
}

static void advance(struct setup *setup, int64_t by_ms)
{
	clock_advance(&setup->clock, by_ms);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(loop_turn(setup->loop, 0), 0);
}

static void asks_the_first_region_alone_as_long_as_it_answers(void **state)
{
	static struct setup setup;
	struct seen seen;

	(void)state;
	set_up(&setup, 2, NULL, NULL);
	fetch(&setup, &seen);
	fake_source_answer(&setup.regions[0], "v1", "first");
	assert_string_equal(seen.bytes, "first");
	confirm(&setup, &seen);
	fake_source_confirm(&setup.regions[0], true);
	assert_true(seen.is_current);
	confirm(&setup, &seen);
	fake_source_confirm(&setup.regions[0], false);
	assert_false(seen.is_current);
	assert_int_equal(seen.code, 0);
	assert_int_equal(setup.regions[1].fetches, 0);
	assert_string_equal(where(&setup), "eu-west-1");
	tear_down(&setup);
}

static void asks_another_only_where_that_can_help(void **state)
{
	static const struct {
		int code;
		bool helps;
	} cases[] = {
		{ -EIO, true },	    { -EBUSY, true },  { -ENOENT, false },
		{ -EACCES, false }, { -EFBIG, false }, { -ENOKEY, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		static struct setup setup;
		struct seen seen;

		set_up(&setup, 2, NULL, NULL);
		fetch(&setup, &seen);
		fake_source_fail(&setup.regions[0], cases[i].code);
		assert_int_equal(setup.regions[1].fetches, cases[i].helps);
		if (cases[i].helps) {
			assert_string_equal(setup.regions[1].open[0]->name,
					    "app");
			fake_source_answer(&setup.regions[1], "v1", "second");
			assert_string_equal(seen.bytes, "second");
		} else {
			assert_int_equal(seen.code, cases[i].code);
		}
		assert_int_equal(seen.count, 1);
		assert_string_equal(where(&setup),
				    cases[i].helps ? "eu-west-2" : "eu-west-1");
		tear_down(&setup);
	}
}

/* A replica may be missing for no other reason than that it never was. */
static void what_only_later_regions_lack_is_not_definite(void **state)
{
	static const int codes[] = { -ENOENT, -EACCES, -EIO };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		static struct setup setup;
		struct seen seen;
		char text[ERR_TEXT_MAX];

		set_up(&setup, 2, NULL, NULL);
		fetch(&setup, &seen);
		fake_source_fail(&setup.regions[0], -EBUSY);
		fake_source_fail(&setup.regions[1], codes[i]);
		assert_int_equal(seen.code, -EBUSY);
		(void)snprintf(text, sizeof(text),
			       "eu-west-1: the fake says %d; eu-west-2: the "
			       "fake says %d",
			       -EBUSY, codes[i]);
		assert_string_equal(seen.text, text);
		assert_string_equal(where(&setup), "eu-west-1");
		tear_down(&setup);
	}
}

static void goes_through_all_regions_in_turn(void **state)
{
	static struct setup setup;
	struct seen seen;

	(void)state;
	set_up(&setup, 3, NULL, NULL);
	fetch(&setup, &seen);
	fake_source_fail(&setup.regions[0], -EIO);
	fake_source_fail(&setup.regions[1], -ENOENT);
	fake_source_answer(&setup.regions[2], "v1", "third");
	assert_string_equal(seen.bytes, "third");
	assert_string_equal(where(&setup), "us-east-1");
	/* and back, as soon as the first one answers */
	fetch(&setup, &seen);
	fake_source_answer(&setup.regions[0], "v1", "first");
	assert_string_equal(seen.bytes, "first");
	assert_string_equal(where(&setup), "eu-west-1");
	tear_down(&setup);
}

static void a_region_that_is_silent_has_its_share_of_time(void **state)
{
	static struct setup setup;
	struct seen seen;

	(void)state;
	set_up(&setup, 2, NULL, NULL);
	fetch(&setup, &seen);
	advance(&setup, TIMEOUT_MS / 2 - 1);
	assert_int_equal(setup.regions[1].fetches, 0);
	advance(&setup, 1);
	assert_int_equal(setup.regions[0].cancels, 1);
	assert_int_equal(setup.regions[1].fetches, 1);
	advance(&setup, TIMEOUT_MS / 2 - 1);
	assert_int_equal(seen.count, 0);
	advance(&setup, 1);
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.code, -EIO);
	assert_int_equal(setup.regions[1].cancels, 1);
	tear_down(&setup);
}

static void a_confirmation_elsewhere_counts_if_nothing_changed(void **state)
{
	static struct setup setup;
	struct seen seen;

	(void)state;
	set_up(&setup, 2, NULL, NULL);
	confirm(&setup, &seen);
	fake_source_fail(&setup.regions[0], -EIO);
	assert_string_equal(setup.regions[1].open[0]->version, "v1");
	fake_source_confirm(&setup.regions[1], true);
	assert_true(seen.is_current);
	assert_string_equal(where(&setup), "eu-west-2");
	/* else the value that is there is as good as the replica's */
	confirm(&setup, &seen);
	fake_source_fail(&setup.regions[0], -EIO);
	fake_source_confirm(&setup.regions[1], false);
	assert_int_equal(seen.code, -EIO);
	assert_non_null(strstr(seen.text, "eu-west-2: it has another version"));
	confirm(&setup, &seen);
	fake_source_fail(&setup.regions[0], -EIO);
	fake_source_fail(&setup.regions[1], -ENOSYS);
	assert_int_equal(seen.code, -EIO);
	/* of the first region that means: fetch */
	confirm(&setup, &seen);
	fake_source_fail(&setup.regions[0], -ENOSYS);
	assert_int_equal(seen.code, -ENOSYS);
	assert_int_equal(setup.regions[1].fetches, 3);
	tear_down(&setup);
}

static void a_replica_that_lags_takes_nothing_back(void **state)
{
	static struct setup setup;
	struct seen seen;

	(void)state;
	set_up(&setup, 2, NULL, NULL);
	setup.regions[0].created_ns = 2000;
	setup.regions[1].created_ns = 1000;
	fetch(&setup, &seen);
	fake_source_answer(&setup.regions[0], "v2", "new");
	fetch(&setup, &seen);
	fake_source_fail(&setup.regions[0], -EIO);
	fake_source_answer(&setup.regions[1], "v1", "old");
	assert_int_equal(seen.code, -EIO);
	assert_non_null(strstr(seen.text, "older than the last"));
	/* one that has caught up does */
	setup.regions[1].created_ns = 2000;
	fetch(&setup, &seen);
	fake_source_fail(&setup.regions[0], -EIO);
	fake_source_answer(&setup.regions[1], "v2", "new");
	assert_string_equal(seen.bytes, "new");
	/* after an hour it is better than nothing */
	setup.regions[1].created_ns = 1000;
	advance(&setup, FAILOVER_TRUST_MS);
	fetch(&setup, &seen);
	fake_source_fail(&setup.regions[0], -EIO);
	fake_source_answer(&setup.regions[1], "v1", "old");
	assert_string_equal(seen.bytes, "old");
	tear_down(&setup);
}

/* An older version is old, and no replica lags for it. */
static void one_stage_says_nothing_of_another(void **state)
{
	const struct source_want wants[] = {
		{ .name = "app", .stage = "AWSCURRENT" },
		{ .name = "app", .stage = "AWSPREVIOUS" },
		{ .name = "app" },
	};
	static const int64_t first_ns[] = { 2000, 1000 };
	static const int codes[] = { -EIO, 0, -EIO };
	static struct setup setup;
	struct seen seen;

	(void)state;
	set_up(&setup, 2, NULL, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(first_ns); i++) {
		seen = (struct seen){ 0 };
		setup.regions[0].created_ns = first_ns[i];
		assert_non_null(setup.source->operations->fetch(
			setup.source, &wants[i], on_value, &seen));
		fake_source_answer(&setup.regions[0], "v", "x");
		assert_string_equal(seen.bytes, "x");
	}
	setup.regions[1].created_ns = 1000;
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		seen = (struct seen){ 0 };
		assert_non_null(setup.source->operations->fetch(
			setup.source, &wants[i], on_value, &seen));
		fake_source_fail(&setup.regions[0], -EIO);
		fake_source_answer(&setup.regions[1], "v1", "old");
		assert_int_equal(seen.code, codes[i]);
	}
	tear_down(&setup);
}

static void another_object_has_its_own_name_and_label(void **state)
{
	const struct source_want staged = { .name = "app", .stage = "mine" };
	static struct setup setup;
	struct seen seen = { 0 };

	(void)state;
	set_up(&setup, 2, "spare", "theirs");
	assert_non_null(setup.source->operations->fetch(setup.source, &staged,
							on_value, &seen));
	assert_string_equal(setup.regions[0].open[0]->name, "app");
	assert_string_equal(setup.regions[0].open[0]->stage, "mine");
	fake_source_fail(&setup.regions[0], -EIO);
	assert_string_equal(setup.regions[1].open[0]->name, "spare");
	assert_string_equal(setup.regions[1].open[0]->stage, "theirs");
	/* it is another secret: its age says nothing */
	setup.regions[1].created_ns = 1;
	fake_source_answer(&setup.regions[1], "v9", "second");
	assert_string_equal(seen.bytes, "second");
	tear_down(&setup);
}

static void an_arn_becomes_that_of_the_region(void **state)
{
	static const struct {
		const char *name;
		const char *there;
	} cases[] = {
		{ ARN, "arn:aws:secretsmanager:eu-west-2:1:secret:app-a1B2c3" },
		{ "arn:aws:ssm:eu-west-1:1:parameter/a:b",
		  "arn:aws:ssm:eu-west-2:1:parameter/a:b" },
		{ "arnold", "arnold" },
		{ "arn:aws", "arn:aws" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct source_want by_arn = { .name = cases[i].name };
		static struct setup setup;
		struct seen seen = { 0 };

		set_up(&setup, 2, NULL, NULL);
		assert_non_null(setup.source->operations->fetch(
			setup.source, &by_arn, on_value, &seen));
		assert_string_equal(setup.regions[0].open[0]->name,
				    cases[i].name);
		fake_source_fail(&setup.regions[0], -EIO);
		assert_string_equal(setup.regions[1].open[0]->name,
				    cases[i].there);
		fake_source_answer(&setup.regions[1], "v1", "x");
		tear_down(&setup);
	}
}

static void a_call_can_be_ended_in_any_region(void **state)
{
	static struct setup setup;
	struct seen seen;
	struct source_call *call;

	(void)state;
	set_up(&setup, 2, NULL, NULL);
	setup.source->operations->cancel(fetch(&setup, &seen));
	assert_int_equal(setup.regions[0].cancels, 1);
	call = fetch(&setup, &seen);
	fake_source_fail(&setup.regions[0], -EIO);
	setup.source->operations->cancel(call);
	assert_int_equal(setup.regions[1].cancels, 1);
	advance(&setup, TIMEOUT_MS);
	assert_int_equal(seen.count, 0);
	tear_down(&setup);
}

static void its_identity_names_all_that_is_asked(void **state)
{
	static struct setup setup;

	(void)state;
	set_up(&setup, 2, "spare", NULL);
	assert_string_equal(setup.source->identity,
			    "failover spare  | eu-west-1 | eu-west-2");
	tear_down(&setup);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			asks_the_first_region_alone_as_long_as_it_answers),
		cmocka_unit_test(asks_another_only_where_that_can_help),
		cmocka_unit_test(what_only_later_regions_lack_is_not_definite),
		cmocka_unit_test(goes_through_all_regions_in_turn),
		cmocka_unit_test(a_region_that_is_silent_has_its_share_of_time),
		cmocka_unit_test(
			a_confirmation_elsewhere_counts_if_nothing_changed),
		cmocka_unit_test(a_replica_that_lags_takes_nothing_back),
		cmocka_unit_test(one_stage_says_nothing_of_another),
		cmocka_unit_test(another_object_has_its_own_name_and_label),
		cmocka_unit_test(an_arn_becomes_that_of_the_region),
		cmocka_unit_test(a_call_can_be_ended_in_any_region),
		cmocka_unit_test(its_identity_names_all_that_is_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
