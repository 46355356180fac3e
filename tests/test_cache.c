/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/secret.h"
#include "loop/loop.h"
#include "store/cache.h"
#include "store/listing.h"
#include "store/value.h"
#include "tests/fake_source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TTL_MS 300000
#define TIMEOUT_MS 20000

struct scene {
	struct clock clock;
	struct loop *loop;
	struct cache *cache;
	struct fake_source source;
	unsigned failures;
	char failed[64]; /* the last name */
};

/* What one get was told. */
struct told {
	unsigned times;
	int code;
	int64_t fresh_ms;
	struct value *value; /* a reference */
	struct cache_get *cancel_too;
};

static void on_failure(void *owner, const char *name, const struct err *err)
{
	struct scene *scene = owner;

	assert_non_null(name);
	assert_int_not_equal(err->code, 0);
	scene->failures++;
	(void)snprintf(scene->failed, sizeof(scene->failed), "%s", name);
}

static int set_up(void **state)
{
	static const struct cache_limits limits = { .max_entries = 3,
						    .negative_ms = 5000,
						    .linger_ms = 1000 };
	struct scene *scene = calloc(1, sizeof(*scene));

	clock_set(&scene->clock, 1000000, 1700000000);
	scene->loop = loop_new(&scene->clock);
	scene->cache = cache_new(scene->loop, &limits);
	cache_set_on_failure(scene->cache, on_failure, scene);
	fake_source_init(&scene->source, "me");
	*state = scene;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *scene = *state;

	cache_free(scene->cache);
	assert_int_equal(scene->source.open_count, 0);
	loop_free(scene->loop);
	free(scene);
	return 0;
}

static void on_result(void *owner, const struct cache_result *result)
{
	struct told *told = owner;

	told->times++;
	told->code = result->err ? result->err->code : 0;
	told->fresh_ms = result->fresh_ms;
	if (result->value)
		told->value = value_ref(result->value);
	cache_cancel(told->cancel_too);
}

static struct cache_want want(struct scene *scene, const char *name)
{
	return (struct cache_want){
		.source = &scene->source.base,
		.name = name,
		.ttl_ms = TTL_MS,
		.timeout_ms = TIMEOUT_MS,
	};
}

static struct cache_want want_version(struct scene *scene, const char *name,
				      const char *version, const char *stage)
{
	struct cache_want wanted = want(scene, name);

	wanted.version = version;
	wanted.stage = stage;
	return wanted;
}

static struct cache_get *get_wanted(struct scene *scene,
				    const struct cache_want *wanted,
				    struct told *told)
{
	struct cache_get *handle =
		cache_get(scene->cache, wanted, on_result, told);

	assert_non_null(handle);
	assert_int_equal(told->times, 0);
	return handle;
}

static struct cache_get *get(struct scene *scene, const char *name,
			     struct told *told)
{
	struct cache_want wanted = want(scene, name);

	return get_wanted(scene, &wanted, told);
}

static void advance(struct scene *scene, int64_t by_ms)
{
	clock_advance(&scene->clock, by_ms);
	assert_int_equal(loop_turn(scene->loop, 0), 0);
}

static void fill_wanted(struct scene *scene, const struct cache_want *wanted,
			const char *version)
{
	struct told told = { 0 };

	get_wanted(scene, wanted, &told);
	fake_source_answer(&scene->source, version, "{\"k\":1}");
	assert_int_equal(told.times, 1);
	value_unref(told.value);
}

/* Makes name known, in this version. */
static void fill(struct scene *scene, const char *name, const char *version)
{
	struct cache_want wanted = want(scene, name);

	fill_wanted(scene, &wanted, version);
}

static bool is_known(struct scene *scene, const struct cache_want *wanted)
{
	struct cache_result result;

	return cache_peek(scene->cache, wanted, &result);
}

static void many_gets_share_one_fetch(void **state)
{
	struct scene *scene = *state;
	struct told told[500] = { 0 };

	for (size_t i = 0; i < 500; i++)
		get(scene, "a", &told[i]);
	assert_int_equal(scene->source.fetches, 1);
	fake_source_answer(&scene->source, "v1", "x");
	for (size_t i = 0; i < 500; i++) {
		assert_int_equal(told[i].times, 1);
		assert_int_equal(told[i].code, 0);
		assert_int_equal(told[i].fresh_ms, TTL_MS);
		value_unref(told[i].value);
	}
}

static void a_fresh_value_needs_no_fetch_and_waits_a_turn(void **state)
{
	struct scene *scene = *state;
	struct cache_want wanted = want(scene, "a");
	struct cache_result result;
	struct told told = { 0 };

	assert_false(cache_peek(scene->cache, &wanted, &result));
	fill(scene, "a", "v1");
	assert_true(cache_peek(scene->cache, &wanted, &result));
	assert_string_equal(value_version(result.value), "v1");
	clock_advance(&scene->clock, 1000);
	get(scene, "a", &told);
	assert_int_equal(told.times, 0);
	advance(scene, 0);
	assert_int_equal(told.times, 1);
	assert_int_equal(told.fresh_ms, TTL_MS - 1000);
	assert_int_equal(scene->source.fetches, 1);
	value_unref(told.value);
}

static void the_ttl_is_counted_to_the_millisecond(void **state)
{
	struct scene *scene = *state;
	struct cache_want wanted = want(scene, "a");
	struct cache_result result;

	fill(scene, "a", "v1");
	advance(scene, TTL_MS - 1);
	assert_true(cache_peek(scene->cache, &wanted, &result));
	assert_int_equal(result.fresh_ms, 1);
	advance(scene, 1);
	assert_false(cache_peek(scene->cache, &wanted, &result));
	wanted.ttl_ms = TTL_MS + 10; /* another mount may be more patient */
	assert_true(cache_peek(scene->cache, &wanted, &result));
}

static void a_source_may_bound_the_ttl(void **state)
{
	struct scene *scene = *state;
	struct cache_want wanted = want(scene, "a");
	struct cache_result result;

	scene->source.base.max_ttl_ms = 1000;
	fill(scene, "a", "v1");
	assert_true(cache_peek(scene->cache, &wanted, &result));
	assert_int_equal(result.fresh_ms, 1000);
	advance(scene, 1000);
	assert_false(cache_peek(scene->cache, &wanted, &result));
}

static void an_unchanged_version_keeps_the_value_that_is_held(void **state)
{
	struct scene *scene = *state;
	struct told first = { 0 };
	struct told second = { 0 };
	struct told third = { 0 };

	get(scene, "a", &first);
	fake_source_answer(&scene->source, "v1", "x");
	advance(scene, TTL_MS);
	get(scene, "a", &second);
	fake_source_answer(&scene->source, "v1", "x");
	assert_ptr_equal(first.value, second.value);
	assert_int_equal(second.fresh_ms, TTL_MS);
	advance(scene, TTL_MS);
	get(scene, "a", &third);
	fake_source_answer(&scene->source, "v2", "y");
	assert_ptr_not_equal(first.value, third.value);
	value_unref(first.value);
	value_unref(second.value);
	value_unref(third.value);
}

static void a_definite_failure_is_remembered_a_passing_one_is_not(void **state)
{
	static const struct {
		int code;
		unsigned fetches;
	} cases[] = { { -ENOENT, 1 }, { -EACCES, 1 }, { -EIO, 2 } };
	struct scene *scene = *state;

	for (size_t i = 0; i < 3; i++) {
		const char *name = (const char *[]){ "a", "b", "c" }[i];
		struct told first = { 0 };
		struct told second = { 0 };

		scene->source.fetches = 0;
		get(scene, name, &first);
		fake_source_fail(&scene->source, cases[i].code);
		assert_int_equal(first.times, 1);
		assert_int_equal(first.code, cases[i].code);
		clock_advance(&scene->clock, 4999);
		get(scene, name, &second);
		advance(scene, 0);
		assert_int_equal(scene->source.fetches, cases[i].fetches);
		if (scene->source.open_count > 0)
			fake_source_fail(&scene->source, cases[i].code);
		assert_int_equal(second.code, cases[i].code);
	}
	assert_int_equal(scene->failures, 4);
}

static void a_failure_is_forgotten_after_the_negative_time(void **state)
{
	struct scene *scene = *state;
	struct told first = { 0 };
	struct told second = { 0 };

	get(scene, "a", &first);
	fake_source_fail(&scene->source, -ENOENT);
	advance(scene, 5000);
	get(scene, "a", &second);
	fake_source_answer(&scene->source, "v1", "x");
	assert_int_equal(second.code, 0);
	value_unref(second.value);
}

static void a_silent_source_ends_at_the_deadline(void **state)
{
	struct scene *scene = *state;
	struct told early = { 0 };
	struct told late = { 0 };

	get(scene, "a", &early);
	advance(scene, TIMEOUT_MS - 1);
	get(scene, "a", &late);
	assert_int_equal(early.times, 0);
	advance(scene, 1);
	assert_int_equal(early.code, -EIO);
	assert_int_equal(late.code, -EIO);
	assert_int_equal(scene->source.cancels, 1);
	assert_int_equal(scene->failures, 1);
}

static void a_cancelled_get_hears_nothing(void **state)
{
	struct scene *scene = *state;
	struct told gone = { 0 };
	struct told stays = { 0 };
	struct cache_get *handle = get(scene, "a", &gone);

	get(scene, "a", &stays);
	cache_cancel(handle);
	fake_source_answer(&scene->source, "v1", "x");
	assert_int_equal(gone.times, 0);
	assert_int_equal(stays.times, 1);
	value_unref(stays.value);
}

static void a_fetch_without_waiters_goes_on_for_a_while(void **state)
{
	struct scene *scene = *state;
	struct cache_want wanted = want(scene, "a");
	struct cache_result result;
	struct told told = { 0 };

	cache_cancel(get(scene, "a", &told));
	advance(scene, 999);
	assert_int_equal(scene->source.cancels, 0);
	fake_source_answer(&scene->source, "v1", "x");
	assert_true(cache_peek(scene->cache, &wanted, &result));
	cache_cancel(get(scene, "b", &told));
	advance(scene, 1000);
	assert_int_equal(scene->source.cancels, 1);
	assert_int_equal(told.times, 0);
}

static void a_new_waiter_keeps_a_lingering_fetch(void **state)
{
	struct scene *scene = *state;
	struct told first = { 0 };
	struct told second = { 0 };

	cache_cancel(get(scene, "a", &first));
	advance(scene, 500);
	get(scene, "a", &second);
	advance(scene, 5000);
	assert_int_equal(scene->source.cancels, 0);
	fake_source_answer(&scene->source, "v1", "x");
	assert_int_equal(second.times, 1);
	assert_int_equal(scene->source.fetches, 1);
	value_unref(second.value);
}

static void a_callback_may_cancel_another_get(void **state)
{
	struct scene *scene = *state;
	struct told first = { 0 };
	struct told second = { 0 };

	get(scene, "a", &first);
	first.cancel_too = get(scene, "a", &second);
	fake_source_answer(&scene->source, "v1", "x");
	assert_int_equal(first.times, 1);
	assert_int_equal(second.times, 0);
	value_unref(first.value);
}

static void identities_never_share_a_value(void **state)
{
	struct scene *scene = *state;
	struct fake_source other;
	struct cache_want wanted = want(scene, "a");
	struct cache_result result;

	fake_source_init(&other, "someone else");
	fill(scene, "a", "v1");
	wanted.source = &other.base;
	assert_false(cache_peek(scene->cache, &wanted, &result));
}

/* Each is another thing, however their texts would run together. */
static void versions_and_stages_of_a_name_are_apart(void **state)
{
	static const struct {
		const char *name;
		const char *version;
		const char *stage;
	} cases[] = {
		{ "a", NULL, NULL },	    { "a", "b", NULL },
		{ "a", NULL, "b" },	    { "a", "b", "c" },
		{ "a", "c", "b" },	    { "a", "", NULL },
		{ "a", NULL, "" },	    { "a", "=b", NULL },
		{ "a", "b", "AWSCURRENT" }, { "ab", NULL, NULL },
		{ "a=b", NULL, NULL },	    { "a", "AWSCURRENT", NULL },
	};
	const size_t count = sizeof(cases) / sizeof(cases[0]);
	const struct cache_limits limits = { .max_entries = count };
	struct scene *scene = *state;

	cache_free(scene->cache);
	scene->cache = cache_new(scene->loop, &limits);
	for (size_t i = 0; i < count; i++) {
		struct cache_want wanted = want_version(
			scene, cases[i].name, cases[i].version, cases[i].stage);
		char version[16];

		(void)snprintf(version, sizeof(version), "v%zu", i);
		assert_false(is_known(scene, &wanted));
		fill_wanted(scene, &wanted, version);
	}
	for (size_t i = 0; i < count; i++) {
		struct cache_want wanted = want_version(
			scene, cases[i].name, cases[i].version, cases[i].stage);
		struct cache_result result;
		char version[16];

		(void)snprintf(version, sizeof(version), "v%zu", i);
		assert_true(cache_peek(scene->cache, &wanted, &result));
		assert_string_equal(value_version(result.value), version);
	}
	assert_int_equal(scene->source.fetches, count);
}

static void the_source_is_told_version_and_stage(void **state)
{
	struct scene *scene = *state;
	char version[] = "v1";
	char stage[] = "AWSPREVIOUS";
	struct cache_want wanted = want_version(scene, "a", version, stage);
	const struct source_call *call;
	struct told told = { 0 };

	get_wanted(scene, &wanted, &told);
	call = scene->source.open[0];
	assert_string_equal(call->name, "a");
	assert_string_equal(call->version, "v1");
	assert_string_equal(call->stage, "AWSPREVIOUS");
	fake_source_fail(&scene->source, -EIO);
	assert_string_equal(scene->failed, "a");

	/* the texts were borrowed: the next fetch has the cache's own */
	version[0] = 'w';
	stage[0] = 'B';
	wanted = want_version(scene, "a", "v1", "AWSPREVIOUS");
	told = (struct told){ 0 };
	get_wanted(scene, &wanted, &told);
	call = scene->source.open[0];
	assert_string_equal(call->version, "v1");
	assert_string_equal(call->stage, "AWSPREVIOUS");
	fake_source_fail(&scene->source, -ENOENT);
	assert_int_equal(told.code, -ENOENT);
}

static void the_current_stage_may_be_left_out(void **state)
{
	struct scene *scene = *state;
	struct cache_want by_stage =
		want_version(scene, "a", NULL, "AWSCURRENT");

	fill(scene, "a", "v1");
	assert_true(is_known(scene, &by_stage));
	assert_int_equal(scene->source.fetches, 1);
}

static void a_change_outdates_every_version_of_its_name(void **state)
{
	struct scene *scene = *state;
	struct source *source = &scene->source.base;
	struct cache_want current = want(scene, "a");
	struct cache_want previous =
		want_version(scene, "a", NULL, "AWSPREVIOUS");
	struct cache_want other = want_version(scene, "ab", "v1", NULL);
	struct told told = { 0 };

	fill_wanted(scene, &current, "v2");
	fill_wanted(scene, &other, "v1");
	get_wanted(scene, &previous, &told);
	source->on_change(source->on_change_owner, source, "a");
	fake_source_answer(&scene->source, "v1", "x");
	assert_int_equal(told.times, 1);
	assert_int_equal(told.fresh_ms, 0);
	value_unref(told.value);
	assert_false(is_known(scene, &previous));
	assert_false(is_known(scene, &current));
	assert_true(is_known(scene, &other));
}

/* The oldest goes, and what is told of its name still finds the rest. */
static void a_name_outlives_one_of_its_versions(void **state)
{
	struct scene *scene = *state;
	struct source *source = &scene->source.base;
	struct cache_want wanted[4];

	for (size_t i = 0; i < 4; i++) {
		wanted[i] = want_version(
			scene, "a", (const char *[]){ "1", "2", "3", "4" }[i],
			NULL);
		fill_wanted(scene, &wanted[i], "v1");
		advance(scene, 10);
	}
	assert_false(is_known(scene, &wanted[0]));
	for (size_t i = 1; i < 4; i++)
		assert_true(is_known(scene, &wanted[i]));
	source->on_change(source->on_change_owner, source, "a");
	for (size_t i = 1; i < 4; i++)
		assert_false(is_known(scene, &wanted[i]));
	cache_drop_source(scene->cache, source);
	fill(scene, "a", "v1");
	source->on_change(source->on_change_owner, source, "a");
	wanted[0] = want(scene, "a");
	assert_false(is_known(scene, &wanted[0]));
}

static void a_change_outdates_a_value_and_its_fetch_in_flight(void **state)
{
	struct scene *scene = *state;
	struct source *source = &scene->source.base;
	struct cache_want wanted = want(scene, "a");
	struct cache_result result;
	struct told told = { 0 };

	fill(scene, "a", "v1");
	source->on_change(source->on_change_owner, source, "other");
	assert_true(cache_peek(scene->cache, &wanted, &result));
	source->on_change(source->on_change_owner, source, "a");
	assert_false(cache_peek(scene->cache, &wanted, &result));
	get(scene, "a", &told);
	source->on_change(source->on_change_owner, source, NULL);
	fake_source_answer(&scene->source, "v2", "y");
	assert_int_equal(told.times, 1);
	assert_int_equal(told.fresh_ms, 0);
	assert_false(cache_peek(scene->cache, &wanted, &result));
	value_unref(told.value);
}

static void listings_and_secrets_of_a_name_are_apart(void **state)
{
	struct scene *scene = *state;
	struct listing *listing = listing_new();
	struct cache_want wanted = want(scene, "");
	struct cache_result result;
	struct told told = { 0 };

	wanted.is_listing = true;
	assert_non_null(cache_get(scene->cache, &wanted, on_result, &told));
	fake_source_answer_names(&scene->source, listing);
	assert_int_equal(told.times, 1);
	assert_true(cache_peek(scene->cache, &wanted, &result));
	assert_ptr_equal(result.listing, listing);
	wanted.is_listing = false;
	assert_false(cache_peek(scene->cache, &wanted, &result));
	listing_unref(listing);
}

static void the_oldest_idle_entry_makes_room(void **state)
{
	struct scene *scene = *state;
	struct cache_result result;
	struct cache_want wanted;

	for (size_t i = 0; i < 4; i++) {
		fill(scene, (const char *[]){ "a", "b", "c", "d" }[i], "v1");
		advance(scene, 10);
	}
	wanted = want(scene, "a");
	assert_false(cache_peek(scene->cache, &wanted, &result));
	wanted = want(scene, "b");
	assert_true(cache_peek(scene->cache, &wanted, &result));
}

static void freeing_ends_what_is_in_flight(void **state)
{
	struct scene *scene = *state;
	static struct told told;

	get(scene, "a", &told);
	cache_drop_source(scene->cache, &scene->source.base);
	assert_int_equal(scene->source.cancels, 1);
	get(scene, "b", &told); /* ended by tear_down */
	assert_int_equal(told.times, 0);
}

#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(many_gets_share_one_fetch),
		test(a_fresh_value_needs_no_fetch_and_waits_a_turn),
		test(the_ttl_is_counted_to_the_millisecond),
		test(a_source_may_bound_the_ttl),
		test(an_unchanged_version_keeps_the_value_that_is_held),
		test(a_definite_failure_is_remembered_a_passing_one_is_not),
		test(a_failure_is_forgotten_after_the_negative_time),
		test(a_silent_source_ends_at_the_deadline),
		test(a_cancelled_get_hears_nothing),
		test(a_fetch_without_waiters_goes_on_for_a_while),
		test(a_new_waiter_keeps_a_lingering_fetch),
		test(a_callback_may_cancel_another_get),
		test(identities_never_share_a_value),
		test(versions_and_stages_of_a_name_are_apart),
		test(the_source_is_told_version_and_stage),
		test(the_current_stage_may_be_left_out),
		test(a_change_outdates_every_version_of_its_name),
		test(a_name_outlives_one_of_its_versions),
		test(a_change_outdates_a_value_and_its_fetch_in_flight),
		test(listings_and_secrets_of_a_name_are_apart),
		test(the_oldest_idle_entry_makes_room),
		test(freeing_ends_what_is_in_flight),
	};

	return cmocka_run_group_tests_name("cache", tests, NULL, NULL);
}
