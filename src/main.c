/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secretsfs: the command line. The first word names a command; anything else
 * is a mount.
 */
#include "base/macros.h"
#include "command.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* run is NULL for those of the design that this version does not have. */
static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} commands[] = {
	{ "unmount", command_unmount }, { "check", command_check },
	{ "status", command_status },	{ "refresh", command_refresh },
	{ "upgrade", command_upgrade }, { "doctor", NULL },
};

void command_complain(const char *format, ...)
{
	char line[1024];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	/* Names and answers are foreign, and a terminal obeys control bytes. */
	for (char *at = line; *at; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			*at = '?';
	(void)fprintf(stderr, "secretsfs: %s\n", line);
}

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < ARRAY_SIZE(commands); i++) {
		if (strcmp(argv[1], commands[i].name) != 0)
			continue;
		if (commands[i].run)
			return commands[i].run(argc - 1, argv + 1);
		command_complain("the command '%s' is not supported yet",
				 argv[1]);
		return EXIT_USAGE;
	}
	return command_mount(argc, argv);
}
