/* SPDX-License-Identifier: Apache-2.0 */
/* Requests and replies of AWS, with each request for memory refused in turn:
 * the errno says so, and is never one that AWS alone may cause. */
#include "tests/test.h"

#include "aws/aws_source.h"
#include "aws/describe.h"
#include "aws/endpoint.h"
#include "aws/environment.h"
#include "aws/keys.h"
#include "aws/refusal.h"
#include "aws/reply.h"
#include "aws/request.h"
#include "aws/secretsmanager.h"
#include "aws/ssm_source.h"
#include "aws/sts.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/macros.h"
#include "base/secret.h"
#include "loop/loop.h"
#include "store/source.h"
#include "store/value.h"
#include "tests/aws_fixture.h"
#include "tests/fail_alloc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct source_want want = { .name = "app" };

#define BODY_MAX (1U << 20)
#define TIMEOUT_MS 20000

#define REPLY_XML                                                              \
	"<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult>" \
	"<Credentials><SessionToken>token&amp;</SessionToken>"                 \
	"<SecretAccessKey>s3cr3t</SecretAccessKey>"                            \
	"<Expiration>2026-11-23T11:11:12Z</Expiration>"                        \
	"<AccessKeyId>ASIA</AccessKeyId></Credentials>"                        \
	"</AssumeRoleWithWebIdentityResult>"                                   \
	"</AssumeRoleWithWebIdentityResponse>"

/* A body that an attempt reads; filled while nothing is refused. */
static void fill(struct buf *body, const char *text)
{
	fail_alloc_pause();
	buf_init(body, BODY_MAX);
	assert_int_equal(buf_append_text(body, text), 0);
	fail_alloc_resume();
}

static int make_keys(void *owner)
{
	static const struct keys_text text = { "AKID", "s3cr3t", "token" };
	cleanup_keys struct keys *keys = NULL;
	int r = keys_new(&text, 1, &keys);

	(void)owner;
	assert_true((r == 0) == (keys != NULL));
	return r;
}

static int read_sts(void *owner)
{
	cleanup_keys struct keys *keys = NULL;
	cleanup_buf struct buf body;
	const struct aws_reply reply = { .status = 200, .body = &body };
	struct err err = { 0 };
	int r;

	fill(&body, owner);
	r = sts_reply_read(&reply, &keys, &err);
	assert_true((r == 0) == (keys != NULL));
	assert_int_equal(err.code, r);
	return r;
}

static void keys_are_whole_or_not_there(void **state)
{
	char json[] = FIXTURE_STS_BODY("ASIA", "1795432272");
	char json_with_text[] =
		FIXTURE_STS_BODY("ASIA", "\"2026-11-23T11:11:12Z\"");
	char xml[] = REPLY_XML;

	(void)state;
	assert_true(fail_each_alloc(make_keys, NULL) > 2);
	assert_true(fail_each_alloc(read_sts, json) > 6);
	assert_true(fail_each_alloc(read_sts, json_with_text) > 6);
	assert_true(fail_each_alloc(read_sts, xml) > 6);
}

static int read_secret(void *owner)
{
	cleanup_buf struct buf body;
	const struct aws_reply reply = { .status = 200, .body = &body };
	struct value *value = NULL;
	struct err err = { 0 };
	int r;

	fill(&body, owner);
	r = secretsmanager_reply_read(&reply, &want, &value, &err);
	assert_true((r == 0) == (value != NULL));
	assert_int_equal(err.code, r);
	assert_int_equal(strncmp(err.text, "GetSecretValue 'app'",
				 r < 0 ? strlen("GetSecretValue 'app'") : 0),
			 0);
	if (value)
		assert_string_equal(value_version(value), "v1");
	value_unref(value);
	return r;
}

static void a_value_that_finds_no_room_is_ENOMEM(void **state)
{
	char text[] = "{\"VersionId\":\"v1\",\"CreatedDate\":1.5,"
		      "\"SecretString\":\"{\\\"a\\\":1}\"}";
	char binary[] = "{\"VersionId\":\"v1\",\"SecretBinary\":\"AP+AIQ==\"}";

	(void)state;
	assert_true(fail_each_alloc(read_secret, text) > 6);
	assert_true(fail_each_alloc(read_secret, binary) > 6);
}

/* A refusal that cannot be read is not AWS's word. */
static int read_refusal(void *owner)
{
	cleanup_buf struct buf body;
	const struct aws_reply reply = { .status = 400, .body = &body };
	struct err err = { 0 };
	int r;

	fill(&body, owner);
	r = refusal_read(&reply, &err);
	assert_int_equal(err.code, r);
	return r == -EACCES ? 0 : r;
}

static int read_description(void *owner)
{
	cleanup_buf struct buf body;
	const struct aws_reply reply = { .status = 400, .body = &body };
	bool is_current = false;
	struct err err = { 0 };
	int r;

	fill(&body, owner);
	r = describe_reply_read(&reply, &want, "v1", &is_current, &err);
	assert_int_equal(err.code, r);
	return r == -ENOSYS ? 0 : r;
}

static void a_refusal_that_cannot_be_read_is_ENOMEM(void **state)
{
	char json[] = "{\"__type\":\"AccessDeniedException\","
		      "\"Message\":\"no\"}";
	char xml[] = "<R><Error><Code>AccessDenied</Code>"
		     "<Message>no</Message></Error></R>";

	(void)state;
	assert_true(fail_each_alloc(read_refusal, json) > 2);
	assert_true(fail_each_alloc(read_description, json) > 2);
	assert_true(fail_each_alloc(read_refusal, xml) > 0);
}

struct signing {
	struct fixture fixture;
	struct endpoint endpoint;
	struct keys *keys;
};

static int sign(void *owner)
{
	static const struct sigv4_header headers[] = {
		{ "Content-Type", SECRETSMANAGER_CONTENT_TYPE },
	};
	const struct signing *signing = owner;
	struct request request;
	int r;

	request_init(&request);
	r = secretsmanager_form(&want, &request.body);
	if (r == 0)
		r = request_sign(&request, &signing->endpoint, headers,
				 ARRAY_SIZE(headers), signing->keys,
				 FIXTURE_WALL_S);
	if (r == 0) {
		const char *last = request.headers[request.header_count - 1];

		assert_int_equal(request.header_count, 5);
		assert_memory_equal(last, "Authorization: AWS4-HMAC-SHA256 ",
				    32);
	}
	request_done(&request);
	return r;
}

static int ask_sts(void *owner)
{
	const struct signing *signing = owner;
	const struct sts_role role = {
		.arn = signing->fixture.environment.role_arn,
		.token_file = signing->fixture.environment.token_file,
		.session_name = "session",
	};
	cleanup_buf struct buf form;
	struct err err = { 0 };
	int r;

	buf_init(&form, REQUEST_BODY_MAX);
	r = sts_form(&role, &form, &err);
	assert_int_equal(err.code, r);
	if (r == 0)
		assert_non_null(strstr(buf_text(&form), "eyJ.token"));
	return r;
}

static void a_request_is_whole_or_not_sent(void **state)
{
	static const struct keys_text text = { "AKID", "s3cr3t", "token" };
	struct signing signing = { 0 };

	(void)state;
	fixture_init(&signing.fixture);
	fixture_set_role(&signing.fixture);
	assert_int_equal(endpoint_find(AWS_SERVICE_SECRETSMANAGER, "eu-west-1",
				       NULL, &signing.fixture.environment,
				       &signing.endpoint, NULL),
			 0);
	assert_int_equal(keys_new(&text, 0, &signing.keys), 0);
	assert_true(fail_each_alloc(sign, &signing) > 8);
	assert_true(fail_each_alloc(ask_sts, &signing) > 4);
	keys_unref(signing.keys);
	fixture_done(&signing.fixture);
}

static int read_environment(void *owner)
{
	struct aws_environment environment = { 0 };
	struct err err = { 0 };
	int r;

	(void)owner;
	(void)setenv("AWS_SECRET_ACCESS_KEY", "s3cr3t", 1);
	(void)setenv("AWS_SESSION_TOKEN", "token", 1);
	r = aws_environment_read(&environment, &err);
	assert_int_equal(err.code, r);
	if (r == 0)
		assert_string_equal(buf_text(&environment.session_token),
				    "token");
	aws_environment_done(&environment);
	return r;
}

static void the_environment_is_read_or_refused(void **state)
{
	(void)state;
	assert_int_equal(fail_each_alloc(read_environment, NULL), 4);
	(void)unsetenv("AWS_SECRET_ACCESS_KEY");
	(void)unsetenv("AWS_SESSION_TOKEN");
}

struct seen {
	unsigned count;
	int code;
};

static void on_value(void *owner, struct value *value, const struct err *err)
{
	struct seen *seen = owner;

	assert_true((value == NULL) != (err == NULL));
	seen->count++;
	seen->code = err ? err->code : 0;
}

static const struct fake_reply script[] = {
	{ .status = 200, .body = FIXTURE_STS_BODY("ASIA1", "1795432272") },
	{ .status = 400, .body = "{\"__type\":\"ExpiredTokenException\"}" },
	{ .status = 200, .body = FIXTURE_STS_BODY("ASIA2", "1795432272") },
	{ .status = 200,
	  .body = "{\"VersionId\":\"v1\",\"SecretString\":\"value\"}" },
};

/* Keys, a request, keys that are called expired, newer ones, the value. */
static int fetch(struct fixture *fixture, struct source *source)
{
	struct seen seen = { 0 };
	struct source_call *call =
		source->operations->fetch(source, &want, on_value, &seen);

	fixture_settle(fixture);
	if (call && seen.count == 0)
		fixture_advance(fixture, TIMEOUT_MS);
	assert_int_equal(seen.count, call ? 1 : 0);
	/* Want of memory passes, so nothing that is cached may end by it. */
	assert_true(seen.code == 0 || seen.code == -EIO);
	return call && seen.code == 0 ? 0 : -ENOMEM;
}

static void begin(struct fixture *fixture, const struct fake_reply *replies,
		  size_t count)
{
	fail_alloc_pause();
	fixture_init(fixture);
	fixture_set_role(fixture);
	for (size_t i = 0; i < count; i++)
		fake_http_add(fixture->http, &replies[i]);
	fail_alloc_resume();
}

/* What is done with a source, and what is answered meanwhile. */
struct use {
	int (*open)(struct identities *identities,
		    const struct aws_settings *settings, struct source **ret,
		    struct err *err);
	int (*run)(struct fixture *fixture, struct source *source);
	const struct fake_reply *replies;
	size_t count;
};

static int use_source(void *owner)
{
	static const struct aws_settings settings = { .timeout_ms =
							      TIMEOUT_MS };
	const struct use *use = owner;
	struct source *source = NULL;
	struct fixture fixture;
	struct err err = { 0 };
	int r;

	begin(&fixture, use->replies, use->count);
	r = use->open(fixture.identities, &settings, &source, &err);
	assert_int_equal(err.code, r);
	assert_true((r == 0) == (source != NULL));
	if (source) {
		r = use->run(&fixture, source);
		assert_int_equal(fake_http_live(fixture.http), 0);
		source->operations->free(source);
	}
	fixture_done(&fixture);
	return r;
}

static void a_fetch_ends_once_and_with_EIO_at_worst(void **state)
{
	struct use use = { aws_source_new, fetch, script, ARRAY_SIZE(script) };

	(void)state;
	assert_true(fail_each_alloc(use_source, &use) > 60);
}

static const struct fake_reply batch_script[] = {
	{ .status = 200, .body = FIXTURE_STS_BODY("ASIA1", "1795432272") },
	/* one, an error of one, and nothing about the third */
	{ .status = 200,
	  .body = "{\"SecretValues\":[{\"Name\":\"s0\",\"VersionId\":\"v0\","
		  "\"SecretString\":\"value\"}],\"Errors\":[{\"SecretId\":"
		  "\"s1\",\"ErrorCode\":\"AccessDeniedException\","
		  "\"Message\":\"no\"}]}" },
	{ .status = 200,
	  .body = "{\"VersionId\":\"v2\",\"SecretString\":\"value\"}" },
};

/* Where the batch finds no memory, single calls may do, whose replies are
 * those of the script: what counts is that all end, and how. */
static int fetch_batch(struct fixture *fixture, struct source *source)
{
	static const struct source_want wants[] = { { .name = "s0" },
						    { .name = "s1" },
						    { .name = "s2" } };
	struct seen seen[ARRAY_SIZE(wants)] = { 0 };
	struct source_call *calls[ARRAY_SIZE(wants)];
	bool is_whole = true;

	for (size_t i = 0; i < ARRAY_SIZE(wants); i++)
		calls[i] = source->operations->fetch(source, &wants[i],
						     on_value, &seen[i]);
	fixture_settle(fixture);
	fixture_advance(fixture, TIMEOUT_MS);
	for (size_t i = 0; i < ARRAY_SIZE(wants); i++) {
		assert_int_equal(seen[i].count, calls[i] ? 1 : 0);
		assert_true(seen[i].code == 0 || seen[i].code == -EIO ||
			    (i == 1 && seen[i].code == -EACCES));
		is_whole &= calls[i] && seen[i].code == (i == 1 ? -EACCES : 0);
	}
	return is_whole ? 0 : -ENOMEM;
}

static void each_of_a_batch_ends_once(void **state)
{
	struct use use = { aws_source_new, fetch_batch, batch_script,
			   ARRAY_SIZE(batch_script) };

	(void)state;
	assert_true(fail_each_alloc(use_source, &use) > 60);
}

static void on_confirmed(void *owner, bool is_current, const struct err *err)
{
	struct seen *seen = owner;

	assert_false(is_current && err);
	seen->count++;
	seen->code = err ? err->code : 0;
}

static const struct fake_reply describe_script[] = {
	{ .status = 200, .body = FIXTURE_STS_BODY("ASIA1", "1795432272") },
	{ .status = 200,
	  .body = "{\"VersionIdsToStages\":{\"v1\":[\"AWSCURRENT\"]}}" },
	{ .status = 400, .body = "{\"__type\":\"AccessDeniedException\"}" },
};

static int confirm(struct fixture *fixture, struct source *source, int wanted)
{
	struct seen seen = { 0 };
	struct source_call *call = source->operations->confirm(
		source, &want, "v1", on_confirmed, &seen);

	fixture_settle(fixture);
	if (call && seen.count == 0)
		fixture_advance(fixture, TIMEOUT_MS);
	assert_int_equal(seen.count, call ? 1 : 0);
	assert_true(seen.code == 0 || seen.code == -EIO ||
		    seen.code == -ENOSYS);
	return call && seen.code == wanted ? 0 : -ENOMEM;
}

/* Confirmed, refused, and not asked. */
static int confirm_thrice(struct fixture *fixture, struct source *source)
{
	int r = confirm(fixture, source, 0);

	if (r == 0)
		r = confirm(fixture, source, -ENOSYS);
	return r == 0 ? confirm(fixture, source, -ENOSYS) : r;
}

static void a_confirmation_ends_once(void **state)
{
	struct use use = { aws_source_new, confirm_thrice, describe_script,
			   ARRAY_SIZE(describe_script) };

	(void)state;
	assert_true(fail_each_alloc(use_source, &use) > 60);
}

/* Refused together, and then alone. */
static const struct fake_reply parameters_script[] = {
	{ .status = 200, .body = FIXTURE_STS_BODY("ASIA1", "1795432272") },
	{ .status = 400, .body = "{\"__type\":\"AccessDeniedException\"}" },
	{ .status = 200,
	  .body = "{\"Parameters\":[{\"Name\":\"s0\",\"Version\":1,"
		  "\"Value\":\"value\"}]}" },
	{ .status = 400, .body = "{\"__type\":\"AccessDeniedException\"}" },
	{ .status = 200,
	  .body = "{\"Parameters\":[{\"Name\":\"s2\",\"Version\":1,"
		  "\"Value\":\"value\"}]}" },
};

/* Replies go to other calls where one could not be made: a refusal may then be
 * anybody's. */
static int fetch_parameters(struct fixture *fixture, struct source *source)
{
	static const struct source_want wants[] = { { .name = "s0" },
						    { .name = "s1" },
						    { .name = "s2" } };
	struct seen seen[ARRAY_SIZE(wants)] = { 0 };
	struct source_call *calls[ARRAY_SIZE(wants)];
	bool is_whole = true;

	for (size_t i = 0; i < ARRAY_SIZE(wants); i++)
		calls[i] = source->operations->fetch(source, &wants[i],
						     on_value, &seen[i]);
	for (unsigned i = 0; i < 4; i++)
		fixture_advance(fixture, 50);
	fixture_advance(fixture, TIMEOUT_MS);
	for (size_t i = 0; i < ARRAY_SIZE(wants); i++) {
		int wanted = i == 1 ? -EACCES : 0;

		assert_int_equal(seen[i].count, calls[i] ? 1 : 0);
		assert_true(seen[i].code == 0 || seen[i].code == -EIO ||
			    seen[i].code == -EACCES);
		is_whole &= calls[i] && seen[i].code == wanted;
	}
	return is_whole ? 0 : -ENOMEM;
}

static void each_parameter_ends_once(void **state)
{
	struct use use = { ssm_source_new, fetch_parameters, parameters_script,
			   ARRAY_SIZE(parameters_script) };

	(void)state;
	assert_true(fail_each_alloc(use_source, &use) > 60);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_whole_or_not_there),
		cmocka_unit_test(a_value_that_finds_no_room_is_ENOMEM),
		cmocka_unit_test(a_refusal_that_cannot_be_read_is_ENOMEM),
		cmocka_unit_test(a_request_is_whole_or_not_sent),
		cmocka_unit_test(the_environment_is_read_or_refused),
		cmocka_unit_test(a_fetch_ends_once_and_with_EIO_at_worst),
		cmocka_unit_test(each_of_a_batch_ends_once),
		cmocka_unit_test(a_confirmation_ends_once),
		cmocka_unit_test(each_parameter_ends_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
