/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "aws/container_uri.h"
#include "aws/environment.h"
#include "aws/profile_chain.h"
#include "aws/profile_files.h"
#include "aws/profiles.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/macros.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct profiles *parse(const char *config, const char *credentials)
{
	struct profiles *profiles = profiles_new();
	struct err err = { 0 };

	assert_non_null(profiles);
	(void)profiles_parse(profiles, PROFILE_FILE_CONFIG, "config", config,
			     strlen(config), &err);
	if (err.code == 0 && credentials)
		(void)profiles_parse(profiles, PROFILE_FILE_CREDENTIALS,
				     "credentials", credentials,
				     strlen(credentials), &err);
	assert_string_equal(err.text, "");
	return profiles;
}

static void expect_text(const char *text, const char *expected)
{
	if (!expected)
		assert_null(text);
	else if (!text)
		fail_msg("nothing instead of '%s'", expected);
	else
		assert_string_equal(text, expected);
}

static void reads_properties_by_the_rules(void **state)
{
	static const struct {
		const char *config;
		const char *credentials;
		const char *profile;
		const char *key;
		const char *value; /* NULL: none */
	} cases[] = {
		/* lines */
		{ "[profile a]\nk = v", NULL, "a", "k", "v" },
		{ "[profile a]\r\nk = v\r\n", NULL, "a", "k", "v" },
		{ "\n#x\n;x\n[profile a]\n\t\nk=v", NULL, "a", "k", "v" },

		/* names of sections */
		{ "[profile a] # x\nk=v", NULL, "a", "k", "v" },
		{ "[profile a]; x\nk=v", NULL, "a", "k", "v" },
		{ "[ profile\ta\t]\nk=v", NULL, "a", "k", "v" },
		{ "[profile a-b_c/d.e%f@g:h+1]\nk=v", NULL, "a-b_c/d.e%f@g:h+1",
		  "k", "v" },
		{ "[profile a b]\nk=v", NULL, "a b", "k", NULL },
		{ "[profile a!]\nk=v", NULL, "a!", "k", NULL },
		{ "[a]\nk=v", NULL, "a", "k", NULL },
		{ "[profilea]\nk=v", NULL, "a", "k", NULL },
		{ "[profile a]\nk=1\n[profile b c]\nk=2", NULL, "a", "k", "1" },
		{ "[default]\nk=v", NULL, "default", "k", "v" },
		{ "[profile default]\nk=v", NULL, "default", "k", "v" },
		{ "", "[a]\nk=v", "a", "k", "v" },
		{ "", "[profile a]\nk=v", "a", "k", NULL },

		/* [profile default] beats [default], in this file only */
		{ "[default]\nk=1\n[profile default]\nk=2", NULL, "default",
		  "k", "2" },
		{ "[profile default]\nk=2\n[default]\nk=1", NULL, "default",
		  "k", "2" },
		{ "[profile default]\nk=2\n[default]\nm=1", NULL, "default",
		  "m", NULL },
		{ "[profile default]\nk=2", "[default]\nm=1", "default", "m",
		  "1" },

		/* values */
		{ "[profile a]\nk=a=b", NULL, "a", "k", "a=b" },
		{ "[profile a]\nk = \t v \t", NULL, "a", "k", "v" },
		{ "[profile a]\nk=", NULL, "a", "k", "" },
		{ "[profile a]\nk=v # x", NULL, "a", "k", "v" },
		{ "[profile a]\nk=v\t; x", NULL, "a", "k", "v" },
		{ "[profile a]\nk=v#x;y", NULL, "a", "k", "v#x;y" },
		{ "[profile a]\nk=\"v\" $HOME", NULL, "a", "k", "\"v\" $HOME" },
		{ "[profile a]\nk=\xc3\xa4", NULL, "a", "k", "\xc3\xa4" },

		/* keys */
		{ "[profile a]\nRole_ARN=v", NULL, "a", "role_arn", "v" },
		{ "[profile a]\nb c=v\nk=w", NULL, "a", "b c", NULL },
		{ "[profile a]\nb c=v\n more\nk=w", NULL, "a", "k", "w" },

		/* continuations */
		{ "[profile a]\nk=v\n  w # x\n\ty", NULL, "a", "k",
		  "v\nw # x\ny" },
		{ "[profile a]\nk=\n s = 1\n\n t=", NULL, "a", "k",
		  "\ns = 1\nt=" },

		/* what is said twice */
		{ "[profile a]\nk=1\nk=2", NULL, "a", "k", "2" },
		{ "[profile a]\nK=1\n[profile b]\n[profile a]\nk=2", NULL, "a",
		  "k", "2" },
		{ "[profile a]\nk=1", "[a]\nk=2", "a", "k", "2" },
		{ "[profile a]\nk=1", "[a]\nm=2", "a", "k", "1" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct profiles *profiles =
			parse(cases[i].config, cases[i].credentials);

		expect_text(profiles_get(profiles, PROFILE_SECTION_PROFILE,
					 cases[i].profile, cases[i].key),
			    cases[i].value);
		profiles_free(profiles);
	}
}

static void reads_sections_of_other_kinds(void **state)
{
	struct profiles *profiles =
		parse("[sso-session s]\nsso_region = eu-west-1\n"
		      "[services s]\nsecrets_manager =\n"
		      "  endpoint_url = https://a\n  ENDPOINT_URL=https://b \n"
		      "[sso-sessionx]\nk = v\n",
		      "[sso-session t]\nk = v\n[s]\nk = p\n");
	const char *value;
	size_t length;

	(void)state;
	expect_text(profiles_get(profiles, PROFILE_SECTION_SSO_SESSION, "s",
				 "sso_region"),
		    "eu-west-1");
	assert_false(profiles_has(profiles, PROFILE_SECTION_SSO_SESSION, "t"));
	assert_false(profiles_has(profiles, PROFILE_SECTION_SSO_SESSION, "x"));
	expect_text(profiles_get(profiles, PROFILE_SECTION_PROFILE, "s", "k"),
		    "p");
	value = profiles_get(profiles, PROFILE_SECTION_SERVICES, "s",
			     "secrets_manager");
	assert_non_null(value);
	value = profiles_get_sub(value, "endpoint_url", &length);
	assert_non_null(value);
	assert_int_equal(length, strlen("https://b"));
	assert_memory_equal(value, "https://b", length);
	assert_null(profiles_get_sub("https://c", "endpoint_url", &length));
	assert_null(profiles_get_sub("\nsub = 1", "su", &length));
	profiles_free(profiles);
}

static void says_where_a_file_is_wrong_and_never_what_it_holds(void **state)
{
	static const struct {
		const char *text;
		const char *error;
	} cases[] = {
		{ "[profile hunter2",
		  "config:1: a profile definition must end with ']'" },
		{ "\n[profile a] hunter2",
		  "config:2: a profile definition must end with ']'" },
		{ "k = hunter2", "config:1: expected a profile definition" },
		{ " hunter2", "config:1: expected a profile definition, found "
			      "continuation" },
		{ "[profile a]\n hunter2",
		  "config:2: expected a property definition, found "
		  "continuation" },
		{ "[profile a]\nk=v\n[profile a]\n hunter2",
		  "config:4: expected a property definition, found "
		  "continuation" },
		{ "[profile a]\nhunter2",
		  "config:2: expected an '=' sign defining a property" },
		{ "[b]\nhunter2",
		  "config:2: expected an '=' sign defining a property" },
		{ "[profile a]\n= hunter2",
		  "config:2: property did not have a name" },
		{ "[profile a]\nk=\n hunter2",
		  "config:3: expected an '=' sign defining a sub-property" },
		{ "[profile a]\nk=\n = hunter2",
		  "config:3: sub-property did not have a name" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct profiles *profiles = profiles_new();
		struct err err = { 0 };

		assert_non_null(profiles);
		assert_int_equal(profiles_parse(profiles, PROFILE_FILE_CONFIG,
						"config", cases[i].text,
						strlen(cases[i].text), &err),
				 -EINVAL);
		assert_string_equal(err.text, cases[i].error);
		profiles_free(profiles);
	}
}

#define ROLE(name) "role_arn = arn:" name "\n"
#define KEYS(id) "aws_access_key_id=" id "\naws_secret_access_key=s\n"

static void finds_where_keys_come_from(void **state)
{
	static const struct {
		const char *config; /* the profile is "a" */
		enum profile_source_kind kind;
		const char *profile;
		const char *roles; /* "arn:b arn:a" */
	} cases[] = {
		{ "[profile a]\n" KEYS("1"), PROFILE_SOURCE_KEYS, "a", "" },
		{ "[profile a]\n" ROLE(
			  "a") "source_profile=b\n[profile b]\n" KEYS("1"),
		  PROFILE_SOURCE_KEYS, "b", "arn:a" },

		/* at the top a role beats keys, later keys beat a role */
		{ "[profile a]\n" KEYS("1") ROLE("a") "source_profile=b\n"
						      "[profile b]\n" KEYS("2"),
		  PROFILE_SOURCE_KEYS, "b", "arn:a" },
		{ "[profile a]\n" ROLE(
			  "a") "source_profile=b\n[profile b]\n" KEYS("1")
			  ROLE("b") "source_profile=c\n[profile c]\n" KEYS("2"),
		  PROFILE_SOURCE_KEYS, "b", "arn:a" },
		{ "[profile a]\n" ROLE("a") "source_profile=b\n[profile b]\n" ROLE(
			  "b") "source_profile=c\n[profile c]\n" KEYS("2"),
		  PROFILE_SOURCE_KEYS, "c", "arn:b arn:a" },

		/* the one self reference */
		{ "[profile a]\n" KEYS("1") ROLE("a") "source_profile=a\n",
		  PROFILE_SOURCE_KEYS, "a", "arn:a" },

		{ "[profile a]\n" ROLE("a") "credential_source=environment\n",
		  PROFILE_SOURCE_ENVIRONMENT, "a", "arn:a" },
		{ "[profile a]\n" ROLE(
			  "a") "credential_source=EC2InstanceMetadata\n",
		  PROFILE_SOURCE_INSTANCE, "a", "arn:a" },
		{ "[profile a]\n" ROLE("a") "credential_source=EcsContainer\n",
		  PROFILE_SOURCE_CONTAINER, "a", "arn:a" },

		{ "[profile a]\n" ROLE("a") "web_identity_token_file=/t\n",
		  PROFILE_SOURCE_WEB_IDENTITY, "a", "" },
		{ "[profile a]\n" ROLE(
			  "a") "web_identity_token_file=/t\n"
			       "source_profile=b\n[profile b]\n" KEYS("1"),
		  PROFILE_SOURCE_KEYS, "b", "arn:a" },
		{ "[profile a]\n" KEYS("1") "credential_process=x\n",
		  PROFILE_SOURCE_KEYS, "a", "" },
		{ "[profile a]\nsso_account_id=1\nsso_role_name=r\n"
		  "sso_region=x\nsso_start_url=u\ncredential_process=x\n",
		  PROFILE_SOURCE_SSO, "a", "" },
		{ "[profile a]\nsso_session=s\nsso_account_id=1\n"
		  "sso_role_name=r\nsso_region=x\n"
		  "[sso-session s]\nsso_region=x\nsso_start_url=u\n",
		  PROFILE_SOURCE_SSO, "a", "" },
		{ "[profile a]\nlogin_session=l\ncredential_process=x\n",
		  PROFILE_SOURCE_LOGIN, "a", "" },
		{ "[profile a]\nsso_start_url=u\ncredential_process=x\n",
		  PROFILE_SOURCE_PROCESS, "a", "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct profiles *profiles = parse(cases[i].config, NULL);
		struct profile_chain chain;
		char roles[256] = "";
		struct err err = { 0 };

		(void)profile_chain_find(profiles, "a", &chain, &err);
		assert_string_equal(err.text, "");
		assert_int_equal(chain.kind, cases[i].kind);
		assert_string_equal(chain.profile, cases[i].profile);
		for (size_t j = 0; j < chain.role_count; j++)
			(void)snprintf(roles + strlen(roles),
				       sizeof(roles) - strlen(roles), "%s%s",
				       j > 0 ? " " : "", chain.roles[j].arn);
		assert_string_equal(roles, cases[i].roles);
		profiles_free(profiles);
	}
}

static void refuses_profiles_that_lead_nowhere(void **state)
{
	static const struct {
		const char *config; /* the profile is "a" */
		int code;
		const char *part; /* of the error */
	} cases[] = {
		{ "", -ENOENT, "no profile 'a'" },
		{ "[profile a]\nregion=x\n", -ENODATA,
		  "nothing of credentials" },
		{ "[profile a]\nsso_start_url=u\nsso_region=x\n", -ENODATA,
		  "nothing of credentials" },
		{ "[profile a]\naws_access_key_id=1\n", -EINVAL,
		  "aws_secret_access_key is missing" },
		{ "[profile a]\naws_secret_access_key=hunter2\n", -EINVAL,
		  "aws_access_key_id is missing" },
		{ "[profile a]\n" ROLE("a"), -EINVAL, "source_profile" },
		{ "[profile a]\n" ROLE(
			  "a") "source_profile=b\ncredential_source=Environment\n",
		  -EINVAL, "exclude each other" },
		{ "[profile a]\n" ROLE("a") "credential_source=Somewhere\n",
		  -EINVAL, "credential_source must be" },
		{ "[profile a]\n" ROLE("a") "source_profile=b\n", -EINVAL,
		  "'b' is not there" },
		{ "[profile a]\n" ROLE("a") "source_profile=b\n[profile b]\n",
		  -EINVAL, "'b' says nothing of credentials" },
		{ "[profile a]\n" ROLE("a") "source_profile=a\n", -EINVAL,
		  "back to itself" },
		{ "[profile a]\n" KEYS("1") ROLE(
			  "a") "source_profile=b\n"
			       "[profile b]\n" ROLE("b") "source_profile=a\n",
		  -EINVAL, "back to itself" },
		{ "[profile a]\n" ROLE("a") "source_profile=b\n[profile b]\n" ROLE(
			  "b") "source_profile=b\n",
		  -EINVAL, "back to itself" },
		{ "[profile a]\nweb_identity_token_file=/t\n", -EINVAL,
		  "needs role_arn" },
		{ "[profile a]\n" ROLE("a") "credential_source=Environment\n"
					    "mfa_serial=m\n",
		  -EINVAL, "mfa_serial" },
		{ "[profile a]\n" ROLE("a") "credential_source=Environment\n"
					    "duration_seconds=899\n",
		  -EINVAL, "duration_seconds" },
		{ "[profile a]\n" ROLE("a") "credential_source=Environment\n"
					    "duration_seconds=43201\n",
		  -EINVAL, "duration_seconds" },
		{ "[profile a]\nsso_account_id=1\n", -EINVAL, "sso_role_name" },
		{ "[profile a]\nsso_account_id=1\nsso_role_name=r\n", -EINVAL,
		  "sso_session" },
		{ "[profile a]\nsso_session=s\n", -EINVAL,
		  "no [sso-session s]" },
		{ "[profile a]\nsso_session=s\n[sso-session s]\n"
		  "sso_region=x\n",
		  -EINVAL, "sso_start_url is missing" },
		{ "[profile a]\nsso_session=s\nsso_region=y\n[sso-session s]\n"
		  "sso_region=x\nsso_start_url=u\n",
		  -EINVAL, "sso_region is not that of" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct profiles *profiles = parse(cases[i].config, NULL);
		struct profile_chain chain;
		struct err err = { 0 };

		assert_int_equal(
			profile_chain_find(profiles, "a", &chain, &err),
			cases[i].code);
		if (!strstr(err.text, cases[i].part))
			fail_msg("'%s' has no '%s'", err.text, cases[i].part);
		assert_null(strstr(err.text, "hunter2"));
		profiles_free(profiles);
	}
}

static void ends_a_row_of_roles_that_is_too_long(void **state)
{
	cleanup_buf struct buf text;
	struct profile_chain chain;
	struct profiles *profiles;
	struct err err;

	(void)state;
	buf_init(&text, 65536);
	assert_int_equal(
		buf_append_text(
			&text, "[profile a]\n" ROLE("x") "source_profile=p0\n"),
		0);
	for (int i = 0; i < 2 * PROFILE_ROLES_MAX; i++) {
		char one[128];

		(void)snprintf(
			one, sizeof(one),
			"[profile p%d]\n" ROLE("x") "source_profile=p%d\n", i,
			i + 1);
		assert_int_equal(buf_append_text(&text, one), 0);
	}
	profiles = parse(buf_text(&text), NULL);
	assert_int_equal(profile_chain_find(profiles, "a", &chain, &err),
			 -EINVAL);
	assert_non_null(strstr(err.text, "roles in a row"));
	profiles_free(profiles);
}

static void write_file(const char *path, const char *text, mode_t mode)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static void reads_both_files_below_HOME(void **state)
{
	char home[] = "/tmp/test_profiles.XXXXXX";
	struct aws_environment environment = { .home = home };
	struct profiles *profiles = NULL;
	char path[256];

	(void)state;
	assert_non_null(mkdtemp(home));
	assert_int_equal(profile_files_read(&environment, &profiles, NULL), 0);
	assert_false(
		profiles_has(profiles, PROFILE_SECTION_PROFILE, "default"));
	profiles_free(profiles);
	(void)snprintf(path, sizeof(path), "%s/.aws", home);
	assert_int_equal(mkdir(path, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/.aws/config", home);
	write_file(path, "[default]\nk=1\nm=1\n", 0600);
	(void)snprintf(path, sizeof(path), "%s/.aws/credentials", home);
	write_file(path, "[default]\nk=2\n", 0600);
	assert_int_equal(profile_files_read(&environment, &profiles, NULL), 0);
	expect_text(
		profiles_get(profiles, PROFILE_SECTION_PROFILE, "default", "k"),
		"2");
	expect_text(
		profiles_get(profiles, PROFILE_SECTION_PROFILE, "default", "m"),
		"1");
	profiles_free(profiles);
	(void)unlink(path);
	(void)snprintf(path, sizeof(path), "%s/.aws/config", home);
	(void)unlink(path);
	(void)snprintf(path, sizeof(path), "%s/.aws", home);
	(void)rmdir(path);
	(void)rmdir(home);
}

static void names_a_file_that_cannot_be_read(void **state)
{
	struct aws_environment environment = {
		.home = "/nonexistent",
		.config_file = "/proc/self",
	};
	struct profiles *profiles = NULL;
	struct err err;

	(void)state;
	assert_int_equal(profile_files_read(&environment, &profiles, &err),
			 -EINVAL);
	assert_non_null(strstr(err.text, "'/proc/self'"));
	assert_non_null(strstr(err.text, "not a regular file"));
}

static void takes_containers_where_their_keys_may_come_from(void **state)
{
	static const struct {
		const char *path;
		const char *url;
		const char *found; /* NULL: refused */
	} cases[] = {
		{ "/v2/x?a=1", NULL, "http://169.254.170.2/v2/x?a=1" },
		{ "/v2/x", "https://host/", "http://169.254.170.2/v2/x" },
		{ "v2/x", NULL, NULL },
		{ "/a b", NULL, NULL },
		{ "/a\r\nX: y", NULL, NULL },
		{ NULL, "https://any.host:8443/x", "https://any.host:8443/x" },
		{ NULL, "http://127.1.2.3:80/x", "http://127.1.2.3:80/x" },
		{ NULL, "http://[::1]/x", "http://[::1]/x" },
		{ NULL, "http://localhost/x", "http://localhost/x" },
		{ NULL, "http://169.254.170.2/x", "http://169.254.170.2/x" },
		{ NULL, "http://169.254.170.23/x", "http://169.254.170.23/x" },
		{ NULL, "http://[fd00:ec2::23]/x", "http://[fd00:ec2::23]/x" },
		{ NULL, "http://some.name/x", "http://some.name/x" },
		{ NULL, "http://169.254.170.3/x", NULL },
		{ NULL, "http://169.254.169.254/x", NULL },
		{ NULL, "http://[fd00:ec2::254]/x", NULL },
		{ NULL, "http://192.0.2.1/x", NULL },
		{ NULL, "http://[fd00:ec2::24]/x", NULL },
		{ NULL, "http://user@127.0.0.1/x", NULL },
		{ NULL, "http://127.0.0.1@192.0.2.1/x", NULL },
		{ NULL, "ftp://127.0.0.1/x", NULL },
		{ NULL, "/x", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct aws_environment environment = {
			.container_path = cases[i].path,
			.container_url = cases[i].url,
		};
		char found[CONTAINER_URI_SIZE];
		struct err err = { 0 };
		int r = container_uri_find(&environment, found, &err);

		if (cases[i].found) {
			assert_int_equal(r, 0);
			assert_string_equal(found, cases[i].found);
			continue;
		}
		assert_int_equal(r, -EINVAL);
		assert_non_null(strstr(err.text, "AWS_CONTAINER_CREDENTIALS_"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_properties_by_the_rules),
		cmocka_unit_test(reads_sections_of_other_kinds),
		cmocka_unit_test(
			says_where_a_file_is_wrong_and_never_what_it_holds),
		cmocka_unit_test(finds_where_keys_come_from),
		cmocka_unit_test(refuses_profiles_that_lead_nowhere),
		cmocka_unit_test(ends_a_row_of_roles_that_is_too_long),
		cmocka_unit_test(reads_both_files_below_HOME),
		cmocka_unit_test(names_a_file_that_cannot_be_read),
		cmocka_unit_test(
			takes_containers_where_their_keys_may_come_from),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
