/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "aws/credentials.h"
#include "aws/keys.h"
#include "aws/sts.h"
#include "base/err.h"
#include "base/macros.h"
#include "loop/loop.h"
#include "tests/aws_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define HOUR_MS (3600L * 1000)

/* FIXTURE_WALL_S plus one, two and three hours */
static const struct fake_reply first = {
	.status = 200,
	.body = FIXTURE_STS_BODY("ASIAFIRST", "1795432272"),
};
static const struct fake_reply second = {
	.status = 200,
	.body = FIXTURE_STS_BODY("ASIASECOND", "1.795435872E9"),
};
static const struct fake_reply denied = {
	.status = 403,
	.body = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>Not "
		"authorized</Message></Error></ErrorResponse>",
};
static const struct fake_reply broken = { .status = 200, .body = "{}" };
static const struct fake_reply unreachable = { .failure = -EIO };

struct setup {
	struct fixture fixture;
	struct credentials *credentials;
};

/* What a get ended with. */
struct seen {
	unsigned count;
	int code;
	char id[32];
	char text[ERR_TEXT_MAX];
	struct credentials_get *to_cancel; /* by the callback */
	struct setup *to_free;
	struct setup *to_ask;
};

static void on_keys(void *owner, struct keys *keys, const struct err *err)
{
	struct seen *seen = owner;

	assert_true((keys == NULL) != (err == NULL));
	seen->count++;
	seen->code = err ? err->code : 0;
	(void)snprintf(seen->id, sizeof(seen->id), "%s",
		       keys ? keys_id(keys) : "");
	(void)snprintf(seen->text, sizeof(seen->text), "%s",
		       err ? err->text : "");
	credentials_cancel(TAKE(seen->to_cancel));
	if (seen->to_free) {
		credentials_free(seen->to_free->credentials);
		seen->to_free->credentials = NULL;
	}
	if (seen->to_ask) {
		struct setup *setup = TAKE(seen->to_ask);

		assert_non_null(credentials_get(
			setup->credentials,
			loop_now_ms(setup->fixture.loop) + 20000, on_keys,
			seen));
	}
}

static void set_up(struct setup *setup)
{
	struct fixture *fixture = &setup->fixture;

	assert_int_equal(credentials_new(fixture->loop, fixture->retry,
					 &fixture->environment, "eu-west-1",
					 &setup->credentials, NULL),
			 0);
}

static void set_up_role(struct setup *setup)
{
	fixture_init(&setup->fixture);
	fixture_set_role(&setup->fixture);
	set_up(setup);
}

static void tear_down(struct setup *setup)
{
	credentials_free(setup->credentials);
	fixture_done(&setup->fixture);
}

static struct credentials_get *ask(struct setup *setup, struct seen *seen)
{
	struct credentials_get *get = credentials_get(
		setup->credentials, loop_now_ms(setup->fixture.loop) + 20000,
		on_keys, seen);

	assert_non_null(get);
	return get;
}

/* Asks, settles, and expects keys of that id. */
static void expect_keys(struct setup *setup, const char *id)
{
	struct seen seen = { 0 };

	(void)ask(setup, &seen);
	assert_int_equal(seen.count, 0);
	fixture_settle(&setup->fixture);
	assert_int_equal(seen.count, 1);
	assert_string_equal(seen.text, "");
	assert_string_equal(seen.id, id);
}

static void hands_out_keys_of_the_environment(void **state)
{
	struct setup setup;

	(void)state;
	fixture_init(&setup.fixture);
	fixture_set_keys(&setup.fixture, "IQoJtoken");
	set_up(&setup);
	assert_string_equal(credentials_identity(setup.credentials),
			    "key AKIDEXAMPLE");
	assert_int_equal(credentials_check(setup.credentials, NULL), 0);
	expect_keys(&setup, "AKIDEXAMPLE");
	fixture_advance(&setup.fixture, 10000 * HOUR_MS);
	expect_keys(&setup, "AKIDEXAMPLE");
	assert_int_equal(fake_http_count(setup.fixture.http), 0);
	tear_down(&setup);
}

static void cannot_renew_keys_of_the_environment(void **state)
{
	struct setup setup;

	(void)state;
	fixture_init(&setup.fixture);
	fixture_set_keys(&setup.fixture, NULL);
	set_up(&setup);
	assert_false(credentials_drop(setup.credentials, NULL));
	expect_keys(&setup, "AKIDEXAMPLE");
	tear_down(&setup);
}

static void asks_sts_for_keys_of_a_role(void **state)
{
	const struct fake_request *request;
	struct setup setup;

	(void)state;
	set_up_role(&setup);
	assert_string_equal(credentials_identity(setup.credentials),
			    "role arn:aws:iam::123456789012:role/app");
	fake_http_add(setup.fixture.http, &first);
	expect_keys(&setup, "ASIAFIRST");
	request = fake_http_request(setup.fixture.http, 0);
	assert_string_equal(request->url,
			    "https://sts.eu-west-1.amazonaws.com/");
	assert_string_equal(request->headers,
			    "Host: sts.eu-west-1.amazonaws.com\n"
			    "Content-Type: application/x-www-form-urlencoded\n"
			    "Accept: application/json\n");
	assert_string_equal(
		request->body,
		"Action=AssumeRoleWithWebIdentity&Version=2011-06-15"
		"&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fapp"
		"&RoleSessionName=session&WebIdentityToken=eyJ.token");
	assert_int_equal(request->timeout_ms, CREDENTIALS_TIMEOUT_MS);
	assert_int_equal(request->reply_max, 65536);
	assert_true(request->fresh_connection);
	expect_keys(&setup, "ASIAFIRST");
	assert_int_equal(fake_http_count(setup.fixture.http), 1);
	tear_down(&setup);
}

static void asks_once_for_many(void **state)
{
	struct seen seen[3] = { 0 };
	struct setup setup;

	(void)state;
	set_up_role(&setup);
	fake_http_add(setup.fixture.http, &first);
	for (size_t i = 0; i < ARRAY_SIZE(seen); i++)
		(void)ask(&setup, &seen[i]);
	fixture_settle(&setup.fixture);
	for (size_t i = 0; i < ARRAY_SIZE(seen); i++) {
		assert_int_equal(seen[i].count, 1);
		assert_string_equal(seen[i].id, "ASIAFIRST");
	}
	assert_int_equal(fake_http_count(setup.fixture.http), 1);
	tear_down(&setup);
}

static void refreshes_behind_the_readers_back(void **state)
{
	struct setup setup;

	(void)state;
	set_up_role(&setup);
	fake_http_add(setup.fixture.http, &first);
	fake_http_add(setup.fixture.http, &second);
	expect_keys(&setup, "ASIAFIRST");
	fixture_advance(&setup.fixture, HOUR_MS - CREDENTIALS_REFRESH_MS - 1);
	expect_keys(&setup, "ASIAFIRST");
	assert_int_equal(fake_http_count(setup.fixture.http), 1);
	fixture_advance(&setup.fixture, 1);
	expect_keys(&setup, "ASIAFIRST");
	assert_int_equal(fake_http_count(setup.fixture.http), 2);
	expect_keys(&setup, "ASIASECOND");
	assert_int_equal(fake_http_count(setup.fixture.http), 2);
	tear_down(&setup);
}

static void refreshes_short_keys_at_half_their_life(void **state)
{
	static const struct fake_reply brief = {
		.status = 200, /* ten minutes */
		.body = FIXTURE_STS_BODY("ASIABRIEF", "1795429272"),
	};
	struct setup setup;

	(void)state;
	set_up_role(&setup);
	fake_http_add(setup.fixture.http, &brief);
	fake_http_add(setup.fixture.http, &second);
	expect_keys(&setup, "ASIABRIEF");
	fixture_advance(&setup.fixture, 300 * 1000 - 1);
	expect_keys(&setup, "ASIABRIEF");
	assert_int_equal(fake_http_count(setup.fixture.http), 1);
	fixture_advance(&setup.fixture, 1);
	expect_keys(&setup, "ASIABRIEF");
	assert_int_equal(fake_http_count(setup.fixture.http), 2);
	tear_down(&setup);
}

static void waits_for_new_keys_when_the_old_end(void **state)
{
	struct setup setup;

	(void)state;
	set_up_role(&setup);
	fake_http_add(setup.fixture.http, &first);
	fake_http_add(setup.fixture.http, &second);
	expect_keys(&setup, "ASIAFIRST");
	fixture_advance(&setup.fixture, HOUR_MS - CREDENTIALS_UNUSABLE_MS);
	expect_keys(&setup, "ASIASECOND");
	tear_down(&setup);
}

static void goes_on_with_old_keys_while_sts_fails(void **state)
{
	struct setup setup;

	(void)state;
	set_up_role(&setup);
	fake_http_add(setup.fixture.http, &first);
	for (unsigned i = 0; i < RETRY_ATTEMPTS_MAX; i++)
		fake_http_add(setup.fixture.http, &unreachable);
	fake_http_add(setup.fixture.http, &second);
	expect_keys(&setup, "ASIAFIRST");
	fixture_advance(&setup.fixture, HOUR_MS - CREDENTIALS_REFRESH_MS);
	for (unsigned i = 0; i < 5; i++)
		expect_keys(&setup, "ASIAFIRST");
	assert_int_equal(fake_http_count(setup.fixture.http), 4);
	fixture_advance(&setup.fixture, CREDENTIALS_HOLD_OFF_MS);
	expect_keys(&setup, "ASIAFIRST");
	assert_int_equal(fake_http_count(setup.fixture.http), 5);
	expect_keys(&setup, "ASIASECOND");
	tear_down(&setup);
}

static const struct fake_reply no_provider = {
	.status = 400,
	.body = "<ErrorResponse><Error><Code>IDPCommunicationError</Code>"
		"</Error></ErrorResponse>",
};

/* The token may have been replaced in between. */
static void asks_sts_again_with_the_token_of_the_moment(void **state)
{
	struct seen seen = { 0 };
	struct setup setup;
	FILE *file;

	(void)state;
	set_up_role(&setup);
	fake_http_add(setup.fixture.http, &no_provider);
	fake_http_add(setup.fixture.http, &first);
	(void)ask(&setup, &seen);
	file = fopen(setup.fixture.token_file, "w");
	assert_non_null(file);
	assert_true(fputs("eyJ.other", file) >= 0);
	assert_int_equal(fclose(file), 0);
	fixture_settle(&setup.fixture);
	assert_string_equal(seen.id, "ASIAFIRST");
	assert_int_equal(fake_http_count(setup.fixture.http), 2);
	assert_non_null(strstr(fake_http_request(setup.fixture.http, 0)->body,
			       "WebIdentityToken=eyJ.token"));
	assert_non_null(strstr(fake_http_request(setup.fixture.http, 1)->body,
			       "WebIdentityToken=eyJ.other"));
	tear_down(&setup);
}

static void says_when_the_token_is_gone_between_two_attempts(void **state)
{
	struct seen seen = { 0 };
	struct setup setup;

	(void)state;
	set_up_role(&setup);
	fake_http_add(setup.fixture.http, &no_provider);
	(void)ask(&setup, &seen);
	assert_int_equal(unlink(setup.fixture.token_file), 0);
	fixture_settle(&setup.fixture);
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.code, -ENOKEY);
	assert_non_null(strstr(seen.text, setup.fixture.token_file));
	tear_down(&setup);
}

static void tells_all_who_wait_why_sts_refused(void **state)
{
	struct seen seen[2] = { 0 };
	struct setup setup;

	(void)state;
	set_up_role(&setup);
	fake_http_add(setup.fixture.http, &denied);
	fake_http_add(setup.fixture.http, &first);
	(void)ask(&setup, &seen[0]);
	(void)ask(&setup, &seen[1]);
	fixture_settle(&setup.fixture);
	for (size_t i = 0; i < ARRAY_SIZE(seen); i++) {
		assert_int_equal(seen[i].count, 1);
		assert_int_equal(seen[i].code, -EACCES);
		assert_string_equal(
			seen[i].text,
			"AssumeRoleWithWebIdentity 'arn:aws:iam::123456789012:"
			"role/app': AccessDenied: Not authorized");
	}
	tear_down(&setup);
}

static void asks_no_sts_that_refuses_a_role_for_a_while(void **state)
{
	struct seen seen;
	struct setup setup;

	(void)state;
	set_up_role(&setup);
	fake_http_add(setup.fixture.http, &denied);
	for (int i = 0; i < 3; i++) {
		seen = (struct seen){ 0 };
		(void)ask(&setup, &seen);
		assert_int_equal(seen.count, 0);
		fixture_settle(&setup.fixture);
		assert_int_equal(seen.count, 1);
		assert_int_equal(seen.code, -EACCES);
		assert_non_null(strstr(seen.text, "Not authorized"));
		assert_int_equal(fake_http_count(setup.fixture.http), 1);
		fixture_advance(&setup.fixture,
				CREDENTIALS_HOLD_OFF_MS / 3 - 1);
	}
	fixture_advance(&setup.fixture, 3);
	fake_http_add(setup.fixture.http, &first);
	expect_keys(&setup, "ASIAFIRST");
	assert_int_equal(fake_http_count(setup.fixture.http), 2);
	tear_down(&setup);
}

static void ends_each_get_at_its_deadline(void **state)
{
	struct seen early = { 0 };
	struct seen late = { 0 };
	struct setup setup;

	(void)state;
	set_up_role(&setup);
	assert_non_null(
		credentials_get(setup.credentials,
				FIXTURE_NOW_MS + 5000 + CREDENTIALS_MARGIN_MS,
				on_keys, &early));
	(void)ask(&setup, &late);
	fixture_advance(&setup.fixture, 4999);
	assert_int_equal(early.count, 0);
	fixture_advance(&setup.fixture, 1);
	assert_int_equal(early.count, 1);
	assert_int_equal(early.code, -ETIMEDOUT);
	assert_string_equal(early.text,
			    "web identity: no keys before the deadline, as "
			    "role arn:aws:iam::123456789012:role/app");
	assert_int_equal(late.count, 0);
	fixture_advance(&setup.fixture, CREDENTIALS_TIMEOUT_MS - 5000);
	assert_int_equal(early.count, 1);
	assert_int_equal(late.count, 1);
	assert_int_equal(late.code, -ETIMEDOUT);
	assert_int_equal(fake_http_live(setup.fixture.http), 0);
	tear_down(&setup);
}

static void never_calls_back_after_a_cancel(void **state)
{
	struct seen waiting = { 0 };
	struct seen at_hand = { 0 };
	struct credentials_get *get;
	struct setup setup;

	(void)state;
	set_up_role(&setup);
	fake_http_add(setup.fixture.http, &first);
	get = ask(&setup, &waiting);
	credentials_cancel(get);
	fixture_settle(&setup.fixture);
	assert_int_equal(waiting.count, 0);

	/* what was asked for in vain is kept */
	get = ask(&setup, &at_hand);
	credentials_cancel(get);
	fixture_settle(&setup.fixture);
	assert_int_equal(at_hand.count, 0);
	expect_keys(&setup, "ASIAFIRST");
	assert_int_equal(fake_http_count(setup.fixture.http), 1);
	tear_down(&setup);
}

/* Whichever of the two is called first cancels the other. */
static void lets_a_callback_cancel_another_get(void **state)
{
	struct seen one = { 0 };
	struct seen other = { 0 };
	struct setup setup;

	(void)state;
	set_up_role(&setup);
	fake_http_add(setup.fixture.http, &first);
	other.to_cancel = ask(&setup, &one);
	one.to_cancel = ask(&setup, &other);
	/* only the handle of one that has not ended may be passed */
	fixture_settle(&setup.fixture);
	assert_int_equal(one.count + other.count, 1);
	tear_down(&setup);
}

static void lets_a_callback_ask_again(void **state)
{
	struct seen seen = { 0 };
	struct setup setup;

	(void)state;
	set_up_role(&setup);
	fake_http_add(setup.fixture.http, &broken);
	fake_http_add(setup.fixture.http, &first);
	seen.to_ask = &setup;
	(void)ask(&setup, &seen);
	fixture_settle(&setup.fixture);
	assert_int_equal(seen.count, 2);
	assert_string_equal(seen.id, "ASIAFIRST");
	tear_down(&setup);
}

static void lets_the_last_callback_free_everything(void **state)
{
	struct seen seen = { 0 };
	struct setup setup;

	(void)state;
	set_up_role(&setup);
	fake_http_add(setup.fixture.http, &first);
	seen.to_free = &setup;
	(void)ask(&setup, &seen);
	fixture_settle(&setup.fixture);
	assert_int_equal(seen.count, 1);
	tear_down(&setup);
}

static void ends_its_question_when_it_is_freed(void **state)
{
	struct seen seen = { 0 };
	struct setup setup;

	(void)state;
	set_up_role(&setup);
	credentials_cancel(ask(&setup, &seen));
	assert_int_equal(fake_http_live(setup.fixture.http), 1);
	credentials_free(TAKE(setup.credentials));
	assert_int_equal(fake_http_live(setup.fixture.http), 0);
	tear_down(&setup);
}

static void drops_only_the_keys_that_were_refused(void **state)
{
	struct keys *others = NULL;
	struct setup setup;

	(void)state;
	set_up_role(&setup);
	fake_http_add(setup.fixture.http, &first);
	expect_keys(&setup, "ASIAFIRST");
	assert_int_equal(
		keys_new(&(struct keys_text){ "a", "b", NULL }, 0, &others), 0);
	assert_true(credentials_drop(setup.credentials, others));
	keys_unref(others);
	expect_keys(&setup, "ASIAFIRST");
	assert_int_equal(fake_http_count(setup.fixture.http), 1);
	tear_down(&setup);
}

static void says_that_a_token_file_is_missing(void **state)
{
	struct seen seen = { 0 };
	struct setup setup;
	struct err err;

	(void)state;
	set_up_role(&setup);
	assert_int_equal(credentials_check(setup.credentials, &err), 0);
	assert_int_equal(unlink(setup.fixture.token_file), 0);
	assert_int_equal(credentials_check(setup.credentials, &err), -ENOKEY);
	assert_memory_equal(
		err.text, "AWS_WEB_IDENTITY_TOKEN_FILE: token file '/tmp/", 46);
	assert_non_null(strstr(err.text, "No such file or directory"));

	(void)ask(&setup, &seen);
	assert_int_equal(seen.count, 0);
	fixture_settle(&setup.fixture);
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.code, -ENOKEY);
	assert_non_null(strstr(seen.text, setup.fixture.token_file));
	assert_int_equal(fake_http_count(setup.fixture.http), 0);
	tear_down(&setup);
}

static void hands_out_keys_that_are_old_when_they_come(void **state)
{
	static const struct fake_reply stale = {
		.status = 200, /* an hour ago: our clock is ahead */
		.body = FIXTURE_STS_BODY("ASIASTALE", "1795425072"),
	};
	struct setup setup;

	(void)state;
	set_up_role(&setup);
	fake_http_add(setup.fixture.http, &stale);
	fake_http_add(setup.fixture.http, &second);
	expect_keys(&setup, "ASIASTALE");
	expect_keys(&setup, "ASIASECOND");
	tear_down(&setup);
}

static void asks_the_sts_that_is_configured(void **state)
{
	struct setup setup;

	(void)state;
	fixture_init(&setup.fixture);
	fixture_set_role(&setup.fixture);
	setup.fixture.environment.endpoint_url_sts = "http://127.0.0.1:9/";
	set_up(&setup);
	fake_http_add(setup.fixture.http, &first);
	expect_keys(&setup, "ASIAFIRST");
	assert_string_equal(fake_http_request(setup.fixture.http, 0)->url,
			    "http://127.0.0.1:9/");
	tear_down(&setup);
}

#define NOBODY                                                                 \
	"no AWS credentials: looked for AWS_ACCESS_KEY_ID, "                   \
	"AWS_PROFILE, AWS_WEB_IDENTITY_TOKEN_FILE, a default "                 \
	"profile and AWS_CONTAINER_CREDENTIALS_*, and "                        \
	"AWS_EC2_METADATA_DISABLED is true"

static const struct {
	struct aws_environment environment;
	const char *secret_key;
	int code;
	const char *text; /* NULL: an identity instead */
	const char *identity;
} choices[] = {
	{ .code = -EACCES, .text = NOBODY },
	{ .environment = { .role_arn = "role" },
	  .code = -EACCES,
	  .text = NOBODY },
	{ .environment = { .access_key_id = "AKID" },
	  .code = -EINVAL,
	  .text = "AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY is "
		  "not" },
	{ .secret_key = "hunter2",
	  .code = -EINVAL,
	  .text = "AWS_SECRET_ACCESS_KEY is set, but AWS_ACCESS_KEY_ID is "
		  "not" },
	{ .environment = { .access_key_id = "AKID" },
	  .secret_key = "hunter2\nX: y",
	  .code = -EINVAL,
	  .text = "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and "
		  "AWS_SESSION_TOKEN must be printable ASCII without blanks" },
	{ .environment = { .token_file = "token" },
	  .code = -EINVAL,
	  .text = "AWS_WEB_IDENTITY_TOKEN_FILE is set, but AWS_ROLE_ARN is "
		  "not" },
	{ .environment = { .token_file = "token",
			   .role_arn = "role",
			   .session_name = "a b" },
	  .code = -EINVAL,
	  .text = "AWS_ROLE_SESSION_NAME must be 2 to 64 letters, digits or "
		  "_+=,.@-" },
	{ .environment = { .token_file = "token",
			   .role_arn = "role",
			   .endpoint_url_sts = "x" },
	  .code = -EINVAL,
	  .text = "AWS_ENDPOINT_URL_STS must start with https://" },
	/* one that is configured and fails ends the search */
	{ .environment = { .profile = "dev",
			   .token_file = "token",
			   .role_arn = "role" },
	  .code = -EINVAL,
	  .text = "AWS_PROFILE=dev: no profiles were read" },
	{ .environment = { .container_url = "http://192.0.2.1/x" },
	  .code = -EINVAL,
	  .text = "AWS_CONTAINER_CREDENTIALS_FULL_URI: plain http to "
		  "192.0.2.1: allowed to this machine only" },
	{ .environment = { .container_path = "x",
			   .container_url = "https://host/" },
	  .code = -EINVAL,
	  .text = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI must begin with "
		  "'/'" },
	{ .environment = { .container_url = "http://169.254.170.23/v1?t=1" },
	  .identity = "container http://169.254.170.23/" },
	{ .environment = { .metadata_disabled = "false" },
	  .identity = "instance http://169.254.169.254" },
	{ .environment = { .metadata_disabled = "no", .metadata_mode = "ipv6" },
	  .identity = "instance http://[fd00:ec2::254]" },
	{ .environment = { .metadata_disabled = "no",
			   .metadata_endpoint = "http://192.0.2.1" },
	  .code = -EINVAL,
	  .text = "AWS_EC2_METADATA_SERVICE_ENDPOINT must be an https URL, or "
		  "http of this machine or of its metadata service" },
	{ .environment = { .access_key_id = "AKID",
			   .profile = "dev",
			   .token_file = "token",
			   .role_arn = "role",
			   .container_path = "/x" },
	  .secret_key = "hunter2",
	  .identity = "key AKID" },
	{ .environment = { .token_file = "token",
			   .role_arn = "role",
			   .container_path = "/x" },
	  .identity = "role role" },
};

static void chooses_the_first_provider_that_is_configured(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(choices); i++) {
		struct aws_environment environment = choices[i].environment;
		struct credentials *credentials = NULL;
		struct fixture fixture;
		struct err err;

		fixture_init(&fixture);
		buf_init(&environment.secret_key, 100);
		environment.home = "/nonexistent";
		if (!environment.metadata_disabled)
			environment.metadata_disabled = "TRUE";
		if (choices[i].secret_key)
			assert_int_equal(
				buf_append_text(&environment.secret_key,
						choices[i].secret_key),
				0);
		assert_int_equal(credentials_new(fixture.loop, fixture.retry,
						 &environment, "eu-west-1",
						 &credentials, &err),
				 choices[i].code);
		if (choices[i].text)
			assert_string_equal(err.text, choices[i].text);
		else
			assert_string_equal(credentials_identity(credentials),
					    choices[i].identity);
		credentials_free(credentials);
		aws_environment_done(&environment);
		fixture_done(&fixture);
	}
}

static const struct fake_reply metadata_token = { .status = 200,
						  .body = "token" };
static const struct fake_reply metadata_role = { .status = 200,
						 .body = "role" };
#define INSTANCE_KEYS(id, end)                                                 \
	"{\"Code\":\"Success\",\"AccessKeyId\":\"" id                          \
	"\",\"SecretAccessKey\":\"s3cr3t\",\"Token\":\"t\",\"Expiration\":"    \
	"\"" end "\"}"
/* FIXTURE_WALL_S and an hour, and an hour before it */
static const struct fake_reply instance_keys = {
	.status = 200,
	.body = INSTANCE_KEYS("ASIAEC2", "2026-11-23T11:11:12Z"),
};
static const struct fake_reply ended_keys = {
	.status = 200,
	.body = INSTANCE_KEYS("ASIAOLD", "2026-11-23T09:11:12Z"),
};

static void set_up_instance(struct setup *setup)
{
	fixture_init(&setup->fixture);
	setup->fixture.environment.metadata_disabled = NULL;
	set_up(setup);
	fake_http_add(setup->fixture.http, &metadata_token);
	fake_http_add(setup->fixture.http, &metadata_role);
}

/* Static stability: an instance whose metadata service fails works on. */
static void goes_on_with_an_instances_keys_past_their_end(void **state)
{
	struct setup setup;

	(void)state;
	set_up_instance(&setup);
	fake_http_add(setup.fixture.http, &instance_keys);
	expect_keys(&setup, "ASIAEC2");
	for (unsigned i = 0; i < 2 * RETRY_ATTEMPTS_MAX; i++)
		fake_http_add(setup.fixture.http, &unreachable);
	fixture_advance(&setup.fixture, 2 * HOUR_MS);
	expect_keys(&setup, "ASIAEC2");
	assert_int_equal(fake_http_count(setup.fixture.http), 6);

	/* and does not ask for some time */
	expect_keys(&setup, "ASIAEC2");
	fixture_advance(&setup.fixture, CREDENTIALS_EXTENDED_MS - 1);
	expect_keys(&setup, "ASIAEC2");
	assert_int_equal(fake_http_count(setup.fixture.http), 6);
	fixture_advance(&setup.fixture, 1);
	expect_keys(&setup, "ASIAEC2");
	assert_int_equal(fake_http_count(setup.fixture.http), 8);
	tear_down(&setup);
}

static void takes_an_instances_keys_that_have_ended(void **state)
{
	struct setup setup;

	(void)state;
	set_up_instance(&setup);
	fake_http_add(setup.fixture.http, &ended_keys);
	expect_keys(&setup, "ASIAOLD");
	expect_keys(&setup, "ASIAOLD");
	assert_int_equal(fake_http_count(setup.fixture.http), 3);
	fake_http_add(setup.fixture.http, &metadata_role);
	fake_http_add(setup.fixture.http, &instance_keys);
	fixture_advance(&setup.fixture, CREDENTIALS_EXTENDED_MS);
	expect_keys(&setup, "ASIAOLD");
	expect_keys(&setup, "ASIAEC2");
	tear_down(&setup);
}

static void spreads_refreshes_of_a_fleet(void **state)
{
	struct setup setup;

	(void)state;
	set_up_role(&setup);
	setup.fixture.random = UINT32_MAX; /* all of the spread */
	fake_http_add(setup.fixture.http, &first);
	fake_http_add(setup.fixture.http, &second);
	expect_keys(&setup, "ASIAFIRST");
	fixture_advance(&setup.fixture,
			HOUR_MS - CREDENTIALS_REFRESH_MS / 4 * 5);
	expect_keys(&setup, "ASIAFIRST");
	assert_int_equal(fake_http_count(setup.fixture.http), 1);
	fixture_advance(&setup.fixture, 1);
	expect_keys(&setup, "ASIAFIRST");
	assert_int_equal(fake_http_count(setup.fixture.http), 2);
	tear_down(&setup);
}

/* What lasts a minute is good for three quarters of it. */
static void uses_keys_that_last_no_longer_than_the_margin(void **state)
{
	static const struct fake_reply minute = {
		.status = 200,
		.body = FIXTURE_STS_BODY("ASIAMINUTE", "1795428732"),
	};
	struct setup setup;

	(void)state;
	set_up_role(&setup);
	fake_http_add(setup.fixture.http, &minute);
	expect_keys(&setup, "ASIAMINUTE");
	fixture_advance(&setup.fixture, 29999);
	expect_keys(&setup, "ASIAMINUTE");
	assert_int_equal(fake_http_count(setup.fixture.http), 1);
	fake_http_add(setup.fixture.http, &minute);
	fixture_advance(&setup.fixture, 1);
	expect_keys(&setup, "ASIAMINUTE");
	assert_int_equal(fake_http_count(setup.fixture.http), 2);
	tear_down(&setup);
}

static void works_as_a_role_that_is_assumed(void **state)
{
	static const struct sts_role role = {
		.arn = "arn:class",
		.external_id = "x",
		.duration_s = 900,
	};
	static const struct sts_role bad = { .arn = "arn:class",
					     .session_name = "a b" };
	static const struct fake_reply assumed = {
		.status = 200,
		.body = "{\"AssumeRoleResponse\":{\"AssumeRoleResult\":{"
			"\"Credentials\":{\"AccessKeyId\":\"ASIACLASS\","
			"\"SecretAccessKey\":\"s3cr3t\",\"SessionToken\":"
			"\"t\",\"Expiration\":1795432272}}}}",
	};
	struct setup setup;
	struct err err;

	(void)state;
	set_up_role(&setup);
	assert_int_equal(credentials_assume(setup.credentials, &role, &err), 0);
	assert_string_equal(credentials_identity(setup.credentials),
			    "role arn:class external id x for 900 s by role "
			    "arn:aws:iam::123456789012:role/app");
	fake_http_add(setup.fixture.http, &first);
	fake_http_add(setup.fixture.http, &assumed);
	expect_keys(&setup, "ASIACLASS");
	assert_non_null(strstr(fake_http_request(setup.fixture.http, 1)->body,
			       "&ExternalId=x&DurationSeconds=900"));
	assert_non_null(
		strstr(fake_http_request(setup.fixture.http, 1)->headers,
		       "Credential=ASIAFIRST/"));
	tear_down(&setup);

	set_up_role(&setup);
	assert_int_equal(credentials_assume(setup.credentials, &bad, &err),
			 -EINVAL);
	tear_down(&setup);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hands_out_keys_of_the_environment),
		cmocka_unit_test(cannot_renew_keys_of_the_environment),
		cmocka_unit_test(asks_sts_for_keys_of_a_role),
		cmocka_unit_test(asks_once_for_many),
		cmocka_unit_test(refreshes_behind_the_readers_back),
		cmocka_unit_test(refreshes_short_keys_at_half_their_life),
		cmocka_unit_test(waits_for_new_keys_when_the_old_end),
		cmocka_unit_test(goes_on_with_old_keys_while_sts_fails),
		cmocka_unit_test(asks_sts_again_with_the_token_of_the_moment),
		cmocka_unit_test(
			says_when_the_token_is_gone_between_two_attempts),
		cmocka_unit_test(tells_all_who_wait_why_sts_refused),
		cmocka_unit_test(asks_no_sts_that_refuses_a_role_for_a_while),
		cmocka_unit_test(ends_each_get_at_its_deadline),
		cmocka_unit_test(never_calls_back_after_a_cancel),
		cmocka_unit_test(lets_a_callback_cancel_another_get),
		cmocka_unit_test(lets_a_callback_ask_again),
		cmocka_unit_test(lets_the_last_callback_free_everything),
		cmocka_unit_test(ends_its_question_when_it_is_freed),
		cmocka_unit_test(drops_only_the_keys_that_were_refused),
		cmocka_unit_test(says_that_a_token_file_is_missing),
		cmocka_unit_test(hands_out_keys_that_are_old_when_they_come),
		cmocka_unit_test(asks_the_sts_that_is_configured),
		cmocka_unit_test(chooses_the_first_provider_that_is_configured),
		cmocka_unit_test(goes_on_with_an_instances_keys_past_their_end),
		cmocka_unit_test(takes_an_instances_keys_that_have_ended),
		cmocka_unit_test(spreads_refreshes_of_a_fleet),
		cmocka_unit_test(uses_keys_that_last_no_longer_than_the_margin),
		cmocka_unit_test(works_as_a_role_that_is_assumed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
