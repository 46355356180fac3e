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
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CONNECTIONS "/sys/fs/fuse/connections"

/* The number of one that is over may be that of somebody's by now. */
static bool is_over(const struct mount *mount)
{
	struct pollfd device = { .fd = mount->fuse_fd };

	return poll(&device, 1, 0) > 0;
}

/* Opened before it is asked: what was opened while the connection lives is its
 * own, also when it ends then. 0; 1: it is over; or negative errno. */
static int write_abort(const struct mount *mount)
{
	cleanup_fd int fd = -1;
	char path[sizeof(CONNECTIONS) + 32];

	(void)snprintf(path, sizeof(path), CONNECTIONS "/%u/abort",
		       mount->device);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (is_over(mount))
		return 1;
	return fd < 0 || write(fd, "1", 1) < 0 ? -errno : 0;
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

static void abort_each(const struct session *session, bool is_fault)
{
	for (size_t i = 0; i < session->mount_count; i++) {
		const struct mount *mount = &session->mounts[i].mount;
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
}

void abort_connections(const struct session *session)
{
	abort_each(session, true);
}

void abort_quietly(const struct session *session)
{
	abort_each(session, false);
}
