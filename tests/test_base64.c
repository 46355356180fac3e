/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "base/base64.h"
#include "base/buf.h"
#include "base/macros.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* RFC 4648, 10, and bytes that need the whole alphabet. */
static void decodes_what_is_well_formed(void **state)
{
	static const struct {
		const char *text;
		const char *bytes;
		size_t length;
	} cases[] = {
		{ "", "", 0 },
		{ "Zg==", "f", 1 },
		{ "Zm8=", "fo", 2 },
		{ "Zm9v", "foo", 3 },
		{ "Zm9vYg==", "foob", 4 },
		{ "Zm9vYmE=", "fooba", 5 },
		{ "Zm9vYmFy", "foobar", 6 },
		{ "AA==", "\0", 1 },
		{ "AAAAAAAA", "\0\0\0\0\0\0", 6 },
		{ "+/+/", "\xfb\xff\xbf", 3 },
		{ "//8=", "\xff\xff", 2 },
		{ "/w==", "\xff", 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct buf buf;

		buf_init(&buf, 100);
		assert_int_equal(buf_append(&buf, "<", 1), 0);
		assert_int_equal(base64_decode(cases[i].text,
					       strlen(cases[i].text), &buf),
				 0);
		assert_int_equal(buf.length, 1 + cases[i].length);
		assert_memory_equal(buf.bytes + 1, cases[i].bytes,
				    cases[i].length);
		assert_int_equal(buf.bytes[buf.length], 0);
		buf_done(&buf);
	}
}

static void refuses_everything_else(void **state)
{
	static const char *const texts[] = {
		"Z",	    "Zg",	"Zg=",	    "Zm8",	 "=",
		"==",	    "===",	"====",	    "Z===",	 "=Zg=",
		"Zg==Zg==", "Zm8=Zm8=", "Zm9v\n",   "Zm9 v",	 "Zm9v ",
		" Zm9v",    "Zm\n9v",	"Zm9-",	    "Zm9_",	 "Zm9*",
		"Zm9\xc3",  "Zh==",	"Zm9=",	    "/x==",	 "Zg=A",
		"Zm9vZh==", "Zm9vZg=a", "Zm9v====", "Zm9vZg==\n"
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct buf buf;

		buf_init(&buf, 100);
		assert_int_equal(buf_append(&buf, "as before", 9), 0);
		assert_int_equal(
			base64_decode(texts[i], strlen(texts[i]), &buf),
			-EBADMSG);
		assert_string_equal(buf_text(&buf), "as before");
		buf_done(&buf);
	}
}

static void refuses_a_nul_in_the_text(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 100);
	assert_int_equal(base64_decode("Zm\0v", 4, &buf), -EBADMSG);
	assert_int_equal(base64_decode("Zg=\0", 4, &buf), -EBADMSG);
	buf_done(&buf);
}

static void leaves_nothing_of_a_text_that_breaks_off(void **state)
{
	static const unsigned char zeros[16];
	struct buf buf;

	(void)state;
	buf_init(&buf, 100);
	assert_int_equal(base64_decode("aHVudGVyMg=!", 12, &buf), -EBADMSG);
	assert_int_equal(buf.length, 0);
	assert_memory_equal(buf.bytes, zeros, sizeof(zeros));
	buf_done(&buf);
}

static void respects_the_limit(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 5);
	assert_int_equal(base64_decode("Zm9vYmFy", 8, &buf), -EFBIG);
	assert_int_equal(buf.length, 0);
	assert_int_equal(base64_decode("Zm9vYmE=", 8, &buf), 0);
	assert_string_equal(buf_text(&buf), "fooba");
	buf_done(&buf);
}

/* In the second place of a group the alphabet's 64
 * decode, to 64 different bytes, and no others do. */
static void knows_each_character_once(void **state)
{
	bool seen[256] = { false };
	int count = 0;

	(void)state;
	for (int character = 0; character < 256; character++) {
		char text[] = { 'A', (char)character, 'A', 'A' };
		struct buf buf;

		buf_init(&buf, 3);
		if (base64_decode(text, sizeof(text), &buf) == 0) {
			unsigned byte =
				(unsigned)buf.bytes[0] << 4 | buf.bytes[1] >> 4;

			assert_true(byte < 64);
			assert_false(seen[byte]);
			seen[byte] = true;
			count++;
		}
		buf_done(&buf);
	}
	assert_int_equal(count, 64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decodes_what_is_well_formed),
		cmocka_unit_test(refuses_everything_else),
		cmocka_unit_test(refuses_a_nul_in_the_text),
		cmocka_unit_test(leaves_nothing_of_a_text_that_breaks_off),
		cmocka_unit_test(respects_the_limit),
		cmocka_unit_test(knows_each_character_once),
	};

	return cmocka_run_group_tests_name("base64", tests, NULL, NULL);
}
