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
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CONNECTIONS "/sys/fs/fuse/connections"

static int write_abort(unsigned device)
{
	cleanup_fd int fd = -1;
	char path[sizeof(CONNECTIONS) + 32];

	(void)snprintf(path, sizeof(path), CONNECTIONS "/%u/abort", device);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd < 0 || write(fd, "1", 1) < 0 ? -errno : 0;
}

/* Says by what it was done. */
static int abort_one(const struct mount *mount, const char **ret_how)
{
	int r = write_abort(mount->device);

	*ret_how = "abort";
	if (r == 0)
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
