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
#include "keeper/descriptor.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define OWN_ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OWN_ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

/* Of newer kernels than some headers know; see landlock(7). */
#define LANDLOCK_ABI_MAX 6
#define NET_ALL 3ULL
#define SCOPED_ALL 3ULL
struct ruleset {
	uint64_t handled_files;
	uint64_t handled_net; /* since ABI 4 */
	uint64_t scoped;      /* since ABI 6 */
};

/* Nothing else may be called, and why each of these may be. */
static const int allowed[] = {
	SYS_ppoll,	/* waits for an order, or for the keeper's end */
	SYS_recvfrom,	/* takes an order; descriptors with it are dropped */
	SYS_sendto,	/* answers it */
	SYS_statx,	/* of the mount, whether it is still there */
	SYS_openat2,	/* opens a directory, and a file to drop its pages */
	SYS_renameat2,	/* NOTIFY_REPLACE */
	SYS_unlinkat,	/* NOTIFY_REMOVE, NOTIFY_UNLINK */
	SYS_fadvise64,	/* drops the pages */
	SYS_close,	/* what was opened */
	SYS_exit_group, /* when the keeper wants it gone */
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

/* How many rights on files an ABI knows: see LANDLOCK_ACCESS_FS_*. */
static unsigned count_rights(long abi)
{
	static const unsigned counts[LANDLOCK_ABI_MAX + 1] = { 0,  13, 14, 15,
							       15, 16, 16 };

	return counts[abi];
}

static size_t ruleset_size(long abi)
{
	if (abi < 4)
		return offsetof(struct ruleset, handled_net);
	return abi < 6 ? offsetof(struct ruleset, scoped)
		       : sizeof(struct ruleset);
}

static int make_ruleset(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0,
			   LANDLOCK_CREATE_RULESET_VERSION);
	struct ruleset ruleset = { .handled_net = NET_ALL,
				   .scoped = SCOPED_ALL };
	long fd;

	if (abi < 0)
		return errno == ENOSYS ? -EOPNOTSUPP : -errno;
	if (abi > LANDLOCK_ABI_MAX)
		abi = LANDLOCK_ABI_MAX;
	ruleset.handled_files = (1ULL << count_rights(abi)) - 1;
	fd = syscall(SYS_landlock_create_ruleset, &ruleset, ruleset_size(abi),
		     0);
	return fd < 0 ? -errno : (int)fd;
}

int notifier_sandbox_files(int root)
{
	/* A rename within one directory makes a file and removes one. */
	const struct landlock_path_beneath_attr rule = {
		.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE |
				  LANDLOCK_ACCESS_FS_REMOVE_FILE |
				  LANDLOCK_ACCESS_FS_MAKE_REG,
		.parent_fd = root,
	};
	cleanup_fd int ruleset = make_ruleset();

	if (ruleset < 0)
		return ruleset;
	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH,
		    &rule, 0) < 0 ||
	    syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		return -errno;
	return 0;
}

#ifdef OWN_ARCHITECTURE
#define LOAD (BPF_LD | BPF_W | BPF_ABS)
#define IS (BPF_JMP | BPF_JEQ | BPF_K)
#define RETURN (BPF_RET | BPF_K)

enum { HEAD = 4, CALLS = ARRAY_SIZE(allowed) };

int notifier_sandbox_calls(void)
{
	struct sock_filter filter[HEAD + CALLS + 2] = {
		BPF_STMT(LOAD, offsetof(struct seccomp_data, arch)),
		/* Numbers mean other calls on another architecture. */
		BPF_JUMP(IS, OWN_ARCHITECTURE, 1, 0),
		BPF_STMT(RETURN, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(LOAD, offsetof(struct seccomp_data, nr)),
	};
	const struct sock_fprog program = { ARRAY_SIZE(filter), filter };

	for (size_t i = 0; i < CALLS; i++)
		filter[HEAD + i] = (struct sock_filter)BPF_JUMP(
			IS, (uint32_t)allowed[i], (uint8_t)(CALLS - i), 0);
	filter[HEAD + CALLS] =
		(struct sock_filter)BPF_STMT(RETURN, SECCOMP_RET_KILL_PROCESS);
	filter[HEAD + CALLS + 1] =
		(struct sock_filter)BPF_STMT(RETURN, SECCOMP_RET_ALLOW);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) < 0)
		return errno == EINVAL || errno == ENOSYS ? -EOPNOTSUPP
							  : -errno;
	return 0;
}
#else
int notifier_sandbox_calls(void)
{
	(void)allowed;
	return -EOPNOTSUPP;
}
#endif
