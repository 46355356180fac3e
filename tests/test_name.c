/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "base/macros.h"
#include "base/utf8.h"
#include "fs/name.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* A small generator, so that every run tries the same names. */
static uint32_t next_random(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005U + 1442695040888963407U;
	return (uint32_t)(*seed >> 33);
}

static void maps_keys_as_documented(void **state)
{
	static const struct {
		const char *key;
		size_t length;
		const char *name;
	} cases[] = {
		{ "password", 8, "password" },
		{ "a b", 3, "a b" },
		{ "a/b", 3, "a%2Fb" },
		{ "/", 1, "%2F" },
		{ "%", 1, "%25" },
		{ "%2F", 3, "%252F" },
		{ ".", 1, "%2E" },
		{ "..", 2, "%2E." },
		{ ".env", 4, "%2Eenv" },
		{ "a.b.", 4, "a.b." },
		{ "\0", 1, "%00" },
		{ "a\0b", 3, "a%00b" },
		{ "\n\x1f\x7f", 3, "%0A%1F%7F" },
		{ "gr\xc3\xbc\xc3\x9f", 6, "gr\xc3\xbc\xc3\x9f" },
		{ "\xf0\x9f\x94\x91", 4, "\xf0\x9f\x94\x91" },
		{ "\xff", 1, "%FF" },
		{ "\xc3", 1, "%C3" },
		{ "\xc0\xaf", 2, "%C0%AF" },		   /* overlong '/' */
		{ "\xed\xa0\x80", 3, "%ED%A0%80" },	   /* a surrogate */
		{ "\xf4\x90\x80\x80", 4, "%F4%90%80%80" }, /* too large */
		{ "\xc3/", 2, "%C3%2F" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char name[NAME_LENGTH_MAX + 1];

		assert_int_equal(
			name_from_key(cases[i].key, cases[i].length, name), 0);
		assert_string_equal(name, cases[i].name);
	}
}

static void gives_the_empty_key_no_name(void **state)
{
	char name[NAME_LENGTH_MAX + 1] = "as before";

	(void)state;
	assert_int_equal(name_from_key("", 0, name), -EINVAL);
	assert_string_equal(name, "as before");
}

static void counts_the_bytes_of_the_name_and_not_of_the_key(void **state)
{
	char key[NAME_LENGTH_MAX + 1];
	char name[NAME_LENGTH_MAX + 1] = "as before";

	(void)state;
	memset(key, 'k', sizeof(key));
	assert_int_equal(name_from_key(key, 256, name), -ENAMETOOLONG);
	assert_string_equal(name, "as before");
	assert_int_equal(name_from_key(key, 255, name), 0);
	assert_int_equal(strlen(name), 255);

	memset(key, '/', sizeof(key));
	assert_int_equal(name_from_key(key, 86, name), -ENAMETOOLONG);
	assert_int_equal(name_from_key(key, 85, name), 0);
	assert_int_equal(strlen(name), 255);

	memset(key, 'k', sizeof(key));
	key[254] = '\xc3';
	key[255] = '\xbc';
	assert_int_equal(name_from_key(key, 256, name), -ENAMETOOLONG);
}

static unsigned hex_digit(char digit)
{
	static const char digits[] = "0123456789ABCDEF";
	const char *found = strchr(digits, digit);

	assert_true(digit && found);
	return (unsigned)(found - digits);
}

/* Undoes the mapping, so that two keys with one name would be found out. */
static size_t key_from_name(const char *name, char *key)
{
	size_t length = 0;

	for (; *name; name++) {
		unsigned byte = (unsigned char)*name;

		if (*name == '%') {
			byte = hex_digit(name[1]) << 4 | hex_digit(name[2]);
			name += 2;
		}
		key[length++] = (char)byte;
	}
	return length;
}

static void assert_is_file_name(const char *name)
{
	size_t length = strlen(name);

	assert_true(length > 0 && length <= NAME_LENGTH_MAX);
	assert_null(strchr(name, '/'));
	assert_string_not_equal(name, ".");
	assert_string_not_equal(name, "..");
	for (size_t at = 0; at < length;) {
		size_t character = utf8_length_at(name + at, length - at);

		assert_true(character > 0);
		assert_true((unsigned char)name[at] >= 0x20);
		assert_int_not_equal(name[at], 0x7f);
		at += character;
	}
}

/* Bytes that matter come often, all others sometimes. */
static char random_byte(uint64_t *seed)
{
	static const char likely[] = "./%a2F5\x7f\n\xc3\xbc\xf0\x9f\x94\x91";
	uint32_t random = next_random(seed);

	if (random & 1)
		return likely[(random >> 1) % sizeof(likely)];
	return (char)(random >> 8);
}

static void maps_every_key_to_a_name_of_its_own(void **state)
{
	unsigned refused = 0;
	uint64_t seed = 1;

	(void)state;
	for (unsigned round = 0; round < 100000; round++) {
		char key[300];
		char back[300];
		char name[NAME_LENGTH_MAX + 1];
		size_t longest = round % 16 ? 8 : sizeof(key);
		size_t length = 1 + next_random(&seed) % longest;
		int r;

		for (size_t i = 0; i < length; i++)
			key[i] = random_byte(&seed);
		r = name_from_key(key, length, name);
		refused += r < 0;
		assert_true(r == 0 || (r == -ENAMETOOLONG && length > 85));
		if (r < 0)
			continue;
		assert_is_file_name(name);
		assert_int_not_equal(name[0], '.');
		assert_int_equal(key_from_name(name, back), length);
		assert_memory_equal(back, key, length);
	}
	assert_in_range(refused, 1000, 10000);
}

static void takes_or_refuses_whatever_a_reply_can_hold(void **state)
{
	static char key[4096];
	uint64_t seed = 2;

	(void)state;
	for (unsigned round = 0; round < 4000; round++) {
		char back[sizeof(key)];
		char name[NAME_LENGTH_MAX + 1] = "as before";
		size_t length = 1 + next_random(&seed) % sizeof(key);

		for (size_t i = 0; i < length; i++)
			key[i] = random_byte(&seed);
		if (name_from_key(key, length, name) < 0) {
			assert_string_equal(name, "as before");
			continue;
		}
		assert_is_file_name(name);
		assert_int_equal(key_from_name(name, back), length);
		assert_memory_equal(back, key, length);
	}
}

/* Two secrets may get one name; then the class is refused. */
static void makes_file_names_of_secrets_or_none(void **state)
{
	unsigned taken = 0;
	uint64_t seed = 3;

	(void)state;
	for (unsigned round = 0; round < 100000; round++) {
		char secret[300] = { 0 };
		char name[NAME_LENGTH_MAX + 1] = "as before";
		size_t longest = round % 16 ? 4 : sizeof(secret) - 1;
		size_t length = next_random(&seed) % (longest + 1);

		for (size_t i = 0; i < length; i++)
			secret[i] = random_byte(&seed);
		if (name_from_secret(secret, name) < 0) {
			assert_string_equal(name, "as before");
			continue;
		}
		taken++;
		assert_is_file_name(name);
		assert_int_equal(strlen(name), strlen(secret));
	}
	assert_in_range(taken, 1000, 99000);
}

static void maps_short_keys_exhaustively(void **state)
{
	(void)state;
	for (unsigned pair = 0; pair < 65536; pair++) {
		char key[] = { (char)(pair >> 8), (char)pair };
		char back[2 * sizeof(key)];
		char name[NAME_LENGTH_MAX + 1];

		assert_int_equal(name_from_key(key, sizeof(key), name), 0);
		assert_is_file_name(name);
		assert_int_equal(key_from_name(name, back), sizeof(key));
		assert_memory_equal(back, key, sizeof(key));
	}
}

static void translates_the_names_of_secrets(void **state)
{
	static const struct {
		const char *secret;
		int code;
		const char *name;
	} cases[] = {
		{ "Kontox-secret", 0, "Kontox-secret" },
		{ "prod/db/password", 0, "prod_db_password" },
		{ "/leading", 0, "_leading" },
		{ "a_b", 0, "a_b" },
		{ "/", 0, "_" },
		{ "..", -EINVAL, NULL },
		{ "../x", -EINVAL, NULL },
		{ "/..", 0, "_.." },
		{ ".", -EINVAL, NULL },
		{ "", -EINVAL, NULL },
		{ ".secretsfs-node", -EINVAL, NULL },
		{ ".env", 0, ".env" },
		{ "50%2F", 0, "50%2F" },
		{ "arn:aws:secretsmanager:eu-west-1:1:secret:a/b-AbCdEf", 0,
		  "arn:aws:secretsmanager:eu-west-1:1:secret:a_b-AbCdEf" },
		{ "gr\xc3\xbc\xc3\x9f", 0, "gr\xc3\xbc\xc3\x9f" },
		{ "a\nb", -EINVAL, NULL },
		{ "a\xff", -EINVAL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char name[NAME_LENGTH_MAX + 1] = "as before";

		assert_int_equal(name_from_secret(cases[i].secret, name),
				 cases[i].code);
		assert_string_equal(name, cases[i].code ? "as before"
							: cases[i].name);
	}
}

static void refuses_names_of_secrets_that_are_too_long(void **state)
{
	char secret[NAME_LENGTH_MAX + 2] = { 0 };
	char name[NAME_LENGTH_MAX + 1];

	(void)state;
	memset(secret, '/', NAME_LENGTH_MAX);
	assert_int_equal(name_from_secret(secret, name), 0);
	assert_is_file_name(name);
	secret[NAME_LENGTH_MAX] = 'x';
	assert_int_equal(name_from_secret(secret, name), -ENAMETOOLONG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(maps_keys_as_documented),
		cmocka_unit_test(gives_the_empty_key_no_name),
		cmocka_unit_test(
			counts_the_bytes_of_the_name_and_not_of_the_key),
		cmocka_unit_test(maps_every_key_to_a_name_of_its_own),
		cmocka_unit_test(takes_or_refuses_whatever_a_reply_can_hold),
		cmocka_unit_test(makes_file_names_of_secrets_or_none),
		cmocka_unit_test(maps_short_keys_exhaustively),
		cmocka_unit_test(translates_the_names_of_secrets),
		cmocka_unit_test(refuses_names_of_secrets_that_are_too_long),
	};

	return cmocka_run_group_tests_name("name", tests, NULL, NULL);
}
