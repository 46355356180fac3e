/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "aws/aws_source.h"
#include "aws/credentials.h"
#include "base/err.h"
#include "base/macros.h"
#include "base/secret.h"
#include "loop/loop.h"
#include "store/source.h"
#include "store/value.h"
#include "tests/aws_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TIMEOUT_MS 20000
#define ARN_START "arn:aws:secretsmanager:"

static const struct fake_reply good = {
	.status = 200,
	.body = "{\"ARN\":\"a\",\"Name\":\"prod/db\",\"VersionId\":\"EXAMPLE1\","
		"\"SecretString\":\"s3cr3t\",\"CreatedDate\":1700000000.5}",
};
static const struct fake_reply absent = {
	.status = 400,
	.body = "{\"__type\":\"ResourceNotFoundException\",\"Message\":\"can't "
		"find the specified secret.\"}",
	.request_id = "r-1",
};
static const struct fake_reply expired = {
	.status = 400,
	.body = "{\"__type\":\"ExpiredTokenException\",\"message\":\"The "
		"security token included in the request is expired\"}",
};
static const struct fake_reply unreachable = { .failure = -EIO };
static const struct fake_reply too_large = { .failure = -EFBIG };
static const struct fake_reply no_ca_file = { .failure = -EACCES };
static const struct fake_reply broken = { .failure = -EINVAL };
static const struct fake_reply first_keys = {
	.status = 200,
	.body = FIXTURE_STS_BODY("ASIAFIRST", "1795432272"),
};
static const struct fake_reply second_keys = {
	.status = 200,
	.body = FIXTURE_STS_BODY("ASIASECOND", "1795435872"),
};

struct setup {
	struct fixture fixture;
	struct aws_settings settings;
	struct source *source;
};

struct seen {
	unsigned count;
	int code;
	char bytes[64];
	char version[32];
	int64_t created_ns;
	char text[ERR_TEXT_MAX];
	struct setup *to_free;
};

static void on_value(void *owner, struct value *value, const struct err *err)
{
	struct seen *seen = owner;

	assert_true((value == NULL) != (err == NULL));
	seen->count++;
	seen->code = err ? err->code : 0;
	(void)snprintf(seen->text, sizeof(seen->text), "%s",
		       err ? err->text : "");
	if (value) {
		struct secret *bytes = value_bytes(value);

		(void)snprintf(seen->bytes, sizeof(seen->bytes), "%.*s",
			       (int)secret_length(bytes),
			       (const char *)secret_bytes(bytes));
		(void)snprintf(seen->version, sizeof(seen->version), "%s",
			       value_version(value));
		seen->created_ns = value_created_ns(value);
	}
	if (seen->to_free) {
		struct source *source = TAKE(seen->to_free->source);

		source->operations->free(source);
	}
}

static void prepare(struct setup *setup)
{
	fixture_init(&setup->fixture);
	setup->settings = (struct aws_settings){ .timeout_ms = TIMEOUT_MS };
	setup->source = NULL;
}

static void open_source(struct setup *setup)
{
	assert_int_equal(aws_source_new(setup->fixture.identities,
					&setup->settings, &setup->source, NULL),
			 0);
}

static void set_up(struct setup *setup)
{
	prepare(setup);
	fixture_set_keys(&setup->fixture, NULL);
	open_source(setup);
}

static void set_up_role(struct setup *setup)
{
	prepare(setup);
	fixture_set_role(&setup->fixture);
	open_source(setup);
}

static void tear_down(struct setup *setup)
{
	if (setup->source)
		setup->source->operations->free(setup->source);
	fixture_done(&setup->fixture);
}

static struct source_call *fetch_wanted(struct setup *setup,
					const struct source_want *want,
					struct seen *seen)
{
	struct source_call *call = setup->source->operations->fetch(
		setup->source, want, on_value, seen);

	assert_non_null(call);
	assert_int_equal(seen->count, 0);
	return call;
}

static struct source_call *fetch(struct setup *setup, const char *name,
				 struct seen *seen)
{
	struct source_want want = { .name = name };

	return fetch_wanted(setup, &want, seen);
}

/* Fetches and settles; the callback must have run. */
static struct seen get_wanted(struct setup *setup,
			      const struct source_want *want)
{
	struct seen seen = { 0 };

	(void)fetch_wanted(setup, want, &seen);
	fixture_settle(&setup->fixture);
	assert_int_equal(seen.count, 1);
	return seen;
}

static struct seen get(struct setup *setup, const char *name)
{
	struct source_want want = { .name = name };

	return get_wanted(setup, &want);
}

static void fetches_a_value(void **state)
{
	const struct fake_request *request;
	struct setup setup;
	struct seen seen;

	(void)state;
	set_up(&setup);
	fake_http_add(setup.fixture.http, &good);
	seen = get(&setup, "prod/db");
	assert_int_equal(seen.code, 0);
	assert_string_equal(seen.bytes, "s3cr3t");
	assert_string_equal(seen.version, "EXAMPLE1");
	assert_int_equal(seen.created_ns, 1700000000500000000);

	request = fake_http_request(setup.fixture.http, 0);
	assert_string_equal(request->url,
			    "https://secretsmanager.eu-west-1.amazonaws.com/");
	assert_string_equal(request->body, "{\"SecretId\":\"prod/db\"}");
	assert_int_equal(request->timeout_ms, RETRY_ATTEMPT_TIMEOUT_MS);
	assert_int_equal(request->reply_max, 1 << 20);
	assert_false(request->fresh_connection);
	tear_down(&setup);
}

/* The signatures are botocore's for the same requests. */
static void signs_what_it_sends(void **state)
{
	static const struct {
		const char *token;
		const char *headers;
	} cases[] = {
		{ NULL,
		  "Host: secretsmanager.eu-west-1.amazonaws.com\n"
		  "Content-Type: application/x-amz-json-1.1\n"
		  "X-Amz-Target: secretsmanager.GetSecretValue\n"
		  "X-Amz-Date: 20261123T101112Z\n"
		  "Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"
		  "20261123/eu-west-1/secretsmanager/aws4_request, "
		  "SignedHeaders=content-type;host;x-amz-date;x-amz-target, "
		  "Signature=4d184b4e2b6c4d957b29b6d486de10d6"
		  "6b5a14ae3578e9b2ca05e452e68fb321\n" },
		{ "IQoJtoken",
		  "Host: secretsmanager.eu-west-1.amazonaws.com\n"
		  "Content-Type: application/x-amz-json-1.1\n"
		  "X-Amz-Target: secretsmanager.GetSecretValue\n"
		  "X-Amz-Date: 20261123T101112Z\n"
		  "X-Amz-Security-Token: IQoJtoken\n"
		  "Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"
		  "20261123/eu-west-1/secretsmanager/aws4_request, "
		  "SignedHeaders=content-type;host;x-amz-date;"
		  "x-amz-security-token;x-amz-target, "
		  "Signature=7544362d191663fe6af7ceee0824dcef"
		  "f84e92f7c8d49a83e9af307d0cc5dcb9\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct setup setup;

		prepare(&setup);
		fixture_set_keys(&setup.fixture, cases[i].token);
		open_source(&setup);
		fake_http_add(setup.fixture.http, &good);
		(void)get(&setup, "prod/db");
		assert_string_equal(
			fake_http_request(setup.fixture.http, 0)->headers,
			cases[i].headers);
		tear_down(&setup);
	}
}

static void gives_readers_their_codes_only(void **state)
{
	static const struct {
		const struct fake_reply *reply;
		unsigned attempts;
		int code;
		const char *text;
	} cases[] = {
		{ &absent, 1, -ENOENT,
		  "GetSecretValue 'prod/db': ResourceNotFoundException "
		  "(request id r-1): can't find the specified secret." },
		{ &unreachable, 3, -EIO,
		  "GetSecretValue 'prod/db': the fake host does not answer" },
		{ &too_large, 1, -EFBIG,
		  "GetSecretValue 'prod/db': the fake host does not answer" },
		{ &no_ca_file, 1, -ENOKEY,
		  "GetSecretValue 'prod/db': the fake host does not answer" },
		{ &broken, 1, -EIO,
		  "GetSecretValue 'prod/db': the fake host does not answer" },
		/* keys of the environment cannot be renewed */
		{ &expired, 1, -EACCES,
		  "GetSecretValue 'prod/db': ExpiredTokenException: The "
		  "security token included in the request is expired" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct setup setup;
		struct seen seen;

		set_up(&setup);
		for (unsigned n = 0; n < RETRY_ATTEMPTS_MAX; n++)
			fake_http_add(setup.fixture.http, cases[i].reply);
		seen = get(&setup, "prod/db");
		assert_int_equal(seen.code, cases[i].code);
		assert_string_equal(seen.text, cases[i].text);
		assert_int_equal(fake_http_count(setup.fixture.http),
				 cases[i].attempts);
		tear_down(&setup);
	}
}

/* Name and message are as long as AWS makes them. */
static void shows_the_request_id_beside_long_texts(void **state)
{
	char body[1200] =
		"{\"__type\":\"AccessDeniedException\",\"Message\":\"";
	const struct fake_reply long_reply = {
		.status = 400,
		.body = body,
		.request_id = "c0ffee00-1234-5678-9abc-def012345678",
	};
	char name[513];
	struct setup setup;
	struct seen seen;

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	memset(body + strlen(body), 'm', 1000);
	memcpy(body + strlen(body), "\"}", sizeof("\"}"));
	set_up(&setup);
	fake_http_add(setup.fixture.http, &long_reply);
	seen = get(&setup, name);
	assert_int_equal(seen.code, -EACCES);
	assert_non_null(strstr(seen.text, "AccessDeniedException"));
	assert_non_null(strstr(seen.text, long_reply.request_id));
	tear_down(&setup);
}

/* What STS does wrong in length is not the secret's length. */
static void does_not_blame_the_value_for_a_reply_of_STS(void **state)
{
	struct setup setup;

	(void)state;
	prepare(&setup);
	fixture_set_role(&setup.fixture);
	open_source(&setup);
	fake_http_add(setup.fixture.http, &too_large);
	assert_int_equal(get(&setup, "prod/db").code, -EIO);
	tear_down(&setup);
}

static const struct fake_reply failing = {
	.status = 500,
	.body = "{\"__type\":\"InternalServiceError\"}",
};
static const struct fake_reply throttled = {
	.status = 400,
	.body = "{\"__type\":\"ThrottlingException\",\"Message\":\"Rate "
		"exceeded\"}",
	.retry_after = "2000",
};

static void asks_again_for_what_may_pass(void **state)
{
	static const struct fake_reply behind_a_proxy = {
		.status = 503,
		.body = "<html>",
	};
	static const struct fake_reply slow = {
		.status = 400,
		.body = "{\"__type\":\"RequestTimeoutException\"}",
	};
	static const struct fake_reply *const passing[] = {
		&failing,
		&behind_a_proxy,
		&slow,
		&unreachable,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(passing); i++) {
		struct setup setup;
		struct seen seen;

		set_up(&setup);
		fake_http_add(setup.fixture.http, passing[i]);
		fake_http_add(setup.fixture.http, passing[i]);
		fake_http_add(setup.fixture.http, &good);
		seen = get(&setup, "prod/db");
		assert_string_equal(seen.text, "");
		assert_string_equal(seen.bytes, "s3cr3t");
		assert_int_equal(fake_http_count(setup.fixture.http), 3);
		tear_down(&setup);
	}
}

static void says_what_the_last_attempt_brought(void **state)
{
	struct setup setup;
	struct seen seen;

	(void)state;
	set_up(&setup);
	fake_http_add(setup.fixture.http, &unreachable);
	fake_http_add(setup.fixture.http, &unreachable);
	fake_http_add(setup.fixture.http, &failing);
	seen = get(&setup, "prod/db");
	assert_int_equal(seen.code, -EBUSY);
	assert_string_equal(seen.text,
			    "GetSecretValue 'prod/db': InternalServiceError");
	tear_down(&setup);
}

static void waits_as_long_as_aws_wishes_and_signs_anew(void **state)
{
	struct seen seen = { 0 };
	struct setup setup;

	(void)state;
	set_up(&setup);
	fake_http_add(setup.fixture.http, &throttled);
	fake_http_add(setup.fixture.http, &good);
	(void)fetch(&setup, "prod/db", &seen);
	fixture_settle(&setup.fixture);
	fixture_advance(&setup.fixture, 1999);
	assert_int_equal(fake_http_count(setup.fixture.http), 1);
	clock_advance(&setup.fixture.clock, 1000);
	fixture_settle(&setup.fixture);
	assert_int_equal(fake_http_count(setup.fixture.http), 2);
	assert_non_null(
		strstr(fake_http_request(setup.fixture.http, 0)->headers,
		       "X-Amz-Date: 20261123T101112Z\n"));
	assert_non_null(
		strstr(fake_http_request(setup.fixture.http, 1)->headers,
		       "X-Amz-Date: 20261123T101114Z\n"));
	assert_string_equal(seen.bytes, "s3cr3t");
	tear_down(&setup);
}

static void ignores_a_wish_that_is_no_number(void **state)
{
	static const char *const wishes[] = { "", "-1", "2s", "2000 ",
					      "99999999999999999999" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wishes); i++) {
		struct fake_reply reply = throttled;
		struct setup setup;

		set_up(&setup);
		reply.retry_after = wishes[i];
		fake_http_add(setup.fixture.http, &reply);
		fake_http_add(setup.fixture.http, &good);
		assert_string_equal(get(&setup, "prod/db").bytes, "s3cr3t");
		tear_down(&setup);
	}
}

/* Another mount of the same endpoint knows at once. */
static void sources_share_what_is_known_of_an_endpoint(void **state)
{
	struct source *first;
	struct setup setup;
	struct seen seen;

	(void)state;
	set_up(&setup);
	for (unsigned i = 0; i < 5; i++)
		fake_http_add(setup.fixture.http, &unreachable);
	(void)get(&setup, "prod/db");
	(void)get(&setup, "prod/db");
	assert_int_equal(fake_http_count(setup.fixture.http), 5);

	first = TAKE(setup.source);
	open_source(&setup);
	seen = get(&setup, "prod/api");
	assert_int_equal(seen.code, -EIO);
	assert_string_equal(seen.text,
			    "GetSecretValue 'prod/api': the fake host does not "
			    "answer (not asked again for 0.5 s)");
	assert_int_equal(fake_http_count(setup.fixture.http), 5);
	first->operations->free(first);
	tear_down(&setup);
}

/* Whoever is the same asks for keys once, in whatever part it is needed; but a
 * role's keys are of a region's STS. */
static void sources_share_the_keys_of_an_identity(void **state)
{
	struct source *first;
	struct source *second;
	struct setup setup;

	(void)state;
	set_up_role(&setup);
	fake_http_add(setup.fixture.http, &first_keys);
	fake_http_add(setup.fixture.http, &good);
	(void)get(&setup, "prod/db");
	assert_int_equal(fake_http_count(setup.fixture.http), 2);

	first = setup.source;
	open_source(&setup);
	fake_http_add(setup.fixture.http, &good);
	assert_string_equal(get(&setup, "prod/db").bytes, "s3cr3t");
	assert_int_equal(fake_http_count(setup.fixture.http), 3);

	second = setup.source;
	setup.settings.region = "us-east-1";
	open_source(&setup);
	fake_http_add(setup.fixture.http, &second_keys);
	fake_http_add(setup.fixture.http, &good);
	assert_string_equal(get(&setup, "prod/db").bytes, "s3cr3t");
	assert_int_equal(fake_http_count(setup.fixture.http), 5);
	assert_string_equal(fake_http_request(setup.fixture.http, 3)->url,
			    "https://sts.us-east-1.amazonaws.com/");
	first->operations->free(first);
	second->operations->free(second);
	tear_down(&setup);
}

static void sends_nothing_for_a_name_that_cannot_be(void **state)
{
	static const struct {
		const char *name;
		const char *text;
	} cases[] = {
		{ "a\xff",
		  "GetSecretValue 'a\xff': no secret's name holds the byte "
		  "0xff" },
		{ "", "GetSecretValue '': a secret's name has 1 to 2048 "
		      "characters" },
		{ ARN_START "us-east-1:1:secret:x",
		  "GetSecretValue '" ARN_START "us-east-1:1:secret:x': the "
		  "ARN is of region us-east-1, the mount of eu-west-1" },
		{ "arn:aws:s3:::x",
		  "GetSecretValue 'arn:aws:s3:::x': 'arn:aws:s3:::x' is not "
		  "the ARN of a secret (" ARN_START "REGION:ACCOUNT:secret:"
		  "NAME)" },
	};
	struct setup setup;

	(void)state;
	set_up(&setup);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct seen seen = get(&setup, cases[i].name);

		assert_int_equal(seen.code, -ENOENT);
		assert_string_equal(seen.text, cases[i].text);
	}
	assert_int_equal(fake_http_count(setup.fixture.http), 0);
	tear_down(&setup);
}

static void fetches_by_an_arn_of_its_region(void **state)
{
	struct setup setup;

	(void)state;
	prepare(&setup);
	fixture_set_keys(&setup.fixture, NULL);
	setup.fixture.environment.region = NULL;
	setup.settings.secret = ARN_START "eu-west-1:1:secret:x";
	open_source(&setup);
	fake_http_add(setup.fixture.http, &good);
	assert_int_equal(get(&setup, setup.settings.secret).code, 0);
	assert_string_equal(fake_http_request(setup.fixture.http, 0)->body,
			    "{\"SecretId\":\"" ARN_START
			    "eu-west-1:1:secret:x\"}");
	tear_down(&setup);
}

#define VERSION "EXAMPLE1-90ab-cdef-fedc-ba987EXAMPLE"

/* The texts are the caller's again before the request is written. */
static void asks_for_a_version_and_a_stage(void **state)
{
	char name[] = "prod/db";
	char version[] = VERSION;
	char stage[] = "AWSPREVIOUS";
	struct source_want want = { name, version, stage };
	struct seen seen = { 0 };
	struct setup setup;

	(void)state;
	set_up(&setup);
	fake_http_add(setup.fixture.http, &good);
	(void)fetch_wanted(&setup, &want, &seen);
	memset(name, '!', sizeof(name));
	memset(version, '!', sizeof(version));
	memset(stage, '!', sizeof(stage));
	fixture_settle(&setup.fixture);
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.code, 0);
	assert_string_equal(fake_http_request(setup.fixture.http, 0)->body,
			    "{\"SecretId\":\"prod/db\",\"VersionId\":\"" VERSION
			    "\",\"VersionStage\":\"AWSPREVIOUS\"}");
	tear_down(&setup);
}

static void says_which_version_was_refused(void **state)
{
	static const struct fake_reply no_version = {
		.status = 400,
		.body = "{\"__type\":\"ResourceNotFoundException\","
			"\"Message\":\"no such version\"}",
	};
	static const struct fake_reply mismatch = {
		.status = 400,
		.body = "{\"__type\":\"InvalidRequestException\","
			"\"Message\":\"not associated\"}",
	};
	static const struct {
		const struct fake_reply *reply; /* NULL: nothing is sent */
		unsigned attempts;
		struct source_want want;
		int code;
		const char *text;
	} cases[] = {
		{ &no_version,
		  1,
		  { .name = "a", .stage = "AWSPREVIOUS" },
		  -ENOENT,
		  "GetSecretValue 'a' (stage AWSPREVIOUS): "
		  "ResourceNotFoundException: no such version" },
		{ &mismatch,
		  1,
		  { .name = "a", .version = VERSION, .stage = "AWSCURRENT" },
		  -ENOENT,
		  "GetSecretValue 'a' (version " VERSION ", stage "
		  "AWSCURRENT): InvalidRequestException: not associated" },
		{ &unreachable,
		  3,
		  { .name = "a", .version = VERSION },
		  -EIO,
		  "GetSecretValue 'a' (version " VERSION "): the fake host "
		  "does not answer" },
		{ NULL,
		  0,
		  { .name = "a", .version = "1" },
		  -ENOENT,
		  "GetSecretValue 'a' (version 1): a version's id has 32 to "
		  "64 characters" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct setup setup;
		struct seen seen;

		set_up(&setup);
		for (unsigned n = 0; n < cases[i].attempts; n++)
			fake_http_add(setup.fixture.http, cases[i].reply);
		seen = get_wanted(&setup, &cases[i].want);
		assert_int_equal(seen.code, cases[i].code);
		assert_string_equal(seen.text, cases[i].text);
		assert_int_equal(fake_http_count(setup.fixture.http),
				 cases[i].attempts);
		tear_down(&setup);
	}
}

static void gets_newer_keys_once(void **state)
{
	struct setup setup;
	struct seen seen;

	(void)state;
	set_up_role(&setup);
	fake_http_add(setup.fixture.http, &first_keys);
	fake_http_add(setup.fixture.http, &expired);
	fake_http_add(setup.fixture.http, &second_keys);
	fake_http_add(setup.fixture.http, &good);
	seen = get(&setup, "prod/db");
	assert_string_equal(seen.text, "");
	assert_string_equal(seen.bytes, "s3cr3t");
	assert_int_equal(fake_http_count(setup.fixture.http), 4);
	assert_non_null(
		strstr(fake_http_request(setup.fixture.http, 1)->headers,
		       "Credential=ASIAFIRST/"));
	assert_non_null(
		strstr(fake_http_request(setup.fixture.http, 3)->headers,
		       "Credential=ASIASECOND/"));
	assert_string_equal(fake_http_request(setup.fixture.http, 3)->body,
			    "{\"SecretId\":\"prod/db\"}");
	tear_down(&setup);
}

/* Before the time is known, and after. */
static void signs_for_AWSs_time_once_that_is_known(void **state)
{
	static const struct fake_reply skewed = {
		.status = 403,
		.body = "{\"__type\":\"InvalidSignatureException\",\"message\":"
			"\"Signature expired\"}",
		.date = "Mon, 23 Nov 2026 11:11:12 GMT",
	};
	struct setup setup;
	struct seen seen;

	(void)state;
	prepare(&setup);
	fixture_set_keys(&setup.fixture, NULL);
	open_source(&setup);
	fake_http_add(setup.fixture.http, &skewed);
	fake_http_add(setup.fixture.http, &good);
	fake_http_add(setup.fixture.http, &good);
	seen = get(&setup, "prod/db");
	assert_string_equal(seen.text, "");
	(void)get(&setup, "prod/db");
	for (size_t i = 0; i < 3; i++)
		assert_non_null(strstr(
			fake_http_request(setup.fixture.http, i)->headers,
			i == 0 ? "X-Amz-Date: 20261123T101112Z\n"
			       : "X-Amz-Date: 20261123T111112Z\n"));
	tear_down(&setup);
}

static void gives_up_when_newer_keys_are_refused_too(void **state)
{
	struct setup setup;
	struct seen seen;

	(void)state;
	set_up_role(&setup);
	fake_http_add(setup.fixture.http, &first_keys);
	fake_http_add(setup.fixture.http, &expired);
	fake_http_add(setup.fixture.http, &second_keys);
	fake_http_add(setup.fixture.http, &expired);
	seen = get(&setup, "prod/db");
	assert_int_equal(seen.code, -EACCES);
	assert_int_equal(fake_http_count(setup.fixture.http), 4);
	tear_down(&setup);
}

/* Two fetches find the same keys expired: the second to hear of it must not
 * throw away what the first one brought. */
static void renews_keys_once_for_two_fetches(void **state)
{
	static const struct source_want wants[] = {
		{ .name = "prod/db", .stage = "AWSCURRENT" },
		{ .name = "prod/api", .stage = "AWSCURRENT" },
	};
	struct seen one = { 0 };
	struct seen two = { 0 };
	struct setup setup;

	(void)state;
	set_up_role(&setup);
	fake_http_add(setup.fixture.http, &first_keys);
	fake_http_add(setup.fixture.http, &expired);
	fake_http_add(setup.fixture.http, &expired);
	fake_http_add(setup.fixture.http, &second_keys);
	fake_http_add(setup.fixture.http, &good);
	fake_http_add(setup.fixture.http, &good);
	(void)fetch_wanted(&setup, &wants[0], &one);
	(void)fetch_wanted(&setup, &wants[1], &two);
	fixture_settle(&setup.fixture);
	assert_int_equal(one.count, 1);
	assert_int_equal(two.count, 1);
	assert_string_equal(one.bytes, "s3cr3t");
	assert_string_equal(two.bytes, "s3cr3t");
	assert_int_equal(fake_http_count(setup.fixture.http), 6);
	tear_down(&setup);
}

static void says_when_there_are_no_keys(void **state)
{
	struct setup setup;
	struct seen seen;
	struct err err;

	(void)state;
	set_up_role(&setup);
	assert_int_equal(account_check(setup.source, &err), 0);
	assert_int_equal(unlink(setup.fixture.token_file), 0);
	assert_int_equal(account_check(setup.source, &err), -ENOKEY);
	seen = get(&setup, "prod/db");
	assert_int_equal(seen.code, -ENOKEY);
	assert_memory_equal(seen.text,
			    "GetSecretValue 'prod/db': "
			    "AssumeRoleWithWebIdentity '",
			    53);
	assert_non_null(strstr(seen.text, "No such file or directory"));
	tear_down(&setup);
}

static void ends_at_its_deadline_in_each_state(void **state)
{
	(void)state;
	for (unsigned answered = 0; answered < 2; answered++) {
		struct seen seen = { 0 };
		struct setup setup;

		prepare(&setup);
		fixture_set_role(&setup.fixture);
		setup.settings.timeout_ms = 3000;
		open_source(&setup);
		if (answered > 0)
			fake_http_add(setup.fixture.http, &first_keys);
		(void)fetch(&setup, "prod/db", &seen);
		fixture_settle(&setup.fixture);
		/* credentials end a moment earlier, to be the ones to tell */
		fixture_advance(&setup.fixture,
				answered > 0 ? 2999
					     : 2999 - CREDENTIALS_MARGIN_MS);
		assert_int_equal(seen.count, 0);
		fixture_advance(&setup.fixture, 1);
		assert_int_equal(seen.count, 1);
		assert_int_equal(seen.code, -EIO);
		fixture_advance(&setup.fixture, 60000);
		assert_int_equal(seen.count, 1);
		assert_int_equal(fake_http_live(setup.fixture.http), 0);
		tear_down(&setup);
	}
}

/* What the keys took is no longer there for the secret. */
static void counts_the_keys_against_the_deadline(void **state)
{
	static const struct fake_reply *const script[] = {
		&first_keys,
		&expired,
	};
	struct seen seen = { 0 };
	struct setup setup;

	(void)state;
	set_up_role(&setup);
	for (size_t i = 0; i < ARRAY_SIZE(script); i++)
		fake_http_add(setup.fixture.http, script[i]);
	(void)fetch(&setup, "prod/db", &seen);
	clock_advance(&setup.fixture.clock, 12000);
	fixture_settle(&setup.fixture);
	assert_int_equal(fake_http_count(setup.fixture.http), 3);
	assert_int_equal(fake_http_request(setup.fixture.http, 1)->timeout_ms,
			 TIMEOUT_MS - 12000);
	fixture_advance(&setup.fixture, TIMEOUT_MS - 12000);
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.code, -EIO);
	tear_down(&setup);
}

static void never_calls_back_after_a_cancel(void **state)
{
	static const struct fake_reply *const script[] = {
		&first_keys,
		&expired,
		&second_keys,
		&good,
	};

	(void)state;
	/* stop after each turn of a fetch that takes six */
	for (unsigned turns = 0; turns < 6; turns++) {
		struct seen seen = { 0 };
		struct source_call *call;
		struct setup setup;

		set_up_role(&setup);
		for (size_t i = 0; i < ARRAY_SIZE(script); i++)
			fake_http_add(setup.fixture.http, script[i]);
		call = fetch(&setup, "prod/db", &seen);
		for (unsigned i = 0; i < turns && seen.count == 0; i++)
			assert_int_equal(loop_turn(setup.fixture.loop, 0), 0);
		if (seen.count == 0) {
			setup.source->operations->cancel(call);
			fixture_settle(&setup.fixture);
			assert_int_equal(seen.count, 0);
		} else {
			assert_int_equal(turns, 5);
		}
		assert_int_equal(fake_http_live(setup.fixture.http), 0);
		tear_down(&setup);
	}
}

/* One that is alone in its turn costs that turn, and nothing else. */
static void a_fetch_alone_is_no_batch(void **state)
{
	struct seen seen = { 0 };
	struct setup setup;

	(void)state;
	set_up(&setup);
	(void)fetch(&setup, "prod/db", &seen);
	assert_int_equal(loop_turn(setup.fixture.loop, 0), 0);
	fake_http_add(setup.fixture.http, &good);
	fixture_settle(&setup.fixture);
	assert_int_equal(seen.count, 1);
	assert_int_equal(fake_http_count(setup.fixture.http), 1);
	assert_non_null(
		strstr(fake_http_request(setup.fixture.http, 0)->headers,
		       "X-Amz-Target: secretsmanager.GetSecretValue\n"));
	tear_down(&setup);
}

static void cancels_what_was_going_to_fail(void **state)
{
	struct seen seen = { 0 };
	struct setup setup;

	(void)state;
	set_up(&setup);
	setup.source->operations->cancel(fetch(&setup, "", &seen));
	setup.source->operations->cancel(fetch(&setup, "x", &seen));
	fixture_settle(&setup.fixture);
	assert_int_equal(seen.count, 0);
	tear_down(&setup);
}

static void lets_the_last_callback_free_the_source(void **state)
{
	struct seen seen = { 0 };
	struct setup setup;

	(void)state;
	set_up(&setup);
	fake_http_add(setup.fixture.http, &good);
	seen.to_free = &setup;
	(void)fetch(&setup, "prod/db", &seen);
	fixture_settle(&setup.fixture);
	assert_int_equal(seen.count, 1);
	assert_null(setup.source);
	tear_down(&setup);
}

static void says_who_asks_and_where(void **state)
{
	struct setup setup;

	(void)state;
	set_up(&setup);
	assert_string_equal(
		setup.source->identity,
		"secretsmanager https://secretsmanager.eu-west-1.amazonaws.com/ "
		"eu-west-1 key AKIDEXAMPLE");
	assert_null(setup.source->operations->list);
	assert_non_null(setup.source->operations->confirm);
	assert_int_equal(setup.source->max_ttl_ms, 0);
	tear_down(&setup);

	prepare(&setup);
	fixture_set_role(&setup.fixture);
	setup.settings.region = "us-east-1";
	setup.settings.endpoint_url = "http://localhost:1234";
	open_source(&setup);
	assert_string_equal(
		setup.source->identity,
		"secretsmanager http://localhost:1234/ us-east-1 role "
		"arn:aws:iam::123456789012:role/app");
	tear_down(&setup);
}

static void refuses_settings_that_cannot_work(void **state)
{
	static const struct {
		struct aws_settings settings;
		int code;
		const char *text;
	} cases[] = {
		{ { .region = "a.b" },
		  -EINVAL,
		  "--region: 'a.b' is not an AWS region" },
		{ { .endpoint_url = "http://example.com" },
		  -EINVAL,
		  "--endpoint-url: http is for loopback addresses only, use "
		  "https" },
		{ { .secret = ARN_START "us-east-1:1:secret:x" },
		  -EINVAL,
		  "the ARN is of region us-east-1, but AWS_REGION "
		  "says eu-west-1: one mount reads from one region" },
		{ { .timeout_ms = 1 },
		  -EACCES,
		  "no AWS credentials: looked for AWS_ACCESS_KEY_ID, "
		  "AWS_PROFILE, AWS_WEB_IDENTITY_TOKEN_FILE, a default "
		  "profile and AWS_CONTAINER_CREDENTIALS_*, and "
		  "AWS_EC2_METADATA_DISABLED is true" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct setup setup;
		struct err err;

		prepare(&setup);
		assert_int_equal(aws_source_new(setup.fixture.identities,
						&cases[i].settings,
						&setup.source, &err),
				 cases[i].code);
		assert_string_equal(err.text, cases[i].text);
		assert_null(setup.source);
		tear_down(&setup);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fetches_a_value),
		cmocka_unit_test(signs_what_it_sends),
		cmocka_unit_test(gives_readers_their_codes_only),
		cmocka_unit_test(shows_the_request_id_beside_long_texts),
		cmocka_unit_test(does_not_blame_the_value_for_a_reply_of_STS),
		cmocka_unit_test(asks_again_for_what_may_pass),
		cmocka_unit_test(says_what_the_last_attempt_brought),
		cmocka_unit_test(waits_as_long_as_aws_wishes_and_signs_anew),
		cmocka_unit_test(ignores_a_wish_that_is_no_number),
		cmocka_unit_test(sources_share_what_is_known_of_an_endpoint),
		cmocka_unit_test(sources_share_the_keys_of_an_identity),
		cmocka_unit_test(sends_nothing_for_a_name_that_cannot_be),
		cmocka_unit_test(fetches_by_an_arn_of_its_region),
		cmocka_unit_test(asks_for_a_version_and_a_stage),
		cmocka_unit_test(says_which_version_was_refused),
		cmocka_unit_test(gets_newer_keys_once),
		cmocka_unit_test(signs_for_AWSs_time_once_that_is_known),
		cmocka_unit_test(gives_up_when_newer_keys_are_refused_too),
		cmocka_unit_test(renews_keys_once_for_two_fetches),
		cmocka_unit_test(says_when_there_are_no_keys),
		cmocka_unit_test(ends_at_its_deadline_in_each_state),
		cmocka_unit_test(counts_the_keys_against_the_deadline),
		cmocka_unit_test(never_calls_back_after_a_cancel),
		cmocka_unit_test(a_fetch_alone_is_no_batch),
		cmocka_unit_test(cancels_what_was_going_to_fail),
		cmocka_unit_test(lets_the_last_callback_free_the_source),
		cmocka_unit_test(says_who_asks_and_where),
		cmocka_unit_test(refuses_settings_that_cannot_work),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
