/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "base/buf.h"
#include "base/macros.h"
#include "base/secret.h"
#include "store/value.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct value *value_from(const void *bytes, size_t length,
				bool is_binary)
{
	const struct value_about about = {
		.version = "version-1",
		.created_ns = 1700000000123000000,
		.is_binary = is_binary,
	};
	struct secret *secret = secret_new(bytes, length);
	struct value *value;

	assert_non_null(secret);
	value = value_new(secret, &about);
	assert_non_null(value);
	secret_unref(secret);
	return value;
}

static struct value *value_from_text(const char *text)
{
	return value_from(text, strlen(text), false);
}

static void assert_key(const struct value *value, size_t key, const char *name,
		       const char *expected, size_t expected_length)
{
	size_t length;
	const char *bytes = value_key_name(value, key, &length);
	struct buf buf;

	assert_int_equal(length, strlen(name));
	assert_memory_equal(bytes, name, length);
	assert_int_equal(value_key_length(value, key), expected_length);
	buf_init(&buf, SECRET_LENGTH_MAX);
	assert_int_equal(value_key_read(value, key, &buf), 0);
	assert_int_equal(buf.length, expected_length);
	assert_memory_equal(buf_text(&buf), expected, expected_length);
	buf_done(&buf);
}

static void reads_strings_as_bytes_and_the_rest_as_written(void **state)
{
	static const struct {
		const char *text;
		const char *bytes;
		size_t length;
	} cases[] = {
		{ "\"hunter2\"", "hunter2", 7 },
		{ "\"\"", "", 0 },
		{ "\"a\\u0000b\"", "a\0b", 3 },
		{ "\"\\u0000\"", "\0", 1 },
		{ "\"line\\n\"", "line\n", 5 },
		{ "\"\\ud83d\\udd11\"", "\xf0\x9f\x94\x91", 4 },
		{ "\"gr\xc3\xbc\xc3\x9f\"", "gr\xc3\xbc\xc3\x9f", 6 },
		{ "12345678901234567890", "12345678901234567890", 20 },
		{ "1.10", "1.10", 4 },
		{ "-0", "-0", 2 },
		{ "1E+2", "1E+2", 4 },
		{ "1e400", "1e400", 5 },
		{ "9007199254740993", "9007199254740993", 16 },
		{ "true", "true", 4 },
		{ "false", "false", 5 },
		{ "null", "null", 4 },
		{ "[ 1,\t\"\\u0041\" ]", "[ 1,\t\"\\u0041\" ]", 15 },
		{ "{ \"a\" : { } }", "{ \"a\" : { } }", 13 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[100];
		struct value *value;

		(void)snprintf(text, sizeof(text), "{\"key\": %s }",
			       cases[i].text);
		value = value_from_text(text);
		assert_int_equal(value_key_count(value), 1);
		assert_key(value, 0, "key", cases[i].bytes, cases[i].length);
		value_unref(value);
	}
}

static void lists_keys_in_the_order_of_the_text(void **state)
{
	struct value *value = value_from_text(
		"{\"username\":\"kontox\",\"a\":{\"inner\":1},\"port\":5432}");

	(void)state;
	assert_true(value_has_keys(value));
	assert_int_equal(value_key_count(value), 3);
	assert_key(value, 0, "username", "kontox", 6);
	assert_key(value, 1, "a", "{\"inner\":1}", 11);
	assert_key(value, 2, "port", "5432", 4);
	value_unref(value);
}

static void shows_a_repeated_name_once_with_its_last_value(void **state)
{
	struct value *value = value_from_text(
		"{\"a\":1,\"b\":2,\"\\u0061\":3,\"c\":4,\"a\":\"last\"}");

	(void)state;
	assert_int_equal(value_key_count(value), 3);
	assert_key(value, 0, "a", "last", 4);
	assert_key(value, 1, "b", "2", 1);
	assert_key(value, 2, "c", "4", 1);
	value_unref(value);
}

static void decodes_names_with_nul_and_escapes(void **state)
{
	struct value *value = value_from_text(
		"{\"a\\u0000b\":1,\"a\":2,\"\":3,\"gr\\u00fc\\u00df\":4}");
	size_t length;

	(void)state;
	assert_int_equal(value_key_count(value), 4);
	assert_memory_equal(value_key_name(value, 0, &length), "a\0b", 3);
	assert_int_equal(length, 3);
	assert_key(value, 1, "a", "2", 1);
	assert_key(value, 2, "", "3", 1);
	assert_key(value, 3, "gr\xc3\xbc\xc3\x9f", "4", 1);
	value_unref(value);
}

static void has_no_keys_where_it_is_no_object(void **state)
{
	static const char *const texts[] = {
		"",
		"hunter2",
		"\"a string\"",
		"[{\"a\":1}]",
		"42",
		"null",
		"{\"a\":1",
		"{\"a\":1}}",
		"{'a':1}",
		"\xef\xbb\xbf{\"a\":1}",
		"{\"a\":\"\xff\"}",
		"-----BEGIN CERTIFICATE-----\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct value *value = value_from_text(texts[i]);

		assert_false(value_has_keys(value));
		assert_int_equal(value_key_count(value), 0);
		assert_int_equal(secret_length(value_bytes(value)),
				 strlen(texts[i]));
		value_unref(value);
	}
}

static void has_no_keys_where_it_is_binary(void **state)
{
	struct value *value = value_from("{\"a\":1}", 7, true);

	(void)state;
	assert_false(value_has_keys(value));
	assert_int_equal(value_key_count(value), 0);
	assert_memory_equal(secret_bytes(value_bytes(value)), "{\"a\":1}", 7);
	value_unref(value);
}

static void tells_an_empty_object_from_none(void **state)
{
	struct value *value = value_from_text(" { } ");

	(void)state;
	assert_true(value_has_keys(value));
	assert_int_equal(value_key_count(value), 0);
	value_unref(value);
}

static void lives_until_the_last_unref(void **state)
{
	struct value *value = value_from_text("{\"a\":\"b\"}");

	(void)state;
	assert_ptr_equal(value_ref(value), value);
	value_unref(value);
	assert_key(value, 0, "a", "b", 1);
	assert_string_equal(value_version(value), "version-1");
	assert_true(value_created_ns(value) == 1700000000123000000);
	value_unref(value);
	value_unref(NULL);
}

static void cuts_a_version_that_is_too_long(void **state)
{
	char version[VALUE_VERSION_MAX + 10];
	struct value_about about = { .version = version };
	struct secret *secret = secret_new("x", 1);
	struct value *value;

	(void)state;
	memset(version, 'v', sizeof(version));
	version[sizeof(version) - 1] = '\0';
	value = value_new(secret, &about);
	assert_int_equal(strlen(value_version(value)), VALUE_VERSION_MAX);
	value_unref(value);
	secret_unref(secret);
}

static void respects_the_limit_of_the_reader(void **state)
{
	struct value *value =
		value_from_text("{\"s\":\"\\u0041bc\",\"n\":123}");

	(void)state;
	for (size_t key = 0; key < 2; key++) {
		struct buf buf;

		buf_init(&buf, 2);
		assert_int_equal(value_key_read(value, key, &buf), -EFBIG);
		assert_int_equal(buf.length, 0);
		buf_done(&buf);
	}
	value_unref(value);
}

/* As many members as the largest value can hold: a finder that compared each
 * with each would be noticed here. */
static void indexes_the_largest_value(void **state)
{
	char *text = malloc(SECRET_LENGTH_MAX);
	size_t length = 1;
	size_t count = 0;
	struct value *value;

	(void)state;
	assert_non_null(text);
	text[0] = '{';
	while (length + 16 < SECRET_LENGTH_MAX)
		length += (size_t)snprintf(text + length, 16, "\"%zx\":1,",
					   count++);
	text[length - 1] = '}';
	value = value_from(text, length, false);
	assert_int_equal(value_key_count(value), count);
	assert_key(value, 0xabc, "abc", "1", 1);
	value_unref(value);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			reads_strings_as_bytes_and_the_rest_as_written),
		cmocka_unit_test(lists_keys_in_the_order_of_the_text),
		cmocka_unit_test(
			shows_a_repeated_name_once_with_its_last_value),
		cmocka_unit_test(decodes_names_with_nul_and_escapes),
		cmocka_unit_test(has_no_keys_where_it_is_no_object),
		cmocka_unit_test(has_no_keys_where_it_is_binary),
		cmocka_unit_test(tells_an_empty_object_from_none),
		cmocka_unit_test(lives_until_the_last_unref),
		cmocka_unit_test(cuts_a_version_that_is_too_long),
		cmocka_unit_test(respects_the_limit_of_the_reader),
		cmocka_unit_test(indexes_the_largest_value),
	};

	return cmocka_run_group_tests_name("value", tests, NULL, NULL);
}
