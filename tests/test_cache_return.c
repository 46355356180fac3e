/* SPDX-License-Identifier: Apache-2.0 */
/* What is in use while its source does not answer, and when it does again. */
#include "tests/test.h"

#include "base/clock.h"
#include "base/err.h"
#include "loop/loop.h"
#include "store/cache.h"
#include "store/value.h"
#include "tests/fake_source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TTL_MS 300000
#define MANY 1000
#define STEP_MS 100

/* As cache_return.c has them. */
#define SCOUT_MIN_MS 4000
#define SCOUT_MAX_MS 5000
#define RETURN_MS (MANY * 20)
#define RETURN_PER_S 50

struct scene {
	struct clock clock;
	struct loop *loop;
	struct cache *cache;
	struct fake_source source;
	struct cache_use *uses[MANY];
	size_t count;
	uint32_t random;
	unsigned changes;
};

/* The same numbers each time. */
static uint32_t draw(void *owner, uint32_t below)
{
	struct scene *scene = owner;

	scene->random = scene->random * 1664525U + 1013904223U;
	return (uint32_t)(((uint64_t)scene->random * below) >> 32);
}

static void on_change(void *owner, const struct cache_result *result)
{
	struct scene *scene = owner;

	if (result->value && strcmp(value_version(result->value), "v2") == 0)
		scene->changes++;
}

static int set_up(void **state)
{
	static const struct cache_limits limits = { .max_entries = 2UL * MANY,
						    .negative_ms = 5000,
						    .linger_ms = 1000,
						    .patience_ms = 2000,
						    .stale_ms = 1000 };
	struct scene *scene = calloc(1, sizeof(*scene));

	assert_non_null(scene);
	clock_set(&scene->clock, 1000000, 1700000000);
	scene->loop = loop_new(&scene->clock);
	scene->cache = cache_new(scene->loop, &limits);
	cache_set_random(scene->cache, draw, scene);
	fake_source_init(&scene->source, "me");
	*state = scene;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *scene = *state;

	for (size_t i = 0; i < scene->count; i++)
		cache_use_end(scene->uses[i]);
	cache_free(scene->cache);
	assert_int_equal(scene->source.open_count, 0);
	loop_free(scene->loop);
	free(scene);
	return 0;
}

static void advance(struct scene *scene, int64_t by_ms)
{
	clock_advance(&scene->clock, by_ms);
	assert_int_equal(loop_turn(scene->loop, 0), 0);
}

static void answer_all(struct scene *scene, const char *version)
{
	while (scene->source.open_count > 0)
		fake_source_answer(&scene->source, version, "x");
}

/* How many there were. */
static unsigned fail_all(struct scene *scene, int code)
{
	unsigned count = 0;

	for (; scene->source.open_count > 0; count++)
		fake_source_fail(&scene->source, code);
	return count;
}

static void use(struct scene *scene, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char name[16];
		struct cache_want want = { .source = &scene->source.base,
					   .name = name,
					   .ttl_ms = TTL_MS,
					   .timeout_ms = 20000,
					   .max_stale_ms = 86400000,
					   .verify_ms = 900000 };

		(void)snprintf(name, sizeof(name), "s%zu", i);
		scene->uses[i] =
			cache_use_begin(scene->cache, &want, on_change, scene);
		assert_non_null(scene->uses[i]);
	}
	scene->count = count;
	advance(scene, 0);
	assert_int_equal(scene->source.open_count, count);
	answer_all(scene, "v1");
}

/* That many secrets in use, whose pauses have grown to their longest. */
static void lose(struct scene *scene, size_t count, int code)
{
	use(scene, count);
	advance(scene, TTL_MS);
	for (unsigned i = 0; i < 8; i++) {
		assert_int_equal(fail_all(scene, code), count);
		advance(scene, 60000);
	}
	assert_int_equal(fail_all(scene, code), count);
}

/* How many are asked for in that time, where none is answered. */
static unsigned asked_within(struct scene *scene, int64_t time_ms, int code)
{
	unsigned count = 0;

	for (int64_t at_ms = 0; at_ms < time_ms; at_ms += STEP_MS) {
		advance(scene, STEP_MS);
		count += fail_all(scene, code);
	}
	return count;
}

static void return_now(struct scene *scene)
{
	struct source *source = &scene->source.base;

	source->is_away = false;
	source->on_return(source->on_change_owner, source);
	/* not from within */
	assert_int_equal(scene->source.open_count, 0);
}

static void one_is_sent_ahead_while_the_source_is_away(void **state)
{
	struct scene *scene = *state;
	unsigned asked;

	scene->source.base.is_away = true;
	lose(scene, 3, -EIO);
	asked = asked_within(scene, SCOUT_MAX_MS, -EIO);
	assert_in_range(asked, 1, 2);
	asked = asked_within(scene, 600000, -EIO);
	/* and each has its pause of 48 to 60 s */
	assert_in_range(asked, 600000 / SCOUT_MAX_MS,
			600000 / SCOUT_MIN_MS + 3 * (600000 / 48000 + 1));
}

static void a_thousand_send_no_more_than_one_ahead(void **state)
{
	struct scene *scene = *state;
	unsigned without;
	unsigned with;

	lose(scene, MANY, -EIO);
	without = asked_within(scene, 120000, -EIO);
	scene->source.base.is_away = true;
	with = asked_within(scene, 120000, -EIO);
	assert_in_range(without, MANY, 3 * MANY);
	assert_in_range(with, without - MANY / 10,
			without + MANY / 10 + 120000 / SCOUT_MIN_MS);
}

static void nobody_is_sent_to_a_source_that_is_not_away(void **state)
{
	struct scene *scene = *state;

	lose(scene, 3, -EIO);
	assert_int_equal(asked_within(scene, 40000, -EIO), 0);
}

/* Nothing of them in 40 s of being away, and nothing of a return. */
static void check_not_lost(struct scene *scene, int code)
{
	scene->source.base.is_away = true;
	assert_int_equal(asked_within(scene, 40000, code), 0);
	return_now(scene);
	assert_int_equal(asked_within(scene, 1000, code), 0);
}

static void a_service_that_is_busy_is_not_away(void **state)
{
	lose(*state, 3, -EBUSY);
	check_not_lost(*state, -EBUSY);
}

static void what_is_refused_is_not_lost(void **state)
{
	struct scene *scene = *state;

	use(scene, 3);
	advance(scene, TTL_MS);
	assert_int_equal(fail_all(scene, -EACCES), 3);
	check_not_lost(scene, -EACCES);
}

static void when_it_is_back_all_are_asked_for_once_and_spread(void **state)
{
	struct scene *scene = *state;
	unsigned seen = 0;
	unsigned most = 0;

	lose(scene, MANY, -EIO);
	return_now(scene);
	for (unsigned second = 0; second < RETURN_MS / 1000; second++) {
		unsigned count = 0;

		for (unsigned i = 0; i < 1000 / STEP_MS; i++) {
			advance(scene, STEP_MS);
			count += (unsigned)scene->source.open_count;
			answer_all(scene, "v2");
		}
		seen += count;
		most = count > most ? count : most;
	}
	assert_int_equal(seen, MANY);
	assert_in_range(most, RETURN_PER_S, 2 * RETURN_PER_S);
	/* who only watches has heard of what changed meanwhile */
	assert_int_equal(scene->changes, MANY);
	assert_int_equal(asked_within(scene, 60000, -EIO), 0);
}

static void a_few_are_back_within_a_second(void **state)
{
	struct scene *scene = *state;

	lose(scene, 3, -EIO);
	return_now(scene);
	for (unsigned i = 0; i < 1000 / STEP_MS; i++) {
		advance(scene, STEP_MS);
		answer_all(scene, "v2");
	}
	assert_int_equal(scene->changes, 3);
}

/* A network that comes and goes asks no more than once for each return. */
static void what_fails_again_has_its_long_pause(void **state)
{
	struct scene *scene = *state;

	lose(scene, 3, -EIO);
	for (unsigned i = 0; i < 5; i++) {
		return_now(scene);
		assert_int_equal(asked_within(scene, 1000, -EIO), 3);
		assert_int_equal(asked_within(scene, 5000, -EIO), 0);
	}
}

static void what_is_planned_sooner_stays_so(void **state)
{
	struct scene *scene = *state;

	lose(scene, 1, -EIO);
	(void)cache_refresh(scene->cache, NULL);
	return_now(scene);
	advance(scene, 0);
	assert_int_equal(scene->source.open_count, 1);
	answer_all(scene, "v2");
}

static void
a_return_is_not_forgotten_when_another_begins_to_use_it(void **state)
{
	struct scene *scene = *state;
	struct cache_want want = { .source = &scene->source.base,
				   .name = "s0",
				   .ttl_ms = TTL_MS,
				   .timeout_ms = 20000,
				   .max_stale_ms = 86400000,
				   .verify_ms = 900000 };

	lose(scene, 1, -EIO);
	return_now(scene);
	scene->uses[scene->count++] =
		cache_use_begin(scene->cache, &want, on_change, scene);
	assert_int_equal(asked_within(scene, 1000, -EIO), 1);
}

static void what_is_not_in_use_is_left_alone(void **state)
{
	struct scene *scene = *state;

	lose(scene, 2, -EIO);
	cache_use_end(scene->uses[--scene->count]);
	return_now(scene);
	assert_int_equal(asked_within(scene, 1000, -EIO), 1);
}

static void a_source_that_is_dropped_sends_nobody(void **state)
{
	struct scene *scene = *state;

	scene->source.base.is_away = true;
	lose(scene, 2, -EIO);
	cache_drop_source(scene->cache, &scene->source.base);
	assert_null(scene->source.base.on_return);
	assert_int_equal(asked_within(scene, 60000, -EIO), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(one_is_sent_ahead_while_the_source_is_away),
		TEST(a_thousand_send_no_more_than_one_ahead),
		TEST(nobody_is_sent_to_a_source_that_is_not_away),
		TEST(a_service_that_is_busy_is_not_away),
		TEST(what_is_refused_is_not_lost),
		TEST(when_it_is_back_all_are_asked_for_once_and_spread),
		TEST(a_few_are_back_within_a_second),
		TEST(what_fails_again_has_its_long_pause),
		TEST(what_is_planned_sooner_stays_so),
		TEST(a_return_is_not_forgotten_when_another_begins_to_use_it),
		TEST(what_is_not_in_use_is_left_alone),
		TEST(a_source_that_is_dropped_sends_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
