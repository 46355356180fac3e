/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/needs.h"
#include "tests/test.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

void need_openat2(void)
{
	const struct open_how how = { .flags = O_PATH | O_CLOEXEC };
	long fd = syscall(SYS_openat2, AT_FDCWD, "/", &how, sizeof(how));

	if (fd < 0)
		skip_because("openat2(2): %s", strerrordesc_np(errno));
	(void)close((int)fd);
}

void need_call_filters(void)
{
	const uint32_t action = SECCOMP_RET_KILL_PROCESS;

	if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) < 0)
		skip_because("seccomp(2): %s", strerrordesc_np(errno));
}

void need_landlock(void)
{
	if (syscall(SYS_landlock_create_ruleset, NULL, 0,
		    LANDLOCK_CREATE_RULESET_VERSION) < 0)
		skip_because("landlock_create_ruleset(2): %s",
			     strerrordesc_np(errno));
}
