/* SPDX-License-Identifier: Apache-2.0 */
/* From the outside in: each step may be what makes the ones before it
 * impossible, and the filter of system calls all of them. */
#include "guard/sandbox.h"
#include "base/err.h"
#include "base/macros.h"
#include "guard/call_filter.h"
#include "guard/reach.h"
#include "guard/ruleset.h"
#include "guard/sanitizers.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DESCRIPTORS_MAX 4096
#define CAPABILITY_NUMBERS 64

static const struct {
	const char *name;
	bool is_needed;
} parts[SANDBOX_PARTS] = {
	[SANDBOX_USER] = { "a user other than root", true },
	[SANDBOX_CAPABILITIES] = { "no_new_privs and no capabilities", true },
	[SANDBOX_FILES] = { "Landlock", true },
	[SANDBOX_CALLS] = { "seccomp", true },
	[SANDBOX_PORTS] = { "Landlock for TCP ports (Linux 6.7)", false },
	[SANDBOX_SCOPES] = { "Landlock for signals and abstract sockets "
			     "(Linux 6.12)",
			     false },
};

/* Limits are only ever lowered. */
static void lower_limit(int resource, rlim_t most)
{
	struct rlimit limit;

	if (getrlimit((__rlimit_resource_t)resource, &limit) < 0)
		return;
	if (limit.rlim_max > most)
		limit.rlim_max = most;
	if (limit.rlim_cur > limit.rlim_max)
		limit.rlim_cur = limit.rlim_max;
	(void)setrlimit((__rlimit_resource_t)resource, &limit);
}

static void lower_limits(void)
{
	lower_limit(RLIMIT_CORE, 0);
	lower_limit(RLIMIT_NOFILE, DESCRIPTORS_MAX);
	lower_limit(RLIMIT_MSGQUEUE, 0);
	lower_limit(RLIMIT_NICE, 0);
	lower_limit(RLIMIT_RTPRIO, 0);
}

/* The bounding set is the keeper's to empty: without CAP_SETPCAP it cannot be
 * changed, and with no_new_privs it means nothing. */
static int drop_capabilities(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	/* two, for 64 capabilities */
	const struct __user_cap_data_struct none[2] = { 0 };

	for (unsigned long i = 0; i < CAPABILITY_NUMBERS; i++)
		if (prctl(PR_CAPBSET_DROP, i, 0, 0, 0) < 0)
			break;
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 ||
	    syscall(SYS_capset, &header, none) < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	return 0;
}

static bool is_root(void)
{
	uid_t real;
	uid_t effective;
	uid_t saved;

	return getresuid(&real, &effective, &saved) < 0 || real == 0 ||
	       effective == 0 || saved == 0;
}

static int allow_directory(const struct ruleset *ruleset,
			   const struct reach_directory *directory)
{
	uint64_t rights = LANDLOCK_ACCESS_FS_READ_FILE;

	if (!directory->is_file)
		rights |= LANDLOCK_ACCESS_FS_READ_DIR;
	return ruleset_allow_beneath(ruleset, directory->fd, rights);
}

static int allow_reach(const struct ruleset *ruleset, const struct reach *reach)
{
	int r = 0;

	for (size_t i = 0; i < reach->directory_count && r == 0; i++)
		r = allow_directory(ruleset, &reach->directories[i]);
	if (!ruleset_has_ports(ruleset))
		return r;
	for (size_t i = 0; i < reach->port_count && r == 0; i++)
		r = ruleset_allow_port(ruleset, reach->ports[i]);
	if (r == 0 && reach->listen_port)
		r = ruleset_allow_listening(ruleset, reach->listen_port);
	return r;
}

#ifdef GUARD_HAS_SANITIZERS
/* Their reports name functions and lines, which they read from the program, its
 * libraries and /proc. */
static int allow_sanitizers(const struct ruleset *ruleset)
{
	static const char *const paths[] = { "/proc", "/usr", "/lib", "/lib64",
					     "/proc/self/exe" };
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(paths) && r == 0; i++) {
		int fd = open(paths[i], O_PATH | O_CLOEXEC);

		if (fd < 0)
			continue;
		r = ruleset_allow_beneath(ruleset, fd,
					  LANDLOCK_ACCESS_FS_READ_FILE);
		(void)close(fd);
	}
	return r;
}
#else
static int allow_sanitizers(const struct ruleset *ruleset)
{
	(void)ruleset;
	return 0;
}
#endif

static void close_files(const struct reach *reach, struct sandbox *sandbox)
{
	struct ruleset ruleset;
	int r = ruleset_new(&ruleset);

	if (r == 0) {
		r = allow_reach(&ruleset, reach);
		if (r == 0)
			r = allow_sanitizers(&ruleset);
		if (r == 0)
			r = ruleset_enforce(&ruleset);
		ruleset_done(&ruleset);
	}
	sandbox->missing[SANDBOX_FILES] = r;
	sandbox->missing[SANDBOX_PORTS] =
		r < 0 || ruleset_has_ports(&ruleset) ? r : -EOPNOTSUPP;
	sandbox->missing[SANDBOX_SCOPES] =
		r < 0 || ruleset_has_scopes(&ruleset) ? r : -EOPNOTSUPP;
}

static bool is_short(const struct sandbox *sandbox)
{
	for (size_t i = 0; i < SANDBOX_PARTS; i++)
		if (parts[i].is_needed && sandbox->missing[i])
			return true;
	return false;
}

static int refuse(const struct sandbox *sandbox, struct err *err)
{
	char text[2 * SANDBOX_TEXT_MAX] = "";
	size_t used = 0;

	for (size_t i = 0; i < SANDBOX_PARTS && used < sizeof(text); i++)
		if (parts[i].is_needed && sandbox->missing[i])
			used += (size_t)snprintf(
				text + used, sizeof(text) - used, "%s%s (%s)",
				used ? ", " : "", parts[i].name,
				strerrordesc_np(-sandbox->missing[i]));
	return err_set(err, -EPERM,
		       "the sandbox cannot be closed, missing here: %s; "
		       "--insecure-no-sandbox mounts without",
		       text);
}

int sandbox_close(const struct reach *reach, const struct call_policy *calls,
		  bool insecure, struct sandbox *ret, struct err *err)
{
	*ret = (struct sandbox){ .missing[SANDBOX_USER] =
					 is_root() ? -EPERM : 0 };
	lower_limits();
	ret->missing[SANDBOX_CAPABILITIES] = drop_capabilities();
	close_files(reach, ret);
	ret->missing[SANDBOX_CALLS] = call_filter_install(calls);
	return is_short(ret) && !insecure ? refuse(ret, err) : 0;
}

const char *sandbox_describe(const struct sandbox *sandbox, char *out,
			     size_t size)
{
	size_t used = 0;

	*out = '\0';
	for (size_t i = 0; i < SANDBOX_PARTS && used < size; i++)
		if (sandbox->missing[i])
			used += (size_t)snprintf(out + used, size - used,
						 "%s%s", used ? ", " : "",
						 parts[i].name);
	return out;
}
