/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "aws/arn.h"
#include "aws/refusal.h"
#include "aws/reply.h"
#include "aws/secretsmanager.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/macros.h"
#include "base/secret.h"
#include "store/source.h"
#include "store/value.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct source_want prod_db = { .name = "prod/db" };

static int read_bytes(int status, const char *body, size_t length,
		      struct value **ret, struct err *err)
{
	struct buf text;
	struct aws_reply reply = { .status = status, .body = &text };
	int r;

	buf_init(&text, SECRETSMANAGER_REPLY_MAX);
	assert_int_equal(buf_append(&text, body, length), 0);
	r = secretsmanager_reply_read(&reply, &prod_db, ret, err);
	buf_done(&text);
	return r;
}

static int read_reply(int status, const char *body, struct value **ret,
		      struct err *err)
{
	return read_bytes(status, body, strlen(body), ret, err);
}

static void assert_bytes(const struct value *value, const char *bytes,
			 size_t length)
{
	assert_int_equal(secret_length(value_bytes(value)), length);
	assert_memory_equal(secret_bytes(value_bytes(value)), bytes, length);
}

static void reads_a_value_byte_for_byte(void **state)
{
	static const struct {
		const char *body;
		const char *bytes;
		size_t length;
	} cases[] = {
		{ "{\"VersionId\":\"v\",\"SecretString\":\"pass\"}", "pass",
		  4 },
		{ "{\"SecretString\":\"\",\"VersionId\":\"v\"}", "", 0 },
		{ "{\"VersionId\":\"v\",\"SecretString\":"
		  "\"a\\u0000b\\n\\\"\\u20ac\\ud83d\\ude00\"}",
		  "a\0b\n\"\xe2\x82\xac\xf0\x9f\x98\x80", 12 },
		{ "{\"VersionId\":\"v\",\"SecretBinary\":null,"
		  "\"SecretString\":\"{\\\"n\\\":9007199254740993}\"}",
		  "{\"n\":9007199254740993}", 22 },
		{ "{\"VersionId\":\"v\",\"SecretBinary\":\"AP+AIQ==\"}",
		  "\0\xff\x80!", 4 },
		{ "{\"VersionId\":\"v\",\"SecretBinary\":\"Pz8\\/\"}", "???",
		  3 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct value *value = NULL;
		struct err err = { 0 };

		assert_int_equal(read_reply(200, cases[i].body, &value, &err),
				 0);
		assert_bytes(value, cases[i].bytes, cases[i].length);
		value_unref(value);
	}
}

static void reads_version_and_date(void **state)
{
	static const struct {
		const char *date;
		int64_t created_ns;
	} cases[] = {
		{ "", 0 },
		{ ",\"CreatedDate\":1523477145.713", 1523477145713000000 },
		{ ",\"CreatedDate\":1.523477145713E9", 1523477145713000000 },
		{ ",\"CreatedDate\":1700000000", 1700000000000000000 },
		{ ",\"CreatedDate\":\"yesterday\"", 0 },
		{ ",\"CreatedDate\":1e300", 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char body[256] = "{\"SecretString\":\"{\\\"k\\\":1}\","
				 "\"VersionId\":\"EXAMPLE1-90ab\"";
		struct value *value = NULL;

		(void)strncat(body, cases[i].date, 100);
		(void)strncat(body, "}", 2);
		assert_int_equal(read_reply(200, body, &value, NULL), 0);
		assert_string_equal(value_version(value), "EXAMPLE1-90ab");
		assert_int_equal(value_created_ns(value), cases[i].created_ns);
		assert_true(value_has_keys(value));
		value_unref(value);
	}
}

#define ARN_PLAIN "arn:aws:secretsmanager:eu-west-1:1:secret:a/b-a1B2c3"

static void keeps_an_arn_that_may_be_one(void **state)
{
	static const struct {
		const char *text; /* as JSON */
		const char *arn;  /* NULL: none is kept */
	} cases[] = {
		{ "\"" ARN_PLAIN "\"", ARN_PLAIN },
		{ "\"arn:aws-us-gov:s:r:1:x:y\"", "arn:aws-us-gov:s:r:1:x:y" },
		{ "\"arn:aws:s:::x\"", "arn:aws:s:::x" },
		{ "\"arn\\u003aaws:s:::x\"", "arn:aws:s:::x" },
		{ "\"\"", NULL },
		{ "\"arn\"", NULL },
		{ "\"arn:aws:s:r:1:\"", NULL },
		{ "\"arn:aws:s:r:1\"", NULL },
		{ "\"arn::s:r:1:x\"", NULL },
		{ "\"arn:aws::r:1:x\"", NULL },
		{ "\"arnx:aws:s:r:1:x\"", NULL },
		{ "\"ARN:aws:s:r:1:x\"", NULL },
		{ "\" arn:aws:s:r:1:x\"", NULL },
		{ "\"arn:aws:s:r:1:x y\"", NULL },
		{ "\"arn:aws:s:r:1:x\\n\"", NULL },
		{ "\"arn:aws:s:r:1:x\\u0000y\"", NULL },
		{ "\"arn:aws:s:r:1:\\u001b[2J\"", NULL },
		{ "\"arn:aws:s:r:1:\\u00e9\"", NULL },
		{ "4711", NULL },
		{ "null", NULL },
		{ "{\"arn:aws:s:r:1:x\":1}", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct value *value = NULL;
		char body[256];

		(void)snprintf(body, sizeof(body),
			       "{\"SecretString\":\"x\",\"ARN\":%s,"
			       "\"VersionId\":\"v\"}",
			       cases[i].text);
		assert_int_equal(read_reply(200, body, &value, NULL), 0);
		if (cases[i].arn)
			assert_string_equal(value_arn(value), cases[i].arn);
		else
			assert_null(value_arn(value));
		value_unref(value);
	}
}

static void bounds_the_arn(void **state)
{
	static const char start[] = "arn:aws:s:r:1:";
	char text[VALUE_ARN_MAX + 2];

	(void)state;
	(void)memset(text, 'x', sizeof(text));
	memcpy(text, start, strlen(start));
	assert_true(arn_is_plausible(text, VALUE_ARN_MAX));
	assert_false(arn_is_plausible(text, VALUE_ARN_MAX + 1));
}

static void never_looks_for_keys_in_binary(void **state)
{
	struct value *value = NULL;

	(void)state;
	assert_int_equal(read_reply(200,
				    "{\"VersionId\":\"v\","
				    "\"SecretBinary\":\"eyJhIjoxfQ==\"}",
				    &value, NULL),
			 0);
	assert_bytes(value, "{\"a\":1}", 7);
	assert_false(value_has_keys(value));
	value_unref(value);
}

static void bounds_the_value_at_the_quota(void **state)
{
	static const char start[] = "{\"VersionId\":\"v\",\"SecretString\":\"";
	size_t length = strlen(start) + SECRET_LENGTH_MAX;
	char *body = malloc(length + 4);
	struct value *value = NULL;
	struct err err;

	(void)state;
	assert_non_null(body);
	memcpy(body, start, strlen(start));
	memset(body + strlen(start), 'x', SECRET_LENGTH_MAX + 1);
	memcpy(body + length, "\"}", 2);
	assert_int_equal(read_bytes(200, body, length + 2, &value, &err), 0);
	assert_int_equal(secret_length(value_bytes(value)), SECRET_LENGTH_MAX);
	value_unref(value);

	value = NULL;
	memcpy(body + length, "x\"}", 3);
	assert_int_equal(read_bytes(200, body, length + 3, &value, &err),
			 -EFBIG);
	assert_null(value);
	assert_string_equal(err.text, "GetSecretValue 'prod/db': the value is "
				      "longer than 65536 bytes");
	free(body);
}

static void maps_each_refusal_to_an_errno(void **state)
{
	static const struct {
		int status;
		const char *body;
		int code;
	} cases[] = {
		{ 400, "{\"__type\":\"ResourceNotFoundException\"}", -ENOENT },
		{ 404, "{\"__type\":\"ResourceNotFoundException\"}", -ENOENT },
		{ 400,
		  "{\"__type\":\"com.amazonaws.secretsmanager#"
		  "ResourceNotFoundException:http://x#y\"}",
		  -ENOENT },
		{ 400, "{\"__type\":\"InvalidRequestException\"}", -ENOENT },
		{ 400, "{\"__type\":\"InvalidParameterException\"}", -ENOENT },
		{ 400, "{\"__type\":\"AccessDeniedException\"}", -EACCES },
		{ 400, "{\"__type\":\"DecryptionFailure\"}", -EACCES },
		{ 400, "{\"__type\":\"ExpiredTokenException\"}", -EACCES },
		{ 403, "{\"__type\":\"InvalidSignatureException\"}", -EACCES },
		{ 400, "{\"__type\":\"ThrottlingException\"}", -EIO },
		{ 429, "{\"__type\":\"TooManyRequestsException\"}", -EIO },
		{ 500, "{\"__type\":\"InternalServiceError\"}", -EIO },
		{ 500, "{\"__type\":\"AccessDeniedException\"}", -EIO },
		{ 400, "{\"__type\":\"SomethingNew\"}", -EIO },
		{ 403,
		  "<ErrorResponse><Errors><Error><Code>SignatureDoesNotMatch"
		  "</Code><Message>m</Message></Error></Errors>"
		  "</ErrorResponse>",
		  -EACCES },
		{ 403, "<Error><Code>InvalidClientTokenId</Code></Error>",
		  -EACCES },
		/* not AWS's word */
		{ 400, "{}", -EIO },
		{ 403, "", -EIO },
		{ 404, "<html><p>Not found<br></html>", -EIO },
		{ 403, "<html/>", -EIO },
		{ 301, "", -EIO },
		{ 400, "{\"__type\":\"Access Denied\"}", -EIO },
		{ 400, "{\"__type\":7}", -EIO },
		{ 200, "<html>", -EIO },
		{ 200, "", -EIO },
		{ 200, "{}", -EIO },
		{ 200, "[]", -EIO },
		{ 200, "{\"VersionId\":\"v\"}", -EIO },
		{ 200, "{\"SecretString\":\"x\"}", -EIO },
		{ 200, "{\"SecretString\":7,\"VersionId\":\"v\"}", -EIO },
		{ 200, "{\"SecretBinary\":\"AA=\",\"VersionId\":\"v\"}", -EIO },
		{ 204, "{\"SecretString\":\"x\",\"VersionId\":\"v\"}", -EIO },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct value *value = NULL;
		struct err err;

		print_message("%s\n", cases[i].body);
		assert_int_equal(read_reply(cases[i].status, cases[i].body,
					    &value, &err),
				 cases[i].code);
		assert_int_equal(err.code, cases[i].code);
		assert_null(value);
	}
}

static void tells_a_refusal_in_the_words_of_aws(void **state)
{
	static const struct {
		struct aws_reply reply;
		const char *body;
		const char *text;
	} cases[] = {
		{ { .status = 400, .request_id = "1234-5678" },
		  "{\"__type\":\"AccessDeniedException\",\"Message\":"
		  "\"User: arn:aws:iam::1:user/x is not authorized\"}",
		  "GetSecretValue 'prod/db': AccessDeniedException (request "
		  "id 1234-5678): User: arn:aws:iam::1:user/x is not "
		  "authorized" },
		{ { .status = 400 },
		  "{\"__type\":\"a#ResourceNotFoundException\",\"message\":"
		  "\"can't find it\"}",
		  "GetSecretValue 'prod/db': ResourceNotFoundException: can't "
		  "find it" },
		{ { .status = 403,
		    .error_type = "AccessDeniedException:http://x/",
		    .request_id = "id" },
		  "",
		  "GetSecretValue 'prod/db': AccessDeniedException (request "
		  "id id)" },
		{ { .status = 403 },
		  " <Error><Code>AccessDenied</Code><Message>a &amp; b"
		  "</Message></Error>",
		  "GetSecretValue 'prod/db': AccessDenied: a & b" },
		{ { .status = 502, .request_id = "a b" },
		  "<html>",
		  "GetSecretValue 'prod/db': status 502 without an AWS error" },
		{ { .status = 203 },
		  "{\"__type\":\"Odd\",\"message\":\"s3cr3t\"}",
		  "GetSecretValue 'prod/db': status 203 without an AWS error" },
		{ { .status = 400 },
		  "{\"__type\":\"Odd\",\"message\":\"a\\u0007b\\u001b[2J\"}",
		  "GetSecretValue 'prod/db': Odd: a?b?[2J" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct aws_reply reply = cases[i].reply;
		struct value *value = NULL;
		struct buf body;
		struct err err;

		buf_init(&body, 65536);
		reply.body = &body;
		assert_int_equal(buf_append_text(&body, cases[i].body), 0);
		assert_true(secretsmanager_reply_read(&reply, &prod_db, &value,
						      &err) < 0);
		assert_string_equal(err.text, cases[i].text);
		buf_done(&body);
	}
}

static void never_quotes_the_value_in_an_error(void **state)
{
	static const char *const bodies[] = {
		"{\"VersionId\":\"v\",\"SecretString\":\"hunter2",
		"{\"SecretString\":\"hunter2\"}",
		"{\"VersionId\":\"v\",\"SecretString\":\"hunter2\\ud800\"}",
		"{\"VersionId\":\"v\",\"SecretBinary\":\"hunter2\"}",
		"hunter2",
		"{\"VersionId\":\"v\",\"SecretString\":{\"a\":\"hunter2\"}}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
		struct value *value = NULL;
		struct err err;

		assert_int_equal(read_reply(200, bodies[i], &value, &err),
				 -EIO);
		assert_null(strstr(err.text, "hunter2"));
	}
}

static void never_passes_on_a_token_that_aws_quotes(void **state)
{
	static const char *const bodies[] = {
		"{\"__type\":\"InvalidSignatureException\",\"message\":\"The "
		"signature does not match.\\n\\nThe Canonical String should "
		"have been\\n'POST\\nx-amz-security-token:IQoJhunter2'\"}",
		"{\"Error\":{\"Code\":\"ValidationError\",\"Message\":\"Value "
		"'eyJhbGhunter2' at 'webIdentityToken' failed\"}}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
		struct value *value = NULL;
		struct err err;

		assert_int_equal(read_reply(400, bodies[i], &value, &err),
				 -EACCES);
		assert_null(strstr(err.text, "hunter2"));
	}
}

static void knows_which_refusals_are_of_the_keys(void **state)
{
	static const struct {
		const char *body;
		bool is_of_keys;
	} cases[] = {
		{ "{\"__type\":\"ExpiredTokenException\"}", true },
		{ "{\"__type\":\"x#UnrecognizedClientException\"}", true },
		{ "<Error><Code>InvalidClientTokenId</Code></Error>", true },
		{ "<Error><Code>ExpiredToken</Code></Error>", true },
		{ "{\"__type\":\"AccessDeniedException\"}", false },
		{ "{\"__type\":\"InvalidSignatureException\"}", false },
		{ "", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct buf body;
		struct aws_reply reply = { .status = 400, .body = &body };

		buf_init(&body, 65536);
		assert_int_equal(buf_append_text(&body, cases[i].body), 0);
		assert_int_equal(refusal_is_of_keys(&reply),
				 cases[i].is_of_keys);
		buf_done(&body);
	}
}

static void knows_which_refusals_may_pass(void **state)
{
	static const struct {
		const char *body;
		int status;
		enum refusal_kind kind;
	} cases[] = {
		{ "{\"__type\":\"ThrottlingException\"}", 400,
		  REFUSAL_THROTTLED },
		{ "{\"__type\":\"x#SlowDown\"}", 503, REFUSAL_THROTTLED },
		{ "<Error><Code>Throttling</Code></Error>", 400,
		  REFUSAL_THROTTLED },
		{ "", 429, REFUSAL_THROTTLED },
		{ "{\"__type\":\"InternalServiceError\"}", 500,
		  REFUSAL_TRANSIENT },
		{ "", 502, REFUSAL_TRANSIENT },
		{ "<html>", 503, REFUSAL_TRANSIENT },
		{ "", 504, REFUSAL_TRANSIENT },
		{ "{\"__type\":\"RequestTimeout\"}", 400, REFUSAL_TRANSIENT },
		{ "<Error><Code>IDPCommunicationError</Code></Error>", 400,
		  REFUSAL_TRANSIENT },
		{ "<Error><Code>InvalidIdentityToken</Code><Message>Couldn't "
		  "retrieve verification key from your identity provider"
		  "</Message></Error>",
		  400, REFUSAL_TRANSIENT },
		{ "<Error><Code>InvalidIdentityToken</Code><Message>The token "
		  "is malformed</Message></Error>",
		  400, REFUSAL_DEFINITE },
		{ "{\"__type\":\"AccessDeniedException\"}", 400,
		  REFUSAL_DEFINITE },
		{ "{\"__type\":\"ResourceNotFoundException\"}", 400,
		  REFUSAL_DEFINITE },
		{ "{\"__type\":\"DecryptionFailure\"}", 400, REFUSAL_DEFINITE },
		{ "{\"__type\":\"ExpiredTokenException\"}", 403,
		  REFUSAL_DEFINITE },
		{ "", 400, REFUSAL_DEFINITE },
		{ "", 404, REFUSAL_DEFINITE },
		{ "{\"__type\":\"AccessDeniedException\"}", 429,
		  REFUSAL_DEFINITE },
		{ "{\"__type\":\"AccessDeniedException\"}", 500,
		  REFUSAL_TRANSIENT },
		{ "", 501, REFUSAL_DEFINITE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct buf body;
		struct aws_reply reply = { .status = cases[i].status,
					   .body = &body };

		buf_init(&body, 65536);
		assert_int_equal(buf_append_text(&body, cases[i].body), 0);
		assert_int_equal(refusal_kind(&reply), cases[i].kind);
		buf_done(&body);
	}
}

#define VERSION "EXAMPLE1-90ab-cdef-fedc-ba987EXAMPLE"

static void writes_a_request_that_quotes_its_texts(void **state)
{
	static const struct {
		struct source_want want;
		const char *body;
	} cases[] = {
		{ { .name = "a/b_+=.@-\"\\" },
		  "{\"SecretId\":\"a/b_+=.@-\\\"\\\\\"}" },
		{ { .name = "a", .stage = "AWSPREVIOUS" },
		  "{\"SecretId\":\"a\",\"VersionStage\":\"AWSPREVIOUS\"}" },
		{ { .name = "a", .version = VERSION },
		  "{\"SecretId\":\"a\",\"VersionId\":\"" VERSION "\"}" },
		{ { .name = "a", .version = VERSION, .stage = "x\"y\\" },
		  "{\"SecretId\":\"a\",\"VersionId\":\"" VERSION "\","
		  "\"VersionStage\":\"x\\\"y\\\\\"}" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct buf out;

		buf_init(&out, 4096);
		assert_int_equal(secretsmanager_form(&cases[i].want, &out), 0);
		assert_string_equal(buf_text(&out), cases[i].body);
		buf_done(&out);
	}
}

static void a_request_without_room_is_refused(void **state)
{
	static const struct source_want want = { .name = "a",
						 .version = VERSION,
						 .stage = "AWSPREVIOUS" };
	size_t needed;
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	assert_int_equal(secretsmanager_form(&want, &out), 0);
	needed = out.length;
	buf_done(&out);
	for (size_t i = 0; i < needed; i++) {
		buf_init(&out, i);
		assert_int_equal(secretsmanager_form(&want, &out), -EFBIG);
		buf_done(&out);
	}
}

static void knows_names_that_no_secret_has(void **state)
{
	char longest[SECRETSMANAGER_NAME_MAX + 2] = "";
	static const struct {
		const char *name;
		int code;
	} cases[] = { { "a", 0 },	   { "rds!db-1 2", 0 },
		      { "", -ENOENT },	   { "a\nb", -ENOENT },
		      { "\x7f", -ENOENT }, { "\xc3\xa4", -ENOENT } };
	struct source_want want = { .name = longest };
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(
			secretsmanager_check(
				&(struct source_want){ .name = cases[i].name },
				&err),
			cases[i].code);
	assert_string_equal(err.text, "no secret's name holds the byte 0xc3");
	memset(longest, 'x', SECRETSMANAGER_NAME_MAX);
	assert_int_equal(secretsmanager_check(&want, &err), 0);
	longest[SECRETSMANAGER_NAME_MAX] = 'x';
	assert_int_equal(secretsmanager_check(&want, &err), -ENOENT);
}

/* Each of the length that is given, of this character. */
static void knows_versions_and_stages_that_cannot_be(void **state)
{
	static const struct {
		int version;
		int stage;
		char character;
		const char *text; /* NULL: they can */
	} cases[] = {
		{ 32, 1, 'x', NULL },
		{ 64, 256, '~', NULL },
		{ 31, 1, 'x', "a version's id has 32 to 64 characters" },
		{ 65, 1, 'x', "a version's id has 32 to 64 characters" },
		{ 32, 0, 'x', "a version's stage has 1 to 256 characters" },
		{ 32, 257, 'x', "a version's stage has 1 to 256 characters" },
		{ 32, 1, '\n', "no version's id holds the byte 0x0a" },
		{ -1, 1, '\xe4', "no version's stage holds the byte 0xe4" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char version[66] = "";
		char stage[258] = "";
		struct source_want want = { .name = "a", .stage = stage };
		struct err err = { 0 };

		if (cases[i].version >= 0) {
			memset(version, cases[i].character,
			       (size_t)cases[i].version);
			want.version = version;
		}
		memset(stage, cases[i].character, (size_t)cases[i].stage);
		assert_int_equal(secretsmanager_check(&want, &err),
				 cases[i].text ? -ENOENT : 0);
		assert_string_equal(err.text,
				    cases[i].text ? cases[i].text : "");
	}
}

static void an_error_names_version_and_stage(void **state)
{
	static const struct {
		struct source_want want;
		const char *text;
	} cases[] = {
		{ { .name = "a" }, "GetSecretValue 'a': why" },
		{ { .name = "a", .version = "v" },
		  "GetSecretValue 'a' (version v): why" },
		{ { .name = "a", .stage = "AWSPREVIOUS" },
		  "GetSecretValue 'a' (stage AWSPREVIOUS): why" },
		{ { .name = "a", .version = "v", .stage = "AWSPREVIOUS" },
		  "GetSecretValue 'a' (version v, stage AWSPREVIOUS): why" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err err;

		err_set(&err, -EACCES, "why");
		assert_int_equal(secretsmanager_wrap(&cases[i].want, &err),
				 -EACCES);
		assert_string_equal(err.text, cases[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_a_value_byte_for_byte),
		cmocka_unit_test(reads_version_and_date),
		cmocka_unit_test(keeps_an_arn_that_may_be_one),
		cmocka_unit_test(bounds_the_arn),
		cmocka_unit_test(never_looks_for_keys_in_binary),
		cmocka_unit_test(bounds_the_value_at_the_quota),
		cmocka_unit_test(maps_each_refusal_to_an_errno),
		cmocka_unit_test(tells_a_refusal_in_the_words_of_aws),
		cmocka_unit_test(never_quotes_the_value_in_an_error),
		cmocka_unit_test(never_passes_on_a_token_that_aws_quotes),
		cmocka_unit_test(knows_which_refusals_are_of_the_keys),
		cmocka_unit_test(knows_which_refusals_may_pass),
		cmocka_unit_test(writes_a_request_that_quotes_its_texts),
		cmocka_unit_test(a_request_without_room_is_refused),
		cmocka_unit_test(knows_names_that_no_secret_has),
		cmocka_unit_test(knows_versions_and_stages_that_cannot_be),
		cmocka_unit_test(an_error_names_version_and_stage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
