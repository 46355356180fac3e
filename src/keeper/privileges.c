/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Capabilities by the system calls themselves: see capabilities(7). The order
 * matters, since emptying the bounding set needs the one that goes last.
 */
#include "keeper/privileges.h"
#include "base/err.h"
#include "guard/keeper_calls.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LOCKED_BYTES ((rlim_t)64 << 20)
#define BIT(capability) ((uint64_t)1 << (capability))
#define KEPT                                                                   \
	(BIT(CAP_SYS_ADMIN) | BIT(CAP_SETUID) | BIT(CAP_SETGID) | BIT(CAP_KILL))
/* For a child of ours; see privileges_pass_override(). */
#define PASSED BIT(CAP_DAC_OVERRIDE)
/* Every capability the kernel can know of; EINVAL tells where it ends. */
#define CAPABILITY_NUMBERS 64

/* passed: what is permitted besides, and inheritable. */
static int set_capabilities(uint64_t effective, uint64_t passed)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	uint64_t permitted = effective | passed;
	struct __user_cap_data_struct data[] = {
		{ .effective = (uint32_t)effective,
		  .permitted = (uint32_t)permitted,
		  .inheritable = (uint32_t)passed },
		{ .effective = (uint32_t)(effective >> 32),
		  .permitted = (uint32_t)(permitted >> 32),
		  .inheritable = (uint32_t)(passed >> 32) },
	};

	return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

static int empty_bounding_set(void)
{
	for (unsigned long i = 0; i < CAPABILITY_NUMBERS; i++)
		if (prctl(PR_CAPBSET_DROP, i, 0, 0, 0) < 0)
			return errno == EINVAL ? 0 : -errno;
	return 0;
}

/* As much as is allowed where the wanted amount is not. */
static int raise_locked(struct err *err)
{
	struct rlimit limit;
	rlim_t most;

	if (getrlimit(RLIMIT_MEMLOCK, &limit) < 0)
		return err_set(err, -errno, "RLIMIT_MEMLOCK: %s",
			       strerrordesc_np(errno));
	if (limit.rlim_cur >= LOCKED_BYTES)
		return 0;
	most = limit.rlim_max;
	limit.rlim_cur = LOCKED_BYTES;
	if (limit.rlim_max < LOCKED_BYTES)
		limit.rlim_max = LOCKED_BYTES;
	if (setrlimit(RLIMIT_MEMLOCK, &limit) == 0)
		return 0;
	limit.rlim_cur = limit.rlim_max = most;
	(void)setrlimit(RLIMIT_MEMLOCK, &limit);
	return err_set(
		err, -EPERM, "%llu bytes of memory can be locked, not %llu",
		(unsigned long long)most, (unsigned long long)LOCKED_BYTES);
}

int privileges_set_limits(struct err *err)
{
	const struct rlimit no_core = { 0, 0 };

	if (setrlimit(RLIMIT_CORE, &no_core) < 0)
		return err_set(err, -errno, "switching core files off: %s",
			       strerrordesc_np(errno));
	return raise_locked(err);
}

int privileges_reduce(struct err *err)
{
	/* Inheritable before the bounding set is empty: later it cannot be. */
	uint64_t passed = PASSED;
	int r;

	/* The bounding set stays: fusermount3(1) has to become root. */
	if (geteuid() != 0) {
		r = set_capabilities(0, 0);
		return r < 0 ? err_set(err, r, "giving capabilities up: %s",
				       strerrordesc_np(-r))
			     : 0;
	}
	r = set_capabilities(KEPT | BIT(CAP_SETPCAP), passed);
	if (r == -EPERM) {
		passed = 0;
		r = set_capabilities(KEPT | BIT(CAP_SETPCAP), passed);
	}
	if (r == 0)
		r = empty_bounding_set();
	if (r == 0)
		r = set_capabilities(KEPT, passed);
	if (r < 0)
		return err_set(err, r,
			       "mounting needs the capabilities SYS_ADMIN, "
			       "SETUID, SETGID, KILL and SETPCAP");
	return 0;
}

int privileges_fence(struct err *err)
{
	const struct call_policy calls = keeper_calls();
	int r;

	/* Under no_new_privs fusermount3(1) could not unmount. */
	if (geteuid() != 0)
		return 0;
	r = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0
		    ? -errno
		    : call_filter_install(&calls);

	if (r < 0)
		return err_set(err, r, "the keeper runs without a fence: %s",
			       strerrordesc_np(-r));
	return 0;
}

static int change_user(uid_t uid, gid_t gid)
{
	/* Who is not root can be nobody else, and keeps his groups. */
	if (geteuid() != 0)
		return uid == geteuid() && gid == getegid() ? 0 : -EPERM;
	if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 ||
	    setresuid(uid, uid, uid) < 0)
		return -errno;
	return 0;
}

int privileges_become(uid_t uid, gid_t gid)
{
	int r = uid == 0 ? -EINVAL : change_user(uid, gid);

	if (r < 0)
		return r;
	/* The change of user emptied two sets; this empties all of them. */
	if (set_capabilities(0, 0) < 0)
		return -errno;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
}

int privileges_pass_override(void)
{
	if (geteuid() == 0 && setgroups(0, NULL) < 0)
		return -errno;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
}

static int get_capabilities(struct __user_cap_header_struct *header,
			    struct __user_cap_data_struct *data)
{
	*header = (struct __user_cap_header_struct){
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	return syscall(SYS_capget, header, data) < 0 ? -errno : 0;
}

uint64_t privileges_effective(void)
{
	struct __user_cap_header_struct header;
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (get_capabilities(&header, data) < 0)
		return 0;
	return data[0].effective | (uint64_t)data[1].effective << 32;
}

void privileges_keep_effective(uint64_t kept)
{
	struct __user_cap_header_struct header;
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (get_capabilities(&header, data) < 0)
		return;
	data[0].effective &= (uint32_t)kept;
	data[1].effective &= (uint32_t)(kept >> 32);
	(void)syscall(SYS_capset, &header, data);
}
