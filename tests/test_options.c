/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "base/err.h"
#include "base/macros.h"
#include "config/address_text.h"
#include "config/option_table.h"
#include "config/options.h"
#include "config/source_text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARGUMENTS_MAX 32

static int parse(struct options *options, char *const *argv, struct err *err)
{
	int argc = 0;

	while (argv[argc])
		argc++;
	options_init(options);
	return options_parse(options, argc, argv, err);
}

/* Splits words at blanks, so that tables stay readable. */
static int parse_words(struct options *options, const char *words, char *copy,
		       struct err *err)
{
	char *argv[ARGUMENTS_MAX] = { copy };
	int argc = 0;

	(void)snprintf(copy, 512, "secretsfs %s", words);
	for (char *at = copy; at; argc++) {
		argv[argc] = at;
		at = strchr(at, ' ');
		if (at)
			*at++ = '\0';
	}
	options_init(options);
	return options_parse(options, argc, argv, err);
}

static void has_the_documented_defaults(void **state)
{
	struct options options;
	char copy[512];

	(void)state;
	assert_int_equal(parse_words(&options, "app /mnt", copy, NULL), 0);
	assert_string_equal(options.source, "app");
	assert_string_equal(options.mount_point, "/mnt");
	assert_int_equal(options.ttl_ms, 5 * 60 * 1000);
	assert_int_equal(options.timeout_ms, 20 * 1000);
	assert_int_equal(options.mode, 0400);
	assert_int_equal(options.dir_mode, 0500);
	assert_int_equal(options.log_level, LOG_LEVEL_INFO);
	assert_false(options.log_json);
	assert_false(options.allow_other);
	assert_false(options.foreground);
	assert_false(options.proxy_from_env);
	assert_false(options.xattr);
	assert_false(options.insecure_no_sandbox);
	assert_false(options.has_owner);
	assert_null(options.region);
	assert_null(options.worker_user);
	options_done(&options);
}

static void reads_the_same_in_every_form_and_place(void **state)
{
	static const char *const lines[] = {
		"--ttl 90s --dir-mode 0555 --allow-other app /mnt",
		"--ttl=90 --dir-mode=555 app --allow-other /mnt",
		"app /mnt -o ttl=1m30s,dir_mode=0555,allow_other",
		"app -ottl=90s,dir-mode=0555,allow-other /mnt",
		"--ttl 1h -o allow_other -o dir_mode=555 --ttl 90s -- app /mnt",
		"-o rw,nofail,ttl=90s,x-a.b,allow_other --dir-mode 0555 app /mnt",
		"-o ttl=\"90s\",allow_other,dir_mode=0555 app /mnt",
	};
	struct options options;
	char copy[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		assert_int_equal(parse_words(&options, lines[i], copy, NULL),
				 0);
		assert_string_equal(options.source, "app");
		assert_string_equal(options.mount_point, "/mnt");
		assert_int_equal(options.ttl_ms, 90000);
		assert_int_equal(options.dir_mode, 0555);
		assert_true(options.allow_other);
		options_done(&options);
	}
}

static void ignores_the_words_that_fstab_adds(void **state)
{
	struct options options;
	char copy[512];

	(void)state;
	assert_int_equal(
		parse_words(&options,
			    "app /mnt -o defaults,rw,ro,nofail,_netdev,noauto,"
			    "auto,user,nouser,users,dev,suid,nodev,nosuid,exec,"
			    "noexec,relatime,noatime,x-systemd.automount,"
			    "x-gvfs-hide,,",
			    copy, NULL),
		0);
	options_done(&options);
}

static void reads_each_option(void **state)
{
	struct options options;
	char copy[512];

	(void)state;
	assert_int_equal(
		parse_words(&options,
			    "--timeout 250ms --region eu-west-1 --endpoint-url "
			    "http://[::1]:1 --offline d --worker-user web "
			    "--owner 7:8 --mode 0444 --proxy-from-env "
			    "--metrics [::1]:9464 --metrics-keys "
			    "--log-format json --log-file l -f -d app /mnt",
			    copy, NULL),
		0);
	assert_string_equal(options.metrics, "[::1]:9464");
	assert_true(options.metrics_keys);
	assert_int_equal(options.timeout_ms, 250);
	assert_string_equal(options.region, "eu-west-1");
	assert_string_equal(options.endpoint_url, "http://[::1]:1");
	assert_string_equal(options.offline, "d");
	assert_string_equal(options.worker_user, "web");
	assert_true(options.has_owner);
	assert_int_equal(options.owner_uid, 7);
	assert_int_equal(options.owner_gid, 8);
	assert_int_equal(options.mode, 0444);
	assert_true(options.proxy_from_env);
	assert_true(options.log_json);
	assert_string_equal(options.log_file, "l");
	assert_true(options.foreground);
	assert_int_equal(options.log_level, LOG_LEVEL_DEBUG);
	options_done(&options);
}

/* What the kernel would bind to; NULL: refused. */
static void check_address(const char *text, const char *host, uint16_t port)
{
	struct address_text found;
	char at[INET6_ADDRSTRLEN] = "";
	const void *address = &found.address;
	const struct sockaddr_in *four = address;
	const struct sockaddr_in6 *six = address;

	assert_int_equal(address_text_parse(text, &found), host ? 0 : -EINVAL);
	if (!host)
		return;
	if (found.address.ss_family == AF_INET6) {
		assert_int_equal(found.length, sizeof(*six));
		assert_int_equal(ntohs(six->sin6_port), port);
		(void)inet_ntop(AF_INET6, &six->sin6_addr, at, sizeof(at));
	} else {
		assert_int_equal(found.length, sizeof(*four));
		assert_int_equal(ntohs(four->sin_port), port);
		(void)inet_ntop(AF_INET, &four->sin_addr, at, sizeof(at));
	}
	assert_string_equal(at, host);
}

static void
an_address_is_numbers_and_loopback_unless_said_otherwise(void **state)
{
	static const struct {
		const char *text;
		const char *host;
		uint16_t port;
	} cases[] = {
		{ "9464", "127.0.0.1", 9464 },
		{ ":9464", "127.0.0.1", 9464 },
		{ "127.0.0.2:1", "127.0.0.2", 1 },
		{ "0.0.0.0:65535", "0.0.0.0", 65535 },
		{ "[::1]:9464", "::1", 9464 },
		{ "[::]:0", "::", 0 },
		{ "127.0.0.1:65536", NULL, 0 },
		{ "127.0.0.1:", NULL, 0 },
		{ "127.0.0.1", NULL, 0 },
		{ "localhost:9464", NULL, 0 },
		{ "::1:9464", NULL, 0 },
		{ "[::1]", NULL, 0 },
		{ "[:1", NULL, 0 },
		{ "[]:1", NULL, 0 },
		{ "[127.0.0.1]:1", NULL, 0 },
		{ "[1111:2222:3333:4444:5555:6666:255.255.255.2555555555]:1",
		  NULL, 0 },
		{ ":", NULL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check_address(cases[i].text, cases[i].host, cases[i].port);
}

static void gives_an_owner_without_a_group_the_group_of_who_mounts(void **state)
{
	struct options options;
	char copy[512];

	(void)state;
	assert_int_equal(
		parse_words(&options, "--owner 1000 app /mnt", copy, NULL), 0);
	assert_int_equal(options.owner_uid, 1000);
	assert_int_equal(options.owner_gid, getgid());
	options_done(&options);
}

static void takes_values_at_their_bounds_and_none_beyond(void **state)
{
	static const struct {
		const char *words;
		bool is_taken;
	} cases[] = {
		{ "--ttl 1s", true },
		{ "--ttl 999ms", false },
		{ "--ttl 24h", true },
		{ "--ttl 24h1ms", false },
		{ "--ttl 1d", true },
		{ "--ttl -5m", false },
		{ "--timeout 100ms", true },
		{ "--timeout 99ms", false },
		{ "--timeout 5m", true },
		{ "--timeout 301", false },
		{ "--mode 0777", true },
		{ "--mode 1000", false },
		{ "--mode 8", false },
		{ "--owner 4294967294", true },
		{ "--owner 4294967295", false },
		{ "--owner 1:4294967295", false },
		{ "--owner 1:", false },
		{ "--owner :1", false },
		{ "--owner root", false },
		{ "--owner 1:2:3", false },
		{ "--owner 00000000000000001", false },
		{ "--log-format xml", false },
		{ "--log-level loud", false },
	};
	struct options options;
	struct err err;
	char words[128];
	char copy[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		(void)snprintf(words, sizeof(words), "%s app /mnt",
			       cases[i].words);
		assert_int_equal(parse_words(&options, words, copy, &err),
				 cases[i].is_taken ? 0 : -EINVAL);
		options_done(&options);
	}
}

static void names_what_is_wrong_and_what_is_taken(void **state)
{
	static const struct {
		const char *words;
		const char *text;
	} cases[] = {
		{ "--ttl 0 app /mnt",
		  "--ttl takes a duration from 1s to 24h, like 90s, 5m or "
		  "1h30m, not '0'" },
		{ "app /mnt -o ttl=soon",
		  "-o ttl takes a duration from 1s to 24h, like 90s, 5m or "
		  "1h30m, not 'soon'" },
		{ "app /mnt --metrics localhost:1",
		  "--metrics takes [ADDRESS:]PORT, as numbers, like "
		  "127.0.0.1:9464, not 'localhost:1'" },
		{ "app /mnt --region", "--region takes an AWS region" },
		{ "app /mnt -o region", "-o region takes an AWS region" },
		{ "app /mnt --region=",
		  "--region takes an AWS region, not ''" },
		{ "--foreground=yes app /mnt", "--foreground takes no value" },
		{ "app /mnt -o allow_other=1",
		  "-o allow_other takes no value" },
		{ "--colour app /mnt", "unknown option '--colour'" },
		{ "--colour=red app /mnt", "unknown option '--colour=red'" },
		{ "-x app /mnt", "unknown option '-x'" },
		{ "-fd app /mnt", "unknown option '-fd'" },
		{ "app /mnt -o colour=red",
		  "unknown word 'colour=red' after -o" },
		{ "app /mnt -o", "-o takes options separated by commas" },
		{ "app", "MOUNTPOINT is missing" },
		{ "app /mnt more", "too many arguments: 'more'" },
		{ "-- --ttl", "MOUNTPOINT is missing" },
	};
	struct options options;
	struct err err;
	char copy[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(
			parse_words(&options, cases[i].words, copy, &err),
			-EINVAL);
		assert_string_equal(err.text, cases[i].text);
		options_done(&options);
	}
}

static void refuses_arguments_that_are_missing_or_empty(void **state)
{
	char program[] = "secretsfs";
	char source[] = "app";
	char nothing[] = "";
	const struct {
		char *argv[4];
		const char *text;
	} cases[] = {
		{ { program }, "SOURCE and MOUNTPOINT are missing" },
		{ { program, nothing, source }, "SOURCE is empty" },
		{ { program, source, nothing }, "MOUNTPOINT is empty" },
	};
	struct options options;
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(parse(&options, cases[i].argv, &err), -EINVAL);
		assert_string_equal(err.text, cases[i].text);
		options_done(&options);
	}
}

static void takes_every_name_that_a_secret_may_have(void **state)
{
	static const struct {
		const char *text;
		const char *name; /* NULL: no secret's name */
	} cases[] = {
		{ "app", "app" },
		{ "secretsmanager:status", "status" },
		{ "prod/db_1+a=b.c@d-e", "prod/db_1+a=b.c@d-e" },
		{ "rds!db-01234567-89ab", "rds!db-01234567-89ab" },
		{ "arn:aws:secretsmanager:eu-west-1:1:secret:rds!db-1-a1B2c3",
		  "rds!db-1" },
		{ "a b", NULL },
		{ "a\\b", NULL },
		{ "gr\xc3\xbcn", NULL },
		{ "prod/", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char name[SOURCE_OWN_NAME_SIZE];
		struct source_text source;
		struct err err;
		int r = source_text_parse(cases[i].text, &source, &err);

		assert_int_equal(r, cases[i].name ? 0 : -EINVAL);
		if (r < 0)
			continue;
		assert_int_equal(source.kind, SOURCE_SECRET);
		source_text_secret_name(&source, name);
		assert_string_equal(name, cases[i].name);
	}
}

static void knows_a_parameter_from_a_secret(void **state)
{
	static const struct {
		const char *text;
		const char *name; /* NULL: it cannot be one */
	} cases[] = {
		{ "ssm:app", "app" },
		{ "ssm:/prod/db-1_a.b", "prod/db-1_a.b" },
		{ "ssm:arn:aws:ssm:eu-west-1:1:parameter/prod/db", "prod/db" },
		{ "arn:aws:ssm:eu-west-1:1:parameter/db-a1B2c3", "db-a1B2c3" },
		{ "ssm:", NULL },
		{ "ssm:/prod/", NULL },
		{ "ssm:a:3", NULL },
		{ "ssm:a+b", NULL },
		{ "ssm:arn:aws:secretsmanager:eu-west-1:1:secret:x", NULL },
		{ "arn:aws:ssm:eu-west-1:1:document/x", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char name[SOURCE_OWN_NAME_SIZE];
		struct source_text source;
		struct err err;
		int r = source_text_parse(cases[i].text, &source, &err);

		print_message("%s\n", cases[i].text);
		assert_int_equal(r, cases[i].name ? 0 : -EINVAL);
		if (r < 0)
			continue;
		assert_int_equal(source.kind, SOURCE_PARAMETER);
		source_text_secret_name(&source, name);
		assert_string_equal(name, cases[i].name);
	}
}

static void leaves_commas_between_quotes_to_the_value(void **state)
{
	static const struct {
		const char *words;
		const char *context;
	} cases[] = {
		{ "app /mnt --context u:r:t:s0:c1,c2", "u:r:t:s0:c1,c2" },
		{ "app /mnt -o context=\"u:r:t:s0:c1,c2\",ro",
		  "u:r:t:s0:c1,c2" },
		{ "app /mnt -o ro,context=u:r:t:s0", "u:r:t:s0" },
		{ "app /mnt -o context=a\"b", "a\"b" },
		{ "app /mnt -o context=\"", "\"" },
	};
	struct options options;
	char copy[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(
			parse_words(&options, cases[i].words, copy, NULL), 0);
		assert_string_equal(options.context, cases[i].context);
		options_done(&options);
	}
}

static void says_of_later_options_that_they_come_later(void **state)
{
	static const struct {
		const char *words;
		const char *text;
	} cases[] = {
		{ "--layout x", "--layout is not supported yet" },
		{ "--layout tree", "--layout is not supported yet" },
		{ "-o direct_io", "-o direct_io is not supported yet" },
		{ "-o audit", "-o audit is not supported yet" },
	};
	struct options options;
	struct err err;
	char copy[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(
			parse_words(&options, cases[i].words, copy, &err),
			-EINVAL);
		assert_string_equal(err.text, cases[i].text);
		options_done(&options);
	}
}

static void needs_no_arguments_for_help_and_version(void **state)
{
	struct options options;
	char copy[512];

	(void)state;
	assert_int_equal(parse_words(&options, "-h", copy, NULL), 0);
	assert_true(options.help);
	options_done(&options);
	assert_int_equal(parse_words(&options, "--version", copy, NULL), 0);
	assert_true(options.version);
	options_done(&options);
}

/* What the worker reads from what is written for it. */
static int read_one(struct options *options, const char *first,
		    const char *second, struct err *err)
{
	char *const argv[] = { (char *)(uintptr_t)first,
			       (char *)(uintptr_t)second, NULL };

	return options_read_one(options, argv, err);
}

static void reads_one_option_for_another_command(void **state)
{
	struct options options;
	struct err err;

	(void)state;
	options_init(&options);
	assert_int_equal(read_one(&options, "--region", "eu-west-1", &err), 2);
	assert_string_equal(options.region, "eu-west-1");
	assert_int_equal(read_one(&options, "--timeout=2s", "c.yaml", &err), 1);
	assert_int_equal(options.timeout_ms, 2000);
	assert_int_equal(read_one(&options, "--proxy-from-env", "c.yaml", &err),
			 1);
	assert_true(options.proxy_from_env);
	assert_int_equal(read_one(&options, "--region", NULL, &err), -EINVAL);
	assert_string_equal(err.text, "--region takes an AWS region");
	assert_int_equal(read_one(&options, "--timeout", "soon", &err),
			 -EINVAL);
	assert_int_equal(options.timeout_ms, 2000);
	options_done(&options);
}

static void read_back(const struct options *options, struct options *ret,
		      char ***ret_list)
{
	char **list = options_worker_arguments(options);
	char *argv[ARGUMENTS_MAX] = { NULL };
	char program[] = "secretsfs-worker";
	size_t count = 0;

	assert_non_null(list);
	argv[0] = program;
	for (; list[count]; count++)
		argv[count + 1] = list[count];
	assert_int_equal(parse(ret, argv, NULL), 0);
	*ret_list = list;
}

static void the_worker_reads_what_was_written(void **state)
{
	struct options options;
	struct options worker;
	char **list;
	char copy[512];

	(void)state;
	assert_int_equal(
		parse_words(&options,
			    "-o ttl=1h30m,timeout=2s,mode=0440,dir_mode=0550 "
			    "--owner 5:6 --region r --endpoint-url u --offline "
			    "d --proxy-from-env --log-format json --log-file l "
			    "-d -f --worker-user w --allow-other --xattr "
			    "--insecure-no-sandbox -- "
			    "-s /m",
			    copy, NULL),
		0);
	read_back(&options, &worker, &list);
	assert_string_equal(worker.source, "-s");
	assert_string_equal(worker.mount_point, "/m");
	assert_int_equal(worker.ttl_ms, 5400000);
	assert_int_equal(worker.timeout_ms, 2000);
	assert_int_equal(worker.mode, 0440);
	assert_int_equal(worker.dir_mode, 0550);
	assert_int_equal(worker.owner_uid, 5);
	assert_int_equal(worker.owner_gid, 6);
	assert_string_equal(worker.region, "r");
	assert_string_equal(worker.endpoint_url, "u");
	assert_string_equal(worker.offline, "d");
	assert_true(worker.proxy_from_env);
	assert_true(worker.xattr);
	assert_true(worker.insecure_no_sandbox);
	assert_true(worker.log_json);
	assert_string_equal(worker.log_file, "l");
	assert_int_equal(worker.log_level, LOG_LEVEL_DEBUG);
	assert_true(worker.foreground);
	/* These are the keeper's. */
	assert_null(worker.worker_user);
	assert_false(worker.allow_other);
	free(list);
	options_done(&worker);
	options_done(&options);
}

static void writes_nothing_for_what_is_not_set(void **state)
{
	struct options options;
	struct options worker;
	char **list;
	char copy[512];

	(void)state;
	assert_int_equal(parse_words(&options, "app /m", copy, NULL), 0);
	read_back(&options, &worker, &list);
	assert_false(worker.has_owner);
	assert_null(worker.region);
	assert_null(worker.log_file);
	assert_false(worker.foreground);
	assert_int_equal(worker.ttl_ms, options.ttl_ms);
	free(list);
	options_done(&worker);
	options_done(&options);
}

static void help_fits_a_screen_and_names_every_option(void **state)
{
	const char *help = options_help();
	unsigned lines = 0;

	(void)state;
	for (const char *at = help; *at; lines++) {
		size_t length = strcspn(at, "\n");

		assert_true(length < 80);
		assert_int_equal(at[length], '\n');
		at += length + 1;
	}
	assert_true(lines <= 24);
	for (const struct option *option = option_table; option->name; option++)
		if (option->kind != OPTION_LATER &&
		    option->kind != OPTION_DEBUG &&
		    strncmp(option->name, "test-", 5) != 0) {
			char name[32];

			(void)snprintf(name, sizeof(name), "--%s",
				       option->name);
			assert_non_null(strstr(help, name));
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(has_the_documented_defaults),
		cmocka_unit_test(reads_the_same_in_every_form_and_place),
		cmocka_unit_test(ignores_the_words_that_fstab_adds),
		cmocka_unit_test(reads_each_option),
		cmocka_unit_test(
			an_address_is_numbers_and_loopback_unless_said_otherwise),
		cmocka_unit_test(
			gives_an_owner_without_a_group_the_group_of_who_mounts),
		cmocka_unit_test(takes_values_at_their_bounds_and_none_beyond),
		cmocka_unit_test(names_what_is_wrong_and_what_is_taken),
		cmocka_unit_test(refuses_arguments_that_are_missing_or_empty),
		cmocka_unit_test(takes_every_name_that_a_secret_may_have),
		cmocka_unit_test(knows_a_parameter_from_a_secret),
		cmocka_unit_test(leaves_commas_between_quotes_to_the_value),
		cmocka_unit_test(says_of_later_options_that_they_come_later),
		cmocka_unit_test(needs_no_arguments_for_help_and_version),
		cmocka_unit_test(reads_one_option_for_another_command),
		cmocka_unit_test(the_worker_reads_what_was_written),
		cmocka_unit_test(writes_nothing_for_what_is_not_set),
		cmocka_unit_test(help_fits_a_screen_and_names_every_option),
	};

	return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
