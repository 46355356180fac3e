/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "base/err.h"
#include "base/jdoc.h"
#include "base/macros.h"
#include "base/utf8.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static struct jdoc *parse(const char *text)
{
	struct jdoc *doc = NULL;
	struct err err = { 0 };

	if (jdoc_parse(text, strlen(text), &doc, &err) < 0)
		fail_msg("%s", err.text);
	return doc;
}

static void assert_refused(const char *text, size_t length, int code)
{
	struct jdoc *doc = NULL;
	struct err err = { 0 };

	assert_int_equal(jdoc_parse(text, length, &doc, &err), code);
	assert_int_equal(err.code, code);
	assert_null(doc);
}

static void assert_raw(const struct jdoc *doc, jdoc_node node,
		       const char *expected)
{
	size_t length;
	const char *raw = jdoc_raw(doc, node, &length);

	assert_int_equal(length, strlen(expected));
	assert_memory_equal(raw, expected, length);
}

static void refuses_what_is_not_json(void **state)
{
	static const char *const texts[] = {
		"",
		" ",
		"\xef\xbb\xbf{}",
		"{",
		"}",
		"[",
		"]",
		"[1",
		"[1,",
		"[1,]",
		"[,1]",
		"[1 2]",
		"[1}",
		"{]",
		"{\"a\"}",
		"{\"a\":}",
		"{\"a\":1,}",
		"{,}",
		"{\"a\" 1}",
		"{a:1}",
		"{'a':1}",
		"{1:1}",
		"{\"a\":1 \"b\":2}",
		"{\"a\":1]",
		"{null:1}",
		"1 2",
		"{}{}",
		"{} x",
		"nul",
		"nulL",
		"nullx",
		"NULL",
		"True",
		"tru",
		"f",
		"NaN",
		"Infinity",
		"-Infinity",
		"undefined",
		"01",
		"-01",
		"-",
		"+1",
		".5",
		"1.",
		"1.e1",
		"1e",
		"1e+",
		"1e-",
		"0x10",
		"1_0",
		"--1",
		"1.2.3",
		"1e1.5",
		"- 1",
		"\"",
		"\"a",
		"\"\\\"",
		"\"\\",
		"\"\\x41\"",
		"\"\\'\"",
		"\"\\u\"",
		"\"\\u12\"",
		"\"\\u12g4\"",
		"\"\\u 123\"",
		"\"\\u+123\"",
		"\"\\U0041\"",
		"'a'",
		"// x\n1",
		"/* x */1",
		"1 // x",
		"[1]\f",
		"\v1",
		"\xc2\xa0"
		"1",
		"\"a\nb\"",
		"\"a\tb\"",
		"\"\x1f\"",
		"\"\x01\"",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		assert_refused(texts[i], strlen(texts[i]), -EBADMSG);
}

static void refuses_lone_surrogates(void **state)
{
	static const char *const texts[] = {
		"\"\\ud800\"",	      "\"\\udc00\"",
		"\"\\udfff\"",	      "\"\\udbff\"",
		"\"\\ud800x\"",	      "\"\\ud800\\n\"",
		"\"\\ud800\\u0041\"", "\"\\ud800\\ud800\"",
		"\"\\udc00\\ud800\"", "\"\\ud800\\ue000\"",
		"\"\\ud800\\udc0\"",  "\"\\ud800\\",
		"{\"\\ud800\":1}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		assert_refused(texts[i], strlen(texts[i]), -EBADMSG);
}

static void refuses_invalid_utf8(void **state)
{
	static const char *const texts[] = {
		"\"\x80\"",
		"\"\xbf\"",
		"\"\xc0\xaf\"",
		"\"\xc1\xbf\"",
		"\"\xc3\"",
		"\"\xc3",
		"\"\xc3\x28\"",
		"\"\xe0\x9f\xbf\"",
		"\"\xe2\x82\"",
		"\"\xe2\x28\xa1\"",
		"\"\xed\xa0\x80\"",
		"\"\xed\xbf\xbf\"",
		"\"\xf0\x8f\xbf\xbf\"",
		"\"\xf0\x9f\x94\"",
		"\"\xf4\x90\x80\x80\"",
		"\"\xf5\x80\x80\x80\"",
		"\"\xfe\"",
		"\"\xff\"",
		"{\"\xff\":1}",
		"\xff",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		assert_refused(texts[i], strlen(texts[i]), -EBADMSG);
}

/* Against the definition: what a character encodes to, and nothing else. */
static void knows_valid_utf8_exhaustively(void **state)
{
	size_t accepted = 0;

	(void)state;
	for (uint32_t character = 0; character <= 0x10ffff; character++) {
		unsigned char bytes[UTF8_LENGTH_MAX];
		size_t length = utf8_write(character, bytes);
		bool is_surrogate = character >= 0xd800 && character < 0xe000;

		assert_int_equal(length, utf8_length_of(character));
		assert_int_equal(utf8_length_at(bytes, length),
				 is_surrogate ? 0 : length);
		assert_int_equal(utf8_length_at(bytes, length - 1), 0);
	}
	for (uint32_t quad = 0; quad < 0xffffffff - 64; quad += 61) {
		const unsigned char bytes[] = { (unsigned char)(quad >> 24),
						(unsigned char)(quad >> 16),
						(unsigned char)(quad >> 8),
						(unsigned char)quad };

		accepted += utf8_length_at(bytes, 4) == 4;
	}
	/* 2^20 of the 2^32 are characters of four bytes. */
	assert_in_range(accepted, (1 << 20) / 61 - 50, (1 << 20) / 61 + 50);
}

static void refuses_a_nul_outside_of_an_escape(void **state)
{
	(void)state;
	assert_refused("\"a\0b\"", 5, -EBADMSG);
	assert_refused("1\0", 2, -EBADMSG);
	assert_refused("\0", 1, -EBADMSG);
	assert_refused("[\0]", 3, -EBADMSG);
}

/* Every text that breaks off is refused, and nothing past its end is read: the
 * piece has its own allocation, so that sanitizers see to that. */
static void refuses_every_beginning_of_a_document(void **state)
{
	static const char text[] =
		"{\"a\\u0041\\ud83d\\udd11\xf0\x9f\x94\x91\":[1.5e+10,true,"
		"null,false,-0,\"\",{}],\"b\":{\"c\":[[]]}}";

	(void)state;
	for (size_t length = 0; length < sizeof(text) - 1; length++) {
		char *piece = malloc(length + 1);

		assert_non_null(piece);
		memcpy(piece + 1, text, length);
		assert_refused(piece + 1, length, -EBADMSG);
		free(piece);
	}
	jdoc_free(parse(text));
}

static void names_offset_and_reason_and_never_the_text(void **state)
{
	static const struct {
		const char *text;
		const char *error;
	} cases[] = {
		{ "{\"p\":\"hunter2\nx\"}",
		  "byte 13 is not JSON: a control byte in a string" },
		{ "{\"p\":hunter2}",
		  "byte 5 is not JSON: no value where one is due" },
		{ "{\"p\":\"hunter2\"",
		  "byte 14 is not JSON: no ',' and no end" },
		{ "{\"p\":\"hunter2",
		  "byte 13 is not JSON: a string without an end" },
		{ "{\"p\":\"hunter\\2\"}",
		  "byte 12 is not JSON: an unknown escape" },
		{ "{\"p\":\"hunter2\\u00\"}",
		  "byte 13 is not JSON: an escape \\u without four hexadecimal digits" },
		{ "{\"p\":\"hunter2\\ud800\"}",
		  "byte 13 is not JSON: a lone surrogate" },
		{ "{\"p\":\"hunter2\xff\"}",
		  "byte 13 is not JSON: invalid UTF-8" },
		{ "{\"p\":\"hunter2\"}hunter2",
		  "byte 15 is not JSON: more behind the value" },
		{ "{\"hunter2\" 1}",
		  "byte 11 is not JSON: no ':' behind a name" },
		{ "{hunter2:1}",
		  "byte 1 is not JSON: no name where one is due" },
		{ "[nunter2]", "byte 1 is not JSON: an unknown word" },
		{ "[-hunter2]",
		  "byte 2 is not JSON: no digits where a number needs them" },
		{ "\"hunter2\\",
		  "byte 8 is not JSON: an escape without an end" },
		{ "", "byte 0 is not JSON: no value where one is due" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct jdoc *doc = NULL;
		struct err err;

		assert_int_equal(jdoc_parse(cases[i].text,
					    strlen(cases[i].text), &doc, &err),
				 -EBADMSG);
		assert_string_equal(err.text, cases[i].error);
	}
	assert_int_equal(jdoc_parse("", 0, &(struct jdoc *){ NULL }, NULL),
			 -EBADMSG);
}

static char *repeat(const char *piece, size_t count, size_t *ret_length)
{
	size_t length = strlen(piece);
	char *text = malloc(length * count + 1);

	assert_non_null(text);
	for (size_t i = 0; i < count; i++)
		memcpy(text + i * length, piece, length);
	*ret_length = length * count;
	return text;
}

static void nests_to_the_limit_and_no_deeper(void **state)
{
	static const char brackets[] = "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
				       "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]";
	struct jdoc *doc = parse(brackets);
	size_t length;
	char *deep = repeat("[", 100000, &length);
	char *objects = repeat("{\"a\":", JDOC_DEPTH_MAX + 1, &length);

	(void)state;
	assert_int_equal(strlen(brackets), 2 * JDOC_DEPTH_MAX);
	assert_raw(doc, 0, brackets);
	jdoc_free(doc);
	assert_refused(deep, 100000, -E2BIG);
	assert_refused(deep, JDOC_DEPTH_MAX + 1, -E2BIG);
	assert_refused(deep, JDOC_DEPTH_MAX, -EBADMSG);
	assert_refused(objects, length, -E2BIG);
	free(deep);
	free(objects);
}

static void counts_depth_and_not_brackets(void **state)
{
	struct jdoc *doc = NULL;
	size_t length;
	char *wide = repeat("[],", 100, &length);

	(void)state;
	memcpy(wide, "[1,", 3);
	wide[length - 1] = ']';
	assert_int_equal(jdoc_parse(wide, length, &doc, NULL), 0);
	assert_int_equal(jdoc_count(doc, 0), 100);
	jdoc_free(doc);
	free(wide);
}

/* An array of that many numbers. */
static char *array_of(size_t count, size_t *ret_length)
{
	char *text = repeat(",1", count, ret_length);

	text = realloc(text, *ret_length + 1);
	assert_non_null(text);
	text[0] = '[';
	text[(*ret_length)++] = ']';
	return text;
}

static void limits_how_many_nodes_there_are(void **state)
{
	struct jdoc *doc = NULL;
	size_t length;
	char *most = array_of(JDOC_NODES_MAX - 1, &length);
	char *too_many;

	(void)state;
	assert_int_equal(jdoc_parse(most, length, &doc, NULL), 0);
	assert_int_equal(jdoc_count(doc, 0), JDOC_NODES_MAX - 1);
	jdoc_free(doc);
	too_many = array_of(JDOC_NODES_MAX, &length);
	assert_refused(too_many, length, -E2BIG);
	free(most);
	free(too_many);
}

static void limits_how_long_the_text_is(void **state)
{
	char *text = malloc(JDOC_TEXT_MAX + 1);
	struct jdoc *doc = NULL;

	(void)state;
	assert_non_null(text);
	memset(text, ' ', JDOC_TEXT_MAX + 1);
	text[JDOC_TEXT_MAX - 1] = '1';
	assert_refused(text, JDOC_TEXT_MAX + 1, -E2BIG);
	assert_int_equal(jdoc_parse(text, JDOC_TEXT_MAX, &doc, NULL), 0);
	assert_raw(doc, 0, "1");
	jdoc_free(doc);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_what_is_not_json),
		cmocka_unit_test(refuses_lone_surrogates),
		cmocka_unit_test(refuses_invalid_utf8),
		cmocka_unit_test(knows_valid_utf8_exhaustively),
		cmocka_unit_test(refuses_a_nul_outside_of_an_escape),
		cmocka_unit_test(refuses_every_beginning_of_a_document),
		cmocka_unit_test(names_offset_and_reason_and_never_the_text),
		cmocka_unit_test(nests_to_the_limit_and_no_deeper),
		cmocka_unit_test(counts_depth_and_not_brackets),
		cmocka_unit_test(limits_how_many_nodes_there_are),
		cmocka_unit_test(limits_how_long_the_text_is),
	};

	return cmocka_run_group_tests_name("jdoc_strict", tests, NULL, NULL);
}
