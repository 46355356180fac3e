/* SPDX-License-Identifier: Apache-2.0 */
/* Every piece of base, with each of its requests for memory refused in turn:
 * the call says -ENOMEM, what was there stays, and nothing is left behind. */
#include "tests/test.h"

#include "base/base64.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/heap.h"
#include "base/jdoc.h"
#include "base/macros.h"
#include "base/map.h"
#include "base/secret.h"
#include "tests/fail_alloc.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define ENTRIES 100

static int grow_buf(void *owner)
{
	char piece[3000];
	cleanup_buf struct buf buf;
	int r = 0;

	(void)owner;
	memset(piece, 'x', sizeof(piece));
	buf_init(&buf, 100000);
	while (r == 0 && buf.length < 30000) {
		size_t before = buf.length;

		r = buf_append_texts(&buf, "a", "", "b", NULL);
		if (r == 0)
			r = buf_append(&buf, piece, sizeof(piece));
		if (r < 0 && buf.length != before)
			assert_int_equal(buf.length, before + 2);
	}
	assert_int_equal(strlen(buf_text(&buf)), buf.length);
	for (size_t i = 0; i < buf.length; i++)
		assert_non_null(memchr("abx", buf.bytes[i], 3));
	return r;
}

static void buf_keeps_what_it_has(void **state)
{
	(void)state;
	assert_true(fail_each_alloc(grow_buf, NULL) > 0);
}

static int fill_map(void *owner)
{
	struct map *map = map_new();
	size_t count = 0;
	char key[16];
	int r = map ? 0 : -ENOMEM;

	(void)owner;
	while (r == 0 && count < ENTRIES) {
		(void)snprintf(key, sizeof(key), "key %zu", count);
		r = map_put(map, key, strlen(key), map);
		count += r == 0;
	}
	if (map)
		assert_int_equal(map_count(map), count);
	for (size_t i = 0; i < ENTRIES && map; i++) {
		(void)snprintf(key, sizeof(key), "key %zu", i);
		assert_true((map_find(map, key, strlen(key)) != NULL) ==
			    (i < count));
	}
	map_free(map);
	return r;
}

static void map_holds_what_it_took(void **state)
{
	(void)state;
	assert_true(fail_each_alloc(fill_map, NULL) > ENTRIES);
}

static int fill_heap(void *owner)
{
	struct heap heap = { 0 };
	struct heap_item items[ENTRIES];
	size_t count = 0;
	int r = 0;

	(void)owner;
	while (r == 0 && count < ENTRIES) {
		items[count].at_ms = (int64_t)(ENTRIES - count);
		r = heap_add(&heap, &items[count]);
		count += r == 0;
	}
	for (size_t left = count; left > 0; left--) {
		assert_ptr_equal(heap_first(&heap), &items[left - 1]);
		heap_remove(&heap, &items[left - 1]);
	}
	assert_null(heap_first(&heap));
	heap_done(&heap);
	return r;
}

static void heap_keeps_its_order(void **state)
{
	(void)state;
	assert_true(fail_each_alloc(fill_heap, NULL) > 0);
}

static int make_secret(void *owner)
{
	struct secret *secret = secret_new("value", 5);
	int r = secret ? 0 : -errno;

	(void)owner;
	secret_unref(secret);
	return r;
}

static void secret_says_so(void **state)
{
	(void)state;
	/* The pool's refusal alone is survived: the secret is sealed then. */
	assert_int_equal(fail_each_alloc(make_secret, NULL), 3);
}

static int decode_base64(void *owner)
{
	cleanup_buf struct buf out;
	int r;

	(void)owner;
	buf_init(&out, 100);
	r = base64_decode("AP+AIQ==", 8, &out);
	assert_int_equal(out.length, r == 0 ? 4 : 0);
	return r;
}

static void base64_leaves_out_as_it_was(void **state)
{
	(void)state;
	assert_true(fail_each_alloc(decode_base64, NULL) > 0);
}

/* Twenty nodes and more, so that the index has to grow. */
static int read_json(void *owner)
{
	static const char text[] =
		"{\"a\":[1,2,3,4,5,6,7,8,9,10,11,12,13,14],\"b\":{\"c\":null},"
		"\"d\":\"\\u20acuro\",\"e\":true,\"f\":1.10}";
	cleanup_jdoc struct jdoc *doc = NULL;
	cleanup_buf struct buf out;
	struct err err = { 0 };
	int r;

	(void)owner;
	buf_init(&out, 100);
	r = jdoc_parse(text, strlen(text), &doc, &err);
	assert_true((r == 0) == (doc != NULL));
	assert_int_equal(err.code, r);
	if (r == 0)
		r = jdoc_string(doc, jdoc_member(doc, 0, "d", 1), &out);
	assert_string_equal(buf_text(&out), r == 0 ? "\xe2\x82\xacuro" : "");
	return r;
}

static void jdoc_is_whole_or_not_there(void **state)
{
	(void)state;
	assert_true(fail_each_alloc(read_json, NULL) > 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buf_keeps_what_it_has),
		cmocka_unit_test(map_holds_what_it_took),
		cmocka_unit_test(heap_keeps_its_order),
		cmocka_unit_test(secret_says_so),
		cmocka_unit_test(base64_leaves_out_as_it_was),
		cmocka_unit_test(jdoc_is_whole_or_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
