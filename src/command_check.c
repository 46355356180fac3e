/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checking reads class files as a mount would, shows what they would make, and
 * asks nobody: so it may run where neither AWS nor credentials are. Only with
 * --fetch it reads the secrets, too.
 */
#include "base/err.h"
#include "base/log.h"
#include "base/macros.h"
#include "base/privacy.h"
#include "check_fetch.h"
#include "check_identity.h"
#include "check_report.h"
#include "command.h"
#include "config/class.h"
#include "config/options.h"
#include "keeper/environment.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXIT_UNREAD 3

static const char help[] =
	"usage: secretsfs check [--strict] [--json] CLASS...\n"
	"       secretsfs check --fetch [OPTION...] CLASS...\n"
	"       secretsfs check --identity [OPTION...]\n"
	"Reads class files, says what is wrong, and lists the files that each\n"
	"class would show, with their modes and owners. Asks nobody.\n"
	"\n"
	"  --strict     warnings are errors\n"
	"  --json       one JSON document on standard output\n"
	"  --fetch      read the secrets, and say which files and keys there\n"
	"               are, with their lengths; never a value\n"
	"  --identity   say as whom AWS is asked, until when, and why what\n"
	"               comes before that does not serve; never a key\n"
	"  -h, --help   this text\n"
	"\n"
	"With the last two, as for a mount: --region REGION, --profile NAME,\n"
	"--allow-credential-process, --timeout DURATION, --proxy-from-env; with\n"
	"--fetch also --endpoint-url URL and --offline DIRECTORY.\n"
	"\n"
	"Exit status: 0 all is right; 1 a class is wrong, or with --strict has a\n"
	"warning; 2 wrong usage; 3 no class is wrong, but something could not be\n"
	"read. secretsfs-class(5) has the keys of a class.\n";

struct check {
	bool is_strict;
	bool is_json;
	bool is_fetching;
	bool is_identity;
	bool help;
	const char *fetch_option; /* the last that only --fetch needs */
	struct options options;
	struct check_fetch *fetch; /* or NULL */
	char **paths;		   /* in argv */
	size_t path_count;

	/* what was found */
	bool is_wrong;
	bool is_unread;
};

static bool is_flag(struct check *check, const char *argument)
{
	const struct {
		const char *name;
		bool *flag;
	} flags[] = {
		{ "--strict", &check->is_strict },
		{ "--json", &check->is_json },
		{ "--fetch", &check->is_fetching },
		{ "--identity", &check->is_identity },
		{ "--help", &check->help },
		{ "-h", &check->help },
	};

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		if (strcmp(argument, flags[i].name) != 0)
			continue;
		*flags[i].flag = true;
		return true;
	}
	return false;
}

/* One of a mount's that say who is asked. */
static bool is_for_fetch(const char *argument)
{
	static const char *const names[] = { "--region",
					     "--endpoint-url",
					     "--offline",
					     "--timeout",
					     "--proxy-from-env",
					     "--profile",
					     "--allow-credential-process" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		size_t length = strlen(names[i]);

		if (strncmp(argument, names[i], length) == 0 &&
		    (!argument[length] || argument[length] == '='))
			return true;
	}
	return false;
}

/* Returns how many arguments were taken, or -EXIT_USAGE. */
static int read_option(struct check *check, char *const *argv)
{
	struct err err;
	int r;

	if (is_flag(check, argv[0]))
		return 1;
	if (is_for_fetch(argv[0])) {
		check->fetch_option = argv[0];
		r = options_read_one(&check->options, argv, &err);
		if (r > 0)
			return r;
		command_complain("check: %s (secretsfs check --help says more)",
				 err.text);
	} else {
		command_complain("check: unknown option '%s' (secretsfs check "
				 "--help says more)",
				 argv[0]);
	}
	return -EXIT_USAGE;
}

/* Whether what was said goes together. */
static int check_arguments(const struct check *check)
{
	if (check->is_identity) {
		if (check->path_count == 0 && !check->is_fetching &&
		    !check->is_json && !check->is_strict)
			return 0;
		command_complain("check: --identity takes no CLASS, and no "
				 "--fetch, --json or --strict");
		return EXIT_USAGE;
	}
	if (check->path_count > 0 &&
	    (check->is_fetching || !check->fetch_option))
		return 0;
	if (check->path_count == 0)
		command_complain("check: CLASS is missing (secretsfs check "
				 "--help says more)");
	else
		command_complain("check: %s needs --fetch",
				 check->fetch_option);
	return EXIT_USAGE;
}

/* Moves paths to the front of argv, behind which options are read from. */
static int read_arguments(struct check *check, int argc, char **argv)
{
	bool only_paths = false;

	check->paths = argv;
	for (int i = 1; i < argc;) {
		int r = 1;

		if (only_paths || argv[i][0] != '-')
			check->paths[check->path_count++] = argv[i];
		else if (strcmp(argv[i], "--") == 0)
			only_paths = true;
		else
			r = read_option(check, argv + i);
		if (r < 0)
			return -r;
		i += r;
	}
	return check->help ? 0 : check_arguments(check);
}

/* Of every class of the list; NULL: no memory. */
static struct fetched_class *fetch_classes(const struct check *check,
					   const char *path,
					   const struct class_list *list)
{
	struct fetched_class *fetched = calloc(list->count, sizeof(*fetched));

	for (size_t i = 0; fetched && i < list->count; i++) {
		if (check_fetch_class(check->fetch, path, &list->classes[i],
				      &fetched[i]) == 0)
			continue;
		while (i > 0)
			fetched_class_done(&fetched[--i]);
		free(fetched);
		return NULL;
	}
	return fetched;
}

static void judge(struct check *check, const struct class_list *list,
		  struct fetched_class *fetched)
{
	bool has_warnings = list->warning_count > 0;

	for (size_t i = 0; fetched && i < list->count; i++) {
		has_warnings |= fetched_class_has_hidden(&fetched[i]);
		check->is_unread |= fetched_class_has_problem(&fetched[i]);
		fetched_class_done(&fetched[i]);
	}
	free(fetched);
	check->is_wrong |= check->is_strict && has_warnings;
}

/* The list of a file, and what its secrets are like. */
static int read_file(const struct check *check, const char *path,
		     struct class_list **ret,
		     struct fetched_class **ret_fetched, struct err *err)
{
	cleanup_class_list struct class_list *list = NULL;
	int r = class_list_read(path, &list, err);

	if (r < 0)
		return r;
	if (check->fetch) {
		*ret_fetched = fetch_classes(check, path, list);
		if (!*ret_fetched)
			return err_set(err, -ENOMEM, "%s: no memory", path);
	}
	*ret = TAKE(list);
	return 0;
}

static void check_file(struct check *check, const char *path, bool is_first)
{
	cleanup_class_list struct class_list *list = NULL;
	struct fetched_class *fetched = NULL;
	struct err err = { 0 };

	if (read_file(check, path, &list, &fetched, &err) < 0)
		check->is_wrong = true;
	if (check->is_json)
		check_report_json(path, list, fetched, &err, is_first);
	else
		check_report_text(path, list, fetched, &err);
	if (list)
		judge(check, list, fetched);
}

static int check_files(struct check *check)
{
	const char *warning;

	if (check->is_json)
		(void)fputs("[", stdout);
	for (size_t i = 0; i < check->path_count; i++)
		check_file(check, check->paths[i], i == 0);
	if (check->is_json)
		(void)fputs("]\n", stdout);
	warning = check->fetch ? check_fetch_warning(check->fetch) : NULL;
	if (warning)
		command_complain("%s", warning);
	if (fflush(stdout) != 0) {
		command_complain("check: standard output cannot be written");
		return EXIT_FAILURE;
	}
	if (check->is_wrong)
		return EXIT_FAILURE;
	return check->is_unread ? EXIT_UNREAD : EXIT_SUCCESS;
}

/* As a worker: what libraries would take from the environment, and who would
 * look at what is fetched. */
static int begin_in_private(struct err *err)
{
	int r = privacy_begin(err);

	if (r < 0)
		return r;
	environ = environment_for_worker(environ);
	if (!environ || environment_lock_away(environ) < 0)
		return err_set(err, -ENOMEM, "no memory");
	return 0;
}

/* For all that asks the network. */
static int prepare_to_ask(struct check *check)
{
	struct err err;

	if (begin_in_private(&err) < 0) {
		command_complain("check: %s", err.text);
		return EXIT_FAILURE;
	}
	/* whoever is not root runs what he could run anyway */
	check->options.allow_credential_process |= geteuid() != 0;
	/* a peer that hangs up is an error of one secret */
	(void)signal(SIGPIPE, SIG_IGN);
	/* what ends badly is said where it was found */
	log_setup(&(struct log_settings){ .program = "secretsfs",
					  .level = LOG_LEVEL_ERROR });
	return 0;
}

static int start_fetch(struct check *check)
{
	struct err err;

	if (check_fetch_new(&check->options, &check->fetch, &err) == 0)
		return 0;
	command_complain("check: %s", err.text);
	return EXIT_FAILURE;
}

int command_check(int argc, char **argv)
{
	struct check check = { 0 };
	int r;

	options_init(&check.options);
	r = read_arguments(&check, argc, argv);
	if (r == 0 && check.help)
		(void)fputs(help, stdout);
	if (r == 0 && !check.help && (check.is_fetching || check.is_identity))
		r = prepare_to_ask(&check);
	if (r == 0 && !check.help && check.is_fetching)
		r = start_fetch(&check);
	if (r == 0 && !check.help)
		r = check.is_identity ? check_identity(&check.options)
				      : check_files(&check);
	check_fetch_free(check.fetch);
	options_done(&check.options);
	return r;
}
