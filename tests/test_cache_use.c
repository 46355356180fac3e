/* SPDX-License-Identifier: Apache-2.0 */
/* What the cache does with time: old values, the background, and the end. */
#include "tests/test.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/secret.h"
#include "loop/loop.h"
#include "store/cache.h"
#include "store/value.h"
#include "tests/fake_source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TTL_MS 300000
#define TIMEOUT_MS 20000
#define MAX_STALE_MS 86400000
#define VERIFY_MS 900000
#define GRACE_MS 60000

struct scene {
	struct clock clock;
	struct loop *loop;
	struct cache *cache;
	struct fake_source source;
	struct cache_use *use;
	uint32_t drawn; /* what the next draw is cut to */

	/* what the use was told */
	unsigned changes;
	int code;
	char version[16]; /* "" with an error */
};

/* What one get was told. */
struct told {
	unsigned times;
	int code;
	int64_t fresh_ms;
	char version[16];
};

static uint32_t draw(void *owner, uint32_t below)
{
	const struct scene *scene = owner;

	return scene->drawn < below ? scene->drawn : below - 1;
}

static void note_version(char *version, size_t size,
			 const struct cache_result *result)
{
	(void)snprintf(version, size, "%s",
		       result->value ? value_version(result->value) : "");
}

static void on_change(void *owner, const struct cache_result *result)
{
	struct scene *scene = owner;

	scene->changes++;
	scene->code = result->err ? result->err->code : 0;
	note_version(scene->version, sizeof(scene->version), result);
}

static void on_result(void *owner, const struct cache_result *result)
{
	struct told *told = owner;

	told->times++;
	told->code = result->err ? result->err->code : 0;
	told->fresh_ms = result->fresh_ms;
	note_version(told->version, sizeof(told->version), result);
}

static struct cache_want want(struct scene *scene)
{
	return (struct cache_want){
		.source = &scene->source.base,
		.name = "s",
		.ttl_ms = TTL_MS,
		.timeout_ms = TIMEOUT_MS,
		.max_stale_ms = MAX_STALE_MS,
		.verify_ms = VERIFY_MS,
	};
}

static void get(struct scene *scene, struct told *told)
{
	struct cache_want wanted = want(scene);

	*told = (struct told){ 0 };
	assert_non_null(cache_get(scene->cache, &wanted, on_result, told));
}

static bool peek(struct scene *scene, struct told *told)
{
	struct cache_want wanted = want(scene);
	struct cache_result result;

	*told = (struct told){ 0 };
	if (!cache_peek(scene->cache, &wanted, &result))
		return false;
	on_result(told, &result);
	return true;
}

static void advance(struct scene *scene, int64_t by_ms)
{
	clock_advance(&scene->clock, by_ms);
	assert_int_equal(loop_turn(scene->loop, 0), 0);
}

static void begin_use(struct scene *scene)
{
	struct cache_want wanted = want(scene);

	scene->use = cache_use_begin(scene->cache, &wanted, on_change, scene);
	assert_non_null(scene->use);
}

/* A secret of version "v1" that was fetched just now. */
static int set_up(void **state)
{
	static const struct cache_limits limits = { .max_entries = 3,
						    .negative_ms = 5000,
						    .linger_ms = 1000,
						    .patience_ms = 2000,
						    .stale_ms = 1000 };
	struct scene *scene = calloc(1, sizeof(*scene));
	struct told told;

	assert_non_null(scene);
	clock_set(&scene->clock, 1000000, 1700000000);
	scene->loop = loop_new(&scene->clock);
	scene->cache = cache_new(scene->loop, &limits);
	cache_set_random(scene->cache, draw, scene);
	fake_source_init(&scene->source, "me");
	fake_source_can_confirm(&scene->source);
	scene->source.base.grace_ms = GRACE_MS;
	get(scene, &told);
	fake_source_answer(&scene->source, "v1", "{\"k\":1}");
	assert_string_equal(told.version, "v1");
	*state = scene;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *scene = *state;

	cache_use_end(scene->use);
	cache_free(scene->cache);
	assert_int_equal(scene->source.open_count, 0);
	loop_free(scene->loop);
	free(scene);
	return 0;
}

static void past_the_ttl_a_reader_is_patient_for_two_seconds(void **state)
{
	struct scene *scene = *state;
	struct told told;
	struct told later;

	advance(scene, TTL_MS);
	get(scene, &told);
	advance(scene, 1999);
	assert_int_equal(told.times, 0);
	advance(scene, 1);
	assert_int_equal(told.times, 1);
	assert_string_equal(told.version, "v1");
	assert_int_equal(told.fresh_ms, 1000);
	/* the attempt goes on, and nobody who comes meanwhile waits */
	assert_int_equal(scene->source.open_count, 1);
	assert_true(peek(scene, &later));
	assert_string_equal(later.version, "v1");
	fake_source_confirm(&scene->source, true);
	assert_true(peek(scene, &later));
	assert_int_equal(later.fresh_ms, TTL_MS);
}

static void
a_passing_failure_serves_the_old_value_a_second_at_a_time(void **state)
{
	struct scene *scene = *state;
	struct told told;

	advance(scene, TTL_MS);
	get(scene, &told);
	fake_source_fail(&scene->source, -EIO);
	assert_string_equal(told.version, "v1");
	assert_int_equal(told.fresh_ms, 1000);
	advance(scene, 999);
	assert_true(peek(scene, &told));
	assert_int_equal(scene->source.open_count, 0);
	advance(scene, 1);
	assert_false(peek(scene, &told));
	get(scene, &told);
	assert_int_equal(scene->source.open_count, 1);
	fake_source_confirm(&scene->source, true);
	assert_string_equal(told.version, "v1");
	assert_int_equal(told.fresh_ms, TTL_MS);
}

static void
readers_of_an_old_value_ask_a_busy_service_no_more_often(void **state)
{
	struct scene *scene = *state;
	struct told told;
	unsigned before;

	begin_use(scene);
	advance(scene, TTL_MS);
	before = scene->source.fetches;
	for (int64_t ms = 0; ms < 600000; ms += 500) {
		get(scene, &told);
		while (scene->source.open_count > 0)
			fake_source_fail(&scene->source, -EBUSY);
		advance(scene, 500);
		assert_int_equal(told.code, 0);
		assert_in_range(told.fresh_ms, 1, 1000);
	}
	/* after 1, 2, 4, 8, 16 and 32 s, then once a minute */
	assert_in_range(scene->source.fetches - before, 12, 20);
}

static void a_busy_service_is_asked_by_who_has_nothing(void **state)
{
	struct scene *scene = *state;
	struct told told;

	advance(scene, MAX_STALE_MS);
	for (unsigned i = 0; i < 8; i++) {
		get(scene, &told);
		assert_int_equal(scene->source.open_count, 1);
		fake_source_fail(&scene->source, -EBUSY);
		assert_int_equal(told.code, -EIO);
	}
}

static void past_max_stale_there_is_only_the_error(void **state)
{
	struct scene *scene = *state;
	struct told told;

	advance(scene, MAX_STALE_MS - 1);
	get(scene, &told);
	fake_source_fail(&scene->source, -EIO);
	assert_string_equal(told.version, "v1");
	assert_int_equal(told.fresh_ms, 1);
	advance(scene, 1);
	get(scene, &told);
	fake_source_fail(&scene->source, -EIO);
	assert_int_equal(told.code, -EIO);
	assert_string_equal(told.version, "");
}

static void what_nobody_uses_is_not_asked_for(void **state)
{
	struct scene *scene = *state;

	advance(scene, MAX_STALE_MS);
	assert_int_equal(scene->source.fetches, 1);
}

static void what_is_in_use_is_confirmed_in_80_to_100_percent(void **state)
{
	static const struct {
		uint32_t drawn;
		int64_t at_ms;
	} cases[] = { { 0, TTL_MS },
		      { TTL_MS / 10, TTL_MS * 9 / 10 },
		      { UINT32_MAX, TTL_MS * 8 / 10 } };
	struct scene *scene = *state;
	struct told told;

	for (size_t i = 0; i < 3; i++) {
		scene->drawn = cases[i].drawn;
		begin_use(scene);
		advance(scene, cases[i].at_ms - 1);
		assert_int_equal(scene->source.open_count, 0);
		advance(scene, 1);
		assert_int_equal(scene->source.confirms, i + 1);
		assert_string_equal(scene->source.open[0]->version, "v1");
		cache_use_end(scene->use);
		scene->use = NULL;
		fake_source_confirm(&scene->source, true);
		assert_true(peek(scene, &told));
		assert_int_equal(told.fresh_ms, TTL_MS);
	}
	assert_int_equal(scene->changes, 0);
}

static void a_version_that_moved_on_is_fetched_and_told(void **state)
{
	struct scene *scene = *state;

	begin_use(scene);
	advance(scene, TTL_MS);
	fake_source_confirm(&scene->source, false);
	assert_int_equal(scene->source.open_count, 1);
	assert_int_equal(scene->changes, 0);
	fake_source_answer(&scene->source, "v2", "{}");
	assert_int_equal(scene->changes, 1);
	assert_string_equal(scene->version, "v2");
}

static void reading_is_verified_by_a_fetch_that_changes_nothing(void **state)
{
	struct scene *scene = *state;
	unsigned confirms = VERIFY_MS / TTL_MS - 1;

	begin_use(scene);
	for (unsigned i = 0; i < confirms; i++) {
		advance(scene, TTL_MS);
		fake_source_confirm(&scene->source, true);
	}
	advance(scene, TTL_MS);
	assert_int_equal(scene->source.confirms, confirms);
	fake_source_answer(&scene->source, "v1", "{\"k\":1}");
	assert_int_equal(scene->changes, 0);
	advance(scene, TTL_MS);
	assert_int_equal(scene->source.confirms, confirms + 1);
	fake_source_confirm(&scene->source, true);
}

static void what_cannot_be_confirmed_is_fetched(void **state)
{
	struct scene *scene = *state;

	begin_use(scene);
	advance(scene, TTL_MS);
	fake_source_fail(&scene->source, -ENOSYS);
	assert_int_equal(scene->source.open_count, 1);
	fake_source_answer(&scene->source, "v1", "{\"k\":1}");
	assert_int_equal(scene->changes, 0);
}

static void a_refusal_wipes_the_value_after_the_grace(void **state)
{
	struct scene *scene = *state;
	struct told told;

	begin_use(scene);
	advance(scene, TTL_MS);
	fake_source_fail(&scene->source, -EACCES);
	/* it is asked again meanwhile, and goes on being refused */
	for (int64_t ms = 0; ms < GRACE_MS - 1; ms += 5000) {
		assert_true(peek(scene, &told));
		assert_string_equal(told.version, "v1");
		advance(scene, 4999);
		while (scene->source.open_count > 0)
			fake_source_fail(&scene->source, -EACCES);
	}
	assert_int_equal(scene->changes, 0);
	advance(scene, 5000);
	while (scene->source.open_count > 0)
		fake_source_fail(&scene->source, -EACCES);
	assert_int_equal(scene->changes, 1);
	assert_int_equal(scene->code, -EACCES);
	get(scene, &told);
	while (scene->source.open_count > 0)
		fake_source_fail(&scene->source, -EACCES);
	advance(scene, 0);
	assert_int_equal(told.code, -EACCES);
}

static void fail_for_long(struct scene *scene, int code, int told_code)
{
	struct told told;

	begin_use(scene);
	advance(scene, TTL_MS);
	for (int64_t ms = 0; ms < 10L * GRACE_MS; ms += 1000) {
		while (scene->source.open_count > 0)
			fake_source_fail(&scene->source, code);
		advance(scene, 1000);
	}
	while (scene->source.open_count > 0)
		fake_source_fail(&scene->source, code);
	assert_int_equal(scene->changes, 0);
	get(scene, &told);
	fake_source_fail(&scene->source, code);
	assert_string_equal(told.version, "v1");
	/* who has nothing is told what is wrong */
	advance(scene, MAX_STALE_MS);
	while (scene->source.open_count > 0)
		fake_source_fail(&scene->source, code);
	get(scene, &told);
	while (scene->source.open_count > 0)
		fake_source_fail(&scene->source, code);
	assert_int_equal(told.code, told_code);
}

/* A token file that is not there for a while is nobody's refusal. */
static void what_is_missing_here_takes_nothing_back(void **state)
{
	fail_for_long(*state, -ENOKEY, -EACCES);
}

static void no_memory_takes_nothing_back(void **state)
{
	fail_for_long(*state, -ENOMEM, -ENOMEM);
}

static void a_refusal_that_passes_within_the_grace_changes_nothing(void **state)
{
	struct scene *scene = *state;
	struct told told;

	begin_use(scene);
	advance(scene, TTL_MS);
	fake_source_fail(&scene->source, -ENOENT);
	advance(scene, 5000);
	assert_int_equal(scene->source.open_count, 1);
	fake_source_confirm(&scene->source, true);
	advance(scene, GRACE_MS);
	assert_int_equal(scene->changes, 0);
	assert_true(peek(scene, &told));
	assert_string_equal(told.version, "v1");
}

static void a_source_without_grace_is_believed_at_once(void **state)
{
	struct scene *scene = *state;
	struct told told;

	scene->source.base.grace_ms = 0;
	begin_use(scene);
	advance(scene, TTL_MS);
	fake_source_fail(&scene->source, -ENOENT);
	assert_int_equal(scene->changes, 1);
	assert_int_equal(scene->code, -ENOENT);
	assert_true(peek(scene, &told));
	assert_int_equal(told.code, -ENOENT);
}

static void an_outage_is_asked_about_less_and_less_often(void **state)
{
	struct scene *scene = *state;
	unsigned before;

	begin_use(scene);
	advance(scene, TTL_MS);
	before = scene->source.fetches;
	for (int64_t ms = 0; ms < 3600000; ms += 500) {
		while (scene->source.open_count > 0)
			fake_source_fail(&scene->source, -EIO);
		advance(scene, 500);
	}
	while (scene->source.open_count > 0)
		fake_source_fail(&scene->source, -EIO);
	/* one a minute at last, and a few to get there */
	assert_in_range(scene->source.fetches - before, 55, 85);
	assert_int_equal(scene->changes, 0);
}

static void the_background_wipes_what_is_past_max_stale(void **state)
{
	struct scene *scene = *state;

	begin_use(scene);
	for (int64_t ms = 0; ms < MAX_STALE_MS; ms += 50000) {
		while (scene->source.open_count > 0)
			fake_source_fail(&scene->source, -EIO);
		assert_int_equal(scene->changes, 0);
		advance(scene, 50000);
	}
	assert_int_equal(scene->changes, 1);
	assert_int_equal(scene->code, -EIO);
	while (scene->source.open_count > 0)
		fake_source_fail(&scene->source, -EIO);
}

static void what_is_in_use_and_not_known_is_fetched_at_once(void **state)
{
	struct scene *scene = *state;
	struct cache_want wanted = want(scene);

	wanted.name = "other";
	/* longer than the clock runs */
	wanted.ttl_ms = 10 * loop_now_ms(scene->loop);
	scene->use = cache_use_begin(scene->cache, &wanted, on_change, scene);
	advance(scene, 0);
	assert_int_equal(scene->source.open_count, 1);
	fake_source_answer(&scene->source, "v1", "x");
	assert_string_equal(scene->version, "v1");
}

static void a_source_that_tells_is_asked_when_it_tells(void **state)
{
	struct scene *scene = *state;

	scene->source.base.tells_changes = true;
	scene->source.base.max_ttl_ms = 1000;
	begin_use(scene);
	advance(scene, 100000);
	assert_int_equal(scene->source.open_count, 0);
	scene->source.base.on_change(scene->source.base.on_change_owner,
				     &scene->source.base, "s");
	advance(scene, 0);
	assert_int_equal(scene->source.open_count, 1);
	/* what it told is no question of a version: it is fetched */
	assert_int_equal(scene->source.confirms, 0);
	fake_source_answer(&scene->source, "v2", "{}");
	assert_string_equal(scene->version, "v2");
}

static void a_refresh_fetches_what_is_in_use_now(void **state)
{
	struct scene *scene = *state;

	assert_int_equal(cache_refresh(scene->cache, NULL), 0);
	advance(scene, 0);
	assert_int_equal(scene->source.open_count, 0);
	begin_use(scene);
	assert_int_equal(cache_refresh(scene->cache, "other"), 0);
	advance(scene, 0);
	fake_source_answer(&scene->source, "v1", "{\"k\":1}");
	assert_int_equal(cache_refresh(scene->cache, "s"), 1);
	advance(scene, 0);
	assert_int_equal(scene->source.open_count, 1);
	fake_source_answer(&scene->source, "v2", "{}");
	assert_int_equal(scene->changes, 1);
}

static void another_TTL_moves_the_next_confirmation(void **state)
{
	struct scene *scene = *state;
	struct cache_want wanted = want(scene);

	begin_use(scene);
	wanted.ttl_ms = TTL_MS / 2;
	cache_use_change(scene->use, &wanted);
	advance(scene, TTL_MS / 2 - 1);
	assert_int_equal(scene->source.open_count, 0);
	advance(scene, 1);
	assert_int_equal(scene->source.open_count, 1);
	fake_source_confirm(&scene->source, true);
}

static void a_use_outlives_its_source(void **state)
{
	struct scene *scene = *state;

	begin_use(scene);
	cache_drop_source(scene->cache, &scene->source.base);
	advance(scene, TTL_MS);
	assert_int_equal(scene->source.fetches, 1);
	assert_int_equal(scene->changes, 0);
}

static void count_known(void *owner, const struct cache_want *known)
{
	struct scene *scene = owner;

	assert_ptr_equal(known->source, &scene->source.base);
	assert_false(known->is_listing);
	assert_string_equal(known->name, "s");
	if (known->version)
		assert_string_equal(known->version, "v0");
	scene->changes++;
}

static void what_is_known_of_a_source_is_listed(void **state)
{
	struct scene *scene = *state;
	struct cache_want wanted = want(scene);
	struct fake_source other;
	struct told told;

	fake_source_init(&other, "other");
	wanted.version = "v0";
	told = (struct told){ 0 };
	assert_non_null(cache_get(scene->cache, &wanted, on_result, &told));
	cache_each(scene->cache, &scene->source.base, count_known, scene);
	assert_int_equal(scene->changes, 2);
	cache_each(scene->cache, &other.base, count_known, scene);
	assert_int_equal(scene->changes, 2);
	fake_source_answer(&scene->source, "v0", "{}");
}

static void what_is_known_is_told_to_people(void **state)
{
	struct scene *scene = *state;
	struct cache_want wanted = want(scene);
	struct cache_about about;

	advance(scene, 1000);
	cache_tell(scene->cache, &wanted, &about);
	assert_int_equal(about.state, CACHE_FRESH);
	assert_int_equal(about.age_ms, 1000);
	assert_int_equal(about.next_ms, -1);
	assert_null(about.failure);
	begin_use(scene);
	cache_tell(scene->cache, &wanted, &about);
	assert_true(about.is_in_use);
	assert_int_equal(about.next_ms, TTL_MS - 1000);
	advance(scene, TTL_MS);
	fake_source_fail(&scene->source, -EIO);
	cache_tell(scene->cache, &wanted, &about);
	assert_int_equal(about.state, CACHE_STALE);
	assert_int_equal(about.failure->code, -EIO);
	wanted.name = "never";
	cache_tell(scene->cache, &wanted, &about);
	assert_int_equal(about.state, CACHE_EMPTY);
	assert_int_equal(cache_counters(scene->cache)->confirms, 1);
	assert_int_equal(cache_counters(scene->cache)->failures, 1);
}

static void check_answers(const struct scene *scene, uint64_t hits,
			  uint64_t stale, uint64_t misses)
{
	const struct cache_counters *counters = cache_counters(scene->cache);

	assert_int_equal(counters->hits, hits);
	assert_int_equal(counters->stale, stale);
	assert_int_equal(counters->misses, misses);
}

static void answers_are_counted_by_what_they_cost_and_are_worth(void **state)
{
	struct scene *scene = *state;
	struct told told;

	check_answers(scene, 0, 0, 1);
	assert_true(peek(scene, &told));
	check_answers(scene, 1, 0, 1);
	advance(scene, TTL_MS);
	get(scene, &told); /* in vain */
	check_answers(scene, 1, 0, 2);
	fake_source_fail(&scene->source, -EIO);
	assert_string_equal(told.version, "v1");
	check_answers(scene, 1, 1, 2);
	assert_true(peek(scene, &told));
	check_answers(scene, 2, 2, 2);
	advance(scene, 1000);
	get(scene, &told); /* is impatient */
	advance(scene, 2000);
	assert_string_equal(told.version, "v1");
	check_answers(scene, 2, 3, 3);
	get(scene, &told);
	check_answers(scene, 3, 4, 3);
	advance(scene, 0);
	fake_source_confirm(&scene->source, true);
	check_answers(scene, 3, 4, 3);
}

static void how_long_attempts_take_is_counted_by_their_end(void **state)
{
	struct scene *scene = *state;
	const struct cache_counters *counters = cache_counters(scene->cache);
	struct told told;

	assert_int_equal(
		histogram_up_to(&counters->succeeded, HISTOGRAM_BOUNDS), 1);
	assert_int_equal(counters->succeeded.sum_ms, 0);
	advance(scene, TTL_MS);
	get(scene, &told);
	advance(scene, 1500);
	fake_source_confirm(&scene->source, true);
	assert_int_equal(
		histogram_up_to(&counters->succeeded, HISTOGRAM_BOUNDS), 2);
	assert_int_equal(counters->succeeded.sum_ms, 1500);
	assert_int_equal(histogram_up_to(&counters->failed, HISTOGRAM_BOUNDS),
			 0);
	advance(scene, TTL_MS);
	get(scene, &told);
	advance(scene, TIMEOUT_MS);
	assert_int_equal(
		histogram_up_to(&counters->succeeded, HISTOGRAM_BOUNDS), 2);
	assert_int_equal(histogram_up_to(&counters->failed, HISTOGRAM_BOUNDS),
			 1);
	assert_int_equal(counters->failed.sum_ms, TIMEOUT_MS);
}

static void the_end_of_a_value_is_told(void **state)
{
	struct scene *scene = *state;
	struct cache_want wanted = want(scene);
	struct cache_about about;
	struct told told;

	advance(scene, TTL_MS);
	cache_tell(scene->cache, &wanted, &about);
	assert_int_equal(about.left_ms, MAX_STALE_MS - TTL_MS);
	get(scene, &told);
	fake_source_fail(&scene->source, -EACCES);
	advance(scene, 1000);
	cache_tell(scene->cache, &wanted, &about);
	assert_int_equal(about.left_ms, GRACE_MS - 1000);
	wanted.name = "never";
	cache_tell(scene->cache, &wanted, &about);
	assert_int_equal(about.left_ms, -1);
}

#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(past_the_ttl_a_reader_is_patient_for_two_seconds),
		test(a_passing_failure_serves_the_old_value_a_second_at_a_time),
		test(readers_of_an_old_value_ask_a_busy_service_no_more_often),
		test(a_busy_service_is_asked_by_who_has_nothing),
		test(past_max_stale_there_is_only_the_error),
		test(what_nobody_uses_is_not_asked_for),
		test(what_is_in_use_is_confirmed_in_80_to_100_percent),
		test(a_version_that_moved_on_is_fetched_and_told),
		test(reading_is_verified_by_a_fetch_that_changes_nothing),
		test(what_cannot_be_confirmed_is_fetched),
		test(a_refusal_wipes_the_value_after_the_grace),
		test(what_is_missing_here_takes_nothing_back),
		test(no_memory_takes_nothing_back),
		test(a_refusal_that_passes_within_the_grace_changes_nothing),
		test(a_source_without_grace_is_believed_at_once),
		test(an_outage_is_asked_about_less_and_less_often),
		test(the_background_wipes_what_is_past_max_stale),
		test(what_is_in_use_and_not_known_is_fetched_at_once),
		test(a_source_that_tells_is_asked_when_it_tells),
		test(a_refresh_fetches_what_is_in_use_now),
		test(another_TTL_moves_the_next_confirmation),
		test(a_use_outlives_its_source),
		test(what_is_known_of_a_source_is_listed),
		test(what_is_known_is_told_to_people),
		test(answers_are_counted_by_what_they_cost_and_are_worth),
		test(how_long_attempts_take_is_counted_by_their_end),
		test(the_end_of_a_value_is_told),
	};

	return cmocka_run_group_tests_name("cache_use", tests, NULL, NULL);
}
