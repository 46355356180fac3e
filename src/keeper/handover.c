/* SPDX-License-Identifier: Apache-2.0 */
/* What outlives a worker is the keeper's, so that the next worker can go on
 * where the last one stopped. */
#include "keeper/handover.h"
#include "base/err.h"
#include "base/log.h"
#include "keeper/fusermount.h"
#include "keeper/message.h"
#include "keeper/moment.h"
#include "keeper/session.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

/* As long as a worker may stand still that serves, if nothing else is said. */
#define PATIENCE_MS 10000

int64_t handover_deadline_ms(void)
{
	return moment_ms() + PATIENCE_MS;
}

/* A worker reads message by message, and all mounts at once are more than its
 * socket takes. */
static int send_until(int socket, const struct message *message, int fd,
		      int64_t deadline_ms)
{
	struct pollfd room = { .fd = socket, .events = POLLOUT };
	int r = message_send(socket, message, fd);

	while (r == -EAGAIN && moment_rest_ms(deadline_ms) > 0) {
		(void)poll(&room, 1, moment_rest_ms(deadline_ms));
		r = message_send(socket, message, fd);
	}
	return r;
}

int handover_send(int socket, const struct message *message, int fd)
{
	return send_until(socket, message, fd, handover_deadline_ms());
}

static int give_part(const struct session *session, int socket, int part,
		     int64_t deadline_ms)
{
	struct message message;

	if (session->pool_fds[part] < 0)
		return 0;
	message_fill(&message, MESSAGE_POOL, MESSAGE_NO_MOUNT, NULL, 0);
	message.number = part;
	return send_until(socket, &message, session->pool_fds[part],
			  deadline_ms);
}

static int give_pool(const struct session *session, int socket,
		     int64_t deadline_ms)
{
	int r = give_part(session, socket, MESSAGE_POOL_ANNEX, deadline_ms);

	return r < 0 ? r
		     : give_part(session, socket, MESSAGE_POOL_PLAIN,
				 deadline_ms);
}

int handover_pool(const struct session *session, int socket)
{
	return give_pool(session, socket, handover_deadline_ms());
}

int handover_begin(const struct session *session, int64_t deadline_ms)
{
	uint64_t number = fence_next(&session->fence);
	int socket = session->worker.socket;
	struct message message;
	int r;

	message_fill(&message, MESSAGE_FENCE, MESSAGE_NO_MOUNT, &number,
		     sizeof(number));
	r = send_until(socket, &message, session->fence.fd, deadline_ms);
	return r < 0 ? r : give_pool(session, socket, deadline_ms);
}

/* Without memory for it the two go on with the same: the other one finds at its
 * next request that it is shut out. */
void handover_part(struct session *session)
{
	struct err err;

	for (size_t i = 0; session->shares_memory && i < session->mount_count;
	     i++)
		if (session->mounts[i].mount.fuse_fd >= 0 &&
		    mount_part(&session->mounts[i].mount, &err) < 0)
			log_err("two workers have the same memory", "error=%s",
				err.text);
	session->shares_memory = false;
}

static int give_mount(const struct session *session, int socket, uint32_t index,
		      int64_t deadline_ms)
{
	const struct mount *mount = &session->mounts[index].mount;
	const struct fuse_init_request *init = &mount->init;
	struct message message;
	int r;

	message_fill(&message, MESSAGE_NODES, index, NULL, 0);
	message.number = fusermount_is_needed() ? MESSAGE_NODES_WRITABLE : 0;
	r = send_until(socket, &message, mount->nodes_fd, deadline_ms);
	if (r < 0)
		return r;
	message_fill(&message, MESSAGE_JOURNAL, index, NULL, 0);
	r = send_until(socket, &message, mount->journal_fd, deadline_ms);
	if (r < 0)
		return r;
	message_fill(&message, MESSAGE_MOUNT, index, init->bytes, init->length);
	message.number = (int32_t)session->deaths.total;
	return send_until(socket, &message, mount->fuse_fd, deadline_ms);
}

int handover_give(const struct session *session, int socket, uint32_t index)
{
	return give_mount(session, socket, index, handover_deadline_ms());
}

int handover_mount(struct session *session, uint32_t index, int64_t deadline_ms)
{
	const char *name = session->mounts[index].name;
	int socket = session->worker.socket;
	struct message message;
	int r = 0;

	session->mounts[index].is_handed_over = true;
	message_fill(&message, MESSAGE_ADD, index, name, strlen(name));
	if (*name)
		r = send_until(socket, &message, -1, deadline_ms);
	return r < 0 ? r : give_mount(session, socket, index, deadline_ms);
}
