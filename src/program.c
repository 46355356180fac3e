/* SPDX-License-Identifier: Apache-2.0 */
/* A path is never taken from outside: these programs are run with rights. */
#include "program.h"
#include "base/err.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NAME_SPACE 64 /* for the names of our programs */

int program_find(const char *name, char *ret, struct err *err)
{
	ssize_t length = readlink("/proc/self/exe", ret, PATH_MAX - NAME_SPACE);
	char *slash;

	if (length < 0)
		return err_set(err, -errno, "/proc/self/exe: %s",
			       strerrordesc_np(errno));
	ret[length] = '\0';
	slash = strrchr(ret, '/');
	if (slash) {
		(void)snprintf(slash + 1, NAME_SPACE, "%s", name);
		if (access(ret, X_OK) == 0)
			return 0;
	}
	(void)snprintf(ret, PATH_MAX, "%s/%s", SECRETSFS_LIBEXECDIR, name);
	if (access(ret, X_OK) < 0)
		return err_set(err, -errno, "%s: %s", ret,
			       strerrordesc_np(errno));
	return 0;
}
