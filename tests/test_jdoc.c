/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/jdoc.h"
#include "base/macros.h"

#include <errno.h>
#include <string.h>

static struct jdoc *parse(const char *text)
{
	struct jdoc *doc = NULL;
	struct err err = { 0 };

	if (jdoc_parse(text, strlen(text), &doc, &err) < 0)
		fail_msg("%s", err.text);
	return doc;
}

static void assert_raw(const struct jdoc *doc, jdoc_node node,
		       const char *expected)
{
	size_t length;
	const char *raw = jdoc_raw(doc, node, &length);

	assert_int_equal(length, strlen(expected));
	assert_memory_equal(raw, expected, length);
}

static void assert_string(const struct jdoc *doc, jdoc_node node,
			  const char *expected, size_t length)
{
	struct buf buf;

	assert_int_equal(jdoc_string_length(doc, node), length);
	assert_true(jdoc_string_is(doc, node, expected, length));
	buf_init(&buf, 100);
	assert_int_equal(buf_append(&buf, "<", 1), 0);
	assert_int_equal(jdoc_string(doc, node, &buf), 0);
	assert_int_equal(buf.length, 1 + length);
	assert_memory_equal(buf.bytes + 1, expected, length);
	assert_int_equal(buf.bytes[buf.length], 0);
	buf_done(&buf);
}

static void tells_each_type(void **state)
{
	static const struct {
		const char *text;
		enum jdoc_type type;
	} cases[] = {
		{ "null", JDOC_NULL },	   { "false", JDOC_FALSE },
		{ "true", JDOC_TRUE },	   { "0", JDOC_NUMBER },
		{ "-1.5", JDOC_NUMBER },   { "\"\"", JDOC_STRING },
		{ "[]", JDOC_ARRAY },	   { "{}", JDOC_OBJECT },
		{ "[1,[2]]", JDOC_ARRAY }, { "{\"a\":{}}", JDOC_OBJECT },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_jdoc struct jdoc *doc = parse(cases[i].text);

		assert_int_equal(jdoc_type(doc, 0), cases[i].type);
		assert_raw(doc, 0, cases[i].text);
		assert_int_equal(jdoc_next(doc, 0), JDOC_NONE);
		assert_int_equal(jdoc_name(doc, 0), JDOC_NONE);
	}
}

static void keeps_numbers_and_structure_as_written(void **state)
{
	static const char *const texts[] = {
		"12345678901234567890",
		"1.10",
		"-0",
		"0.0",
		"1E+2",
		"1e-0",
		"9007199254740993",
		"1e400",
		"[ 1 , 2 ]",
		"{ \"a\" : [ ] }",
		"\"\\u0041\\/\"",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		cleanup_jdoc struct jdoc *doc = parse(texts[i]);

		assert_raw(doc, 0, texts[i]);
	}
}

static void leaves_blanks_around_the_value_out(void **state)
{
	cleanup_jdoc struct jdoc *doc = parse(" \t\r\n[ 1 ]\n");

	(void)state;
	assert_raw(doc, 0, "[ 1 ]");
	assert_raw(doc, jdoc_first(doc, 0), "1");
}

static void walks_children_in_order(void **state)
{
	cleanup_jdoc struct jdoc *doc =
		parse("[10,[11,{\"x\":[]}],\"12\",{},[],13]");
	static const char *const expected[] = { "10",	  "[11,{\"x\":[]}]",
						"\"12\"", "{}",
						"[]",	  "13" };
	size_t i = 0;

	(void)state;
	assert_int_equal(jdoc_count(doc, 0), ARRAY_SIZE(expected));
	for (jdoc_node node = jdoc_first(doc, 0); node != JDOC_NONE;
	     node = jdoc_next(doc, node)) {
		assert_true(i < ARRAY_SIZE(expected));
		assert_int_equal(jdoc_name(doc, node), JDOC_NONE);
		assert_raw(doc, node, expected[i++]);
	}
	assert_int_equal(i, ARRAY_SIZE(expected));
}

static void walks_members_with_their_names(void **state)
{
	cleanup_jdoc struct jdoc *doc =
		parse("{\"a\" : 1, \"b\": {\"c\":2}, \"a\":[3]}");
	static const char *const expected[] = { "\"a\"",     "1",     "\"b\"",
						"{\"c\":2}", "\"a\"", "[3]" };
	size_t i = 0;

	(void)state;
	assert_int_equal(jdoc_count(doc, 0), 3);
	for (jdoc_node node = jdoc_first(doc, 0); node != JDOC_NONE;
	     node = jdoc_next(doc, node)) {
		jdoc_node name = jdoc_name(doc, node);

		assert_raw(doc, name, expected[i++]);
		assert_raw(doc, node, expected[i++]);
		assert_int_equal(jdoc_next(doc, name), JDOC_NONE);
		assert_int_equal(jdoc_name(doc, name), JDOC_NONE);
	}
	assert_int_equal(i, ARRAY_SIZE(expected));
}

static void finds_members_by_decoded_name_and_the_last_one(void **state)
{
	cleanup_jdoc struct jdoc *doc =
		parse("{\"a\":1,\"\\u0061\":2,\"a\\u0000\":3,\"\":4,"
		      "\"\\ud83d\\udd11\":5,\"ab\":6,\"o\":{\"a\":7}}");
	jdoc_node object = jdoc_member(doc, 0, "o", 1);

	(void)state;
	assert_raw(doc, jdoc_member(doc, 0, "a", 1), "2");
	assert_raw(doc, jdoc_member(doc, 0, "a\0", 2), "3");
	assert_raw(doc, jdoc_member(doc, 0, "", 0), "4");
	assert_raw(doc, jdoc_member(doc, 0, "\xf0\x9f\x94\x91", 4), "5");
	assert_raw(doc, jdoc_member(doc, object, "a", 1), "7");
	assert_int_equal(jdoc_member(doc, 0, "b", 1), JDOC_NONE);
	assert_int_equal(jdoc_member(doc, 0, "A", 1), JDOC_NONE);
	assert_int_equal(jdoc_member(doc, object, "o", 1), JDOC_NONE);
}

static void asks_only_objects_for_members(void **state)
{
	cleanup_jdoc struct jdoc *doc = parse("[\"a\",{\"a\":1}]");

	(void)state;
	assert_int_equal(jdoc_member(doc, 0, "a", 1), JDOC_NONE);
	assert_int_equal(jdoc_member(doc, jdoc_first(doc, 0), "a", 1),
			 JDOC_NONE);
}

static void takes_no_node_as_a_null(void **state)
{
	cleanup_jdoc struct jdoc *doc = parse("{}");
	jdoc_node none = jdoc_member(doc, jdoc_member(doc, 0, "a", 1), "b", 1);
	int64_t number = 5;
	struct buf buf;

	(void)state;
	assert_int_equal(none, JDOC_NONE);
	assert_int_equal(jdoc_type(doc, none), JDOC_NULL);
	assert_raw(doc, none, "");
	assert_int_equal(jdoc_first(doc, none), JDOC_NONE);
	assert_int_equal(jdoc_next(doc, none), JDOC_NONE);
	assert_int_equal(jdoc_name(doc, none), JDOC_NONE);
	assert_int_equal(jdoc_count(doc, none), 0);
	assert_int_equal(jdoc_string_length(doc, none), 0);
	assert_false(jdoc_string_is(doc, none, "", 0));
	buf_init(&buf, 10);
	assert_int_equal(jdoc_string(doc, none, &buf), -EINVAL);
	assert_int_equal(jdoc_integer(doc, none, &number), -EINVAL);
	assert_int_equal(number, 5);
	buf_done(&buf);
}

static void decodes_strings(void **state)
{
	static const struct {
		const char *text;
		const char *bytes;
		size_t length;
	} cases[] = {
		{ "\"\"", "", 0 },
		{ "\"plain\"", "plain", 5 },
		{ "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t", 8 },
		{ "\"\\u0000\"", "\0", 1 },
		{ "\"x\\u0000y\"", "x\0y", 3 },
		{ "\"\\u0041\\u00e9\\u20AC\"", "A\xc3\xa9\xe2\x82\xac", 6 },
		{ "\"\\u007f\\u0080\\u07FF\\u0800\"",
		  "\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80", 8 },
		{ "\"\\ud7ff\\ue000\\uffff\"",
		  "\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf", 9 },
		{ "\"\\ud800\\udc00\"", "\xf0\x90\x80\x80", 4 },
		{ "\"\\uDBFF\\uDFFF\"", "\xf4\x8f\xbf\xbf", 4 },
		{ "\"gr\xc3\xbc\xc3\x9f \xf0\x9f\x94\x91\"",
		  "gr\xc3\xbc\xc3\x9f \xf0\x9f\x94\x91", 11 },
		{ "\"\x7f\xc2\x80\xef\xbf\xbf\xf4\x8f\xbf\xbf\"",
		  "\x7f\xc2\x80\xef\xbf\xbf\xf4\x8f\xbf\xbf", 10 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_jdoc struct jdoc *doc = parse(cases[i].text);

		assert_string(doc, 0, cases[i].bytes, cases[i].length);
		assert_int_equal(jdoc_count(doc, 0), 0);
		assert_int_equal(jdoc_first(doc, 0), JDOC_NONE);
	}
}

static void compares_strings_exactly(void **state)
{
	cleanup_jdoc struct jdoc *doc = parse("[\"a\\u0062c\",1]");
	jdoc_node string = jdoc_first(doc, 0);

	(void)state;
	assert_true(jdoc_string_is(doc, string, "abc", 3));
	assert_false(jdoc_string_is(doc, string, "abd", 3));
	assert_false(jdoc_string_is(doc, string, "xbc", 3));
	assert_false(jdoc_string_is(doc, string, "axc", 3));
	assert_false(jdoc_string_is(doc, string, "abcd", 4));
	assert_false(jdoc_string_is(doc, string, "ab", 2));
	assert_false(jdoc_string_is(doc, jdoc_next(doc, string), "1", 1));
}

static void strings_keep_to_the_limit_of_their_buf(void **state)
{
	cleanup_jdoc struct jdoc *doc = parse("[\"abc\",7]");
	jdoc_node string = jdoc_first(doc, 0);
	struct buf buf;

	(void)state;
	buf_init(&buf, 2);
	assert_int_equal(jdoc_string(doc, string, &buf), -EFBIG);
	assert_int_equal(jdoc_string(doc, jdoc_next(doc, string), &buf),
			 -EINVAL);
	assert_int_equal(buf.length, 0);
	buf_done(&buf);
}

static void reads_the_integer_part_of_numbers(void **state)
{
	static const struct {
		const char *text;
		int code;
		int64_t number;
	} cases[] = {
		{ "0", 0, 0 },
		{ "-0", 0, 0 },
		{ "42", 0, 42 },
		{ "-42", 0, -42 },
		{ "1.7E9", 0, 1700000000 },
		{ "1.700000000123e9", 0, 1700000000 },
		{ "1700000000.123", 0, 1700000000 },
		{ "1.6E+1", 0, 16 },
		{ "0.999", 0, 0 },
		{ "-1.999", 0, -1 },
		{ "12345e-3", 0, 12 },
		{ "12345e-9", 0, 0 },
		{ "0.0000012e7", 0, 12 },
		{ "1e18", 0, 1000000000000000000 },
		{ "0e999999999999999999999", 0, 0 },
		{ "0.000e999999999999999999999", 0, 0 },
		{ "1e-999999999999999999999", 0, 0 },
		{ "9223372036854775807", 0, INT64_MAX },
		{ "9223372036854775807.9", 0, INT64_MAX },
		{ "92233720368547758070e-1", 0, INT64_MAX },
		{ "-9223372036854775808", 0, INT64_MIN },
		{ "9223372036854775808", -ERANGE, 0 },
		{ "-9223372036854775809", -ERANGE, 0 },
		{ "12345678901234567890", -ERANGE, 0 },
		{ "1e19", -ERANGE, 0 },
		{ "1e400", -ERANGE, 0 },
		{ "1e999999999999999999999", -ERANGE, 0 },
		{ "\"1\"", -EINVAL, 0 },
		{ "null", -EINVAL, 0 },
		{ "[1]", -EINVAL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_jdoc struct jdoc *doc = parse(cases[i].text);
		int64_t number = 77;

		assert_int_equal(jdoc_integer(doc, 0, &number), cases[i].code);
		assert_true(number == (cases[i].code ? 77 : cases[i].number));
	}
}

static void reads_seconds_to_the_nanosecond(void **state)
{
	static const struct {
		const char *text;
		int code;
		int64_t ns;
	} cases[] = {
		{ "1700000000", 0, 1700000000000000000 },
		{ "1.7E9", 0, 1700000000000000000 },
		{ "1.700000000123E9", 0, 1700000000123000000 },
		{ "1700000000.123", 0, 1700000000123000000 },
		{ "1523477145.713", 0, 1523477145713000000 },
		{ "1700000000.123456789", 0, 1700000000123456789 },
		{ "1700000000.1234567899", 0, 1700000000123456789 },
		{ "0.000000001", 0, 1 },
		{ "1e-9", 0, 1 },
		{ "1e-10", 0, 0 },
		{ "-1.5", 0, -1500000000 },
		{ "9223372036.854775807", 0, INT64_MAX },
		{ "9223372036.854775808", -ERANGE, 0 },
		{ "1e10", -ERANGE, 0 },
		{ "\"1700000000\"", -EINVAL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_jdoc struct jdoc *doc = parse(cases[i].text);
		int64_t ns = 77;

		assert_int_equal(jdoc_seconds_ns(doc, 0, &ns), cases[i].code);
		assert_true(ns == (cases[i].code ? 77 : cases[i].ns));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_each_type),
		cmocka_unit_test(keeps_numbers_and_structure_as_written),
		cmocka_unit_test(leaves_blanks_around_the_value_out),
		cmocka_unit_test(walks_children_in_order),
		cmocka_unit_test(walks_members_with_their_names),
		cmocka_unit_test(
			finds_members_by_decoded_name_and_the_last_one),
		cmocka_unit_test(asks_only_objects_for_members),
		cmocka_unit_test(takes_no_node_as_a_null),
		cmocka_unit_test(decodes_strings),
		cmocka_unit_test(compares_strings_exactly),
		cmocka_unit_test(strings_keep_to_the_limit_of_their_buf),
		cmocka_unit_test(reads_the_integer_part_of_numbers),
		cmocka_unit_test(reads_seconds_to_the_nanosecond),
	};

	jdoc_free(NULL);
	return cmocka_run_group_tests_name("jdoc", tests, NULL, NULL);
}
