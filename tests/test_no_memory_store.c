/* SPDX-License-Identifier: Apache-2.0 */
/* The store and the loop under it, with each request for memory refused in
 * turn: who asks is told, nobody is called twice, and nothing is left. */
#include "tests/needs.h"
#include "tests/test.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/secret.h"
#include "loop/loop.h"
#include "store/cache.h"
#include "store/file_source.h"
#include "store/listing.h"
#include "store/value.h"
#include "tests/fail_alloc.h"
#include "tests/fake_source.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char text[] = "{\"a\":\"1\",\"b\":2,\"a\":[3,4],\"\\u20ac\":{}}";

static int make_value(void *owner)
{
	struct value_about about = { .version = "v1", .arn = "arn" };
	struct secret *secret = secret_new(text, strlen(text));
	struct value *value;

	(void)owner;
	if (!secret)
		return -ENOMEM;
	value = value_new(secret, &about);
	secret_unref(secret);
	if (!value)
		return -ENOMEM;
	/* never one that has lost its keys on the way */
	assert_int_equal(value_key_count(value), 3);
	assert_string_equal(value_arn(value), "arn");
	value_unref(value);
	return 0;
}

static void a_value_has_all_its_keys_or_is_none(void **state)
{
	(void)state;
	assert_true(fail_each_alloc(make_value, NULL) > 8);
}

static int make_listing(void *owner)
{
	struct listing *listing = listing_new();
	size_t count = 0;
	char name[16];
	int r = listing ? 0 : -ENOMEM;

	(void)owner;
	while (r == 0 && count < 40) {
		(void)snprintf(name, sizeof(name), "name%zu", count);
		r = listing_add(listing,
				&(struct listing_name){ .name = name,
							.is_secret = true });
		count += r == 0;
	}
	if (listing) {
		assert_int_equal(listing_count(listing), count);
		assert_true((listing_find(listing, "name39") != NULL) ==
			    (count == 40));
	}
	listing_unref(listing);
	return r;
}

static void a_listing_keeps_the_names_it_took(void **state)
{
	(void)state;
	assert_true(fail_each_alloc(make_listing, NULL) > 80);
}

static void count_one(void *owner)
{
	(*(unsigned *)owner)++;
}

static void ignore(void *owner, unsigned events)
{
	(void)owner;
	(void)events;
}

static int turn_loop(void *owner)
{
	struct clock clock = { .is_set = true };
	struct loop *loop = loop_new(&clock);
	int *ends = owner;
	struct loop_timer *timers[20] = { 0 };
	struct loop_watch *watch = NULL;
	unsigned wanted = 0;
	unsigned runs = 0;

	if (!loop)
		return -errno;
	for (size_t i = 0; i < 20; i++) {
		timers[i] = loop_soon(loop, count_one, &runs);
		wanted += timers[i] != NULL;
	}
	watch = loop_watch(loop, ends[0], LOOP_READ, ignore, NULL);
	assert_int_equal(loop_turn(loop, 0), 0);
	assert_int_equal(runs, wanted);
	loop_unwatch(watch);
	loop_free(loop);
	return watch && wanted == 20 ? 0 : -ENOMEM;
}

static void the_loop_runs_what_it_took(void **state)
{
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_true(fail_each_alloc(turn_loop, ends) > 20);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

struct scene {
	struct clock clock;
	struct loop *loop;
	struct cache *cache;
	struct fake_source source;
};

struct told {
	unsigned times;
	int code;
};

static void on_result(void *owner, const struct cache_result *result)
{
	struct told *told = owner;

	told->times++;
	told->code = result->err ? result->err->code : 0;
}

static struct cache_get *get(struct scene *scene, const char *name,
			     struct told *told)
{
	struct cache_want want = {
		.source = &scene->source.base,
		.name = name,
		.is_listing = *name == '\0',
		.ttl_ms = 5000,
		.timeout_ms = 2000,
	};

	return cache_get(scene->cache, &want, on_result, told);
}

static void answer(struct scene *scene, const char *name)
{
	struct listing *listing;

	fail_alloc_pause();
	listing = listing_new();
	if (*name)
		fake_source_answer(&scene->source, "v1", text);
	else
		fake_source_answer_names(&scene->source, listing);
	listing_unref(listing);
	fail_alloc_resume();
}

/* A first get, which needs a fetch, and one that finds the outcome. */
static int ask_twice(struct scene *scene, const char *name)
{
	struct told first = { 0 };
	struct told again = { 0 };
	struct cache_get *getting = get(scene, name, &first);

	if (getting)
		answer(scene, name);
	assert_int_equal(scene->source.open_count, 0);
	assert_int_equal(first.times, getting ? 1 : 0);
	assert_int_equal(first.code, 0);
	if (!getting)
		return -ENOMEM;
	getting = get(scene, name, &again);
	assert_int_equal(again.times, 0);
	/* what could not be looked up is asked for anew */
	if (getting && scene->source.open_count > 0)
		answer(scene, name);
	assert_int_equal(loop_turn(scene->loop, 0), 0);
	assert_int_equal(again.times, getting ? 1 : 0);
	return getting ? 0 : -ENOMEM;
}

/* A get that is taken back, and one that meets its deadline. */
static int ask_in_vain(struct scene *scene)
{
	struct told none = { 0 };
	struct told late = { 0 };
	struct cache_get *getting = get(scene, "b", &none);

	cache_cancel(getting);
	if (!getting || !get(scene, "c", &late))
		return -ENOMEM;
	clock_advance(&scene->clock, 2000);
	assert_int_equal(loop_turn(scene->loop, 0), 0);
	assert_int_equal(none.times, 0);
	assert_int_equal(late.times, 1);
	assert_int_equal(late.code, -EIO);
	assert_int_equal(scene->source.open_count, 0);
	return 0;
}

static int use_cache(void *owner)
{
	static const struct cache_limits limits = {
		.max_entries = 3,
		.negative_ms = 5000,
		.linger_ms = 1000,
	};
	struct scene scene = { .clock.is_set = true };
	int r = -ENOMEM;

	(void)owner;
	scene.loop = loop_new(&scene.clock);
	if (!scene.loop)
		return -errno;
	fake_source_init(&scene.source, "me");
	scene.cache = cache_new(scene.loop, &limits);
	if (scene.cache)
		r = ask_twice(&scene, "a");
	if (r == 0)
		r = ask_twice(&scene, "");
	if (r == 0)
		r = ask_in_vain(&scene);
	cache_free(scene.cache);
	assert_int_equal(scene.source.open_count, 0);
	loop_free(scene.loop);
	return r;
}

static void the_cache_calls_back_once_or_never(void **state)
{
	(void)state;
	assert_true(fail_each_alloc(use_cache, NULL) > 8);
}

static void on_value(void *owner, struct value *value, const struct err *err)
{
	struct told *told = owner;

	assert_true((value == NULL) != (err == NULL));
	told->times++;
	told->code = err ? err->code : 0;
}

static void on_listing(void *owner, struct listing *listing,
		       const struct err *err)
{
	struct told *told = owner;

	assert_true((listing == NULL) != (err == NULL));
	told->times++;
	told->code = err ? err->code : 0;
	if (listing)
		assert_int_equal(listing_count(listing), 1);
}

static const struct source_want app = { .name = "app" };

static int read_files(struct loop *loop, struct source *source)
{
	struct told told[3] = { 0 };
	struct source_call *calls[] = {
		source->operations->fetch(source, &app, on_value, &told[0]),
		source->operations->list(source, "", on_listing, &told[1]),
		source->operations->fetch(source, &app, on_value, &told[2]),
	};
	int r = 0;

	if (calls[2])
		source->operations->cancel(calls[2]);
	assert_int_equal(loop_turn(loop, 0), 0);
	assert_int_equal(told[2].times, 0);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(told[i].times, calls[i] ? 1 : 0);
		/* no code of source.h says "no memory": it may pass */
		assert_true(told[i].code == 0 || told[i].code == -EIO);
		if (!calls[i] || told[i].code != 0)
			r = -ENOMEM;
	}
	return calls[2] ? r : -ENOMEM;
}

static int use_file_source(void *owner)
{
	struct clock clock = { .is_set = true };
	struct loop *loop = loop_new(&clock);
	struct source *source = NULL;
	struct err err = { 0 };
	int r;

	if (!loop)
		return -errno;
	r = file_source_new(loop, owner, &source, &err);
	assert_int_equal(err.code, r);
	if (r == 0) {
		r = read_files(loop, source);
		source->operations->free(source);
	}
	assert_int_equal(loop_turn(loop, 0), 0);
	loop_free(loop);
	return r;
}

static size_t count_open_files(void)
{
	DIR *directory = opendir("/proc/self/fd");
	size_t count = 0;

	assert_non_null(directory);
	while (readdir(directory))
		count++;
	(void)closedir(directory);
	return count;
}

static void files_are_read_or_refused_and_all_closed(void **state)
{
	char directory[] = "/tmp/secretsfs-test-XXXXXX";
	char path[64];
	size_t before;
	int fd;

	(void)state;
	need_openat2();
	assert_non_null(mkdtemp(directory));
	(void)snprintf(path, sizeof(path), "%s/app.json", directory);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	(void)close(fd);
	before = count_open_files();
	assert_true(fail_each_alloc(use_file_source, directory) > 20);
	assert_int_equal(count_open_files(), before);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(directory), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_value_has_all_its_keys_or_is_none),
		cmocka_unit_test(a_listing_keeps_the_names_it_took),
		cmocka_unit_test(the_loop_runs_what_it_took),
		cmocka_unit_test(the_cache_calls_back_once_or_never),
		cmocka_unit_test(files_are_read_or_refused_and_all_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
