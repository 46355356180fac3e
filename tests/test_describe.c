/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "aws/aws_source.h"
#include "aws/denied.h"
#include "aws/describe.h"
#include "aws/reply.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/macros.h"
#include "loop/loop.h"
#include "store/source.h"
#include "tests/aws_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define TIMEOUT_MS 20000
#define HOUR_MS 3600000
#define BODY_MAX 4096

#define ONE "EXAMPLE1-90ab-cdef-fedc-ba987EXAMPLE"
#define TWO "EXAMPLE2-90ab-cdef-fedc-ba987EXAMPLE"

/* As AWS replies, but for what nobody reads. */
#define DESCRIPTION(members)                                                   \
	"{\"ARN\":\"arn:aws:secretsmanager:eu-west-1:1:secret:db-a1B2c3\","    \
	"\"Name\":\"db\",\"LastChangedDate\":1523477145.713," members "}"
#define STAGES                                                                 \
	"\"VersionIdsToStages\":{\"" ONE "\":[\"AWSPREVIOUS\"],\"" TWO         \
	"\":[\"blue\",\"AWSCURRENT\"]}"

static int read_reply(int status, const char *body,
		      const struct source_want *want, const char *version,
		      bool *ret, struct err *err)
{
	cleanup_buf struct buf text;
	const struct aws_reply reply = { .status = status, .body = &text };

	buf_init(&text, BODY_MAX);
	assert_int_equal(buf_append_text(&text, body), 0);
	return describe_reply_read(&reply, want, version, ret, err);
}

static void says_whether_the_want_still_leads_to_a_version(void **state)
{
	static const struct {
		struct source_want want;
		const char *version;
		const char *body;
		bool is_current;
	} cases[] = {
		{ { "db", NULL, NULL }, TWO, DESCRIPTION(STAGES), true },
		{ { "db", NULL, NULL }, ONE, DESCRIPTION(STAGES), false },
		{ { "db", NULL, NULL }, "gone", DESCRIPTION(STAGES), false },
		{ { "db", NULL, "AWSPREVIOUS" },
		  ONE,
		  DESCRIPTION(STAGES),
		  true },
		{ { "db", NULL, "AWSPREVIOUS" },
		  TWO,
		  DESCRIPTION(STAGES),
		  false },
		{ { "db", NULL, "blue" }, TWO, DESCRIPTION(STAGES), true },
		{ { "db", NULL, "blu" }, TWO, DESCRIPTION(STAGES), false },
		{ { "db", ONE, NULL }, ONE, DESCRIPTION(STAGES), true },
		{ { "db", ONE, NULL }, TWO, DESCRIPTION(STAGES), false },
		{ { "db", "gone", NULL }, "gone", DESCRIPTION(STAGES), false },
		{ { "db", TWO, "blue" }, TWO, DESCRIPTION(STAGES), true },
		{ { "db", ONE, "blue" }, ONE, DESCRIPTION(STAGES), false },
		{ { "db", ONE, "blue" }, TWO, DESCRIPTION(STAGES), false },
		/* moto also lists versions without a stage */
		{ { "db", ONE, NULL },
		  ONE,
		  DESCRIPTION("\"DeletedDate\":null,\"VersionIdsToStages\":{"
			      "\"" ONE "\":[]}"),
		  true },
		{ { "db", NULL, NULL },
		  ONE,
		  DESCRIPTION("\"VersionIdsToStages\":{\"" ONE "\":[]}"),
		  false },
		/* a secret without any version has none of these */
		{ { "db", NULL, NULL },
		  ONE,
		  DESCRIPTION("\"Tags\":[]"),
		  false },
		{ { "db", NULL, NULL }, ONE, "[]", false },
		{ { "db", NULL, NULL },
		  ONE,
		  DESCRIPTION("\"VersionIdsToStages\":{\"" ONE
			      "\":\"AWSCURRENT\"}"),
		  false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		bool is_current = !cases[i].is_current;

		assert_int_equal(read_reply(200, cases[i].body, &cases[i].want,
					    cases[i].version, &is_current,
					    NULL),
				 0);
		assert_int_equal(is_current, cases[i].is_current);
	}
}

static void says_why_it_cannot_tell(void **state)
{
	static const struct {
		int status;
		const char *body;
		int code;
		const char *text;
	} cases[] = {
		{ 400,
		  "{\"__type\":\"ResourceNotFoundException\",\"message\":"
		  "\"Secrets Manager can't find the specified secret.\"}",
		  -ENOENT,
		  "DescribeSecret 'db': ResourceNotFoundException: Secrets "
		  "Manager can't find the specified secret." },
		{ 200, DESCRIPTION("\"DeletedDate\":1.6E9," STAGES), -ENOENT,
		  "DescribeSecret 'db': marked for deletion" },
		{ 400, "{\"__type\":\"AccessDeniedException\"}", -ENOSYS,
		  "DescribeSecret 'db': AccessDeniedException" },
		{ 400, "{\"__type\":\"UnknownOperationException\"}", -ENOSYS,
		  "DescribeSecret 'db': UnknownOperationException" },
		{ 404, "{\"__type\":\"UnknownOperationException\"}", -ENOSYS,
		  "DescribeSecret 'db': UnknownOperationException" },
		{ 501, "{\"__type\":\"InternalFailure\"}", -ENOSYS,
		  "DescribeSecret 'db': InternalFailure" },
		{ 400, "{\"__type\":\"UnrecognizedClientException\"}", -EACCES,
		  "DescribeSecret 'db': UnrecognizedClientException" },
		{ 400, "{\"__type\":\"ThrottlingException\"}", -EIO,
		  "DescribeSecret 'db': ThrottlingException" },
		{ 500, "{\"__type\":\"AccessDeniedException\"}", -EIO,
		  "DescribeSecret 'db': AccessDeniedException" },
		{ 404, "", -ENOSYS,
		  "DescribeSecret 'db': status 404 without an AWS error" },
		{ 405, "<html>", -ENOSYS,
		  "DescribeSecret 'db': status 405 without an AWS error" },
		{ 404, "{\"__type\":\"ResourceNotFoundException\"}", -ENOENT,
		  "DescribeSecret 'db': ResourceNotFoundException" },
		{ 503, "<html>", -EIO,
		  "DescribeSecret 'db': status 503 without an AWS error" },
		{ 403, "<html>", -EIO,
		  "DescribeSecret 'db': status 403 without an AWS error" },
		{ 200, "<html>", -EIO, NULL },
	};
	static const struct source_want want = { .name = "db" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		bool is_current = false;
		struct err err = { 0 };

		assert_int_equal(read_reply(cases[i].status, cases[i].body,
					    &want, TWO, &is_current, &err),
				 cases[i].code);
		assert_int_equal(err.code, cases[i].code);
		if (cases[i].text)
			assert_string_equal(err.text, cases[i].text);
		assert_false(is_current);
	}
}

/* --- through the source ------------------------------------------------- */

static const struct fake_reply current = {
	.status = 200,
	.body = DESCRIPTION(STAGES),
};
static const struct fake_reply denied = {
	.status = 400,
	.body = "{\"__type\":\"AccessDeniedException\",\"Message\":\"no\"}",
};
static const struct fake_reply unknown = {
	.status = 400,
	.body = "{\"__type\":\"UnknownOperationException\"}",
};
static const struct fake_reply failing = {
	.status = 500,
	.body = "{\"__type\":\"InternalServiceError\"}",
};
static const struct fake_reply expired = {
	.status = 400,
	.body = "{\"__type\":\"ExpiredTokenException\"}",
};
static const struct fake_reply too_large = { .failure = -EFBIG };
static const struct fake_reply unreachable = { .failure = -EIO };
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
	struct source *source;
};

struct seen {
	unsigned count;
	int code;
	bool is_current;
	char text[ERR_TEXT_MAX];
};

static void on_confirmed(void *owner, bool is_current, const struct err *err)
{
	struct seen *seen = owner;

	seen->count++;
	seen->is_current = is_current;
	seen->code = err ? err->code : 0;
	(void)snprintf(seen->text, sizeof(seen->text), "%s",
		       err ? err->text : "");
}

static void open_source(struct setup *setup)
{
	const struct aws_settings settings = { .timeout_ms = TIMEOUT_MS };

	assert_int_equal(aws_source_new(setup->fixture.identities, &settings,
					&setup->source, NULL),
			 0);
}

static void set_up(struct setup *setup)
{
	fixture_init(&setup->fixture);
	fixture_set_keys(&setup->fixture, NULL);
	open_source(setup);
}

static void tear_down(struct setup *setup)
{
	setup->source->operations->free(setup->source);
	fixture_done(&setup->fixture);
}

static struct source_call *start(struct setup *setup, const char *name,
				 struct seen *seen)
{
	const struct source_want want = { .name = name };
	struct source_call *call = setup->source->operations->confirm(
		setup->source, &want, TWO, on_confirmed, seen);

	assert_non_null(call);
	assert_int_equal(seen->count, 0);
	return call;
}

static struct seen confirm(struct setup *setup, const char *name)
{
	struct seen seen = { 0 };

	(void)start(setup, name, &seen);
	fixture_settle(&setup->fixture);
	assert_int_equal(seen.count, 1);
	return seen;
}

/* The texts are the caller's again before the request is written. */
static void asks_for_a_description(void **state)
{
	char name[] = "d\"b";
	char version[] = TWO;
	const struct source_want want = { .name = name };
	const struct fake_request *request;
	struct seen seen = { 0 };
	struct setup setup;

	(void)state;
	set_up(&setup);
	fake_http_add(setup.fixture.http, &current);
	assert_non_null(setup.source->operations->confirm(
		setup.source, &want, version, on_confirmed, &seen));
	(void)snprintf(name, sizeof(name), "x");
	(void)snprintf(version, sizeof(version), "x");
	fixture_settle(&setup.fixture);
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.code, 0);
	assert_true(seen.is_current);
	request = fake_http_request(setup.fixture.http, 0);
	assert_string_equal(request->body, "{\"SecretId\":\"d\\\"b\"}");
	assert_non_null(
		strstr(request->headers,
		       "X-Amz-Target: secretsmanager.DescribeSecret\n"));
	assert_int_equal(request->reply_max, 256 << 10);
	tear_down(&setup);
}

static void remembers_for_an_hour_that_only_a_fetch_can_tell(void **state)
{
	static const struct fake_reply *const refusals[] = { &denied,
							     &unknown };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		struct setup setup;
		struct seen seen;

		set_up(&setup);
		fake_http_add(setup.fixture.http, refusals[i]);
		assert_int_equal(confirm(&setup, "db").code, -ENOSYS);
		fixture_advance(&setup.fixture, HOUR_MS - 1);
		seen = confirm(&setup, "db");
		assert_int_equal(seen.code, -ENOSYS);
		assert_string_equal(seen.text, "DescribeSecret 'db': refused "
					       "within the last hour");
		assert_int_equal(fake_http_count(setup.fixture.http), 1);

		fixture_advance(&setup.fixture, 1);
		fake_http_add(setup.fixture.http, &current);
		assert_int_equal(confirm(&setup, "db").code, 0);
		assert_int_equal(fake_http_count(setup.fixture.http), 2);
		tear_down(&setup);
	}
}

static void remembers_it_of_that_secret_alone(void **state)
{
	struct setup setup;

	(void)state;
	set_up(&setup);
	fake_http_add(setup.fixture.http, &denied);
	fake_http_add(setup.fixture.http, &current);
	assert_int_equal(confirm(&setup, "db").code, -ENOSYS);
	assert_true(confirm(&setup, "api").is_current);
	tear_down(&setup);
}

static void remembers_nothing_that_may_pass(void **state)
{
	static const struct {
		const struct fake_reply *reply;
		unsigned attempts;
		int code;
	} cases[] = {
		{ &failing, 3, -EBUSY },
		{ &unreachable, 3, -EIO },
		{ &too_large, 1, -EIO },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct setup setup;

		set_up(&setup);
		for (unsigned n = 0; n < cases[i].attempts; n++)
			fake_http_add(setup.fixture.http, cases[i].reply);
		assert_int_equal(confirm(&setup, "db").code, cases[i].code);
		fake_http_add(setup.fixture.http, &current);
		assert_int_equal(confirm(&setup, "db").code, 0);
		tear_down(&setup);
	}
}

static void asks_again_with_newer_keys(void **state)
{
	static const struct fake_reply *const script[] = {
		&first_keys,
		&expired,
		&second_keys,
		&current,
	};
	struct setup setup;

	(void)state;
	fixture_init(&setup.fixture);
	fixture_set_role(&setup.fixture);
	open_source(&setup);
	for (size_t i = 0; i < ARRAY_SIZE(script); i++)
		fake_http_add(setup.fixture.http, script[i]);
	assert_true(confirm(&setup, "db").is_current);
	tear_down(&setup);
}

static void sends_nothing_for_a_name_that_cannot_be(void **state)
{
	struct setup setup;
	struct seen seen;

	(void)state;
	set_up(&setup);
	seen = confirm(&setup, "");
	assert_int_equal(seen.code, -ENOENT);
	assert_string_equal(seen.text, "DescribeSecret '': a secret's name "
				       "has 1 to 2048 characters");
	assert_int_equal(fake_http_count(setup.fixture.http), 0);
	tear_down(&setup);
}

static void never_calls_back_after_a_cancel(void **state)
{
	struct seen seen = { 0 };
	struct setup setup;

	(void)state;
	set_up(&setup);
	for (unsigned turns = 0; turns < 3; turns++) {
		struct source_call *call = start(&setup, "db", &seen);

		for (unsigned i = 0; i < turns; i++)
			assert_int_equal(loop_turn(setup.fixture.loop, 0), 0);
		setup.source->operations->cancel(call);
		fixture_settle(&setup.fixture);
		assert_int_equal(fake_http_live(setup.fixture.http), 0);
	}
	/* what would be told soon */
	setup.source->operations->cancel(start(&setup, "", &seen));
	fixture_settle(&setup.fixture);
	assert_int_equal(seen.count, 0);
	tear_down(&setup);
}

static void the_oldest_denial_makes_room(void **state)
{
	struct denied *names;
	struct clock clock;
	struct loop *loop;
	char name[16];

	(void)state;
	clock_set(&clock, FIXTURE_NOW_MS, FIXTURE_WALL_S);
	loop = loop_new(&clock);
	names = denied_new(loop);
	assert_non_null(names);
	for (unsigned i = 0; i <= DENIED_MAX; i++) {
		(void)snprintf(name, sizeof(name), "s%u", i);
		denied_add(names, name);
		denied_add(names, name);
	}
	assert_false(denied_has(names, "s0"));
	assert_true(denied_has(names, "s1"));
	assert_true(denied_has(names, name));
	clock_advance(&clock, DENIED_MS);
	assert_false(denied_has(names, name));
	denied_free(names);
	loop_free(loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			says_whether_the_want_still_leads_to_a_version),
		cmocka_unit_test(says_why_it_cannot_tell),
		cmocka_unit_test(asks_for_a_description),
		cmocka_unit_test(
			remembers_for_an_hour_that_only_a_fetch_can_tell),
		cmocka_unit_test(remembers_it_of_that_secret_alone),
		cmocka_unit_test(remembers_nothing_that_may_pass),
		cmocka_unit_test(asks_again_with_newer_keys),
		cmocka_unit_test(sends_nothing_for_a_name_that_cannot_be),
		cmocka_unit_test(never_calls_back_after_a_cancel),
		cmocka_unit_test(the_oldest_denial_makes_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
