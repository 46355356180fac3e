/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "base/macros.h"
#include "store/cache.h"
#include "store/want_key.h"

#include <string.h>

#define KEY_MAX 64

static struct source me = { .identity = "me" };
static struct source other = { .identity = "other" };

/* No two of these are the same, however their texts are cut. */
static const struct cache_want wants[] = {
	{ .source = &me, .name = "s" },
	{ .source = &other, .name = "s" },
	{ .source = &me, .name = "s", .is_listing = true },
	{ .source = &me, .name = "" },
	{ .source = &me, .name = "", .is_listing = true },
	{ .source = &me, .name = "ss" },
	{ .source = &me, .name = "s", .version = "a" },
	{ .source = &me, .name = "s", .stage = "a" },
	{ .source = &me, .name = "s", .version = "" },
	{ .source = &me, .name = "s", .stage = "" },
	{ .source = &me, .name = "s", .version = "a", .stage = "b" },
	{ .source = &me, .name = "s", .version = "a=b" },
	{ .source = &me, .name = "s", .version = "ab" },
	{ .source = &me, .name = "s=a" },
	{ .source = &me, .name = "s", .stage = SOURCE_STAGE_CURRENT },
};

static bool begin_alike(const char *a, size_t a_length, const char *b,
			size_t b_length)
{
	size_t length = a_length < b_length ? a_length : b_length;

	return memcmp(a, b, length) == 0;
}

static void no_key_is_the_beginning_of_another(void **state)
{
	char keys[ARRAY_SIZE(wants)][KEY_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wants); i++) {
		size_t length = want_key_length(&wants[i]);

		assert_in_range(length, 1, KEY_MAX);
		(void)want_key_write(&wants[i], keys[i]);
		for (size_t j = 0; j < i; j++)
			assert_false(begin_alike(keys[i], length, keys[j],
						 want_key_length(&wants[j])));
	}
}

/* Just as long as it says, and the same for the same want. */
static void a_key_is_as_long_as_it_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wants); i++) {
		size_t length = want_key_length(&wants[i]);
		char first[KEY_MAX + 1] = { 0 };
		char second[KEY_MAX + 1] = { 0 };

		first[length] = 'x';
		second[length] = 'x';
		(void)want_key_write(&wants[i], first);
		(void)want_key_write(&wants[i], second);
		assert_int_equal(first[length], 'x');
		assert_int_equal(first[length - 1], '\0');
		assert_memory_equal(first, second, length);
	}
}

static bool is_inside(const char *text, const char *key, size_t length)
{
	return text >= key && text + strlen(text) < key + length;
}

static void what_is_asked_for_stands_in_the_key(void **state)
{
	const struct cache_want *want = &wants[10];
	size_t length = want_key_length(want);
	char key[KEY_MAX];
	struct source_want what = want_key_write(want, key);

	(void)state;
	assert_string_equal(what.name, "s");
	assert_string_equal(what.version, "a");
	assert_string_equal(what.stage, "b");
	assert_true(is_inside(what.name, key, length));
	assert_true(is_inside(what.version, key, length));
	assert_true(is_inside(what.stage, key, length));
	what = want_key_write(&wants[0], key);
	assert_null(what.version);
	assert_null(what.stage);
}

static void all_of_a_name_begin_alike(void **state)
{
	size_t length = want_key_name_length(&wants[0]);
	char plain[KEY_MAX];
	char special[KEY_MAX];

	(void)state;
	(void)want_key_write(&wants[0], plain);
	(void)want_key_write(&wants[10], special);
	assert_int_equal(want_key_name_length(&wants[10]), length);
	assert_memory_equal(plain, special, length);
	(void)want_key_write(&wants[5], special);
	assert_memory_not_equal(plain, special, length);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_key_is_the_beginning_of_another),
		cmocka_unit_test(a_key_is_as_long_as_it_says),
		cmocka_unit_test(what_is_asked_for_stands_in_the_key),
		cmocka_unit_test(all_of_a_name_begin_alike),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
