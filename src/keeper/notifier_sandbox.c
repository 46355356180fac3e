/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Root that may override permissions is dangerous in three ways, and each has
 * its own fence: capabilities take what root could do to the machine, Landlock
 * what it could open, rename and unlink elsewhere, and seccomp what uid 0 may
 * do to root's own files without any capability, as chmod(2).
 */
#include "keeper/notifier_sandbox.h"
#include "base/err.h"
#include "base/macros.h"
#include "guard/ruleset.h"
#include "guard/sanitizers.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAY(name, why)                                                         \
	{                                                                      \
		.number = SYS_##name, .verdict = CALL_ALLOWED, .reason = (why) \
	}

/* Nothing else may be called, and why each of these may be. */
static const struct call_rule allowed[] = {
	MAY(ppoll, "waits for an order, or for the keeper's end"),
	MAY(recvfrom, "takes an order; descriptors with it are dropped"),
	MAY(sendto, "answers it"),
	MAY(statx, "of the mount, whether it is still there"),
	MAY(openat2, "opens a directory, and a file to drop its pages"),
	MAY(renameat2, "NOTIFY_REPLACE"),
	MAY(unlinkat, "NOTIFY_REMOVE, NOTIFY_UNLINK"),
	MAY(fadvise64, "drops the pages"),
	MAY(close, "what was opened"),
	MAY(exit_group, "when the keeper wants it gone"),
#ifdef GUARD_HAS_SANITIZERS
	MAY(mmap, "ThreadSanitizer: what it notes of memory and descriptors"),
	MAY(munmap, "ThreadSanitizer: what it notes of memory"),
	MAY(madvise, "ThreadSanitizer: what it notes of memory"),
	MAY(nanosleep, "ThreadSanitizer: its own thread"),
	MAY(clock_nanosleep, "ThreadSanitizer: its own thread"),
	MAY(sched_yield, "ThreadSanitizer: its locks"),
	MAY(futex, "ThreadSanitizer: its locks"),
#endif
};

/* capset(2) and capget(2) want two, for 64 capabilities. */
static int override_only(bool *ret_has)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2] = { 0 };
	const uint32_t wanted = 1U << CAP_DAC_OVERRIDE;

	if (syscall(SYS_capget, &header, data) < 0)
		return -errno;
	*ret_has = (data[0].permitted & wanted) != 0;
	data[0] = (struct __user_cap_data_struct){
		.effective = data[0].permitted & wanted,
		.permitted = data[0].permitted & wanted,
	};
	data[1] = (struct __user_cap_data_struct){ 0 };
	return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

int notifier_sandbox_capabilities(struct err *err)
{
	bool has = false;
	int r = override_only(&has);

	if (r == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		r = -errno;
	if (r < 0)
		return err_set(err, r, "cannot give up privileges: %s",
			       strerrordesc_np(-r));
	if (!has && getuid() == 0)
		return err_set(err, -EPERM, "no CAP_DAC_OVERRIDE");
	return 0;
}

int notifier_sandbox_files(int root)
{
	/* A rename within one directory makes a file and removes one. */
	const uint64_t rights = LANDLOCK_ACCESS_FS_READ_FILE |
				LANDLOCK_ACCESS_FS_REMOVE_FILE |
				LANDLOCK_ACCESS_FS_MAKE_REG;
	struct ruleset ruleset;
	int r = ruleset_new(&ruleset);

	if (r < 0)
		return r;
	r = ruleset_allow_beneath(&ruleset, root, rights);
	if (r == 0)
		r = ruleset_enforce(&ruleset);
	ruleset_done(&ruleset);
	return r;
}

struct call_policy notifier_calls(void)
{
	return (struct call_policy){
		.tables = { { allowed, ARRAY_SIZE(allowed) } },
		.otherwise = CALL_DEADLY,
	};
}

int notifier_sandbox_calls(void)
{
	const struct call_policy policy = notifier_calls();

	return call_filter_install(&policy);
}
