/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/heap.h"
#include "base/macros.h"
#include "base/map.h"
#include "base/parse.h"
#include "base/secret.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void wraps_an_error_from_outside_in(void **state)
{
	struct err err;

	(void)state;
	assert_int_equal(err_set(&err, -ENOENT, "no '%s'", "x"), -ENOENT);
	assert_int_equal(err_wrap(&err, "reading %d", 7), -ENOENT);
	assert_string_equal(err.text, "reading 7: no 'x'");
	assert_int_equal(err_set(NULL, -EIO, "nobody listens"), -EIO);
}

static void cuts_an_error_that_is_too_long(void **state)
{
	char long_text[ERR_TEXT_MAX * 2];
	struct err err;

	(void)state;
	memset(long_text, 'x', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	err_set(&err, -EIO, "%s", long_text);
	err_wrap(&err, "%s", long_text);
	assert_int_equal(strlen(err.text), ERR_TEXT_MAX - 1);
}

static void buf_grows_and_keeps_its_bytes(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 100000);
	for (unsigned i = 0; i < 100000; i++) {
		unsigned char byte = (unsigned char)(i * 7);

		assert_int_equal(buf_append(&buf, &byte, 1), 0);
	}
	for (unsigned i = 0; i < 100000; i++)
		assert_int_equal(buf.bytes[i], (unsigned char)(i * 7));
	assert_int_equal(buf.bytes[buf.length], 0);
	assert_int_equal(buf_append(&buf, "x", 1), -EFBIG);
	assert_int_equal(buf.length, 100000);
	buf_done(&buf);
	assert_null(buf.bytes);
}

static void buf_takes_all_of_several_texts_or_none(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 8);
	assert_int_equal(buf_append_texts(&buf, "ab", "", "cd", NULL), 0);
	assert_int_equal(buf_append_texts(&buf, "ef", "ghi", NULL), -EFBIG);
	assert_string_equal(buf_text(&buf), "abcd");
	assert_int_equal(buf_append_texts(&buf, "ef", "gh", NULL), 0);
	assert_string_equal(buf_text(&buf), "abcdefgh");
	buf_done(&buf);
}

static void buf_clear_wipes(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 100);
	assert_string_equal(buf_text(&buf), "");
	assert_int_equal(buf_append_text(&buf, "hunter2"), 0);
	assert_string_equal(buf_text(&buf), "hunter2");
	buf_clear(&buf);
	for (size_t i = 0; i < 7; i++)
		assert_int_equal(buf.bytes[i], 0);
	buf_done(&buf);
}

static void secret_keeps_bytes_until_the_last_unref(void **state)
{
	struct secret *secret = secret_new("a\0b", 3);

	(void)state;
	assert_non_null(secret);
	assert_ptr_equal(secret_ref(secret), secret);
	secret_unref(secret);
	assert_int_equal(secret_length(secret), 3);
	assert_memory_equal(secret_bytes(secret), "a\0b", 3);
	secret_unref(secret);
	secret_unref(NULL);
}

static void secret_refuses_more_than_the_service_stores(void **state)
{
	static char bytes[SECRET_LENGTH_MAX + 1];
	struct secret *secret = secret_new(bytes, SECRET_LENGTH_MAX);

	(void)state;
	assert_non_null(secret);
	secret_unref(secret);
	assert_null(secret_new(bytes, SECRET_LENGTH_MAX + 1));
	assert_int_equal(errno, EFBIG);
}

static void map_finds_what_was_put_and_nothing_else(void **state)
{
	struct map *map = map_new();
	static int values[5000];

	(void)state;
	for (int i = 0; i < 5000; i++)
		assert_int_equal(map_put(map, &i, sizeof(i), &values[i]), 0);
	assert_int_equal(map_put(map, &(int){ 7 }, sizeof(int), values),
			 -EEXIST);
	assert_int_equal(map_count(map), 5000);
	for (int i = 0; i < 5000; i += 2)
		assert_ptr_equal(map_remove(map, &i, sizeof(i)), &values[i]);
	for (int i = 0; i < 5000; i++)
		assert_ptr_equal(map_find(map, &i, sizeof(i)),
				 i % 2 ? &values[i] : NULL);
	assert_null(map_remove(map, "no", 2));
	map_free(map);
	map_free(NULL);
}

static void map_tells_keys_apart_by_length(void **state)
{
	struct map *map = map_new();
	int with_nul;
	int without;

	(void)state;
	assert_int_equal(map_put(map, "a\0", 2, &with_nul), 0);
	assert_int_equal(map_put(map, "a", 1, &without), 0);
	assert_ptr_equal(map_find(map, "a\0", 2), &with_nul);
	assert_ptr_equal(map_find(map, "a", 1), &without);
	map_free(map);
}

static void heap_gives_items_by_time_and_then_by_arrival(void **state)
{
	struct heap heap = { 0 };
	struct heap_item items[200];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(items); i++) {
		items[i].at_ms = (int64_t)(i * 37 % 50);
		assert_int_equal(heap_add(&heap, &items[i]), 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(items); i += 3)
		heap_remove(&heap, &items[i]);
	for (const struct heap_item *last = NULL; heap_first(&heap);) {
		struct heap_item *item = heap_first(&heap);

		heap_remove(&heap, item);
		assert_int_not_equal((item - items) % 3, 0);
		if (last)
			assert_true(last->at_ms < item->at_ms ||
				    (last->at_ms == item->at_ms &&
				     last->order < item->order));
		last = item;
	}
	heap_done(&heap);
}

static void parses_durations_as_people_write_them(void **state)
{
	static const struct {
		const char *text;
		int code;
		int64_t ms;
	} cases[] = {
		{ "90", 0, 90000 },	 { "0", 0, 0 },
		{ "90s", 0, 90000 },	 { "500ms", 0, 500 },
		{ "5m", 0, 300000 },	 { "1h30m", 0, 5400000 },
		{ "2d", 0, 172800000 },	 { "1m500ms", 0, 60500 },
		{ "", -EINVAL, 0 },	 { "5x", -EINVAL, 0 },
		{ "m", -EINVAL, 0 },	 { "-5s", -EINVAL, 0 },
		{ " 5s", -EINVAL, 0 },	 { "5s ", -EINVAL, 0 },
		{ "30m1h", -EINVAL, 0 }, { "5m5m", -EINVAL, 0 },
		{ "5.5s", -EINVAL, 0 },	 { "99999999999d", -ERANGE, 0 },
		{ "4000d", -ERANGE, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int64_t ms = -1;

		assert_int_equal(parse_duration_ms(cases[i].text, &ms),
				 cases[i].code);
		assert_int_equal(ms, cases[i].code ? -1 : cases[i].ms);
	}
}

static void parses_numbers_strictly(void **state)
{
	uint64_t number = 0;
	unsigned mode = 0;

	(void)state;
	assert_int_equal(
		parse_decimal("18446744073709551615", UINT64_MAX, &number), 0);
	assert_true(number == UINT64_MAX);
	assert_int_equal(
		parse_decimal("18446744073709551616", UINT64_MAX, &number),
		-ERANGE);
	assert_int_equal(parse_decimal("11", 10, &number), -ERANGE);
	assert_int_equal(parse_decimal("+1", 10, &number), -EINVAL);
	assert_int_equal(parse_decimal("", 10, &number), -EINVAL);
	assert_int_equal(parse_octal("0444", 0777, &mode), 0);
	assert_int_equal(mode, 0444);
	assert_int_equal(parse_octal("1000", 0777, &mode), -ERANGE);
	assert_int_equal(parse_octal("0448", 0777, &mode), -EINVAL);
}

static void a_set_clock_moves_only_when_told(void **state)
{
	struct clock clock = { 0 };

	(void)state;
	assert_true(clock_wall_s(&clock) > 1700000000);
	clock_set(&clock, 1000, 50);
	assert_int_equal(clock_now_ms(&clock), 1000);
	clock_advance(&clock, 2500);
	assert_int_equal(clock_now_ms(&clock), 3500);
	assert_int_equal(clock_wall_s(&clock), 52);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wraps_an_error_from_outside_in),
		cmocka_unit_test(cuts_an_error_that_is_too_long),
		cmocka_unit_test(buf_grows_and_keeps_its_bytes),
		cmocka_unit_test(buf_takes_all_of_several_texts_or_none),
		cmocka_unit_test(buf_clear_wipes),
		cmocka_unit_test(secret_keeps_bytes_until_the_last_unref),
		cmocka_unit_test(secret_refuses_more_than_the_service_stores),
		cmocka_unit_test(map_finds_what_was_put_and_nothing_else),
		cmocka_unit_test(map_tells_keys_apart_by_length),
		cmocka_unit_test(heap_gives_items_by_time_and_then_by_arrival),
		cmocka_unit_test(parses_durations_as_people_write_them),
		cmocka_unit_test(parses_numbers_strictly),
		cmocka_unit_test(a_set_clock_moves_only_when_told),
	};

	return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
