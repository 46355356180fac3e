/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "base/err.h"
#include "base/macros.h"
#include "net/place.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

static void reads_host_and_port(void **state)
{
	static const struct {
		const char *url;
		const char *text;
		bool is_plain;
	} cases[] = {
		{ "https://sts.eu-west-1.amazonaws.com",
		  "sts.eu-west-1.amazonaws.com:443", false },
		{ "HTTPS://a.example/", "a.example:443", false },
		{ "https://a.example:8443/x?y#z", "a.example:8443", false },
		{ "https://a.example?y=:1@b", "a.example:443", false },
		{ "https://a.example#:1", "a.example:443", false },
		{ "https://[2001:db8::1]:1/", "[2001:db8::1]:1", false },
		{ "https://10.0.0.1:65535", "10.0.0.1:65535", false },
		{ "http://localhost/", "localhost:80", true },
		{ "http://LocalHost:4566/", "LocalHost:4566", true },
		{ "http://127.0.0.1:4566/", "127.0.0.1:4566", true },
		{ "http://127.255.1.2/", "127.255.1.2:80", true },
		{ "http://[::1]:8080/x", "[::1]:8080", true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct place place;

		assert_int_equal(place_read(cases[i].url, &place, NULL), 0);
		assert_string_equal(place.text, cases[i].text);
		assert_int_equal(place.is_plain, cases[i].is_plain);
	}
}

static void refuses_plain_http_to_others(void **state)
{
	static const char *const urls[] = {
		"http://secrets.example/",
		"http://169.254.169.254/",
		"http://127.evil.example/",
		"http://127.0.0.1.example/",
		"http://localhost.example/",
		"http://localhost./",
		"http://0.0.0.0/",
		"http://127.1/",
		"http://2130706433/",
		"http://0x7f.0.0.1/",
		"http://[::]/",
		"http://[::ffff:127.0.0.1]/",
		"http://128.0.0.1/",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(urls); i++) {
		struct place place = { .text = "as before" };
		struct err err;

		assert_int_equal(place_read(urls[i], &place, &err), -EINVAL);
		assert_non_null(strstr(err.text, "this machine only"));
		assert_string_equal(place.text, "as before");
	}
}

static void refuses_what_could_be_read_in_two_ways(void **state)
{
	static const char *const urls[] = {
		"",
		"https",
		"https:/a.example/",
		"https:///x",
		"https://:443/",
		"ftp://a.example/",
		"file:///etc/hostname",
		" https://a.example/",
		"https://hunter2@a.example/",
		"https://u:hunter2@a.example/",
		"http://127.0.0.1@a.example/",
		"http://127.0.0.1:80@a.example/",
		"http://127.0.0.1\\@a.example/",
		"http://127.0.0.1%2f@a.example/",
		"http://127.0.0.1 a.example/",
		"http://127.0.0.1\ta.example/",
		"https://a_b.example\n/",
		"https://a.example:/",
		"https://a.example:65536/",
		"https://a.example:4 43/",
		"https://a.example:000443/",
		"https://[::1/",
		"https://[::1%25lo]/",
		"https://[]x/",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(urls); i++) {
		struct place place;
		struct err err;

		if (place_read(urls[i], &place, &err) != -EINVAL)
			fail_msg("'%s' is taken", urls[i]);
		assert_null(strstr(err.text, "hunter2"));
	}
}

static void lets_metadata_be_asked_in_plain(void **state)
{
	static const struct {
		const char *url;
		bool is_taken;
		bool is_metadata;
	} cases[] = {
		{ "http://127.0.0.1/x", true, false },
		{ "http://169.254.170.2/x", true, true },
		{ "http://169.254.170.23:80/x", true, true },
		{ "http://[fd00:ec2::23]/x", true, true },
		{ "http://169.254.169.254/x", true, true },
		{ "http://[fd00:ec2::254]/x", true, true },
		{ "http://a.name/x", true, true }, /* the address will tell */
		{ "https://a.name/x", true, false },
		{ "http://169.254.170.3/x", false, false },
		{ "http://[fd00:ec2::24]/x", false, false },
		{ "http://10.0.0.1/x", false, false },
		{ "http://u@169.254.170.2/x", false, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct place place = { 0 };

		assert_int_equal(
			place_read_metadata(cases[i].url, &place, NULL),
			cases[i].is_taken ? 0 : -EINVAL);
		assert_int_equal(place.is_metadata, cases[i].is_metadata);
	}
}

static void knows_addresses_of_metadata_services(void **state)
{
	static const struct {
		int family;
		const char *text;
		bool is_metadata;
	} cases[] = {
		{ AF_INET, "127.9.9.9", true },
		{ AF_INET, "169.254.170.2", true },
		{ AF_INET, "169.254.170.23", true },
		{ AF_INET, "169.254.169.254", true },
		{ AF_INET, "169.254.170.24", false },
		{ AF_INET, "192.0.2.1", false },
		{ AF_INET6, "::1", true },
		{ AF_INET6, "fd00:ec2::23", true },
		{ AF_INET6, "fd00:ec2::254", true },
		{ AF_INET6, "fd00:ec2::24", false },
		{ AF_INET6, "::ffff:127.0.0.1", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sockaddr_storage address = {
			.ss_family = (sa_family_t)cases[i].family,
		};
		void *at = cases[i].family == AF_INET
				   ? (void *)&((struct sockaddr_in *)&address)
					     ->sin_addr
				   : (void *)&((struct sockaddr_in6 *)&address)
					     ->sin6_addr;

		assert_int_equal(inet_pton(cases[i].family, cases[i].text, at),
				 1);
		assert_int_equal(
			place_is_metadata((const struct sockaddr *)&address),
			cases[i].is_metadata);
	}
}

static void refuses_a_host_that_is_too_long(void **state)
{
	char url[400] = "https://";
	struct place place;

	(void)state;
	memset(url + 8, 'a', 253);
	assert_int_equal(place_read(url, &place, NULL), 0);
	assert_int_equal(strlen(place.text), 253 + strlen(":443"));
	url[8 + 253] = 'a';
	assert_int_equal(place_read(url, &place, NULL), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_host_and_port),
		cmocka_unit_test(refuses_plain_http_to_others),
		cmocka_unit_test(refuses_what_could_be_read_in_two_ways),
		cmocka_unit_test(lets_metadata_be_asked_in_plain),
		cmocka_unit_test(knows_addresses_of_metadata_services),
		cmocka_unit_test(refuses_a_host_that_is_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
