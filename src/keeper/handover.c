/* SPDX-License-Identifier: Apache-2.0 */
/* What outlives a worker is the keeper's, so that the next worker can go on
 * where the last one stopped. */
#include "keeper/handover.h"
#include "keeper/fusermount.h"
#include "keeper/message.h"
#include "keeper/session.h"

#include <string.h>

int handover_mount(struct session *session, uint32_t index)
{
	const struct mount *mount = &session->mounts[index].mount;
	const struct fuse_init_request *init = &mount->init;
	struct message message;
	int r;

	session->mounts[index].is_handed_over = true;
	if (*session->mounts[index].name) {
		const char *name = session->mounts[index].name;

		message_fill(&message, MESSAGE_ADD, index, name, strlen(name));
		r = message_send(session->worker.socket, &message, -1);
		if (r < 0)
			return r;
	}
	message_fill(&message, MESSAGE_NODES, index, NULL, 0);
	r = message_send(session->worker.socket, &message, mount->nodes_fd);
	if (r < 0)
		return r;
	message_fill(&message, MESSAGE_JOURNAL, index, NULL, 0);
	r = message_send(session->worker.socket, &message, mount->journal_fd);
	if (r < 0)
		return r;
	message_fill(&message, MESSAGE_MOUNT, index, init->bytes, init->length);
	message.number = fusermount_is_needed() ? MESSAGE_MOUNT_WRITABLE : 0;
	return message_send(session->worker.socket, &message, mount->fuse_fd);
}

int handover_pool(struct session *session)
{
	struct message message;

	if (session->pool_fd < 0)
		return 0;
	message_fill(&message, MESSAGE_POOL, MESSAGE_NO_MOUNT, NULL, 0);
	return message_send(session->worker.socket, &message, session->pool_fd);
}
