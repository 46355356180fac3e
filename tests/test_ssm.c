/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "aws/reply.h"
#include "aws/ssm.h"
#include "aws/ssm_queue.h"
#include "aws/ssm_source.h"
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
#define SEEN_MAX 32

#define ARN(name) "arn:aws:ssm:eu-west-1:1:parameter/" name
#define PARAMETER(name, more, value)                                           \
	"{\"ARN\":\"" ARN(name) "\",\"Name\":\"" name                          \
				"\",\"Type\":\"SecureString\"," more           \
				"\"Version\":3,\"Value\":\"" value             \
				"\",\"LastModifiedDate\":1.7640895625E9}"
#define REPLY(parameters, invalid)                                             \
	"{\"Parameters\":[" parameters "],\"InvalidParameters\":[" invalid "]}"

static const struct fake_reply denied = {
	.status = 400,
	.body = "{\"__type\":\"AccessDeniedException\",\"Message\":\"no\"}",
};

static void writes_names_with_their_selectors(void **state)
{
	static const struct source_want wants[] = {
		{ .name = "/a/b" },
		{ .name = "c", .version = "3" },
		{ .name = ARN("d"), .stage = "live" },
	};
	const struct source_want *const list[] = { &wants[0], NULL, &wants[1],
						   &wants[2] };
	cleanup_buf struct buf out;

	(void)state;
	buf_init(&out, BODY_MAX);
	assert_int_equal(ssm_form(list, ARRAY_SIZE(list), &out), 0);
	assert_string_equal(buf_text(&out),
			    "{\"Names\":[\"/a/b\",\"c:3\",\"" ARN(
				    "d") ":live\""
					 "],\"WithDecryption\":true}");
}

static void refuses_what_would_spoil_the_call_of_others(void **state)
{
	static const struct {
		struct source_want want;
		int code;
	} cases[] = {
		{ { .name = "/prod/db_1.x-y" }, 0 },
		{ { .name = ARN("x") }, 0 },
		{ { .name = "x", .version = "12" }, 0 },
		{ { .name = "x", .stage = "Live_1.0-b" }, 0 },
		{ { .name = "x", .version = "live" }, 0 },
		{ { .name = "" }, -ENOENT },
		{ { .name = "a b" }, -ENOENT },
		{ { .name = "a:3" }, -ENOENT },
		{ { .name = "a\"b" }, -ENOENT },
		{ { .name = "x", .version = "" }, -ENOENT },
		{ { .name = "x", .version = "1:2" }, -ENOENT },
		{ { .name = "x", .stage = "a\"" }, -ENOENT },
		{ { .name = "x", .version = "1", .stage = "a" }, -ENOENT },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		print_message("'%s'\n", cases[i].want.name);
		assert_int_equal(ssm_check(&cases[i].want, NULL),
				 cases[i].code);
	}
}

static int find(const char *body, const struct source_want *want,
		struct value **ret, struct err *err)
{
	cleanup_jdoc struct jdoc *doc = NULL;

	assert_int_equal(jdoc_parse(body, strlen(body), &doc, NULL), 0);
	return ssm_reply_find(doc, want, ret, err);
}

static void finds_what_was_asked_for(void **state)
{
	static const char body[] =
		REPLY(PARAMETER("a", "", "latest") "," PARAMETER(
			      "b", "\"Selector\":\":live\",",
			      "live") "," PARAMETER("b", "\"Selector\":\":3\",",
						    "third"),
		      "\"c\",\"d:7\"");
	static const struct {
		struct source_want want;
		int code;
		const char *value;
	} cases[] = {
		{ { .name = "a" }, 0, "latest" },
		{ { .name = ARN("a") }, 0, "latest" },
		{ { .name = "a", .version = "3" }, 0, "latest" },
		{ { .name = "b", .stage = "live" }, 0, "live" },
		{ { .name = "b", .version = "3" }, 0, "third" },
		{ { .name = "c" }, -ENOENT, NULL },
		{ { .name = "d", .version = "7" }, -ENOENT, NULL },
		/* not the version that it is */
		{ { .name = "a", .version = "4" }, -EIO, NULL },
		/* said of neither */
		{ { .name = "d" }, -EIO, NULL },
		{ { .name = "b" }, -EIO, NULL },
		{ { .name = "A" }, -EIO, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct value *value = NULL;
		struct err err;

		assert_int_equal(find(body, &cases[i].want, &value, &err),
				 cases[i].code);
		if (!cases[i].value) {
			assert_null(value);
			continue;
		}
		assert_memory_equal(secret_bytes(value_bytes(value)),
				    cases[i].value, strlen(cases[i].value));
		assert_string_equal(value_version(value), "3@1764089562500");
		assert_true(value_created_ns(value) == 1764089562500000000);
		value_unref(value);
	}
}

static void says_what_is_not_there(void **state)
{
	static const char body[] = REPLY("", "\"a\",\"a:3\",\"a:live\"");
	static const struct {
		struct source_want want;
		const char *text;
	} cases[] = {
		{ { .name = "a" }, "GetParameters 'a': no such parameter" },
		{ { .name = "a", .version = "3" },
		  "GetParameters 'a' (version 3): no such parameter or "
		  "version" },
		{ { .name = "a", .stage = "live" },
		  "GetParameters 'a' (label live): no such parameter or "
		  "label" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct value *value = NULL;
		struct err err;

		assert_int_equal(find(body, &cases[i].want, &value, &err),
				 -ENOENT);
		assert_string_equal(err.text, cases[i].text);
	}
}

static void takes_no_value_that_it_does_not_understand(void **state)
{
	static const char *const bodies[] = {
		"[]",
		"{}",
		REPLY("7,null", "7"),
		REPLY("{\"Name\":\"a\",\"Value\":\"hunter2\"}", ""),
		REPLY("{\"Name\":\"a\",\"Value\":7,\"Version\":1}", ""),
		REPLY("{\"Name\":\"a\",\"Value\":\"hunter2\","
		      "\"Version\":\"x\"}",
		      ""),
	};
	const struct source_want want = { .name = "a" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
		struct value *value = NULL;
		struct err err;

		assert_int_equal(find(bodies[i], &want, &value, &err), -EIO);
		assert_null(value);
		assert_null(strstr(err.text, "hunter2"));
	}
}

/* Who deletes a parameter and makes it again begins again at version 1. */
static void a_version_of_another_time_is_another_version(void **state)
{
	static const char *const bodies[] = {
		REPLY("{\"Name\":\"a\",\"Value\":\"x\",\"Version\":1,"
		      "\"LastModifiedDate\":1700000000.5}",
		      ""),
		REPLY("{\"Name\":\"a\",\"Value\":\"y\",\"Version\":1,"
		      "\"LastModifiedDate\":1700000001.5}",
		      ""),
	};
	const struct source_want want = { .name = "a" };
	struct value *values[2];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bodies); i++)
		assert_int_equal(find(bodies[i], &want, &values[i], NULL), 0);
	assert_string_not_equal(value_version(values[0]),
				value_version(values[1]));
	value_unref(values[0]);
	value_unref(values[1]);
}

struct setup {
	struct fixture fixture;
	struct source *source;
};

struct seen {
	unsigned count;
	int code;
	char bytes[64];
	char text[ERR_TEXT_MAX];
};

static void on_value(void *owner, struct value *value, const struct err *err)
{
	struct seen *seen = owner;

	assert_true((value == NULL) != (err == NULL));
	seen->count++;
	seen->code = err ? err->code : 0;
	(void)snprintf(seen->text, sizeof(seen->text), "%s",
		       err ? err->text : "");
	if (value)
		(void)snprintf(seen->bytes, sizeof(seen->bytes), "%.*s",
			       (int)secret_length(value_bytes(value)),
			       (const char *)secret_bytes(value_bytes(value)));
}

static void set_up(struct setup *setup)
{
	const struct aws_settings settings = { .timeout_ms = TIMEOUT_MS };

	fixture_init(&setup->fixture);
	fixture_set_keys(&setup->fixture, NULL);
	assert_int_equal(ssm_source_new(setup->fixture.identities, &settings,
					&setup->source, NULL),
			 0);
}

static void tear_down(struct setup *setup)
{
	setup->source->operations->free(setup->source);
	fixture_done(&setup->fixture);
}

static struct source_call *fetch(struct setup *setup, const char *name,
				 struct seen *seen)
{
	const struct source_want want = { .name = name };
	struct source_call *call = setup->source->operations->fetch(
		setup->source, &want, on_value, seen);

	*seen = (struct seen){ 0 };
	assert_non_null(call);
	return call;
}

static const char *body_of(const struct setup *setup, size_t number)
{
	return fake_http_request(setup->fixture.http, number)->body;
}

static void asks_for_all_of_a_turn_in_one_call(void **state)
{
	static const struct fake_reply reply = {
		.status = 200,
		.body = REPLY(
			PARAMETER("b", "", "two") "," PARAMETER("a", "", "one"),
			"\"c\""),
	};
	struct setup setup;
	struct seen seen[3];

	(void)state;
	set_up(&setup);
	fake_http_add(setup.fixture.http, &reply);
	(void)fetch(&setup, "a", &seen[0]);
	(void)fetch(&setup, "b", &seen[1]);
	(void)fetch(&setup, "c", &seen[2]);
	assert_int_equal(fake_http_count(setup.fixture.http), 0);
	fixture_settle(&setup.fixture);
	assert_int_equal(fake_http_count(setup.fixture.http), 1);
	assert_string_equal(body_of(&setup, 0),
			    "{\"Names\":[\"a\",\"b\",\"c\"],"
			    "\"WithDecryption\":true}");
	assert_string_equal(fake_http_request(setup.fixture.http, 0)->url,
			    "https://ssm.eu-west-1.amazonaws.com/");
	assert_non_null(
		strstr(fake_http_request(setup.fixture.http, 0)->headers,
		       "X-Amz-Target: AmazonSSM.GetParameters\n"));
	assert_non_null(
		strstr(fake_http_request(setup.fixture.http, 0)->headers,
		       "/eu-west-1/ssm/aws4_request"));
	assert_string_equal(seen[0].bytes, "one");
	assert_string_equal(seen[1].bytes, "two");
	assert_int_equal(seen[2].code, -ENOENT);
	tear_down(&setup);
}

static void asks_ten_at_a_time_and_not_all_at_once(void **state)
{
	static const struct fake_reply nothing = { .status = 200,
						   .body = REPLY("", "") };
	char names[SEEN_MAX][8];
	struct setup setup;
	struct seen seen[SEEN_MAX];

	(void)state;
	set_up(&setup);
	for (size_t i = 0; i < 4; i++)
		fake_http_add(setup.fixture.http, &nothing);
	for (size_t i = 0; i < SEEN_MAX; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "p%zu", i);
		(void)fetch(&setup, names[i], &seen[i]);
	}
	fixture_settle(&setup.fixture);
	assert_int_equal(fake_http_count(setup.fixture.http), 1);
	fixture_advance(&setup.fixture, SSM_SPACING_MS - 1);
	assert_int_equal(fake_http_count(setup.fixture.http), 1);
	fixture_advance(&setup.fixture, 1);
	assert_int_equal(fake_http_count(setup.fixture.http), 2);
	fixture_advance(&setup.fixture, SSM_SPACING_MS);
	fixture_advance(&setup.fixture, SSM_SPACING_MS);
	assert_int_equal(fake_http_count(setup.fixture.http), 4);
	assert_non_null(strstr(body_of(&setup, 0), "\"p0\""));
	assert_non_null(strstr(body_of(&setup, 0), "\"p9\""));
	assert_null(strstr(body_of(&setup, 0), "\"p10\""));
	assert_string_equal(body_of(&setup, 3), "{\"Names\":[\"p30\",\"p31\"],"
						"\"WithDecryption\":true}");
	for (size_t i = 0; i < SEEN_MAX; i++)
		assert_int_equal(seen[i].count, 1);
	tear_down(&setup);
}

static void never_names_one_parameter_twice_in_a_call(void **state)
{
	static const struct fake_reply reply = {
		.status = 200, .body = REPLY(PARAMETER("a", "", "one"), "")
	};
	struct setup setup;
	struct seen seen[2];

	(void)state;
	set_up(&setup);
	fake_http_add(setup.fixture.http, &reply);
	fake_http_add(setup.fixture.http, &reply);
	(void)fetch(&setup, "a", &seen[0]);
	(void)fetch(&setup, "a", &seen[1]);
	fixture_settle(&setup.fixture);
	fixture_advance(&setup.fixture, SSM_SPACING_MS);
	assert_int_equal(fake_http_count(setup.fixture.http), 2);
	assert_string_equal(body_of(&setup, 0), body_of(&setup, 1));
	assert_string_equal(seen[0].bytes, "one");
	assert_string_equal(seen[1].bytes, "one");
	tear_down(&setup);
}

static void one_that_is_refused_spoils_no_other(void **state)
{
	static const struct fake_reply replies[] = {
		{ .status = 200, .body = REPLY(PARAMETER("a", "", "one"), "") },
		{ .status = 200,
		  .body = REPLY(PARAMETER("c", "", "three"), "") },
	};
	struct setup setup;
	struct seen seen[3];

	(void)state;
	set_up(&setup);
	fake_http_add(setup.fixture.http, &denied);
	fake_http_add(setup.fixture.http, &replies[0]);
	fake_http_add(setup.fixture.http, &denied);
	fake_http_add(setup.fixture.http, &replies[1]);
	(void)fetch(&setup, "a", &seen[0]);
	(void)fetch(&setup, "b", &seen[1]);
	(void)fetch(&setup, "c", &seen[2]);
	fixture_settle(&setup.fixture);
	for (unsigned i = 0; i < 3; i++)
		fixture_advance(&setup.fixture, SSM_SPACING_MS);
	assert_int_equal(fake_http_count(setup.fixture.http), 4);
	assert_string_equal(seen[0].bytes, "one");
	assert_int_equal(seen[1].code, -EACCES);
	assert_string_equal(seen[1].text,
			    "GetParameters 'b': AccessDeniedException: no");
	assert_string_equal(seen[2].bytes, "three");

	/* it is asked for alone from now on, and the others together */
	fake_http_add(setup.fixture.http, &denied);
	fake_http_add(setup.fixture.http, &replies[0]);
	(void)fetch(&setup, "b", &seen[1]);
	(void)fetch(&setup, "a", &seen[0]);
	fixture_advance(&setup.fixture, SSM_SPACING_MS);
	fixture_advance(&setup.fixture, SSM_SPACING_MS);
	assert_int_equal(fake_http_count(setup.fixture.http), 6);
	assert_string_equal(body_of(&setup, 4),
			    "{\"Names\":[\"b\"],\"WithDecryption\":true}");
	assert_string_equal(seen[0].bytes, "one");

	/* until the hour is over */
	fixture_advance(&setup.fixture, HOUR_MS);
	fake_http_add(setup.fixture.http, &replies[0]);
	(void)fetch(&setup, "b", &seen[1]);
	(void)fetch(&setup, "a", &seen[0]);
	fixture_settle(&setup.fixture);
	assert_string_equal(body_of(&setup, 6), "{\"Names\":[\"b\",\"a\"],"
						"\"WithDecryption\":true}");
	tear_down(&setup);
}

static void what_is_no_single_ones_fault_is_everybodys(void **state)
{
	static const struct {
		struct fake_reply reply;
		unsigned calls;
		int code;
	} cases[] = {
		{ { .failure = -EIO }, 3, -EIO },
		{ { .status = 400,
		    .body = "{\"__type\":\"ThrottlingException\"}" },
		  3,
		  -EBUSY },
		{ { .status = 500, .body = "{}" }, 3, -EBUSY },
		{ { .status = 400,
		    .body = "{\"__type\":\"InvalidSignatureException\"}" },
		  1,
		  -EACCES },
		{ { .status = 200, .body = "<html>" }, 1, -EIO },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct setup setup;
		struct seen seen[2];

		set_up(&setup);
		for (unsigned k = 0; k < cases[i].calls; k++)
			fake_http_add(setup.fixture.http, &cases[i].reply);
		(void)fetch(&setup, "a", &seen[0]);
		(void)fetch(&setup, "b", &seen[1]);
		fixture_settle(&setup.fixture);
		fixture_advance(&setup.fixture, 5000);
		assert_int_equal(fake_http_count(setup.fixture.http),
				 cases[i].calls);
		assert_int_equal(seen[0].code, cases[i].code);
		assert_int_equal(seen[1].code, cases[i].code);
		tear_down(&setup);
	}
}

static void who_leaves_disturbs_no_other(void **state)
{
	static const struct fake_reply reply = {
		.status = 200, .body = REPLY(PARAMETER("b", "", "two"), "")
	};
	struct setup setup;
	struct seen seen[2];
	struct source_call *first;

	(void)state;
	set_up(&setup);
	fake_http_add(setup.fixture.http, &reply);
	first = fetch(&setup, "a", &seen[0]);
	(void)fetch(&setup, "b", &seen[1]);
	setup.source->operations->cancel(first);
	fixture_settle(&setup.fixture);
	assert_string_equal(body_of(&setup, 0),
			    "{\"Names\":[\"b\"],\"WithDecryption\":true}");
	assert_string_equal(seen[1].bytes, "two");
	assert_int_equal(seen[0].count, 0);
	/* the last one ends the call, before it is sent and after */
	setup.source->operations->cancel(fetch(&setup, "a", &seen[0]));
	fixture_advance(&setup.fixture, SSM_SPACING_MS);
	assert_int_equal(fake_http_count(setup.fixture.http), 1);
	first = fetch(&setup, "a", &seen[0]);
	fixture_advance(&setup.fixture, SSM_SPACING_MS);
	assert_int_equal(fake_http_live(setup.fixture.http), 1);
	setup.source->operations->cancel(first);
	assert_int_equal(fake_http_live(setup.fixture.http), 0);
	tear_down(&setup);
}

static void refuses_arns_of_others_without_asking(void **state)
{
	static const char *const names[] = {
		"arn:aws:ssm:eu-central-1:1:parameter/a",
		"arn:aws:secretsmanager:eu-west-1:1:secret:a",
		"a b",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct setup setup;
		struct seen seen;

		set_up(&setup);
		(void)fetch(&setup, names[i], &seen);
		assert_int_equal(seen.count, 0);
		fixture_settle(&setup.fixture);
		assert_int_equal(seen.code, -ENOENT);
		assert_memory_equal(seen.text, "GetParameters '", 15);
		assert_int_equal(fake_http_count(setup.fixture.http), 0);
		tear_down(&setup);
	}
}

static void is_nobody_else_to_the_cache(void **state)
{
	struct setup setup;

	(void)state;
	set_up(&setup);
	assert_string_equal(setup.source->identity,
			    "ssm https://ssm.eu-west-1.amazonaws.com/ "
			    "eu-west-1 key AKIDEXAMPLE");
	assert_null(setup.source->operations->confirm);
	assert_true(setup.source->has_no_stages);
	tear_down(&setup);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_names_with_their_selectors),
		cmocka_unit_test(refuses_what_would_spoil_the_call_of_others),
		cmocka_unit_test(finds_what_was_asked_for),
		cmocka_unit_test(says_what_is_not_there),
		cmocka_unit_test(takes_no_value_that_it_does_not_understand),
		cmocka_unit_test(a_version_of_another_time_is_another_version),
		cmocka_unit_test(asks_for_all_of_a_turn_in_one_call),
		cmocka_unit_test(asks_ten_at_a_time_and_not_all_at_once),
		cmocka_unit_test(never_names_one_parameter_twice_in_a_call),
		cmocka_unit_test(one_that_is_refused_spoils_no_other),
		cmocka_unit_test(what_is_no_single_ones_fault_is_everybodys),
		cmocka_unit_test(who_leaves_disturbs_no_other),
		cmocka_unit_test(refuses_arns_of_others_without_asking),
		cmocka_unit_test(is_nobody_else_to_the_cache),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
