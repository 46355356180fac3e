/* SPDX-License-Identifier: Apache-2.0 */
/* The worker answers with a JSON document, which is what programs get; people
 * get the same as a table. */
#include "ask.h"
#include "base/err.h"
#include "command.h"
#include "status_table.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
	"usage: secretsfs status [--json] MOUNTPOINT\n"
	"Shows what a mount knows of each of its secrets: state, version, age,\n"
	"the next confirmation, and the last error. Never a value.\n"
	"\n"
	"  --json       one JSON document on standard output\n"
	"  -h, --help   this text\n"
	"\n"
	"Exit status: 0 it was shown; 1 no mount is there, or it does not answer;\n"
	"2 wrong usage. Only who has mounted it and root may ask.\n";

struct status {
	const char *mount_point;
	bool is_json;
	bool help;
};

static int read_flag(struct status *status, const char *argument)
{
	if (strcmp(argument, "--json") == 0) {
		status->is_json = true;
	} else if (strcmp(argument, "--help") == 0 ||
		   strcmp(argument, "-h") == 0) {
		status->help = true;
	} else {
		command_complain("status: unknown option '%s' (secretsfs "
				 "status --help says more)",
				 argument);
		return EXIT_USAGE;
	}
	return 0;
}

static int read_arguments(struct status *status, int argc, char **argv)
{
	bool only_paths = false;

	for (int i = 1; i < argc; i++) {
		int r = 0;

		if (!only_paths && strcmp(argv[i], "--") == 0) {
			only_paths = true;
		} else if (!only_paths && argv[i][0] == '-') {
			r = read_flag(status, argv[i]);
		} else if (status->mount_point) {
			command_complain("status: more than one MOUNTPOINT");
			r = EXIT_USAGE;
		} else {
			status->mount_point = argv[i];
		}
		if (r != 0)
			return r;
	}
	if (status->mount_point || status->help)
		return 0;
	command_complain("status: MOUNTPOINT is missing (secretsfs status "
			 "--help says more)");
	return EXIT_USAGE;
}

static int print(const struct status *status, const char *text, size_t length,
		 struct err *err)
{
	int r = 0;

	if (status->is_json)
		(void)printf("%.*s\n", (int)length, text);
	else
		r = status_table_print(text, length, err);
	if (r == 0 && fflush(stdout) != 0)
		return err_set(err, -EIO, "standard output cannot be written");
	return r;
}

static int show(const struct status *status, struct err *err)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);
	unsigned ignored;
	int r;

	if (!out)
		return err_set(err, -ENOMEM, "no memory");
	r = ask(&(struct asking){ .mount_point = status->mount_point,
				  .type = MESSAGE_STATUS,
				  .out = out },
		&ignored, err);
	if (fclose(out) != 0 && r == 0)
		r = err_set(err, -ENOMEM, "no memory");
	if (r == 0)
		r = print(status, text, length, err);
	free(text);
	return r;
}

int command_status(int argc, char **argv)
{
	struct status status = { 0 };
	struct err err;
	int r = read_arguments(&status, argc, argv);

	if (r != 0)
		return r;
	if (status.help) {
		(void)fputs(help, stdout);
		return EXIT_SUCCESS;
	}
	if (show(&status, &err) < 0) {
		command_complain("%s", err.text);
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}
