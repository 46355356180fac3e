/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checking reads class files as a mount would, shows what they would make, and
 * asks nobody: so it may run where neither AWS nor credentials are.
 */
#include "base/err.h"
#include "base/macros.h"
#include "check_report.h"
#include "command.h"
#include "config/class.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
	"usage: secretsfs check [--strict] [--json] CLASS...\n"
	"Reads class files, says what is wrong, and lists the files that each\n"
	"class would show, with their modes and owners. Asks nobody.\n"
	"\n"
	"  --strict     warnings are errors\n"
	"  --json       one JSON document on standard output\n"
	"  -h, --help   this text\n"
	"\n"
	"Exit status: 0 all is right; 1 a class is wrong, or with --strict has a\n"
	"warning; 2 wrong usage. secretsfs-class(5) has the keys of a class.\n";

struct check {
	bool is_strict;
	bool is_json;
	bool help;
	char **paths; /* in argv */
	size_t path_count;
};

static int read_flag(struct check *check, const char *argument)
{
	if (strcmp(argument, "--strict") == 0) {
		check->is_strict = true;
	} else if (strcmp(argument, "--json") == 0) {
		check->is_json = true;
	} else if (strcmp(argument, "--help") == 0 ||
		   strcmp(argument, "-h") == 0) {
		check->help = true;
	} else if (strcmp(argument, "--fetch") == 0 ||
		   strcmp(argument, "--identity") == 0) {
		command_complain("check: %s is not supported yet", argument);
		return EXIT_USAGE;
	} else {
		command_complain("check: unknown option '%s' (secretsfs check "
				 "--help says more)",
				 argument);
		return EXIT_USAGE;
	}
	return 0;
}

/* Moves paths to the front of argv. */
static int read_arguments(struct check *check, int argc, char **argv)
{
	bool only_paths = false;

	check->paths = argv;
	for (int i = 1; i < argc; i++) {
		int r = 0;

		if (only_paths || argv[i][0] != '-')
			check->paths[check->path_count++] = argv[i];
		else if (strcmp(argv[i], "--") == 0)
			only_paths = true;
		else
			r = read_flag(check, argv[i]);
		if (r != 0)
			return r;
	}
	if (check->path_count > 0 || check->help)
		return 0;
	command_complain("check: CLASS is missing (secretsfs check --help says "
			 "more)");
	return EXIT_USAGE;
}

/* Whether the file is right. */
static bool check_file(const struct check *check, const char *path,
		       bool is_first)
{
	cleanup_class_list struct class_list *list = NULL;
	struct err err = { 0 };
	int r = class_list_read(path, &list, &err);
	bool has_warnings = list && list->warning_count > 0;

	if (check->is_json)
		check_report_json(path, list, &err, is_first);
	else
		check_report_text(path, list, &err);
	return r == 0 && !(check->is_strict && has_warnings);
}

int command_check(int argc, char **argv)
{
	struct check check = { 0 };
	bool is_right = true;
	int r = read_arguments(&check, argc, argv);

	if (r != 0)
		return r;
	if (check.help) {
		(void)fputs(help, stdout);
		return EXIT_SUCCESS;
	}
	if (check.is_json)
		(void)fputs("[", stdout);
	for (size_t i = 0; i < check.path_count; i++)
		is_right &= check_file(&check, check.paths[i], i == 0);
	if (check.is_json)
		(void)fputs("]\n", stdout);
	if (fflush(stdout) != 0) {
		command_complain("check: standard output cannot be written");
		return EXIT_FAILURE;
	}
	return is_right ? EXIT_SUCCESS : EXIT_FAILURE;
}
