/* SPDX-License-Identifier: Apache-2.0 */
/* A worker that may leave a core, where tests/mount/core.py wants to have it:
 * what the kernel writes there is what any tool for crashes would have. And a
 * keeper that leaves it the right to. */
#include "base/privacy.h"

#include "base/err.h"
#include "guard/ruleset.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* In the place of libc's: nobody takes the right away. */
int setrlimit(__rlimit_resource_t resource, const struct rlimit *rlimits)
{
	return resource == RLIMIT_CORE ? 0
				       : prlimit(0, resource, rlimits, NULL);
}

/* The kernel writes a core where the process might write a file. */
int __wrap_ruleset_enforce(const struct ruleset *ruleset);
int __wrap_ruleset_enforce(const struct ruleset *ruleset)
{
	(void)ruleset;
	return 0;
}

int privacy_begin(struct err *err)
{
	const char *directory = getenv("AWS_TEST_CORES");
	struct rlimit limit;

	if (getrlimit(RLIMIT_CORE, &limit) < 0)
		return err_set(err, -errno, "getrlimit");
	limit.rlim_cur = limit.rlim_max;
	if (prlimit(0, RLIMIT_CORE, &limit, NULL) < 0 ||
	    (directory && chdir(directory) < 0))
		return err_set(err, -errno, "%s: %s", directory,
			       strerrordesc_np(errno));
	return 0;
}
