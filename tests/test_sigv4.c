/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "aws/sigv4.h"
#include "aws/timestamp.h"
#include "base/buf.h"
#include "base/macros.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define KEY_ID "AKIDEXAMPLE"
#define SECRET_KEY "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"

/* What botocore's SigV4Auth makes of the same requests. */
static const struct {
	const char *what;
	const char *method;
	const char *path;
	const char *query;
	struct sigv4_header headers[6];
	const char *body;
	size_t body_length;
	const char *region;
	const char *service;
	int64_t time_s;
	const char *canonical_hash;
	const char *names;
	const char *signature;
} cases[] = {
	{
		.what = "a GetSecretValue",
		.method = "POST",
		.path = "/",
		.query = "",
		.headers = { { "Host",
			       "secretsmanager.eu-central-1.amazonaws.com" },
			     { "Content-Type", "application/x-amz-json-1.1" },
			     { "X-Amz-Target",
			       "secretsmanager.GetSecretValue" },
			     { "X-Amz-Date", "20261123T101112Z" } },
		.body = "{\"SecretId\":\"prod/db\"}",
		.body_length = 22,
		.region = "eu-central-1",
		.service = "secretsmanager",
		.time_s = 1795428672,
		.canonical_hash = "49959d468661173cf5480b9629db6854"
				  "eb54059c9d4f1111d3af569ee4712d09",
		.names = "content-type;host;x-amz-date;x-amz-target",
		.signature = "a6721251a1476db0c4c04ea7fdd7d9b4"
			     "fbaec2dd9ddace3366509bb5195adf2b",
	},
	{
		.what = "a session token, a port, a leap day",
		.method = "POST",
		.path = "/",
		.query = "",
		.headers = { { "X-Amz-Target",
			       "secretsmanager.GetSecretValue" },
			     { "Host", "localhost:18411" },
			     { "Content-Type", "application/x-amz-json-1.1" },
			     { "X-Amz-Date", "20240229T235959Z" },
			     { "X-Amz-Security-Token",
			       "IQoJb3JpZ2luX2VjEXAMPLE//+=" } },
		.body = "{\"SecretId\":\"a\\\"b\"}",
		.body_length = 19,
		.region = "us-east-1",
		.service = "secretsmanager",
		.time_s = 1709251199,
		.canonical_hash = "9082c18d8e0819bda44ca874cf9cc65a"
				  "ab9c900348ebb8ef9b8773c77ec97741",
		.names = "content-type;host;x-amz-date;x-amz-security-token;"
			 "x-amz-target",
		.signature = "06c2ec27fd2c616262d59d27904f5a77"
			     "ead9103bca0c9d16380f64485611f85a",
	},
	{
		.what = "blanks, names that begin alike, one that is repeated",
		.method = "POST",
		.path = "/",
		.query = "",
		.headers = { { "Host", "example.com" },
			     { "X-B", "  one   two\tthree  " },
			     { "X-A-B", "2" },
			     { "X-A", "1" },
			     { "x-b", "four" },
			     { "X-Amz-Date", "20150830T123600Z" } },
		.body = "",
		.region = "us-east-1",
		.service = "service",
		.time_s = 1440938160,
		.canonical_hash = "b5bdaca725861c3e099f2920249e8d30"
				  "0582f460b6adb1acda003d40c01f3915",
		.names = "host;x-a;x-a-b;x-amz-date;x-b",
		.signature = "c5025d02b3a43b8019b018a54794afad"
			     "70bb1398d9c31eff101582b1cf4f568e",
	},
	{
		.what = "a path, a query, a body with NULs",
		.method = "GET",
		.path = "/a/b-c",
		.query = "Param1=value1&Param2=",
		.headers = { { "Host", "example.com" },
			     { "X-Amz-Date", "20300101T000000Z" } },
		.body = "\0\1\0",
		.body_length = 3,
		.region = "us-gov-west-1",
		.service = "ssm",
		.time_s = 1893456000,
		.canonical_hash = "46d042636fab5b33d3292113f099787e"
				  "91ccb7385ea00ab0eec43c7d8439974c",
		.names = "host;x-amz-date",
		.signature = "a7bd38ed86682b5a0b6210b3c6f5a964"
			     "b9bcf5dd71768277237fa8008cc96a81",
	},
};

static struct sigv4_request request_of(size_t i)
{
	struct sigv4_request request = {
		.method = cases[i].method,
		.path = cases[i].path,
		.query = cases[i].query,
		.headers = cases[i].headers,
		.body = cases[i].body,
		.body_length = cases[i].body_length,
		.region = cases[i].region,
		.service = cases[i].service,
		.time_s = cases[i].time_s,
		.key_id = KEY_ID,
		.secret_key = SECRET_KEY,
	};

	while (request.header_count < ARRAY_SIZE(cases[i].headers) &&
	       cases[i].headers[request.header_count].name)
		request.header_count++;
	return request;
}

static void signs_as_botocore_does(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct sigv4_request request = request_of(i);
		struct buf out;
		char date[TIMESTAMP_BASIC_SIZE];
		char expected[512];

		print_message("%s\n", cases[i].what);
		assert_int_equal(timestamp_basic(cases[i].time_s, date), 0);
		(void)snprintf(expected, sizeof(expected),
			       "AWS4-HMAC-SHA256\n%s\n%.8s/%s/%s/aws4_request\n"
			       "%s",
			       date, date, cases[i].region, cases[i].service,
			       cases[i].canonical_hash);
		buf_init(&out, 4096);
		assert_int_equal(sigv4_string_to_sign(&request, &out), 0);
		assert_string_equal(buf_text(&out), expected);

		(void)snprintf(expected, sizeof(expected),
			       "AWS4-HMAC-SHA256 Credential=" KEY_ID
			       "/%.8s/%s/%s/aws4_request, SignedHeaders=%s, "
			       "Signature=%s",
			       date, cases[i].region, cases[i].service,
			       cases[i].names, cases[i].signature);
		buf_clear(&out);
		assert_int_equal(sigv4_authorization(&request, &out), 0);
		assert_string_equal(buf_text(&out), expected);
		buf_done(&out);
	}
}

static void writes_the_canonical_request(void **state)
{
	const struct sigv4_request request = request_of(2);
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	assert_int_equal(sigv4_canonical_request(&request, &out), 0);
	assert_string_equal(buf_text(&out), "POST\n/\n\n"
					    "host:example.com\nx-a:1\nx-a-b:2\n"
					    "x-amz-date:20150830T123600Z\n"
					    "x-b:one two three,four\n\n"
					    "host;x-a;x-a-b;x-amz-date;x-b\n"
					    "e3b0c44298fc1c149afbf4c8996fb924"
					    "27ae41e4649b934ca495991b7852b855");
	buf_done(&out);
}

static void refuses_what_it_cannot_sign(void **state)
{
	struct sigv4_header many[SIGV4_HEADERS_MAX + 1];
	struct sigv4_request request = request_of(0);
	struct buf out;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(many); i++)
		many[i] = (struct sigv4_header){ "name", "value" };
	buf_init(&out, 65536);
	request.headers = many;
	request.header_count = ARRAY_SIZE(many);
	assert_int_equal(sigv4_authorization(&request, &out), -E2BIG);

	request = request_of(0);
	request.time_s = INT64_MAX;
	assert_int_equal(sigv4_authorization(&request, &out), -ERANGE);
	buf_done(&out);

	request = request_of(0);
	buf_init(&out, 100);
	assert_int_equal(sigv4_authorization(&request, &out), -EFBIG);
	buf_done(&out);
}

static void never_writes_the_secret_key(void **state)
{
	const struct sigv4_request request = request_of(1);
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	assert_int_equal(sigv4_canonical_request(&request, &out), 0);
	assert_int_equal(sigv4_string_to_sign(&request, &out), 0);
	assert_int_equal(sigv4_authorization(&request, &out), 0);
	assert_null(strstr(buf_text(&out), SECRET_KEY));
	buf_done(&out);
}

static void reads_the_times_that_aws_sends(void **state)
{
	static const struct {
		const char *text;
		int64_t time_s;
	} times[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "2015-08-30T12:36:00Z", 1440938160 },
		{ "2015-08-30T12:36:00.123456789Z", 1440938160 },
		{ "2015-08-30T14:36:00+02:00", 1440938160 },
		{ "2015-08-30T07:06:00.5-05:30", 1440938160 },
		{ "2024-02-29T23:59:59Z", 1709251199 },
		{ "2016-12-31T23:59:60Z", 1483228800 },
		{ "9999-12-31T23:59:59Z", TIMESTAMP_MAX_S },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		int64_t time_s = -1;

		assert_int_equal(timestamp_parse(times[i].text, &time_s), 0);
		assert_int_equal(time_s, times[i].time_s);
	}
}

static void refuses_other_forms_of_time(void **state)
{
	static const char *const texts[] = {
		"",
		"2015-08-30",
		"2015-08-30 12:36:00Z",
		"2015-08-30T12:36:00",
		"2015-08-30T12:36:00Z ",
		" 2015-08-30T12:36:00Z",
		"2015-8-30T12:36:00Z",
		"2015-13-30T12:36:00Z",
		"2015-02-30T12:36:00Z",
		"2015-08-30T24:36:00Z",
		"2015-08-30T12:36:00.Z",
		"2015-08-30T12:36:00.1234567890Z",
		"2015-08-30T12:36:00+0200",
		"2015-08-30T12:36:00z",
		"+015-08-30T12:36:00Z",
		"1440938160",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		int64_t time_s = -1;

		assert_int_equal(timestamp_parse(texts[i], &time_s), -EINVAL);
		assert_int_equal(time_s, -1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signs_as_botocore_does),
		cmocka_unit_test(writes_the_canonical_request),
		cmocka_unit_test(refuses_what_it_cannot_sign),
		cmocka_unit_test(never_writes_the_secret_key),
		cmocka_unit_test(reads_the_times_that_aws_sends),
		cmocka_unit_test(refuses_other_forms_of_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
