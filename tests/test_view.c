/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a file shows of a value, by the rules of the AWS provider: one row for
 * each, named after the rule or its message; then ours.
 */
#include "tests/test.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/macros.h"
#include "base/secret.h"
#include "jmespath/jmespath.h"
#include "store/value.h"
#include "store/view.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WHOLE NULL

struct view_case {
	const char *name;
	const char *value;
	const char *path;  /* WHOLE, or JMESPath */
	const char *shown; /* NULL: it fails */
	size_t length;	   /* of shown, where NULs are in it */
	int code;
	const char *text; /* what the error says */
	bool is_binary;
	bool decode_base64;
};

static const struct view_case cases[] = {
	{ .name = "SecretString: verbatim, no newline added",
	  .value = "a\r\n b ",
	  .shown = "a\r\n b " },
	{ .name = "SecretString: JSON verbatim, blanks and all",
	  .value = " {\"a\" : 1.0 }\n",
	  .shown = " {\"a\" : 1.0 }\n" },
	{ .name = "SecretString: empty", .value = "", .shown = "" },
	{ .name = "SecretBinary: raw bytes",
	  .value = "\xff\xfe{}",
	  .shown = "\xff\xfe{}",
	  .is_binary = true },
	{ .name = "jmesPath: a string is raw",
	  .value = "{\"a\":\"b\\u00e9\\n\"}",
	  .path = "a",
	  .shown = "b\xc3\xa9\n" },
	{ .name = "jmesPath: an empty string is an empty file",
	  .value = "{\"a\":\"\"}",
	  .path = "a",
	  .shown = "" },
	{ .name = "jmesPath: a hyphen in quotes",
	  .value = "{\"a-b\":\"c\"}",
	  .path = "\"a-b\"",
	  .shown = "c" },
	{ .name = "Only string is allowed: numbers are shown as written",
	  .value = "{\"a\":12345678901234567890.10}",
	  .path = "a",
	  .shown = "12345678901234567890.10" },
	{ .name = "Only string is allowed: booleans are shown",
	  .value = "{\"a\":false}",
	  .path = "a",
	  .shown = "false" },
	{ .name = "Only string is allowed: arrays are shown as their JSON",
	  .value = "{\"a\":[1, \"x\", 2.50]}",
	  .path = "a",
	  .shown = "[1, \"x\", 2.50]" },
	{ .name = "Only string is allowed: objects are shown as their JSON",
	  .value = "{\"a\":{\"b\" : 1e3}}",
	  .path = "a",
	  .shown = "{\"b\" : 1e3}" },
	{ .name = "to_string() keeps the digits of large integers",
	  .value = "{\"a\":9007199254740993}",
	  .path = "to_string(a)",
	  .shown = "9007199254740993" },
	{ .name = "Invalid JSON used with jmesPath in secret",
	  .value = "plain hunter2",
	  .path = "a",
	  .code = -EBADMSG,
	  .text = "Invalid JSON used with jmesPath in secret" },
	{ .name = "Invalid JSON used with jmesPath in secret: SecretBinary",
	  .value = "{\"a\":\"hunter2\"}",
	  .path = "a",
	  .code = -EBADMSG,
	  .text = "Invalid JSON used with jmesPath in secret",
	  .is_binary = true },
	{ .name = "does not point to a valid object: missing",
	  .value = "{\"b\":\"hunter2\"}",
	  .path = "a.c",
	  .code = -ENOENT,
	  .text = "JMES Path - a.c does not point to a valid object" },
	{ .name = "does not point to a valid object: null",
	  .value = "{\"a\":null,\"b\":\"hunter2\"}",
	  .path = "a",
	  .code = -ENOENT,
	  .text = "JMES Path - a does not point to a valid object" },
	{ .name = "a path that cannot be applied says why, and no value",
	  .value = "{\"a\":\"hunter2\"}",
	  .path = "abs(a)",
	  .code = -EBADMSG,
	  .text = "Invalid JMES search for path:abs(a): invalid-type" },
	{ .name = "decode base64: of a path",
	  .value = "{\"a\":\"AAH/\"}",
	  .path = "a",
	  .shown = "\0\1\xff",
	  .length = 3,
	  .decode_base64 = true },
	{ .name = "decode base64: of a whole value, with line breaks",
	  .value = "aGVs\r\nbG8g\n\td29y bGQ=\n",
	  .shown = "hello world",
	  .decode_base64 = true },
	{ .name = "decode base64: nothing is nothing",
	  .value = "",
	  .shown = "",
	  .decode_base64 = true },
	{ .name = "decode base64: what is none",
	  .value = "{\"a\":\"hunter2!\"}",
	  .path = "a",
	  .code = -EBADMSG,
	  .text = "the value is not base64",
	  .decode_base64 = true },
	{ .name = "decode base64: a NUL is no blank",
	  .value = "{\"a\":\"aGVs\\u0000bG8=\"}",
	  .path = "a",
	  .code = -EBADMSG,
	  .text = "the value is not base64",
	  .decode_base64 = true },
	{ .name = "decode base64: a path to nothing stays that",
	  .value = "{}",
	  .path = "a",
	  .code = -ENOENT,
	  .text = "JMES Path - a does not point to a valid object",
	  .decode_base64 = true },
};

static struct value *value_of(const void *bytes, size_t length, bool is_binary)
{
	struct secret *secret = secret_new(bytes, length);
	struct value *value;

	assert_non_null(secret);
	value = value_new(secret,
			  &(struct value_about){ .version = "v",
						 .is_binary = is_binary });
	assert_non_null(value);
	secret_unref(secret);
	return value;
}

static void check_row(void **state)
{
	const struct view_case *row = *state;
	struct value *value =
		value_of(row->value, strlen(row->value), row->is_binary);
	struct view view = { .key = VIEW_WHOLE,
			     .decode_base64 = row->decode_base64 };
	struct jmespath *path = NULL;
	struct err err = { 0 };
	struct buf out;

	if (row->path) {
		assert_int_equal(jmespath_compile(row->path, strlen(row->path),
						  &path, &err),
				 0);
		view.key = VIEW_PATH;
		view.path = path;
		view.path_text = row->path;
	}
	buf_init(&out, SECRET_LENGTH_MAX);
	assert_int_equal(view_read(&view, value, &out, &err), row->code);
	if (row->shown) {
		assert_int_equal(out.length, row->length ? row->length
							 : strlen(row->shown));
		assert_memory_equal(buf_text(&out), row->shown, out.length);
	} else {
		assert_non_null(strstr(err.text, row->text));
		assert_null(strstr(err.text, "hunter2"));
	}
	buf_done(&out);
	jmespath_free(path);
	value_unref(value);
}

static int read_key(const char *json, size_t key, bool decode, struct buf *out)
{
	struct value *value = value_of(json, strlen(json), false);
	const struct view view = { .key = key, .decode_base64 = decode };
	struct err err;
	int r = view_read(&view, value, out, &err);

	value_unref(value);
	return r;
}

static void shows_a_key_of_the_value(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, SECRET_LENGTH_MAX);
	assert_int_equal(read_key("{\"a\":1,\"b\":\"eHk=\"}", 1, false, &out),
			 0);
	assert_string_equal(buf_text(&out), "eHk=");
	buf_clear(&out);
	assert_int_equal(read_key("{\"a\":1,\"b\":\"eHk=\"}", 1, true, &out),
			 0);
	assert_string_equal(buf_text(&out), "xy");
	buf_done(&out);
}

static void what_is_longer_than_its_reader_takes_is_EFBIG(void **state)
{
	static const bool decode[] = { false, true };
	static char bytes[SECRET_LENGTH_MAX];
	struct value *value;

	(void)state;
	(void)memset(bytes, 'A', sizeof(bytes));
	value = value_of(bytes, sizeof(bytes), false);
	for (size_t i = 0; i < ARRAY_SIZE(decode); i++) {
		const struct view view = { .key = VIEW_WHOLE,
					   .decode_base64 = decode[i] };
		struct err err = { 0 };
		struct buf out;

		buf_init(&out, 100);
		assert_int_equal(view_read(&view, value, &out, &err), -EFBIG);
		assert_string_equal(err.text, "too long to be shown");
		buf_done(&out);
	}
	value_unref(value);
}

static void a_path_that_makes_too_much_is_EFBIG(void **state)
{
	static const char text[] = "join('', [@, @, @, @, @, @, @, @, @])";
	static char bytes[16 * 1024];
	struct jmespath *path;
	struct err err;
	struct view view = { .key = VIEW_PATH, .path_text = text };
	struct value *value;
	struct buf out;

	(void)state;
	(void)memset(bytes, 'A', sizeof(bytes));
	bytes[0] = bytes[sizeof(bytes) - 1] = '"';
	value = value_of(bytes, sizeof(bytes), false);
	assert_int_equal(jmespath_compile(text, strlen(text), &path, &err), 0);
	view.path = path;
	buf_init(&out, SECRET_LENGTH_MAX);
	assert_int_equal(view_read(&view, value, &out, &err), -EFBIG);
	assert_null(strstr(err.text, "AAAA"));
	buf_done(&out);
	jmespath_free(path);
	value_unref(value);
}

static void only_what_is_made_is_not_plain(void **state)
{
	(void)state;
	assert_true(view_is_plain(&(struct view){ .key = VIEW_WHOLE }));
	assert_true(view_is_plain(&(struct view){ .key = 3 }));
	assert_false(view_is_plain(&(struct view){ .key = VIEW_PATH }));
	assert_false(view_is_plain(
		&(struct view){ .key = 3, .decode_base64 = true }));
}

int main(void)
{
	static const struct CMUnitTest ours[] = {
		cmocka_unit_test(shows_a_key_of_the_value),
		cmocka_unit_test(what_is_longer_than_its_reader_takes_is_EFBIG),
		cmocka_unit_test(a_path_that_makes_too_much_is_EFBIG),
		cmocka_unit_test(only_what_is_made_is_not_plain),
	};
	struct CMUnitTest tests[ARRAY_SIZE(cases) + ARRAY_SIZE(ours)];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		tests[i] = (struct CMUnitTest){
			.name = cases[i].name,
			.test_func = check_row,
			.initial_state = (void *)(uintptr_t)&cases[i],
		};
	memcpy(tests + ARRAY_SIZE(cases), ours, sizeof(ours));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
