/* SPDX-License-Identifier: Apache-2.0 */
/* Profiles and the providers of keys, with each request for memory refused in
 * turn: each question ends once, and nobody else serves for want of memory. */
#include "tests/test.h"

#include "aws/commands.h"
#include "aws/credentials.h"
#include "aws/keys.h"
#include "aws/profile_chain.h"
#include "aws/profile_settings.h"
#include "aws/profiles.h"
#include "base/err.h"
#include "base/macros.h"
#include "loop/loop.h"
#include "tests/aws_fixture.h"
#include "tests/fail_alloc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TIMEOUT_MS 20000

#define CONFIG                                                                 \
	"[profile role]\nrole_arn = arn:a\ncredential_source = EcsContainer\n" \
	"[profile sso]\nsso_session = corp\nsso_account_id = 1\n"              \
	"sso_role_name = r\nservices = s\n"                                    \
	"[sso-session corp]\nsso_region = eu-west-1\nsso_start_url = u\n"      \
	"[services s]\nsts =\n  endpoint_url = https://sts.host\n"             \
	"[default]\naws_access_key_id = AKID\naws_secret_access_key = s3\n"

static int parse(void *owner)
{
	cleanup_profiles struct profiles *profiles = profiles_new();
	struct profile_chain chain;
	struct err err = { 0 };
	int r;

	(void)owner;
	if (!profiles)
		return -ENOMEM;
	r = profiles_parse(profiles, PROFILE_FILE_CONFIG, "config", CONFIG,
			   strlen(CONFIG), &err);
	assert_int_equal(err.code, r);
	return r < 0 ? r : profile_chain_find(profiles, "role", &chain, &err);
}

static void profiles_are_whole_or_refused(void **state)
{
	(void)state;
	assert_true(fail_each_alloc(parse, NULL) > 5);
}

#define KEYS(id)                                                               \
	"{\"Code\":\"Success\",\"AccessKeyId\":\"" id                          \
	"\",\"SecretAccessKey\":\"s3cr3t\",\"Token\":\"t\",\"Expiration\":"    \
	"\"2026-11-23T11:11:12Z\"}"

static char home[] = "/tmp/test_no_memory.XXXXXX";

/* As whom, and what is answered meanwhile. */
struct use {
	struct aws_environment environment;
	struct fake_reply replies[3];
	const char *id;
};

static struct use uses[] = {
	{ .environment = { .container_path = "/x", .profile = "role" },
	  .replies = { { .status = 200, .body = KEYS("ASIA1") },
		       { .status = 200,
			 .body = "{\"AssumeRoleResponse\":{\"AssumeRoleResult\""
				 ":{\"Credentials\":{\"AccessKeyId\":\"ASIA2\","
				 "\"SecretAccessKey\":\"s3cr3t\","
				 "\"SessionToken\":\"t\","
				 "\"Expiration\":1795432272}}}}" } },
	  .id = "ASIA2" },
	{ .environment = { .container_path = "/x", .config_file = "/dev/null" },
	  .replies = { { .status = 200, .body = KEYS("ASIA3") } },
	  .id = "ASIA3" },
	{ .environment = { .config_file = "/dev/null",
			   .metadata_disabled = "false" },
	  .replies = { { .status = 200, .body = "token" },
		       { .status = 200, .body = "role" },
		       { .status = 200, .body = KEYS("ASIA4") } },
	  .id = "ASIA4" },
	{ .environment = { .profile = "sso" },
	  .replies = { { .status = 200,
			 .body = "{\"roleCredentials\":{\"accessKeyId\":"
				 "\"ASIA5\",\"secretAccessKey\":\"s3cr3t\","
				 "\"sessionToken\":\"t\",\"expiration\":"
				 "1795432272000}}" } },
	  .id = "ASIA5" },
	{ .environment = { .home = NULL }, .id = "AKID" },
};

struct seen {
	unsigned count;
	int code;
	char id[16];
};

static void on_keys(void *owner, struct keys *keys, const struct err *err)
{
	struct seen *seen = owner;

	assert_true((keys == NULL) != (err == NULL));
	seen->count++;
	seen->code = err ? err->code : 0;
	(void)snprintf(seen->id, sizeof(seen->id), "%s",
		       keys ? keys_id(keys) : "");
}

static void begin(struct fixture *fixture, const struct use *use)
{
	struct aws_environment *environment = &fixture->environment;

	fail_alloc_pause();
	fixture_init(fixture);
	*environment = use->environment;
	environment->home = home;
	if (!environment->metadata_disabled)
		environment->metadata_disabled = "true";
	for (size_t i = 0; i < 3 && use->replies[i].status; i++)
		fake_http_add(fixture->http, &use->replies[i]);
	fail_alloc_resume();
}

static int get(struct fixture *fixture, struct credentials *credentials,
	       const char *id)
{
	struct seen seen = { 0 };
	struct credentials_get *call = credentials_get(
		credentials, FIXTURE_NOW_MS + TIMEOUT_MS, on_keys, &seen);

	if (!call)
		return -ENOMEM;
	fixture_settle(fixture);
	if (seen.count == 0)
		fixture_advance(fixture, TIMEOUT_MS);
	assert_int_equal(seen.count, 1);
	if (seen.code < 0)
		return -ENOMEM;
	assert_string_equal(seen.id, id);
	return 0;
}

static int ask(void *owner)
{
	const struct use *use = owner;
	struct credentials *credentials = NULL;
	struct fixture fixture;
	struct err err = { 0 };
	int r;

	begin(&fixture, use);
	r = profile_settings_add(&fixture.environment, &err);
	if (r == 0)
		r = credentials_new(fixture.loop, fixture.retry,
				    &fixture.environment, "eu-west-1",
				    &credentials, &err);
	if (r == 0)
		r = get(&fixture, credentials, use->id);
	credentials_free(credentials);
	fixture_done(&fixture);
	return r;
}

static void no_provider_serves_for_want_of_another(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(uses); i++)
		assert_true(fail_each_alloc(ask, &uses[i]) > 10);
}

static void on_output(void *owner, const char *output, size_t length,
		      const struct err *err)
{
	struct seen *seen = owner;

	seen->count++;
	seen->code = err ? err->code : 0;
	(void)snprintf(seen->id, sizeof(seen->id), "%.*s", (int)length,
		       output ? output : "");
}

/* -ENOMEM, or what was written is there. */
static int run_one(struct loop *loop, struct commands *commands,
		   const char *command, const char *expected)
{
	struct seen seen = { 0 };

	if (!command_start(commands, command, on_output, &seen, NULL))
		return -ENOMEM;
	for (unsigned i = 0; seen.count == 0 && i < 1000; i++)
		assert_int_equal(loop_turn(loop, 20), 0);
	assert_int_equal(seen.count, 1);
	if (seen.code == 0)
		assert_string_equal(seen.id, expected);
	return seen.code;
}

static int run_two(void *owner)
{
	struct commands *commands;
	struct fixture fixture;
	int r;

	(void)owner;
	fail_alloc_pause();
	fixture_init(&fixture);
	assert_int_equal(commands_new(fixture.loop, COMMANDS_TIMEOUT_MS,
				      &commands, NULL),
			 0);
	fail_alloc_resume();
	r = run_one(fixture.loop, commands, "printf one", "one");
	fail_alloc_pause();
	assert_int_equal(run_one(fixture.loop, commands, "printf two", "two"),
			 0);
	commands_free(commands);
	fixture_done(&fixture);
	fail_alloc_resume();
	return r;
}

static void want_of_memory_ends_one_command_alone(void **state)
{
	(void)state;
	assert_true(fail_each_alloc(run_two, NULL) > 2);
}

static void write_home(const char *name, const char *text)
{
	char path[256];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", home, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static const char *const folders[] = { ".aws", ".aws/sso", ".aws/sso/cache" };
/* SHA-1 of "corp" */
static const char token[] =
	".aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json";

static int make_home(void **state)
{
	char path[256];

	(void)state;
	if (!mkdtemp(home))
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", home, folders[i]);
		if (mkdir(path, 0700) < 0)
			return -1;
	}
	write_home(".aws/config", CONFIG);
	write_home(token, "{\"accessToken\":\"t\",\"expiresAt\":"
			  "\"2026-11-24T00:00:00Z\"}");
	return 0;
}

static int remove_home(void **state)
{
	const char *const names[] = { token,	  ".aws/config", folders[2],
				      folders[1], folders[0],	 "" };
	char path[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", home, names[i]);
		(void)remove(path);
	}
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(profiles_are_whole_or_refused),
		cmocka_unit_test(no_provider_serves_for_want_of_another),
		cmocka_unit_test(want_of_memory_ends_one_command_alone),
	};

	return cmocka_run_group_tests(tests, make_home, remove_home);
}
