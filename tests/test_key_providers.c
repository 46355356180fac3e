/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "aws/commands.h"
#include "aws/key_chain.h"
#include "aws/key_provider.h"
#include "aws/keys.h"
#include "aws/profile_settings.h"
#include "aws/skew.h"
#include "base/err.h"
#include "base/macros.h"
#include "loop/loop.h"
#include "tests/aws_fixture.h"

#include <config.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TIMEOUT_MS 10000
#define PATH_SIZE 256

/* One provider, chosen by the chain as the environment says, and what it ended
 * with. */
struct setup {
	struct fixture fixture;
	struct key_context context;
	struct skew skew;
	struct key_chain chain;
	struct err err;
	char home[32];

	struct key_call *call;
	unsigned ended;
	int code;
	char id[64];
	char text[ERR_TEXT_MAX];
	int64_t expires_s;
};

static void prepare(struct setup *setup)
{
	struct aws_environment *environment = &setup->fixture.environment;

	*setup = (struct setup){ 0 };
	fixture_init(&setup->fixture);
	(void)snprintf(setup->home, sizeof(setup->home),
		       "/tmp/test_keys.XXXXXX");
	assert_non_null(mkdtemp(setup->home));
	environment->home = setup->home;
	environment->node = "node-1";
}

static void write_home(const struct setup *setup, const char *name,
		       const char *text)
{
	char path[PATH_SIZE];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", setup->home, name);
	for (char *slash = strchr(path + strlen(setup->home) + 1, '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		assert_true(mkdir(path, 0700) == 0 || errno == EEXIST);
		*slash = '/';
	}
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void remove_tree(const char *path)
{
	DIR *directory = opendir(path);
	const struct dirent *entry;
	char inner[PATH_SIZE];

	if (!directory) {
		(void)unlink(path);
		return;
	}
	while ((entry = readdir(directory))) {
		if (strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		assert_true(snprintf(inner, sizeof(inner), "%s/%s", path,
				     entry->d_name) < (int)sizeof(inner));
		remove_tree(inner);
	}
	(void)closedir(directory);
	(void)rmdir(path);
}

/* Returns what the chain does. */
static int choose(struct setup *setup)
{
	struct fixture *fixture = &setup->fixture;

	setup->context = (struct key_context){
		.loop = fixture->loop,
		.retry = fixture->retry,
		.environment = &fixture->environment,
		.region = "eu-west-1",
		.skew = &setup->skew,
	};
	assert_int_equal(
		profile_settings_add(&fixture->environment, &setup->err), 0);
	return key_chain_choose(&setup->context, &setup->chain, &setup->err);
}

static void tear_down(struct setup *setup)
{
	struct commands *commands = setup->fixture.environment.commands;

	key_provider_free(setup->chain.chosen);
	commands_free(commands);
	fixture_done(&setup->fixture);
	remove_tree(setup->home);
}

static void on_keys(void *owner, struct keys *keys, const struct err *err)
{
	struct setup *setup = owner;

	assert_true((keys == NULL) != (err == NULL));
	setup->call = NULL;
	setup->ended++;
	setup->code = err ? err->code : 0;
	(void)snprintf(setup->id, sizeof(setup->id), "%s",
		       keys ? keys_id(keys) : "");
	(void)snprintf(setup->text, sizeof(setup->text), "%s",
		       err ? err->text : "");
	setup->expires_s = keys ? keys_expires_s(keys) : 0;
}

static void ask(struct setup *setup)
{
	struct key_provider *provider = setup->chain.chosen;

	setup->ended = 0;
	setup->call = provider->operations->start(provider, TIMEOUT_MS, on_keys,
						  setup, &setup->err);
	assert_int_equal(setup->ended, 0);
	if (setup->call) {
		fixture_settle(&setup->fixture);
		return;
	}
	setup->ended = 1;
	setup->code = setup->err.code;
	setup->id[0] = '\0';
	(void)snprintf(setup->text, sizeof(setup->text), "%s", setup->err.text);
}

static void expect_keys(struct setup *setup, const char *id)
{
	ask(setup);
	assert_int_equal(setup->ended, 1);
	assert_string_equal(setup->text, "");
	assert_string_equal(setup->id, id);
}

static void expect_error(struct setup *setup, int code, const char *part)
{
	ask(setup);
	assert_int_equal(setup->ended, 1);
	assert_int_equal(setup->code, code);
	if (!strstr(setup->text, part))
		fail_msg("'%s' has no '%s'", setup->text, part);
	assert_null(strstr(setup->text, "s3cr3t"));
}

static const struct fake_request *request(const struct setup *setup,
					  size_t number)
{
	return fake_http_request(setup->fixture.http, number);
}

static void answer(struct setup *setup, const struct fake_reply *reply)
{
	fake_http_add(setup->fixture.http, reply);
}

/* As recorded of the EKS Pod Identity agent: nine digits of a fraction. */
static const struct fake_reply container_reply = {
	.status = 200,
	.body = "{\"AccessKeyId\":\"ASIAPOD\",\"SecretAccessKey\":\"s3cr3t\","
		"\"Token\":\"IQoJ\",\"AccountId\":\"123456789012\","
		"\"Expiration\":\"2026-11-23T11:11:12.123456789Z\"}",
};

static void asks_the_container_with_the_token_of_the_moment(void **state)
{
	char path[PATH_SIZE];
	struct setup setup;

	(void)state;
	prepare(&setup);
	(void)snprintf(path, sizeof(path), "%s/token", setup.home);
	write_home(&setup, "token", "first\n");
	setup.fixture.environment.container_url =
		"http://169.254.170.23/v1/credentials";
	setup.fixture.environment.container_token_file = path;
	assert_int_equal(choose(&setup), 0);
	answer(&setup, &container_reply);
	expect_keys(&setup, "ASIAPOD");
	assert_int_equal(setup.expires_s, FIXTURE_WALL_S + 3600);
	assert_string_equal(request(&setup, 0)->url,
			    "http://169.254.170.23/v1/credentials");
	assert_int_equal(request(&setup, 0)->method, HTTP_GET);
	assert_true(request(&setup, 0)->is_metadata);
	assert_int_equal(request(&setup, 0)->timeout_ms, 2000);
	assert_string_equal(request(&setup, 0)->headers,
			    "Accept: application/json\nAuthorization: first\n");

	/* rotated between two attempts of one call */
	answer(&setup, &(struct fake_reply){ .status = 500, .body = "" });
	answer(&setup, &container_reply);
	write_home(&setup, "token", "second");
	expect_keys(&setup, "ASIAPOD");
	assert_non_null(
		strstr(request(&setup, 2)->headers, "Authorization: second\n"));

	answer(&setup, &(struct fake_reply){
			       .status = 400,
			       .body = "eyJhbGciOi.eyJhdWQi.c2ln is too old" });
	expect_error(&setup, -ENOKEY, "quotes a token");
	assert_null(strstr(setup.text, "eyJ"));

	write_home(&setup, "token", "a\nb: c");
	expect_error(&setup, -ENOKEY, "line break");
	(void)unlink(path);
	expect_error(&setup, -ENOKEY, path);
	assert_int_equal(fake_http_count(setup.fixture.http), 4);
	tear_down(&setup);
}

static void asks_the_container_with_the_token_of_the_environment(void **state)
{
	struct setup setup;

	(void)state;
	prepare(&setup);
	setup.fixture.environment.container_path = "/v2/x";
	assert_int_equal(
		buf_append_text(&setup.fixture.environment.container_token,
				"Basic abc"),
		0);
	assert_int_equal(choose(&setup), 0);
	answer(&setup, &container_reply);
	expect_keys(&setup, "ASIAPOD");
	assert_string_equal(request(&setup, 0)->url,
			    "http://169.254.170.2/v2/x");
	assert_non_null(strstr(request(&setup, 0)->headers,
			       "Authorization: Basic abc\n"));
	tear_down(&setup);
}

static void reads_what_the_container_says_in_plain_text(void **state)
{
	static const struct {
		struct fake_reply reply;
		int code;
		const char *text;
	} cases[] = {
		{ { .status = 403, .body = "no association\nsecond line" },
		  -EACCES,
		  "http://169.254.170.2/: status 403: no association" },
		{ { .status = 400, .body = "bad request" },
		  -ENOKEY,
		  "status 400: bad request" },
		{ { .status = 404, .body = "" }, -ENOKEY, "status 404" },
		{ { .status = 200, .body = "{\"SecretAccessKey\":\"s3cr3t\"}" },
		  -EIO,
		  "without usable keys" },
		{ { .status = 200, .body = "s3cr3t" },
		  -EIO,
		  "without usable keys" },
		{ { .status = 200,
		    .body = "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":"
			    "\"s3cr3t\",\"Token\":\"t\"}" },
		  -EIO,
		  "without usable keys" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct setup setup;

		prepare(&setup);
		setup.fixture.environment.container_path = "/x";
		assert_int_equal(choose(&setup), 0);
		answer(&setup, &cases[i].reply);
		expect_error(&setup, cases[i].code, cases[i].text);
		assert_int_equal(fake_http_count(setup.fixture.http), 1);
		tear_down(&setup);
	}
}

/* Where it is not the one that is due. */
static void quotes_no_reply_that_may_be_a_success(void **state)
{
	static const int statuses[] = { 201, 203, 206, 302 };
	static const char keys[] = "{\"SecretAccessKey\":\"s3cr3t\"}";

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++) {
		struct setup setup;
		char expected[32];

		prepare(&setup);
		setup.fixture.environment.container_path = "/x";
		assert_int_equal(choose(&setup), 0);
		answer(&setup, &(struct fake_reply){ .status = statuses[i],
						     .body = keys });
		(void)snprintf(expected, sizeof(expected), ": status %d",
			       statuses[i]);
		expect_error(&setup, -ENOKEY, expected);
		tear_down(&setup);
	}
}

static void asks_a_container_that_throttles_again(void **state)
{
	struct setup setup;

	(void)state;
	prepare(&setup);
	setup.fixture.environment.container_path = "/x";
	assert_int_equal(choose(&setup), 0);
	answer(&setup, &(struct fake_reply){ .status = 429, .body = "slow" });
	answer(&setup, &container_reply);
	expect_keys(&setup, "ASIAPOD");
	tear_down(&setup);
}

static const struct fake_reply metadata_token = { .status = 200,
						  .body = "AQAEtoken==" };
static const struct fake_reply metadata_role = { .status = 200,
						 .body = "my-role\n" };
static const struct fake_reply metadata_keys = {
	.status = 200,
	.body = "{\"Code\":\"Success\",\"LastUpdated\":\"2026-11-23T10:00:00Z\","
		"\"Type\":\"AWS-HMAC\",\"AccessKeyId\":\"ASIAEC2\","
		"\"SecretAccessKey\":\"s3cr3t\",\"Token\":\"IQoJ\","
		"\"Expiration\":\"2026-11-23T16:11:12Z\"}",
};

static void prepare_instance(struct setup *setup)
{
	prepare(setup);
	setup->fixture.environment.metadata_disabled = NULL;
	assert_int_equal(choose(setup), 0);
}

static void asks_the_instance_in_version_2(void **state)
{
	struct setup setup;

	(void)state;
	prepare_instance(&setup);
	answer(&setup, &metadata_token);
	answer(&setup, &metadata_role);
	answer(&setup, &metadata_keys);
	expect_keys(&setup, "ASIAEC2");
	assert_int_equal(request(&setup, 0)->method, HTTP_PUT);
	assert_int_equal(request(&setup, 0)->timeout_ms, 1000);
	assert_string_equal(request(&setup, 0)->url,
			    "http://169.254.169.254/latest/api/token");
	assert_string_equal(request(&setup, 0)->headers,
			    "X-aws-ec2-metadata-token-ttl-seconds: 21600\n");
	assert_int_equal(request(&setup, 1)->method, HTTP_GET);
	assert_string_equal(request(&setup, 1)->headers,
			    "X-aws-ec2-metadata-token: AQAEtoken==\n");
	assert_string_equal(request(&setup, 2)->url,
			    "http://169.254.169.254/latest/meta-data/iam/"
			    "security-credentials/my-role");
	assert_true(request(&setup, 2)->is_metadata);

	/* the token is kept */
	answer(&setup, &metadata_role);
	answer(&setup, &metadata_keys);
	expect_keys(&setup, "ASIAEC2");
	assert_int_equal(fake_http_count(setup.fixture.http), 5);
	tear_down(&setup);
}

static void renews_a_token_that_the_instance_refuses_once(void **state)
{
	static const struct fake_reply refused = { .status = 401, .body = "" };
	struct setup setup;

	(void)state;
	prepare_instance(&setup);
	answer(&setup, &metadata_token);
	answer(&setup, &refused);
	answer(&setup, &metadata_token);
	answer(&setup, &metadata_role);
	answer(&setup, &metadata_keys);
	expect_keys(&setup, "ASIAEC2");

	answer(&setup, &refused);
	answer(&setup, &metadata_token);
	answer(&setup, &refused);
	expect_error(&setup, -EACCES, "status 401");
	tear_down(&setup);
}

static void tells_what_an_instance_lacks(void **state)
{
	const struct {
		struct fake_reply replies[3];
		int code;
		const char *text;
	} cases[] = {
		{ { metadata_token, { .status = 404, .body = "" } },
		  -ENOKEY,
		  "has no role" },
		{ { metadata_token, { .status = 200, .body = "" } },
		  -ENOKEY,
		  "has no role" },
		{ { metadata_token, { .status = 200, .body = "../x" } },
		  -EIO,
		  "a role's name" },
		{ { metadata_token, { .status = 200, .body = "<html>" } },
		  -EIO,
		  "a role's name" },
		{ { metadata_token,
		    metadata_role,
		    { .status = 200,
		      .body = "{\"Code\":\"AssumeRoleUnauthorizedAccess\","
			      "\"Message\":\"x\"}" } },
		  -EIO,
		  "Code is not Success" },
		{ { metadata_token,
		    metadata_role,
		    { .status = 200, .body = "{\"Code\":\"Success\"}" } },
		  -EIO,
		  "without usable keys" },
		{ { { .status = 403, .body = "" } }, -EACCES, "status 403" },
		{ { { .status = 201, .body = "s3cr3t" } },
		  -ENOKEY,
		  "status 201" },
		{ { metadata_token,
		    metadata_role,
		    { .status = 203, .body = "s3cr3t" } },
		  -ENOKEY,
		  "status 203" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct setup setup;

		prepare_instance(&setup);
		for (size_t j = 0; j < 3 && cases[i].replies[j].status; j++)
			answer(&setup, &cases[i].replies[j]);
		expect_error(&setup, cases[i].code, cases[i].text);
		tear_down(&setup);
	}
}

static void hints_at_the_hop_limit_of_a_silent_instance(void **state)
{
	struct setup setup;
	unsigned turns = 0;

	(void)state;
	prepare_instance(&setup);
	ask(&setup);
	for (; setup.ended == 0 && turns < 10; turns++)
		fixture_advance(&setup.fixture, 1000);
	assert_int_equal(setup.ended, 1);
	assert_int_equal(turns, 3); /* a second for each attempt */
	assert_int_equal(setup.code, -ETIMEDOUT);
	assert_non_null(strstr(setup.text, "HttpPutResponseHopLimit"));
	tear_down(&setup);
}

#define SSO_PROFILE                                                            \
	"[profile dev]\nsso_session = corp\nsso_account_id = 123456789012\n"   \
	"sso_role_name = read only\nregion = eu-west-3\n"                      \
	"[sso-session corp]\nsso_region = eu-west-2\n"                         \
	"sso_start_url = https://corp.awsapps.com/start\n"
/* SHA-1 of "corp" */
#define SSO_CACHE ".aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json"
#define SSO_TOKEN(until)                                                       \
	"{\"startUrl\":\"https://corp.awsapps.com/start\",\"region\":"         \
	"\"eu-west-2\",\"accessToken\":\"sso-s3cr3t\",\"expiresAt\":\"" until  \
	"\",\"refreshToken\":\"x\",\"clientId\":\"y\"}"

static const struct fake_reply sso_reply = {
	.status = 200,
	.body = "{\"roleCredentials\":{\"accessKeyId\":\"ASIASSO\","
		"\"secretAccessKey\":\"s3cr3t\",\"sessionToken\":\"IQoJ\","
		"\"expiration\":1795432272000}}",
};

static void asks_the_portal_with_the_token_of_a_login(void **state)
{
	struct setup setup;

	(void)state;
	prepare(&setup);
	write_home(&setup, ".aws/config", SSO_PROFILE);
	setup.fixture.environment.profile = "dev";
	assert_int_equal(choose(&setup), 0);
	assert_string_equal(setup.fixture.environment.profile_region,
			    "eu-west-3");
	expect_error(&setup, -ENOKEY,
		     "there is no SSO token: run aws sso login --sso-session "
		     "corp");
	write_home(&setup, SSO_CACHE, SSO_TOKEN("2026-11-23T10:11:12Z"));
	expect_error(&setup, -ENOKEY,
		     "has expired: run aws sso login --sso-session corp");

	/* after the login the next question is answered */
	write_home(&setup, SSO_CACHE, SSO_TOKEN("2026-11-23T10:11:13UTC"));
	answer(&setup, &sso_reply);
	expect_keys(&setup, "ASIASSO");
	assert_int_equal(setup.expires_s, FIXTURE_WALL_S + 3600);
	assert_int_equal(request(&setup, 0)->method, HTTP_GET);
	assert_string_equal(
		request(&setup, 0)->url,
		"https://portal.sso.eu-west-2.amazonaws.com/federation/"
		"credentials?account_id=123456789012&role_name=read%20only");
	assert_string_equal(request(&setup, 0)->headers,
			    "x-amz-sso_bearer_token: sso-s3cr3t\n");

	answer(&setup, &(struct fake_reply){ .status = 401, .body = "{}" });
	expect_error(&setup, -ENOKEY,
		     "is refused: run aws sso login --sso-session corp");
	answer(&setup, &(struct fake_reply){ .status = 403, .body = "{}" });
	expect_error(&setup, -EACCES, "status 403");
	answer(&setup, &(struct fake_reply){ .status = 203, .body = "s3cr3t" });
	expect_error(&setup, -ENOKEY, "status 203");
	write_home(&setup, SSO_CACHE, "{\"accessToken\":\"s3cr3t\"");
	expect_error(&setup, -ENOKEY, "cannot be read");
	tear_down(&setup);
}

static void finds_a_token_of_the_old_kind_by_its_url(void **state)
{
	struct setup setup;

	(void)state;
	prepare(&setup);
	write_home(&setup, ".aws/config",
		   "[default]\nsso_region=cn-north-1\nsso_account_id=1\n"
		   "sso_role_name=r\nsso_start_url=corp\n");
	write_home(&setup, SSO_CACHE, SSO_TOKEN("2026-11-24T00:00:00Z"));
	assert_int_equal(choose(&setup), 0);
	answer(&setup, &sso_reply);
	expect_keys(&setup, "ASIASSO");
	assert_memory_equal(request(&setup, 0)->url,
			    "https://portal.sso.cn-north-1.amazonaws.com.cn/",
			    47);
	tear_down(&setup);
}

static void reads_the_keys_of_a_login(void **state)
{
	char cache[PATH_SIZE];
	struct setup setup;

	(void)state;
	prepare(&setup);
	write_home(&setup, ".aws/config", "[default]\nlogin_session=abc\n");
	(void)snprintf(cache, sizeof(cache), "%s/cache", setup.home);
	setup.fixture.environment.login_cache = cache;
	assert_int_equal(choose(&setup), 0);
	expect_error(&setup, -ENOKEY, "run aws login --profile default");
	/* SHA-256 of "abc" */
	write_home(
		&setup,
		"cache/ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff"
		"61f20015ad.json",
		"{\"accessToken\":{\"accessKeyId\":\"ASIALOGIN\","
		"\"secretAccessKey\":\"s3cr3t\",\"sessionToken\":\"t\","
		"\"accountId\":\"1\",\"expiresAt\":\"2026-11-23T10:11:13Z\"},"
		"\"refreshToken\":\"x\",\"dpopKey\":\"y\"}");
	expect_keys(&setup, "ASIALOGIN");
	fixture_advance(&setup.fixture, 1000);
	expect_error(&setup, -ENOKEY,
		     "have expired: run aws login --profile default");
	tear_down(&setup);
}

#define ASSUMED_BODY(id)                                                       \
	"<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>" id  \
	"</AccessKeyId><SecretAccessKey>s3cr3t</SecretAccessKey>"              \
	"<SessionToken>IQoJ</SessionToken><Expiration>2026-11-23T11:11:12Z"    \
	"</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"

static const struct fake_reply assumed_b = { .status = 200,
					     .body = ASSUMED_BODY("ASIAB") };
static const struct fake_reply assumed_a = { .status = 200,
					     .body = ASSUMED_BODY("ASIAA") };

static void assumes_roles_one_after_the_other(void **state)
{
	struct setup setup;

	(void)state;
	prepare(&setup);
	write_home(&setup, ".aws/config",
		   "[profile a]\nrole_arn=arn:a\nsource_profile=b\n"
		   "external_id=x y\nduration_seconds=900\n"
		   "[profile b]\nrole_arn=arn:b\nsource_profile=c\n"
		   "role_session_name=me\n");
	write_home(&setup, ".aws/credentials",
		   "[c]\naws_access_key_id=AKIDC\n"
		   "aws_secret_access_key=s3cr3t\n");
	setup.fixture.environment.profile = "a";
	assert_int_equal(choose(&setup), 0);
	assert_string_equal(setup.chain.chosen->identity,
			    "role arn:a external id x y for 900 s by role "
			    "arn:b by profile c");
	answer(&setup, &assumed_b);
	answer(&setup, &assumed_a);
	expect_keys(&setup, "ASIAA");
	assert_string_equal(request(&setup, 0)->body,
			    "Action=AssumeRole&Version=2011-06-15"
			    "&RoleArn=arn%3Ab&RoleSessionName=me");
	assert_non_null(
		strstr(request(&setup, 0)->headers, "Credential=AKIDC/"));
	assert_non_null(strstr(request(&setup, 0)->headers,
			       "/eu-west-1/sts/aws4_request"));
	assert_string_equal(
		request(&setup, 1)->body,
		"Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aa"
		"&RoleSessionName=secretsfs-" PACKAGE_VERSION "-node-1"
		"&ExternalId=x%20y&DurationSeconds=900");
	assert_non_null(
		strstr(request(&setup, 1)->headers, "Credential=ASIAB/"));
	assert_non_null(strstr(request(&setup, 1)->headers,
			       "X-Amz-Security-Token: IQoJ\n"));
	assert_true(request(&setup, 1)->fresh_connection);
	tear_down(&setup);
}

static void cancels_a_row_of_roles_wherever_it_is(void **state)
{
	(void)state;
	for (unsigned answered = 0; answered < 2; answered++) {
		struct setup setup;
		struct key_provider *provider;

		prepare(&setup);
		write_home(&setup, ".aws/config",
			   "[default]\nrole_arn=arn:a\n"
			   "credential_source=EcsContainer\n");
		setup.fixture.environment.container_path = "/x";
		assert_int_equal(choose(&setup), 0);
		provider = setup.chain.chosen;
		if (answered > 0)
			answer(&setup, &container_reply);
		ask(&setup);
		assert_int_equal(setup.ended, 0);
		provider->operations->cancel(setup.call);
		assert_int_equal(fake_http_live(setup.fixture.http), 0);
		fixture_advance(&setup.fixture, 60000);
		assert_int_equal(setup.ended, 0);
		tear_down(&setup);
	}
}

static void says_which_role_may_not_be_assumed(void **state)
{
	struct setup setup;

	(void)state;
	prepare(&setup);
	fixture_set_keys(&setup.fixture, NULL);
	write_home(&setup, ".aws/config",
		   "[profile a]\nrole_arn=arn:a\n"
		   "credential_source=Environment\n");
	setup.fixture.environment.profile = "a";
	setup.fixture.environment.is_profile_chosen = true;
	assert_int_equal(choose(&setup), 0);
	answer(&setup,
	       &(struct fake_reply){
		       .status = 403,
		       .body = "<ErrorResponse><Error><Code>AccessDenied</Code>"
			       "<Message>no</Message></Error></ErrorResponse>",
	       });
	expect_error(&setup, -EACCES, "AssumeRole 'arn:a': AccessDenied");
	tear_down(&setup);
}

/* botocore and others cannot sign with a wrong clock. */
static void signs_for_the_time_that_a_refusal_names(void **state)
{
	static const struct fake_reply skewed = {
		.status = 403,
		.body = "<ErrorResponse><Error><Code>SignatureDoesNotMatch"
			"</Code><Message>Signature expired</Message></Error>"
			"</ErrorResponse>",
		.date = "Mon, 23 Nov 2026 11:11:12 GMT",
	};
	static const struct fake_reply near = {
		.status = 403,
		.body = "<ErrorResponse><Error><Code>SignatureDoesNotMatch"
			"</Code></Error></ErrorResponse>",
		.date = "Mon, 23 Nov 2026 11:15:12 GMT",
	};
	struct setup setup;

	(void)state;
	prepare(&setup);
	fixture_set_keys(&setup.fixture, NULL);
	write_home(&setup, ".aws/config",
		   "[profile a]\nrole_arn=arn:a\n"
		   "credential_source=Environment\n");
	setup.fixture.environment.profile = "a";
	setup.fixture.environment.is_profile_chosen = true;
	assert_int_equal(choose(&setup), 0);
	answer(&setup, &skewed);
	answer(&setup, &assumed_a);
	expect_keys(&setup, "ASIAA");
	assert_non_null(strstr(request(&setup, 0)->headers,
			       "X-Amz-Date: 20261123T101112Z\n"));
	assert_non_null(strstr(request(&setup, 1)->headers,
			       "X-Amz-Date: 20261123T111112Z\n"));
	assert_int_equal(setup.skew.offset_s, 3600);

	/* four minutes are no reason */
	answer(&setup, &near);
	expect_error(&setup, -EACCES, "SignatureDoesNotMatch");
	assert_int_equal(fake_http_count(setup.fixture.http), 3);
	tear_down(&setup);
}

static void asks_again_with_a_token_that_was_just_replaced(void **state)
{
	static const struct fake_reply expired = {
		.status = 400,
		.body = "<ErrorResponse><Error><Code>ExpiredTokenException"
			"</Code></Error></ErrorResponse>",
	};
	static const struct fake_reply good = {
		.status = 200,
		.body = FIXTURE_STS_BODY("ASIAWEB", "1795432272"),
	};
	struct setup setup;
	FILE *file;

	(void)state;
	prepare(&setup);
	fixture_set_role(&setup.fixture);
	assert_int_equal(choose(&setup), 0);
	answer(&setup, &expired);
	expect_error(&setup, -ENOKEY, "ExpiredTokenException");
	assert_int_equal(fake_http_count(setup.fixture.http), 1);

	answer(&setup, &expired);
	answer(&setup, &good);
	setup.ended = 0;
	setup.call = setup.chain.chosen->operations->start(
		setup.chain.chosen, TIMEOUT_MS, on_keys, &setup, NULL);
	assert_non_null(setup.call);
	file = fopen(setup.fixture.token_file, "w");
	assert_non_null(file);
	assert_true(fputs("eyJ.new", file) >= 0);
	assert_int_equal(fclose(file), 0);
	fixture_settle(&setup.fixture);
	assert_string_equal(setup.id, "ASIAWEB");
	assert_non_null(strstr(request(&setup, 2)->body, "eyJ.new"));
	tear_down(&setup);
}

static void reads_keys_of_a_profile_anew(void **state)
{
	struct setup setup;

	(void)state;
	prepare(&setup);
	write_home(&setup, ".aws/credentials",
		   "[default]\nAWS_ACCESS_KEY_ID=AKIDONE\n"
		   "aws_secret_access_key=s3cr3t\n");
	assert_int_equal(choose(&setup), 0);
	expect_keys(&setup, "AKIDONE");
	write_home(&setup, ".aws/credentials",
		   "[default]\naws_access_key_id=AKIDTWO\n"
		   "aws_secret_access_key=s3cr3t\naws_session_token=t\n");
	expect_keys(&setup, "AKIDTWO");
	write_home(&setup, ".aws/credentials", "[default]\ns3cr3t\n");
	expect_error(&setup, -ENOKEY, "/.aws/credentials:2:");
	tear_down(&setup);
}

/* What each SDK has been seen to do, and this does not. */
static void chooses_as_whom_it_works(void **state)
{
	static const char keys[] = "[default]\naws_access_key_id=AKIDFILE\n"
				   "aws_secret_access_key=s3cr3t\n";
	static const struct {
		struct aws_environment environment;
		bool has_keys;
		const char *config;
		const char *identity; /* NULL: an error */
		const char *error;
	} cases[] = {
		/* aws-c-auth and Rust: an implicit default profile would be
		 * taken before the pod's own role */
		{ .environment = { .token_file = "/t", .role_arn = "arn:pod" },
		  .config = keys,
		  .identity = "role arn:pod" },
		/* all: a profile that somebody named comes first, and where it
		 * is broken nothing else is tried */
		{ .environment = { .token_file = "/t",
				   .role_arn = "arn:pod",
				   .profile = "gone" },
		  .config = keys,
		  .error = "AWS_PROFILE=gone: there is no profile 'gone'" },
		{ .environment = { .profile = "empty",
				   .metadata_disabled = "no" },
		  .config = "[profile empty]\nregion=x\n",
		  .error = "says nothing of credentials" },
		/* aws-c-auth: a failing provider passes on to the instance */
		{ .environment = { .token_file = "/t",
				   .metadata_disabled = "no" },
		  .config = "",
		  .error = "AWS_ROLE_ARN is not" },
		{ .environment = { .metadata_disabled = "no" },
		  .config = "[default]\nrole_arn=arn:x\n",
		  .error = "role_arn needs" },
		{ .environment = { .metadata_disabled = "no" },
		  .config = "[default\n",
		  .error = "/.aws/config:1: " },
		/* keys of the environment beat a profile of the environment */
		{ .environment = { .profile = "gone" },
		  .has_keys = true,
		  .config = "",
		  .identity = "key AKIDEXAMPLE" },
		/* but not one that was chosen by an option */
		{ .environment = { .profile = "default",
				   .is_profile_chosen = true },
		  .has_keys = true,
		  .config = keys,
		  .identity = "profile default" },
		/* Go: the full URI would win */
		{ .environment = { .container_path = "/x",
				   .container_url = "http://127.0.0.1/y" },
		  .config = "",
		  .identity = "container http://169.254.170.2/" },
		/* a default profile without credentials is none */
		{ .environment = { .container_path = "/x" },
		  .config = "[default]\nregion=eu-west-1\n",
		  .identity = "container http://169.254.170.2/" },
		{ .environment = { .metadata_disabled = "no" },
		  .config = "",
		  .identity = "instance http://169.254.169.254" },
		/* credential_source needs what it names */
		{ .environment = { .profile = "a" },
		  .config = "[profile a]\nrole_arn=arn:x\n"
			    "credential_source=EcsContainer\n",
		  .error = "credential_source: "
			   "neither AWS_CONTAINER_CREDENTIALS_RELATIVE" },
		{ .environment = { .profile = "a" },
		  .config = "[profile a]\ncredential_process=echo\n",
		  .error = "--allow-credential-process" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct aws_environment *environment;
		struct setup setup;

		prepare(&setup);
		environment = &setup.fixture.environment;
		*environment = cases[i].environment;
		buf_init(&environment->secret_key, 4096);
		environment->home = setup.home;
		if (!environment->metadata_disabled)
			environment->metadata_disabled = "true";
		if (cases[i].has_keys)
			fixture_set_keys(&setup.fixture, NULL);
		write_home(&setup, ".aws/config", cases[i].config);
		if (cases[i].identity) {
			assert_int_equal(choose(&setup), 0);
			assert_string_equal(setup.chain.chosen->identity,
					    cases[i].identity);
		} else {
			assert_int_equal(choose(&setup), -EINVAL);
			if (!strstr(setup.err.text, cases[i].error))
				fail_msg("'%s' has no '%s'", setup.err.text,
					 cases[i].error);
			assert_null(setup.chain.chosen);
		}
		tear_down(&setup);
	}
}

static void notes_why_others_did_not_serve(void **state)
{
	static const char *const expected[] = {
		"--profile",	"environment",	   "AWS_PROFILE",
		"web identity", "default profile", "container",
	};
	struct setup setup;

	(void)state;
	prepare(&setup);
	setup.fixture.environment.container_path = "/x";
	assert_int_equal(choose(&setup), 0);
	assert_int_equal(setup.chain.note_count, ARRAY_SIZE(expected));
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		assert_string_equal(setup.chain.notes[i].what, expected[i]);
		assert_int_equal(setup.chain.notes[i].why.code,
				 i + 1 < ARRAY_SIZE(expected) ? -ENOENT : 0);
	}
	assert_string_equal(setup.chain.notes[1].why.text,
			    "AWS_ACCESS_KEY_ID is not set");
	assert_non_null(strstr(setup.chain.notes[4].why.text, setup.home));
	tear_down(&setup);
}

static void takes_region_and_endpoints_of_the_profile(void **state)
{
	static const char config[] =
		"[default]\nregion=eu-west-3\nservices=s\n"
		"endpoint_url=https://all\n"
		"[services s]\nsts =\n  endpoint_url=https://sts.host:443/\n";
	struct setup setup;
	struct aws_environment *environment = &setup.fixture.environment;

	(void)state;
	prepare(&setup);
	write_home(&setup, ".aws/config", config);
	(void)choose(&setup);
	assert_string_equal(environment->profile_region, "eu-west-3");
	assert_string_equal(environment->endpoint_url_sts, "https://sts.host/");
	assert_string_equal(environment->endpoint_url, "https://all");
	assert_null(environment->endpoint_url_secrets_manager);
	tear_down(&setup);

	/* any of the environment beats all of the profile */
	prepare(&setup);
	write_home(&setup, ".aws/config", config);
	environment->endpoint_url = "https://env";
	(void)choose(&setup);
	assert_null(environment->endpoint_url_sts);
	assert_string_equal(environment->endpoint_url, "https://env");
	tear_down(&setup);

	prepare(&setup);
	write_home(&setup, ".aws/config",
		   "[default]\nservices=s\n[services s]\nsts =\n"
		   "  endpoint_url=http://192.0.2.1\n");
	assert_int_equal(profile_settings_add(environment, &setup.err),
			 -EINVAL);
	assert_non_null(strstr(setup.err.text, "[services s], sts"));
	tear_down(&setup);
}

/* The command runs in another process: real turns of the loop. */
static void wait_for_end(struct setup *setup)
{
	for (unsigned i = 0; setup->ended == 0 && i < 1000; i++)
		assert_int_equal(loop_turn(setup->fixture.loop, 20), 0);
	assert_int_equal(setup->ended, 1);
}

static void runs_commands_that_give_keys(void **state)
{
	static const struct {
		const char *command;
		int code;
		const char *expected; /* the id, or a part of the error */
	} cases[] = {
		{ "printf '{\"Version\":1,\"AccessKeyId\":\"AKIDCMD\","
		  "\"SecretAccessKey\":\"s3cr3t\"}'",
		  0, "AKIDCMD" },
		{ "printf '{\"Version\":1,\"AccessKeyId\":\"ASIACMD\","
		  "\"SecretAccessKey\":\"s3cr3t\",\"SessionToken\":\"t\","
		  "\"Expiration\":\"2026-11-23T11:11:12Z\"}'",
		  0, "ASIACMD" },
		{ "printf '{\"Version\":1,\"AccessKeyId\":\"AKIDNULL\","
		  "\"SecretAccessKey\":\"s3cr3t\",\"SessionToken\":null}'",
		  0, "AKIDNULL" },
		{ "printf '{\"Version\":2,\"AccessKeyId\":\"A\","
		  "\"SecretAccessKey\":\"s3cr3t\"}'",
		  -ENOKEY, "Version is not 1" },
		{ "printf '{\"Version\":\"1\",\"AccessKeyId\":\"A\","
		  "\"SecretAccessKey\":\"s3cr3t\"}'",
		  -ENOKEY, "Version is not 1" },
		{ "echo s3cr3t", -ENOKEY, "without usable keys" },
		{ "echo s3cr3t; echo s3cr3t >&2; exit 3", -ENOKEY,
		  "exit code 3; what it wrote to standard error is not shown" },
		{ "set -x; TOKEN=s3cr3t; false", -ENOKEY, "exit code 1;" },
		{ "kill -9 $$", -ENOKEY, "signal 9;" },
		{ "yes s3cr3t | head -c 100000", -ENOKEY, "more than 65536" },
		{ "/nonexistent/command", -ENOKEY, "exit code 127" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char config[512];
		struct setup setup;

		prepare(&setup);
		assert_int_equal(
			commands_new(setup.fixture.loop, COMMANDS_TIMEOUT_MS,
				     &setup.fixture.environment.commands, NULL),
			0);
		(void)snprintf(config, sizeof(config),
			       "[default]\ncredential_process = %s\n",
			       cases[i].command);
		write_home(&setup, ".aws/config", config);
		assert_int_equal(choose(&setup), 0);
		assert_string_equal(setup.chain.chosen->identity,
				    "process of profile default");
		ask(&setup);
		wait_for_end(&setup);
		assert_int_equal(setup.code, cases[i].code);
		if (!strstr(cases[i].code < 0 ? setup.text : setup.id,
			    cases[i].expected))
			fail_msg("'%s%s' has no '%s'", setup.id, setup.text,
				 cases[i].expected);
		assert_null(strstr(setup.text, "s3cr3t"));
		tear_down(&setup);
	}
}

static void on_output(void *owner, const char *output, size_t length,
		      const struct err *err)
{
	struct setup *setup = owner;

	if (err)
		fail_msg("%s", err->text);
	setup->ended++;
	(void)snprintf(setup->id, sizeof(setup->id), "%.*s", (int)length,
		       output);
}

static void answers_commands_in_their_order(void **state)
{
	struct command_call *first;
	struct setup setup;
	struct commands **commands = &setup.fixture.environment.commands;

	(void)state;
	prepare(&setup);
	assert_int_equal(commands_new(setup.fixture.loop, COMMANDS_TIMEOUT_MS,
				      commands, NULL),
			 0);
	first = command_start(*commands, "printf one", on_output, &setup, NULL);
	assert_non_null(first);
	assert_non_null(command_start(*commands, "printf two", on_output,
				      &setup, NULL));
	command_cancel(first);
	wait_for_end(&setup);
	assert_string_equal(setup.id, "two");
	tear_down(&setup);
}

static void on_no_output(void *owner, const char *output, size_t length,
			 const struct err *err)
{
	struct setup *setup = owner;

	(void)length;
	assert_null(output);
	setup->ended++;
	(void)snprintf(setup->text, sizeof(setup->text), "%s", err->text);
}

/* form has one %s. */
static void write_command(char *out, size_t size, const char *form,
			  const char *seconds)
{
	const char *place = strstr(form, "%s");

	assert_true(snprintf(out, size, "%.*s%s%s", (int)(place - form), form,
			     seconds, place + 2) < (int)size);
}

/* With whatever it started, even where its streams are closed: the one that
 * comes after it finds none of them, and has as long for that. The pattern is
 * not what it looks for, which is on command lines, too. */
static void ends_commands_that_do_not_end(void **state)
{
	static const char *const endless[] = {
		"sleep %s",
		"sleep %s & exec >&- 2>&-; wait",
		"trap '' TERM; while :; do sleep %s; done",
	};
	char seconds[32];

	(void)state;
	/* no other test of this kind has the same */
	(void)snprintf(seconds, sizeof(seconds), "600.%d", (int)getpid());
	for (size_t i = 0; i < ARRAY_SIZE(endless); i++) {
		char command[256];
		struct setup setup;
		struct commands **commands =
			&setup.fixture.environment.commands;

		prepare(&setup);
		assert_int_equal(
			commands_new(setup.fixture.loop, 2000, commands, NULL),
			0);
		write_command(command, sizeof(command), endless[i], seconds);
		assert_non_null(command_start(*commands, command, on_no_output,
					      &setup, NULL));
		wait_for_end(&setup);
		assert_string_equal(setup.text, "it did not end within 2 s");
		setup.ended = 0;
		write_command(command, sizeof(command),
			      "cat /proc/[0-9]*/cmdline 2>/dev/null |"
			      " tr '\\0' ' ' | grep -c 'slee[p] %s ';"
			      " printf end",
			      seconds);
		assert_non_null(command_start(*commands, command, on_output,
					      &setup, NULL));
		wait_for_end(&setup);
		assert_string_equal(setup.id, "0\nend");
		tear_down(&setup);
	}
}

/* Nothing that it inherits is a descriptor of ours, and its input is empty. */
static void gives_commands_nothing_of_ours(void **state)
{
	struct setup setup;
	struct commands **commands = &setup.fixture.environment.commands;

	(void)state;
	prepare(&setup);
	assert_int_equal(commands_new(setup.fixture.loop, COMMANDS_TIMEOUT_MS,
				      commands, NULL),
			 0);
	assert_non_null(
		command_start(*commands,
			      "cat; for i in 3 4 5 6 7 8 9; do"
			      " test -e /proc/$$/fd/$i && printf \"$i \"; done;"
			      " printf end",
			      on_output, &setup, NULL));
	wait_for_end(&setup);
	assert_string_equal(setup.id, "end");
	tear_down(&setup);
}

static bool is_there(const struct setup *setup, const char *name)
{
	char path[PATH_SIZE];

	(void)snprintf(path, sizeof(path), "%s/%s", setup->home, name);
	return access(path, F_OK) == 0;
}

/* Also one that has closed what is read of it. */
static void ends_a_command_with_who_asks(void **state)
{
	char command[PATH_SIZE];
	struct setup setup;
	struct commands **commands = &setup.fixture.environment.commands;

	(void)state;
	prepare(&setup);
	assert_int_equal(commands_new(setup.fixture.loop, COMMANDS_TIMEOUT_MS,
				      commands, NULL),
			 0);
	(void)snprintf(command, sizeof(command),
		       "cd %s; exec >&- 2>&-; : > closed; sleep 15; : > late",
		       setup.home);
	assert_non_null(
		command_start(*commands, command, on_output, &setup, NULL));
	for (unsigned i = 0; !is_there(&setup, "closed") && i < 1000; i++)
		assert_int_equal(loop_turn(setup.fixture.loop, 20), 0);
	assert_true(is_there(&setup, "closed"));
	commands_free(TAKE(*commands));
	assert_false(is_there(&setup, "late"));
	tear_down(&setup);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			asks_the_container_with_the_token_of_the_moment),
		cmocka_unit_test(
			asks_the_container_with_the_token_of_the_environment),
		cmocka_unit_test(reads_what_the_container_says_in_plain_text),
		cmocka_unit_test(quotes_no_reply_that_may_be_a_success),
		cmocka_unit_test(asks_a_container_that_throttles_again),
		cmocka_unit_test(asks_the_instance_in_version_2),
		cmocka_unit_test(renews_a_token_that_the_instance_refuses_once),
		cmocka_unit_test(tells_what_an_instance_lacks),
		cmocka_unit_test(hints_at_the_hop_limit_of_a_silent_instance),
		cmocka_unit_test(asks_the_portal_with_the_token_of_a_login),
		cmocka_unit_test(finds_a_token_of_the_old_kind_by_its_url),
		cmocka_unit_test(reads_the_keys_of_a_login),
		cmocka_unit_test(assumes_roles_one_after_the_other),
		cmocka_unit_test(cancels_a_row_of_roles_wherever_it_is),
		cmocka_unit_test(says_which_role_may_not_be_assumed),
		cmocka_unit_test(signs_for_the_time_that_a_refusal_names),
		cmocka_unit_test(
			asks_again_with_a_token_that_was_just_replaced),
		cmocka_unit_test(reads_keys_of_a_profile_anew),
		cmocka_unit_test(chooses_as_whom_it_works),
		cmocka_unit_test(notes_why_others_did_not_serve),
		cmocka_unit_test(takes_region_and_endpoints_of_the_profile),
		cmocka_unit_test(runs_commands_that_give_keys),
		cmocka_unit_test(answers_commands_in_their_order),
		cmocka_unit_test(ends_commands_that_do_not_end),
		cmocka_unit_test(gives_commands_nothing_of_ours),
		cmocka_unit_test(ends_a_command_with_who_asks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
