/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "aws/aws_source.h"
#include "aws/batch_reply.h"
#include "aws/reply.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/jdoc.h"
#include "base/macros.h"
#include "base/secret.h"
#include "loop/loop.h"
#include "store/source.h"
#include "store/value.h"
#include "tests/aws_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define TIMEOUT_MS 20000
#define HOUR_MS 3600000
#define BODY_MAX (64U << 10)
#define MANY 45

#define ARN(name) "arn:aws:secretsmanager:eu-west-1:1:secret:" name "-a1B2c3"
#define VALUE(name, value)                                                     \
	"{\"ARN\":\"" ARN(name) "\",\"Name\":\"" name                          \
				"\",\"VersionId\":\"v-" name                   \
				"\",\"SecretString\":\"" value                 \
				"\",\"CreatedDate\":1.5}"
#define ERROR(id, code, message)                                               \
	"{\"SecretId\":\"" id "\",\"ErrorCode\":\"" code                       \
	"\",\"Message\":\"" message "\"}"
#define BATCH(values, errors)                                                  \
	"{\"SecretValues\":[" values "],\"Errors\":[" errors "]}"

static void writes_each_name_once(void **state)
{
	static const char *const names[] = { "a", NULL, "b\"\\", "a", "c" };
	cleanup_buf struct buf out;

	(void)state;
	buf_init(&out, BODY_MAX);
	assert_int_equal(batch_form(names, ARRAY_SIZE(names), &out), 0);
	assert_string_equal(buf_text(&out),
			    "{\"SecretIdList\":[\"a\",\"b\\\"\\\\\",\"c\"]}");
	buf_clear(&out);
	out.limit = 20;
	assert_int_equal(batch_form(names, ARRAY_SIZE(names), &out), -EFBIG);
}

static int find(const char *body, const char *name, struct value **ret,
		struct err *err)
{
	cleanup_jdoc struct jdoc *doc = NULL;
	cleanup_buf struct buf text;
	const struct aws_reply reply = { .status = 200,
					 .request_id = "r-1",
					 .body = &text };

	buf_init(&text, BODY_MAX);
	assert_int_equal(buf_append_text(&text, body), 0);
	assert_int_equal(jdoc_parse(body, strlen(body), &doc, NULL), 0);
	return batch_reply_find(&reply, doc, name, ret, err);
}

static void gives_a_value_to_its_exact_name_only(void **state)
{
	static const char body[] =
		BATCH(VALUE("b", "two") "," VALUE("a", "one"), "");
	static const struct {
		const char *name;
		const char *version; /* NULL: it is not in the reply */
	} cases[] = {
		{ "a", "v-a" },
		{ "b", "v-b" },
		{ ARN("a"), "v-a" },
		{ "c", NULL },
		{ "", NULL },
		{ "A", NULL },
		/* what AWS takes for an ARN without its end may be two */
		{ "arn:aws:secretsmanager:eu-west-1:1:secret:a", NULL },
		{ "arn:aws:secretsmanager:eu-west-1:2:secret:a-a1B2c3", NULL },
		{ "a-a1B2c3", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct value *value = NULL;
		struct err err = { .text = "untouched" };
		int r = find(body, cases[i].name, &value, &err);

		assert_int_equal(r, cases[i].version ? 0 : -EAGAIN);
		assert_string_equal(err.text, "untouched");
		if (cases[i].version) {
			const char *arn = value_arn(value);

			assert_string_equal(value_version(value),
					    cases[i].version);
			assert_string_equal(arn, cases[i].version[2] == 'a'
							 ? ARN("a")
							 : ARN("b"));
		}
		value_unref(value);
	}
}

static void gives_each_its_own_error(void **state)
{
	static const struct {
		const char *entries;
		int code;
		const char *text;
	} cases[] = {
		{ ERROR("a", "ResourceNotFoundException", "not there"), -ENOENT,
		  "ResourceNotFoundException (request id r-1): not there" },
		{ ERROR("a", "AccessDeniedException", "no"), -EACCES,
		  "AccessDeniedException (request id r-1): no" },
		{ ERROR("a", "DecryptionFailure", ""), -EACCES,
		  "DecryptionFailure (request id r-1)" },
		{ ERROR("a", "InvalidRequestException", "marked"), -ENOENT,
		  "InvalidRequestException (request id r-1): marked" },
		{ ERROR("a", "SomethingNew", "x\\ny"), -EIO,
		  "SomethingNew (request id r-1): x" },
		{ ERROR(ARN("a"), "AccessDeniedException", "no"), -EACCES,
		  "AccessDeniedException (request id r-1): no" },
		{ ERROR("b", "DecryptionFailure", "") "," ERROR(
			  "a", "ResourceNotFoundException", "not there"),
		  -ENOENT,
		  "ResourceNotFoundException (request id r-1): not there" },
		{ "{\"SecretId\":\"a\"}", -EIO,
		  "status 400 without an AWS error (request id r-1)" },
		{ "{\"SecretId\":\"a\",\"ErrorCode\":7,\"Message\":[]}", -EIO,
		  "status 400 without an AWS error (request id r-1)" },
		/* these are asked for again, alone */
		{ ERROR("a", "InternalServiceError", ""), -EAGAIN, NULL },
		{ ERROR("a", "ThrottlingException", ""), -EAGAIN, NULL },
		{ ERROR("ab", "AccessDeniedException", ""), -EAGAIN, NULL },
		{ ERROR(ARN("ba"), "AccessDeniedException", ""), -EAGAIN,
		  NULL },
		{ ERROR(":secret:a-a1B2c3", "AccessDeniedException", ""),
		  -EAGAIN, NULL },
		{ ERROR("xxxxxxxxxxxxx:secret:a-a1B2c3",
			"AccessDeniedException", ""),
		  -EAGAIN, NULL },
		{ ERROR("arn:secret:a-a1B2c3", "AccessDeniedException", ""),
		  -EAGAIN, NULL },
		{ ERROR("arn:aws:secretsmanager:eu-west-1:1:secret:axa1B2c3",
			"AccessDeniedException", ""),
		  -EAGAIN, NULL },
		{ "{\"SecretId\":7}", -EAGAIN, NULL },
		{ "7", -EAGAIN, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct value *value = NULL;
		struct err err = { 0 };
		char body[512];
		char text[ERR_TEXT_MAX];

		(void)snprintf(body, sizeof(body), BATCH("", "%s"),
			       cases[i].entries);
		assert_int_equal(find(body, "a", &value, &err), cases[i].code);
		assert_null(value);
		(void)snprintf(text, sizeof(text),
			       "BatchGetSecretValue 'a': %s", cases[i].text);
		assert_string_equal(err.text, cases[i].text ? text : "");
	}
}

static void a_value_that_is_none_is_an_error_of_its_own(void **state)
{
	static const char body[] = BATCH(
		"{\"Name\":\"a\",\"VersionId\":\"v\"}," VALUE("b", "two"), "");
	struct value *value = NULL;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(find(body, "a", &value, &err), -EIO);
	assert_string_equal(err.text, "BatchGetSecretValue 'a': no "
				      "SecretString in the reply");
	assert_int_equal(find(body, "b", &value, NULL), 0);
	value_unref(value);
}

static void takes_any_json_for_an_answer(void **state)
{
	static const char *const bodies[] = {
		"[]",
		"7",
		"{}",
		"{\"SecretValues\":{}}",
		BATCH("7,null", "[]"),
		"{\"SecretValues\":null,\"Errors\":null,\"NextToken\":null}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
		struct value *value = NULL;

		assert_int_equal(find(bodies[i], "a", &value, NULL), -EAGAIN);
		assert_null(value);
	}
}

/* --- through the source ------------------------------------------------- */

static const struct fake_reply both = {
	.status = 200,
	.body = BATCH(VALUE("b", "two") "," VALUE("a", "one"), ""),
};
static const struct fake_reply single = {
	.status = 200,
	.body = "{\"VersionId\":\"single\",\"SecretString\":\"x\"}",
};
static const struct fake_reply denied = {
	.status = 400,
	.body = "{\"__type\":\"AccessDeniedException\",\"Message\":\"no\"}",
};
static const struct fake_reply first_keys = {
	.status = 200,
	.body = FIXTURE_STS_BODY("ASIAFIRST", "1795432272"),
};
static const struct fake_reply second_keys = {
	.status = 200,
	.body = FIXTURE_STS_BODY("ASIASECOND", "1795435872"),
};
static const struct fake_reply expired = {
	.status = 400,
	.body = "{\"__type\":\"ExpiredTokenException\"}",
};

struct seen {
	unsigned count;
	int code;
	char version[40];
	char text[128];
	struct setup *setup;
	struct source_call **to_cancel; /* in the callback */
	bool frees;
};

struct setup {
	struct fixture fixture;
	struct source *source;
	struct source_call *calls[MANY];
	struct seen seen[MANY];
};

static void on_value(void *owner, struct value *value, const struct err *err)
{
	struct seen *seen = owner;

	assert_true((value == NULL) != (err == NULL));
	seen->count++;
	seen->code = err ? err->code : 0;
	(void)snprintf(seen->text, sizeof(seen->text), "%.127s",
		       err ? err->text : "");
	(void)snprintf(seen->version, sizeof(seen->version), "%s",
		       value ? value_version(value) : "");
	if (seen->to_cancel)
		seen->setup->source->operations->cancel(TAKE(*seen->to_cancel));
	if (seen->frees) {
		struct source *source = TAKE(seen->setup->source);

		source->operations->free(source);
	}
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
	*setup = (struct setup){ 0 };
	fixture_init(&setup->fixture);
	fixture_set_keys(&setup->fixture, NULL);
	open_source(setup);
}

static void tear_down(struct setup *setup)
{
	if (setup->source)
		setup->source->operations->free(setup->source);
	assert_int_equal(fake_http_live(setup->fixture.http), 0);
	fixture_done(&setup->fixture);
}

static void add(struct setup *setup, const struct fake_reply *reply,
		unsigned times)
{
	for (unsigned i = 0; i < times; i++)
		fake_http_add(setup->fixture.http, reply);
}

static void fetch_wanted(struct setup *setup, unsigned number,
			 const struct source_want *want)
{
	struct seen *seen = &setup->seen[number];

	seen->count = 0;
	seen->setup = setup;
	setup->calls[number] = setup->source->operations->fetch(
		setup->source, want, on_value, seen);
	assert_non_null(setup->calls[number]);
	assert_int_equal(seen->count, 0);
}

static void fetch(struct setup *setup, unsigned number, const char *name)
{
	fetch_wanted(setup, number, &(struct source_want){ .name = name });
}

static void fetch_both(struct setup *setup)
{
	fetch(setup, 0, "a");
	fetch(setup, 1, "b");
}

/* Fetches s0, s1 and so on, each by its own callback. */
static void fetch_many(struct setup *setup, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "s%u", i);
		fetch(setup, i, name);
	}
}

static void cancel(struct setup *setup, unsigned number)
{
	setup->source->operations->cancel(TAKE(setup->calls[number]));
}

static void cancel_many(struct setup *setup, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		cancel(setup, i);
}

static size_t calls_of(const struct setup *setup, const char *operation)
{
	size_t count = 0;
	char header[80];

	(void)snprintf(header, sizeof(header),
		       "X-Amz-Target: secretsmanager.%s\n", operation);
	for (size_t i = 0; i < fake_http_count(setup->fixture.http); i++)
		if (strstr(fake_http_request(setup->fixture.http, i)->headers,
			   header))
			count++;
	return count;
}

static void check_calls(const struct setup *setup, size_t batches,
			size_t singles)
{
	assert_int_equal(calls_of(setup, "BatchGetSecretValue"), batches);
	assert_int_equal(calls_of(setup, "GetSecretValue"), singles);
}

static void check_seen(const struct setup *setup, unsigned number,
		       const char *version)
{
	assert_string_equal(setup->seen[number].text, "");
	assert_int_equal(setup->seen[number].count, 1);
	assert_string_equal(setup->seen[number].version, version);
}

static void two_of_one_turn_are_one_call(void **state)
{
	const struct fake_request *request;
	struct setup setup;

	(void)state;
	set_up(&setup);
	add(&setup, &both, 1);
	fetch_both(&setup);
	fixture_settle(&setup.fixture);
	check_seen(&setup, 0, "v-a");
	check_seen(&setup, 1, "v-b");
	check_calls(&setup, 1, 0);
	request = fake_http_request(setup.fixture.http, 0);
	assert_string_equal(request->body, "{\"SecretIdList\":[\"a\",\"b\"]}");
	assert_int_equal(request->reply_max, 4 << 20);
	tear_down(&setup);
}

static void two_of_two_turns_are_two_calls(void **state)
{
	struct setup setup;

	(void)state;
	set_up(&setup);
	add(&setup, &single, 2);
	fetch(&setup, 0, "a");
	assert_int_equal(loop_turn(setup.fixture.loop, 0), 0);
	fetch(&setup, 1, "b");
	fixture_settle(&setup.fixture);
	check_seen(&setup, 0, "single");
	check_seen(&setup, 1, "single");
	check_calls(&setup, 0, 2);
	tear_down(&setup);
}

static void a_version_or_a_stage_is_asked_for_alone(void **state)
{
	struct setup setup;

	(void)state;
	set_up(&setup);
	add(&setup, &single, 3);
	fetch(&setup, 0, "a");
	fetch_wanted(&setup, 1,
		     &(struct source_want){ .name = "b", .stage = "blue" });
	fetch_wanted(
		&setup, 2,
		&(struct source_want){
			.name = "b",
			.version = "EXAMPLE1-90ab-cdef-fedc-ba987EXAMPLE" });
	fixture_settle(&setup.fixture);
	check_calls(&setup, 0, 3);
	tear_down(&setup);
}

static void a_name_and_its_arn_share_a_batch(void **state)
{
	struct setup setup;

	(void)state;
	set_up(&setup);
	add(&setup, &both, 1);
	fetch(&setup, 0, "a");
	fetch(&setup, 1, ARN("a"));
	fetch(&setup, 2, "a");
	fixture_settle(&setup.fixture);
	for (unsigned i = 0; i < 3; i++)
		check_seen(&setup, i, "v-a");
	assert_string_equal(fake_http_request(setup.fixture.http, 0)->body,
			    "{\"SecretIdList\":[\"a\",\"" ARN("a") "\"]}");
	tear_down(&setup);
}

/* The first of three goes out alone, to see whether it may. */
static void forty_five_are_three_batches(void **state)
{
	static const struct fake_reply empty = { .status = 200,
						 .body = BATCH("", "") };
	struct setup setup;

	(void)state;
	set_up(&setup);
	fetch_many(&setup, MANY);
	assert_int_equal(loop_turn(setup.fixture.loop, 0), 0);
	assert_int_equal(loop_turn(setup.fixture.loop, 0), 0);
	check_calls(&setup, 1, 0);
	cancel_many(&setup, MANY);
	fetch_many(&setup, MANY);
	/* what they leave open is asked for one by one */
	add(&setup, &empty, 1);
	add(&setup, &single, 20);
	add(&setup, &empty, 2);
	add(&setup, &single, 25);
	fixture_settle(&setup.fixture);
	for (unsigned i = 0; i < MANY; i++)
		assert_int_equal(setup.seen[i].count, 1);
	check_calls(&setup, 4, MANY);
	tear_down(&setup);
}

static void only_the_first_batches_wait_for_one(void **state)
{
	struct setup setup;

	(void)state;
	set_up(&setup);
	add(&setup, &both, 1);
	fetch_both(&setup);
	fixture_settle(&setup.fixture);
	check_calls(&setup, 1, 0);

	fetch_many(&setup, MANY);
	fixture_settle(&setup.fixture);
	check_calls(&setup, 4, 0);
	cancel_many(&setup, MANY);

	/* once refused, nothing is known any more */
	add(&setup, &denied, 1);
	add(&setup, &single, 2);
	fetch_both(&setup);
	fixture_settle(&setup.fixture);
	check_calls(&setup, 5, 2);
	fixture_advance(&setup.fixture, HOUR_MS);
	fetch_many(&setup, MANY);
	fixture_settle(&setup.fixture);
	check_calls(&setup, 6, 2);
	cancel_many(&setup, MANY);
	tear_down(&setup);
}

static void the_last_one_of_21_is_asked_for_alone(void **state)
{
	struct setup setup;

	(void)state;
	set_up(&setup);
	fetch_many(&setup, 21);
	fixture_settle(&setup.fixture);
	check_calls(&setup, 1, 1);
	cancel_many(&setup, 21);
	tear_down(&setup);
}

/* One refusal, told to all 45 at once; then single calls for an hour. */
static void one_refusal_is_enough_for_an_hour(void **state)
{
	static const struct fake_reply refusals[] = {
		{ .status = 400,
		  .body = "{\"__type\":\"AccessDeniedException\"}" },
		{ .status = 400,
		  .body = "{\"__type\":\"UnknownOperationException\"}" },
		{ .status = 400,
		  .body = "{\"__type\":\"InvalidParameterException\"}" },
		{ .status = 501, .body = "" },
		{ .status = 404, .body = "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		struct setup setup;

		set_up(&setup);
		add(&setup, &refusals[i], 1);
		add(&setup, &single, MANY + 2);
		fetch_many(&setup, MANY);
		fixture_settle(&setup.fixture);
		for (unsigned n = 0; n < MANY; n++)
			check_seen(&setup, n, "single");
		check_calls(&setup, 1, MANY);

		fixture_advance(&setup.fixture, HOUR_MS - 1);
		fetch_both(&setup);
		fixture_settle(&setup.fixture);
		check_calls(&setup, 1, MANY + 2);
		fixture_advance(&setup.fixture, 1);
		add(&setup, &both, 1);
		fetch_both(&setup);
		fixture_settle(&setup.fixture);
		check_seen(&setup, 0, "v-a");
		check_calls(&setup, 2, MANY + 2);
		tear_down(&setup);
	}
}

/* No single call would fare better, or worse. */
static void what_is_wrong_with_the_service_is_told_to_each(void **state)
{
	static const struct {
		struct fake_reply reply;
		const char *text;
		int code;
	} cases[] = {
		{ { .failure = -EIO }, "the fake host does not answer", -EIO },
		{ { .status = 500,
		    .body = "{\"__type\":\"InternalServiceError\"}" },
		  "InternalServiceError",
		  -EBUSY },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[ERR_TEXT_MAX];
		struct setup setup;

		set_up(&setup);
		add(&setup, &cases[i].reply, 3);
		fetch_both(&setup);
		fixture_settle(&setup.fixture);
		for (unsigned n = 0; n < 2; n++) {
			(void)snprintf(text, sizeof(text),
				       "BatchGetSecretValue '%c': %s", "ab"[n],
				       cases[i].text);
			assert_string_equal(setup.seen[n].text, text);
			assert_int_equal(setup.seen[n].code, cases[i].code);
		}
		check_calls(&setup, 3, 0);
		tear_down(&setup);
	}
}

/* Ten seconds later batches are tried again. */
static void a_batch_that_is_throttled_is_asked_singly(void **state)
{
	static const struct fake_reply throttled = {
		.status = 400,
		.body = "{\"__type\":\"ThrottlingException\"}",
	};
	struct setup setup;

	(void)state;
	set_up(&setup);
	add(&setup, &throttled, 3);
	add(&setup, &single, MANY);
	fetch_many(&setup, MANY);
	fixture_settle(&setup.fixture);
	for (unsigned n = 0; n < MANY; n++)
		check_seen(&setup, n, "single");
	check_calls(&setup, 3, MANY);
	add(&setup, &single, 2);
	fetch_both(&setup);
	fixture_settle(&setup.fixture);
	check_calls(&setup, 3, MANY + 2);
	clock_advance(&setup.fixture.clock, 10000);
	add(&setup, &both, 1);
	fetch_both(&setup);
	fixture_settle(&setup.fixture);
	check_seen(&setup, 0, "v-a");
	check_calls(&setup, 4, MANY + 2);
	tear_down(&setup);
}

static void what_is_wrong_with_the_batch_alone_is_asked_singly(void **state)
{
	static const struct fake_reply replies[] = {
		{ .failure = -EFBIG },
		{ .failure = -ENOMEM },
		{ .status = 200, .body = "<html>" },
		{ .status = 200, .body = "{}" },
		{ .status = 400, .body = "{\"__type\":\"DecryptionFailure\"}" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(replies); i++) {
		struct setup setup;

		set_up(&setup);
		add(&setup, &replies[i], 1);
		add(&setup, &single, 2);
		fetch_both(&setup);
		fixture_settle(&setup.fixture);
		check_seen(&setup, 0, "single");
		check_seen(&setup, 1, "single");
		/* the next one is a batch again */
		add(&setup, &both, 1);
		fetch_both(&setup);
		fixture_settle(&setup.fixture);
		check_calls(&setup, 2, 2);
		tear_down(&setup);
	}
}

static void what_is_on_another_page_is_asked_for_alone(void **state)
{
	static const struct fake_reply page = {
		.status = 200,
		.body = "{\"SecretValues\":[" VALUE(
			"a", "one") "],"
				    "\"Errors\":[],\"NextToken\":\"t\"}",
	};
	struct setup setup;

	(void)state;
	set_up(&setup);
	add(&setup, &page, 1);
	add(&setup, &single, 1);
	fetch_both(&setup);
	fixture_settle(&setup.fixture);
	check_seen(&setup, 0, "v-a");
	check_seen(&setup, 1, "single");
	assert_string_equal(fake_http_request(setup.fixture.http, 1)->body,
			    "{\"SecretId\":\"b\"}");
	tear_down(&setup);
}

static void an_error_of_one_is_not_the_others(void **state)
{
	static const struct fake_reply mixed = {
		.status = 200,
		.body = BATCH(VALUE("b", "two"),
			      ERROR("a", "AccessDeniedException", "no")),
	};
	struct setup setup;

	(void)state;
	set_up(&setup);
	add(&setup, &mixed, 1);
	fetch_both(&setup);
	fixture_settle(&setup.fixture);
	assert_int_equal(setup.seen[0].code, -EACCES);
	assert_string_equal(setup.seen[0].text,
			    "BatchGetSecretValue 'a': AccessDeniedException: "
			    "no");
	check_seen(&setup, 1, "v-b");
	check_calls(&setup, 1, 0);
	tear_down(&setup);
}

/* What the batch took is no longer there for the single calls. */
static void single_calls_keep_the_deadline(void **state)
{
	struct setup setup;

	(void)state;
	set_up(&setup);
	add(&setup, &denied, 1);
	fetch_both(&setup);
	assert_int_equal(loop_turn(setup.fixture.loop, 0), 0);
	clock_advance(&setup.fixture.clock, 12000);
	fixture_settle(&setup.fixture);
	check_calls(&setup, 1, 2);
	assert_int_equal(fake_http_request(setup.fixture.http, 1)->timeout_ms,
			 TIMEOUT_MS - 12000);
	fixture_advance(&setup.fixture, TIMEOUT_MS - 12000);
	assert_int_equal(setup.seen[0].code, -EIO);
	assert_int_equal(setup.seen[0].count, 1);
	tear_down(&setup);
}

/* A silent endpoint: nobody waits longer than alone, also not those that
 * waited for what comes of the first batch. */
static void all_end_by_their_deadline(void **state)
{
	struct setup setup;

	(void)state;
	set_up(&setup);
	fetch_many(&setup, MANY);
	for (unsigned second = 0; second < TIMEOUT_MS / 1000; second++) {
		for (unsigned i = 0; i < MANY; i++)
			assert_int_equal(setup.seen[i].count, 0);
		fixture_advance(&setup.fixture, 1000);
	}
	for (unsigned i = 0; i < MANY; i++) {
		assert_int_equal(setup.seen[i].count, 1);
		assert_int_equal(setup.seen[i].code, -EIO);
	}
	tear_down(&setup);
}

static void one_that_is_cancelled_disturbs_no_other(void **state)
{
	(void)state;
	for (unsigned turns = 0; turns < 3; turns++) {
		struct setup setup;

		set_up(&setup);
		fetch(&setup, 2, "c");
		fetch_both(&setup);
		for (unsigned i = 0; i < turns; i++)
			assert_int_equal(loop_turn(setup.fixture.loop, 0), 0);
		cancel(&setup, 2);
		/* the reply comes last, or the call waits for its time */
		add(&setup, &both, 1);
		if (turns == 2)
			fixture_advance(&setup.fixture,
					RETRY_ATTEMPT_TIMEOUT_MS);
		fixture_settle(&setup.fixture);
		check_seen(&setup, 0, "v-a");
		check_seen(&setup, 1, "v-b");
		assert_int_equal(setup.seen[2].count, 0);
		tear_down(&setup);
	}
}

static void one_that_is_left_of_two_is_asked_for_alone(void **state)
{
	struct setup setup;

	(void)state;
	set_up(&setup);
	add(&setup, &single, 1);
	fetch_both(&setup);
	cancel(&setup, 0);
	fixture_settle(&setup.fixture);
	check_seen(&setup, 1, "single");
	check_calls(&setup, 0, 1);
	tear_down(&setup);
}

static void the_last_cancel_ends_the_call(void **state)
{
	(void)state;
	for (unsigned turns = 0; turns < 3; turns++) {
		struct setup setup;

		set_up(&setup);
		fetch_both(&setup);
		for (unsigned i = 0; i < turns; i++)
			assert_int_equal(loop_turn(setup.fixture.loop, 0), 0);
		cancel(&setup, 0);
		assert_int_equal(fake_http_live(setup.fixture.http),
				 turns == 2 ? 1 : 0);
		cancel(&setup, 1);
		assert_int_equal(fake_http_live(setup.fixture.http), 0);
		fixture_settle(&setup.fixture);
		assert_int_equal(setup.seen[0].count + setup.seen[1].count, 0);
		/* nothing of it is in the way of the next */
		add(&setup, &both, 1);
		fetch_both(&setup);
		fixture_settle(&setup.fixture);
		check_seen(&setup, 0, "v-a");
		tear_down(&setup);
	}
}

/* Those that waited for it try themselves. */
static void a_first_batch_that_is_cancelled_holds_up_nobody(void **state)
{
	struct setup setup;

	(void)state;
	set_up(&setup);
	fetch_many(&setup, 40);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(loop_turn(setup.fixture.loop, 0), 0);
	check_calls(&setup, 1, 0);
	for (unsigned i = 0; i < 20; i++)
		cancel(&setup, i);
	add(&setup, &denied, 1);
	add(&setup, &single, 20);
	fixture_settle(&setup.fixture);
	check_calls(&setup, 2, 20);
	for (unsigned i = 20; i < 40; i++)
		check_seen(&setup, i, "single");
	tear_down(&setup);
}

static void those_that_wait_can_be_cancelled(void **state)
{
	struct setup setup;

	(void)state;
	set_up(&setup);
	fetch_many(&setup, MANY);
	fixture_settle(&setup.fixture);
	for (unsigned i = MANY; i > 0; i--)
		cancel(&setup, i - 1);
	fixture_settle(&setup.fixture);
	check_calls(&setup, 1, 0);
	tear_down(&setup);
}

static void a_callback_may_cancel_the_others(void **state)
{
	struct setup setup;

	(void)state;
	set_up(&setup);
	add(&setup, &both, 1);
	fetch_both(&setup);
	setup.seen[0].to_cancel = &setup.calls[1];
	fixture_settle(&setup.fixture);
	check_seen(&setup, 0, "v-a");
	assert_int_equal(setup.seen[1].count, 0);
	tear_down(&setup);
}

static void the_last_callback_may_free_the_source(void **state)
{
	struct setup setup;

	(void)state;
	set_up(&setup);
	add(&setup, &both, 1);
	fetch_both(&setup);
	setup.seen[1].frees = true;
	fixture_settle(&setup.fixture);
	check_seen(&setup, 1, "v-b");
	assert_null(setup.source);
	tear_down(&setup);
}

static void a_batch_gets_newer_keys_once(void **state)
{
	struct setup setup = { 0 };

	(void)state;
	fixture_init(&setup.fixture);
	fixture_set_role(&setup.fixture);
	open_source(&setup);
	add(&setup, &first_keys, 1);
	add(&setup, &expired, 1);
	add(&setup, &second_keys, 1);
	add(&setup, &both, 1);
	fetch_both(&setup);
	fixture_settle(&setup.fixture);
	check_seen(&setup, 0, "v-a");
	check_seen(&setup, 1, "v-b");
	check_calls(&setup, 2, 0);
	tear_down(&setup);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_each_name_once),
		cmocka_unit_test(gives_a_value_to_its_exact_name_only),
		cmocka_unit_test(gives_each_its_own_error),
		cmocka_unit_test(a_value_that_is_none_is_an_error_of_its_own),
		cmocka_unit_test(takes_any_json_for_an_answer),
		cmocka_unit_test(two_of_one_turn_are_one_call),
		cmocka_unit_test(two_of_two_turns_are_two_calls),
		cmocka_unit_test(a_version_or_a_stage_is_asked_for_alone),
		cmocka_unit_test(a_name_and_its_arn_share_a_batch),
		cmocka_unit_test(forty_five_are_three_batches),
		cmocka_unit_test(only_the_first_batches_wait_for_one),
		cmocka_unit_test(the_last_one_of_21_is_asked_for_alone),
		cmocka_unit_test(one_refusal_is_enough_for_an_hour),
		cmocka_unit_test(
			what_is_wrong_with_the_service_is_told_to_each),
		cmocka_unit_test(a_batch_that_is_throttled_is_asked_singly),
		cmocka_unit_test(
			what_is_wrong_with_the_batch_alone_is_asked_singly),
		cmocka_unit_test(what_is_on_another_page_is_asked_for_alone),
		cmocka_unit_test(an_error_of_one_is_not_the_others),
		cmocka_unit_test(single_calls_keep_the_deadline),
		cmocka_unit_test(all_end_by_their_deadline),
		cmocka_unit_test(one_that_is_cancelled_disturbs_no_other),
		cmocka_unit_test(one_that_is_left_of_two_is_asked_for_alone),
		cmocka_unit_test(the_last_cancel_ends_the_call),
		cmocka_unit_test(
			a_first_batch_that_is_cancelled_holds_up_nobody),
		cmocka_unit_test(those_that_wait_can_be_cancelled),
		cmocka_unit_test(a_callback_may_cancel_the_others),
		cmocka_unit_test(the_last_callback_may_free_the_source),
		cmocka_unit_test(a_batch_gets_newer_keys_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
