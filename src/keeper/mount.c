/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mounting by fsopen(2) and fsmount(2): the read-only attribute is the
 * mount's, not the superblock's, so it also holds where the mount propagates
 * to. The system calls are made directly, since C libraries before 2.36 lack
 * them and linux/mount.h cannot be included beside sys/mount.h.
 */
#include "keeper/mount.h"
#include "base/err.h"
#include "base/macros.h"
#include "keeper/descriptor.h"
#include "keeper/mountinfo.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FUSE_DEVICE "/dev/fuse"
#define INIT_TIMEOUT_MS 5000
#define NODES_SIZE (32 << 20)
#define SOURCE_MAX 255 /* of a string that fsconfig(2) takes */
#define ATTRIBUTES                                                             \
	(MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |            \
	 MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NOATIME)

/* Nothing of it is taken before it is written to. Of a fixed size, so that no
 * worker can cut it off below the next one. */
static int open_nodes(struct err *err)
{
	cleanup_fd int fd =
		memfd_create("nodes", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0 || ftruncate(fd, NODES_SIZE) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) <
		    0)
		return err_set(err, -errno, "no memory for nodes: %s",
			       strerrordesc_np(errno));
	return descriptor_take(&fd);
}

/* Nobody may serve it, so nothing is asked of it. */
static int find_device(int root, struct mount *mount, struct err *err)
{
	struct statx status;

	if (statx(root, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, 0, &status) < 0)
		return err_set(err, -errno, "the mount's device: %s",
			       strerrordesc_np(errno));
	mount->device = status.stx_dev_minor;
	return 0;
}

static int open_place(struct mount *ret, const char *path, struct err *err)
{
	memset(ret, 0, sizeof(*ret));
	ret->target_fd = ret->fuse_fd = ret->nodes_fd = ret->tree_fd = -1;
	ret->place.parent_fd = -1;
	return place_open(path, &ret->place, err);
}

int mount_find(struct mount *ret, const char *path, struct err *err)
{
	cleanup_fd int root = -1;
	struct mountinfo found;
	int r = open_place(ret, path, err);

	if (r < 0)
		return r;
	r = mountinfo_find(MOUNTINFO_SELF, path, &found);
	if (r == 0)
		root = place_enter_mount(&ret->place, found.id);
	if (r < 0 || root < 0)
		return err_set(err, r < 0 ? r : root,
			       "%s: no mount stands there", path);
	ret->id = found.id;
	return find_device(root, ret, err);
}

int mount_open(struct mount *ret, const char *path, struct err *err)
{
	cleanup_fd int target = -1;
	int r = open_place(ret, path, err);

	if (r < 0)
		return r;
	target = place_enter(&ret->place);
	if (target < 0)
		return err_set(err, target, "mount point %s: %s", path,
			       strerrordesc_np(-target));
	ret->fuse_fd = open(FUSE_DEVICE, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (ret->fuse_fd < 0)
		return err_set(err, -errno, "%s: %s (is FUSE in the kernel?)",
			       FUSE_DEVICE, strerrordesc_np(errno));
	ret->nodes_fd = open_nodes(err);
	if (ret->nodes_fd < 0)
		return ret->nodes_fd;
	ret->target_fd = descriptor_take(&target);
	return 0;
}

/* Why the kernel refused, in its own words where it gives some. */
static int refusal(int context, const char *what, struct err *err)
{
	int code = errno;
	char words[160] = "";
	ssize_t length = read(context, words, sizeof(words) - 1);

	if (length > 0)
		words[strcspn(words, "\n")] = '\0';
	return err_set(err, -code, "mounting (%s): %s%s%s", what,
		       strerrordesc_np(code), *words ? ", " : "", words);
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

static int configure(int context, const struct mount *mount, const char *source,
		     bool allow_other, struct err *err)
{
	char name[SOURCE_MAX + 1];
	int r;

	(void)snprintf(name, sizeof(name), "%s", source);
	r = set_string(context, "source", name, err);
	if (r == 0)
		r = set_string(context, "subtype", "secretsfs", err);
	if (r == 0)
		r = set_number(context, "fd", (unsigned)mount->fuse_fd, err);
	if (r == 0)
		r = set_string(context, "rootmode", "40555", err);
	if (r == 0)
		r = set_number(context, "user_id", getuid(), err);
	if (r == 0)
		r = set_number(context, "group_id", getgid(), err);
	/* Without it allow_other lets everyone read whatever the mode says. */
	if (r == 0)
		r = set_flag(context, "default_permissions", err);
	if (r == 0 && allow_other)
		r = set_flag(context, "allow_other", err);
	return r;
}

static int create_superblock(int context, struct err *err)
{
	if (syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) <
	    0)
		return refusal(context, "create", err);
	return 0;
}

int mount_create(struct mount *mount, const char *source, bool allow_other,
		 struct err *err)
{
	cleanup_fd int context = -1;
	int r;

	context = (int)syscall(SYS_fsopen, "fuse", FSOPEN_CLOEXEC);
	if (context < 0)
		return err_set(err, -errno, "fsopen of fuse: %s",
			       strerrordesc_np(errno));
	r = configure(context, mount, source, allow_other, err);
	if (r == 0)
		r = create_superblock(context, err);
	if (r == 0)
		r = fuse_init_answer(mount->fuse_fd, INIT_TIMEOUT_MS,
				     &mount->init, err);
	if (r < 0)
		return r;
	mount->tree_fd =
		(int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, ATTRIBUTES);
	if (mount->tree_fd < 0)
		return refusal(context, "fsmount", err);
	r = descriptor_mount_id(mount->tree_fd, &mount->id);
	if (r < 0)
		return err_set(err, r, "no mount id: is /proc mounted?");
	return find_device(mount->tree_fd, mount, err);
}

int mount_attach(struct mount *mount, struct err *err)
{
	if (syscall(SYS_move_mount, mount->tree_fd, "", mount->target_fd, "",
		    MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return err_set(err, -errno, "move_mount to %s: %s",
			       mount->place.name, strerrordesc_np(errno));
	mount->is_attached = true;
	/* A descriptor of the mount would make umount(8) say "busy". */
	descriptor_done(&mount->tree_fd);
	descriptor_done(&mount->target_fd);
	return 0;
}

/* Private, or what is mounted in its peers would come into the clone too. */
int mount_clone(const struct mount *mount)
{
	struct mount_attr change = {
		.attr_clr = MOUNT_ATTR_RDONLY,
		.propagation = MS_PRIVATE,
	};
	cleanup_fd int place = place_enter_mount(&mount->place, mount->id);
	cleanup_fd int clone = -1;

	if (place < 0)
		return place;
	clone = (int)syscall(SYS_open_tree, place, "",
			     OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC |
				     AT_EMPTY_PATH);
	if (clone < 0 || syscall(SYS_mount_setattr, clone, "", AT_EMPTY_PATH,
				 &change, sizeof(change)) < 0)
		return -errno;
	return descriptor_take(&clone);
}

int mount_detach(struct mount *mount)
{
	int r;

	if (!mount->is_attached)
		return 0;
	r = place_unmount(&mount->place, mount->id);
	if (r == 0)
		mount->is_attached = false;
	return r;
}

void mount_done(struct mount *mount)
{
	descriptor_done(&mount->tree_fd);
	descriptor_done(&mount->target_fd);
	descriptor_done(&mount->fuse_fd);
	descriptor_done(&mount->nodes_fd);
	place_done(&mount->place);
}
