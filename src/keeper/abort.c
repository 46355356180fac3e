/* SPDX-License-Identifier: Apache-2.0 */
/* Closing our own descriptor is not enough: the worker's is open as long as a
 * thread of it is. */
#include "keeper/abort.h"
#include "base/log.h"
#include "base/macros.h"
#include "keeper/descriptor.h"
#include "keeper/session.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/mount.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CONNECTIONS "/sys/fs/fuse/connections"
#define CONTROL "fusectl"

/* The number of one that is over may be that of somebody's by now. */
static bool is_over(const struct mount *mount)
{
	struct pollfd device = { .fd = mount->fuse_fd };

	return poll(&device, 1, 0) > 0;
}

/* A mount of the file system that controls connections, which nobody else sees:
 * a container has none at its place. Or negative errno: who is not root has to
 * take that one. */
static int mount_control(void)
{
	cleanup_fd int context =
		(int)syscall(SYS_fsopen, CONTROL, FSOPEN_CLOEXEC);
	int tree;

	if (context < 0 || syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE,
				   NULL, NULL, 0) < 0)
		return -errno;
	tree = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC,
			    MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
				    MOUNT_ATTR_NOEXEC);
	return tree < 0 ? -errno : tree;
}

static int open_abort(const struct mount *mount)
{
	cleanup_fd int control = mount_control();
	char path[32];
	int fd;

	if (control < 0)
		control = open(CONNECTIONS, O_PATH | O_DIRECTORY | O_CLOEXEC);
	(void)snprintf(path, sizeof(path), "%u/abort", mount->device);
	fd = control < 0 ? -1 : openat(control, path, O_WRONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Opened before it is asked: what was opened while the connection lives is its
 * own, also when it ends then. 0; 1: it is over; or negative errno. */
static int write_abort(const struct mount *mount)
{
	cleanup_fd int fd = open_abort(mount);

	if (is_over(mount))
		return 1;
	if (fd < 0)
		return fd;
	return write(fd, "1", 1) < 0 ? -errno : 0;
}

/* Says by what it was done, or NULL: there was nothing to do. */
static int abort_one(const struct mount *mount, const char **ret_how)
{
	int r = write_abort(mount);

	*ret_how = r > 0 ? NULL : "abort";
	if (r >= 0)
		return 0;
	*ret_how = "umount";
	return place_force(&mount->place, mount->id);
}

static void break_one(const struct mount *mount, bool is_fault)
{
	const char *how = NULL;
	int r = mount->fuse_fd >= 0 ? abort_one(mount, &how) : 0;

	if (r < 0)
		log_err("cannot break a connection",
			"mount_id=%" PRIu64 " error=%s", mount->id,
			strerrordesc_np(-r));
	else if (how && is_fault)
		log_err("broke a connection, readers get errors",
			"mount_id=%" PRIu64 " by=%s", mount->id, how);
}

void abort_connections(const struct session *session)
{
	for (size_t i = 0; i < session->mount_count; i++)
		break_one(&session->mounts[i].mount, true);
}

void abort_quietly(const struct mount *mount)
{
	break_one(mount, false);
}
