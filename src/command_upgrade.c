/* SPDX-License-Identifier: Apache-2.0 */
/* The worker that belongs to this program is opened here and handed to the
 * keeper, which may be of an older build and need not find anything. */
#include "ask.h"
#include "base/err.h"
#include "base/macros.h"
#include "command.h"
#include "keeper/descriptor.h"
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORKER_NAME "secretsfs-worker"

/* To get ready, for the old one to leave, and to serve. */
#define TIMEOUT_S 75

static const char help[] =
	"usage: secretsfs upgrade MOUNTPOINT\n"
	"Has the worker that belongs to this program follow the one that serves\n"
	"the mount, with the same options. The mount stays, and no read fails.\n"
	"If the new worker cannot start, the old one goes on.\n"
	"\n"
	"  -h, --help   this text\n"
	"\n"
	"Exit status: 0 the new worker serves; 1 it does not; 2 wrong usage.\n";

static int upgrade(const char *mount_point, struct err *err)
{
	cleanup_fd int worker = -1;
	char path[PATH_MAX];
	unsigned number;
	int r = program_find(WORKER_NAME, path, err);

	if (r < 0)
		return r;
	worker = open(path, O_PATH | O_CLOEXEC);
	if (worker < 0)
		return err_set(err, -errno, "%s: %s", path,
			       strerrordesc_np(errno));
	return ask(&(struct asking){ .mount_point = mount_point,
				     .type = MESSAGE_UPGRADE,
				     .timeout_s = TIMEOUT_S,
				     .fd = &worker },
		   &number, err);
}

int command_upgrade(int argc, char **argv)
{
	const char *first = argc > 1 ? argv[1] : "";
	struct err err;

	if (strcmp(first, "-h") == 0 || strcmp(first, "--help") == 0) {
		(void)fputs(help, stdout);
		return EXIT_SUCCESS;
	}
	if (argc != 2 || first[0] == '-') {
		command_complain("usage: secretsfs upgrade MOUNTPOINT");
		return EXIT_USAGE;
	}
	if (upgrade(first, &err) < 0) {
		command_complain("%s", err.text);
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}
