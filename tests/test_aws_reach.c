/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "aws/environment.h"
#include "aws/profile_settings.h"
#include "aws/reach.h"
#include "base/macros.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* All that was told, one after the other: "file PATH\n". */
struct told {
	char text[4096];
};

static void note(void *owner, enum aws_reach kind, const char *text)
{
	static const char *const names[] = {
		[AWS_REACH_FILE] = "file",
		[AWS_REACH_DIRECTORY] = "directory",
		[AWS_REACH_URL] = "url",
	};
	struct told *told = owner;
	size_t used = strlen(told->text);

	(void)snprintf(told->text + used, sizeof(told->text) - used, "%s %s\n",
		       names[kind], text);
}

static void collect(const struct aws_environment *environment, struct told *ret)
{
	*ret = (struct told){ .text = "" };
	aws_reach_each(environment, note, ret);
}

static bool tells(const struct told *told, const char *line)
{
	return strstr(told->text, line) != NULL;
}

static void what_the_environment_names_is_told(void **state)
{
	const struct aws_environment environment = {
		.home = "/home/ada",
		.ca_bundle = "/trust/ca.pem",
		.token_file = "/token/token",
		.config_file = "~/other/config",
		.endpoint_url_sts = "https://sts.example:8443",
		.container_url = "http://127.0.0.1:81/keys",
	};
	struct told told;

	(void)state;
	collect(&environment, &told);
	assert_true(tells(&told, "file /trust/ca.pem\n"));
	assert_true(tells(&told, "file /token/token\n"));
	assert_true(tells(&told, "file /home/ada/other/config\n"));
	assert_true(tells(&told, "directory /home/ada/.aws\n"));
	assert_true(tells(&told, "url https://sts.example:8443\n"));
	assert_true(tells(&told, "url http://127.0.0.1:81/keys\n"));
}

static void plain_http_is_for_who_may_ask_the_machine(void **state)
{
	static const struct {
		struct aws_environment environment;
		bool asks;
	} cases[] = {
		{ { .access_key_id = "id" }, false },
		{ { .token_file = "/token" }, false },
		{ { .access_key_id = "id", .profile = "p" }, false },
		{ { .access_key_id = "id",
		    .profile = "p",
		    .is_profile_chosen = true },
		  true },
		{ { .token_file = "/token", .profile = "p" }, true },
		{ { .home = "/home/ada" }, true },
	};
	struct told told;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		collect(&cases[i].environment, &told);
		assert_int_equal(tells(&told, "url http://169.254.169.254\n"),
				 cases[i].asks);
		assert_false(tells(&told, "169.254.170.2"));
	}
	collect(&(struct aws_environment){ .container_path = "/v2" }, &told);
	assert_true(tells(&told, "url http://169.254.170.2\n"));
}

static void a_token_of_a_profile_behind_the_profile_is_told(void **state)
{
	static const char config[] =
		"[profile first]\nrole_arn = a\nsource_profile = second\n"
		"[profile second]\nrole_arn = b\n"
		"web_identity_token_file = ~/eks/token\n"
		"source_profile = second\n"
		"[profile other]\nweb_identity_token_file = /no/token\n";
	char path[] = "/tmp/secretsfs-reach-XXXXXX";
	struct aws_environment environment = {
		.home = "/home/ada",
		.config_file = path,
		.credentials_file = "/dev/null",
		.profile = "first",
	};
	struct told told;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, config, sizeof(config) - 1),
			 sizeof(config) - 1);
	assert_int_equal(close(fd), 0);
	assert_int_equal(profile_settings_add(&environment, NULL), 0);
	collect(&environment, &told);
	assert_true(tells(&told, "file /home/ada/eks/token\n"));
	assert_false(tells(&told, "/no/token"));
	profile_settings_free(environment.settings);
	assert_int_equal(unlink(path), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_environment_names_is_told),
		cmocka_unit_test(plain_http_is_for_who_may_ask_the_machine),
		cmocka_unit_test(
			a_token_of_a_profile_behind_the_profile_is_told),
	};

	return cmocka_run_group_tests_name("aws reach", tests, NULL, NULL);
}
