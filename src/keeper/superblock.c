/* SPDX-License-Identifier: Apache-2.0 */
/*
 * By fsopen(2) and fsmount(2): the read-only attribute is the mount's, not the
 * superblock's, so it also holds where the mount propagates to.
 */
#include "keeper/superblock.h"
#include "base/err.h"
#include "base/macros.h"
#include "keeper/descriptor.h"

#include <errno.h>
#include <linux/mount.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SOURCE_MAX 255 /* of a string that fsconfig(2) takes */
#define ATTRIBUTES                                                             \
	(MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |            \
	 MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NOATIME)

/* Why the kernel refused, in its own words where it gives some: "e WORDS". */
static int refusal(int context, const char *what, struct err *err)
{
	int code = errno;
	char words[160] = "";
	ssize_t length = read(context, words, sizeof(words) - 1);

	if (length > 0)
		words[strcspn(words, "\n")] = '\0';
	return err_set(err, -code, "mounting (%s): %s%s%s", what,
		       strerrordesc_np(code), length > 2 ? ", " : "",
		       length > 2 ? words + 2 : "");
}

static int set_string(int context, const char *key, const char *value,
		      struct err *err)
{
	if (syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, key, value, 0) <
	    0)
		return refusal(context, key, err);
	return 0;
}

static int set_number(int context, const char *key, unsigned number,
		      struct err *err)
{
	char text[16];

	(void)snprintf(text, sizeof(text), "%u", number);
	return set_string(context, key, text, err);
}

static int set_flag(int context, const char *key, struct err *err)
{
	if (syscall(SYS_fsconfig, context, FSCONFIG_SET_FLAG, key, NULL, 0) < 0)
		return refusal(context, key, err);
	return 0;
}

static int configure(int context, const struct superblock_plan *plan,
		     struct err *err)
{
	char name[SOURCE_MAX + 1];
	int r;

	(void)snprintf(name, sizeof(name), "%s", plan->source);
	r = set_string(context, "source", name, err);
	if (r == 0)
		r = set_string(context, "subtype", "secretsfs", err);
	if (r == 0)
		r = set_number(context, "fd", (unsigned)plan->fuse_fd, err);
	if (r == 0)
		r = set_string(context, "rootmode", "40555", err);
	if (r == 0)
		r = set_number(context, "user_id", getuid(), err);
	if (r == 0)
		r = set_number(context, "group_id", getgid(), err);
	/* Without it allow_other lets everyone read whatever the mode says. */
	if (r == 0)
		r = set_flag(context, "default_permissions", err);
	if (r == 0 && plan->context)
		r = set_string(context, "context", plan->context, err);
	if (r == 0 && plan->allow_other)
		r = set_flag(context, "allow_other", err);
	return r;
}

static int open_context(struct err *err)
{
	int context = (int)syscall(SYS_fsopen, "fuse", FSOPEN_CLOEXEC);

	return context < 0 ? err_set(err, -errno, "fsopen of fuse: %s",
				     strerrordesc_np(errno))
			   : context;
}

int superblock_check_context(const char *context, struct err *err)
{
	cleanup_fd int trial = -1;
	int r;

	if (geteuid() != 0)
		return err_set(err, -EPERM,
			       "--context: only root can choose it");
	trial = open_context(err);
	r = trial < 0 ? trial : set_string(trial, "context", context, err);
	return r < 0 ? err_wrap(err, "--context, which needs SELinux") : 0;
}

int superblock_create(const struct superblock_plan *plan, struct err *err)
{
	cleanup_fd int context = open_context(err);
	int r;

	if (context < 0)
		return context;
	r = configure(context, plan, err);
	if (r < 0)
		return r;
	if (syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) <
	    0)
		return refusal(context, "create", err);
	return descriptor_take(&context);
}

int superblock_mount(int context, struct err *err)
{
	int tree =
		(int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, ATTRIBUTES);

	return tree < 0 ? refusal(context, "fsmount", err) : tree;
}
