/* SPDX-License-Identifier: Apache-2.0 */
/* Refreshing says what should be asked for again and waits for nothing: what
 * came of it, status shows and the next reader sees. */
#include "ask.h"
#include "base/err.h"
#include "command.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
	"usage: secretsfs refresh MOUNTPOINT [NAME...]\n"
	"Asks again for the secrets of a mount that are in use, all or those\n"
	"named, and has every other one confirmed when it is read next. NAME is\n"
	"a secret's name or the path of a file below MOUNTPOINT. Waits for\n"
	"nothing; prints how many secrets are asked for.\n"
	"\n"
	"  -h, --help   this text\n"
	"\n"
	"Exit status: 0 they are asked for; 1 a name is not known, or nobody\n"
	"answers; 2 wrong usage.\n";

static bool refresh(const char *mount_point, const char *name, unsigned *count)
{
	const struct asking asking = { .mount_point = mount_point,
				       .type = MESSAGE_REFRESH,
				       .name = name };
	unsigned more = 0;
	struct err err;

	if (ask(&asking, &more, &err) < 0) {
		if (name)
			command_complain("'%.256s': %s", name, err.text);
		else
			command_complain("%s", err.text);
		return false;
	}
	*count += more;
	return true;
}

static int refresh_all(int argc, char **argv)
{
	bool is_known = true;
	unsigned count = 0;

	if (argc == 1)
		is_known = refresh(argv[0], NULL, &count);
	for (int i = 1; i < argc; i++)
		is_known &= refresh(argv[0], argv[i], &count);
	if (is_known || count > 0)
		(void)printf("%u secret%s asked for now; what is not in use, "
			     "when it is read next\n",
			     count, count == 1 ? " is" : "s are");
	return is_known ? EXIT_SUCCESS : EXIT_FAILURE;
}

int command_refresh(int argc, char **argv)
{
	const char *first = argc > 1 ? argv[1] : "";

	if (strcmp(first, "-h") == 0 || strcmp(first, "--help") == 0) {
		(void)fputs(help, stdout);
		return EXIT_SUCCESS;
	}
	if (strcmp(first, "--") == 0) {
		argv++;
		argc--;
	} else if (first[0] == '-') {
		command_complain("refresh: unknown option '%s' (secretsfs "
				 "refresh --help says more)",
				 first);
		return EXIT_USAGE;
	}
	for (int i = 1; i < argc; i++)
		if (!*argv[i]) {
			command_complain("refresh: a name is empty");
			return EXIT_USAGE;
		}
	if (argc < 2) {
		command_complain("refresh: MOUNTPOINT is missing (secretsfs "
				 "refresh --help says more)");
		return EXIT_USAGE;
	}
	return refresh_all(argc - 1, argv + 1);
}
