/* SPDX-License-Identifier: Apache-2.0 */
/* Whoever waits for an answer at the end of a keeper gets one, or an error. */
#include "keeper/ending.h"
#include "base/log.h"
#include "base/macros.h"
#include "keeper/abort.h"
#include "keeper/descriptor.h"
#include "keeper/message.h"
#include "keeper/notifiers.h"
#include "keeper/runtime.h"
#include "keeper/session.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define STOP_TIMEOUT_MS (MESSAGE_LEAVE_MS + 500)

void session_drop_mount(struct session *session, struct session_mount *mount,
			bool gives_back)
{
	int r;

	if (mount->mount.fuse_fd < 0)
		return;
	notifier_child_dismiss(&mount->notifier);
	/* It has descriptors as well, and whoever waits for it would wait on.
	 */
	if (session_has_stray(session))
		abort_quietly(&mount->mount);
	r = mount_detach(&mount->mount);
	if (r < 0)
		log_warn("a mount is left behind",
			 "mount_id=%" PRIu64 " why=%s", mount->mount.id,
			 r == -EBUSY ? "another one stands on it"
				     : strerrordesc_np(-r));
	if (gives_back)
		mount_give_back(&mount->mount);
	if (mount->listening >= 0)
		runtime_remove(mount->mount.id, mount->listening);
	descriptor_done(&mount->listening);
	mount_done(&mount->mount);
	notifiers_end(mount);
}

/* 0, or -EBUSY where something that is not ours stands on a mount. */
static int check_uncovered(const struct session *session)
{
	for (size_t i = 0; i < session->mount_count; i++) {
		const struct mount *mount = &session->mounts[i].mount;
		cleanup_fd int fd = -1;

		if (mount->is_attached)
			fd = place_enter_mount(&mount->place, mount->id);
		if (fd == -EBUSY)
			return -EBUSY;
	}
	return 0;
}

int ending_detach(struct session *session)
{
	int r = check_uncovered(session);

	if (r < 0)
		return r;
	notifiers_drop(session);
	for (size_t i = 0; r == 0 && i < session->mount_count; i++)
		if (session->mounts[i].mount.fuse_fd >= 0)
			r = mount_detach(&session->mounts[i].mount);
	if (r < 0)
		notifiers_start(session);
	return r;
}

void ending_drop(struct session *session, bool gives_back)
{
	for (size_t i = 0; i < session->mount_count; i++)
		session_drop_mount(session, &session->mounts[i], gives_back);
}

static void end_worker(struct session *session)
{
	struct message message;
	int status;

	if (session->worker.socket < 0)
		return;
	message_fill(&message, MESSAGE_STOP, MESSAGE_NO_MOUNT, NULL, 0);
	/* One that does not listen has a time as well. */
	(void)message_send(session->worker.socket, &message, -1);
	if (child_end(&session->worker, STOP_TIMEOUT_MS, &status) < 0) {
		log_warn("the worker does not end, leaving it", "pid=%d",
			 session->worker.pid);
		abort_connections(session);
	}
}

/* Off its place first, then let the worker finish what is in flight, and only
 * then close what it answers through. */
void ending_unmount(struct session *session)
{
	(void)ending_detach(session);
	end_worker(session);
	ending_drop(session, true);
}

static void leave(struct session *session, struct session_mount *mount)
{
	bool was_seen = mount->mount.is_attached;

	if (was_seen)
		mount_disown(&mount->mount);
	session_drop_mount(session, mount, !was_seen);
}

void ending_leave(struct session *session)
{
	bool is_attached = session->worker.is_attached;

	notifiers_drop(session);
	end_worker(session);
	/* Its descriptors are out of sight, and its word is not relied upon. */
	for (size_t i = 0; is_attached && i < session->mount_count; i++)
		abort_quietly(&session->mounts[i].mount);
	for (size_t i = 0; i < session->mount_count; i++)
		leave(session, &session->mounts[i]);
	log_info("left the mounts on their places", NULL);
}
