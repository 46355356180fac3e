/* SPDX-License-Identifier: Apache-2.0 */
/* What outlives a worker is the keeper's, so that the next worker can go on
 * where the last one stopped. */
#include "keeper/handover.h"
#include "keeper/message.h"
#include "keeper/session.h"

int handover_begin(const struct session *session)
{
	uint64_t number = fence_next(&session->fence);
	struct message message;

	message_fill(&message, MESSAGE_FENCE, MESSAGE_NO_MOUNT, &number,
		     sizeof(number));
	return message_send(session->worker.socket, &message,
			    session->fence.fd);
}

int handover_mount(struct session *session, uint32_t index)
{
	const struct mount *mount = &session->mounts[index].mount;
	const struct fuse_init_request *init = &mount->init;
	struct message message;
	int r;

	message_fill(&message, MESSAGE_NODES, index, NULL, 0);
	r = message_send(session->worker.socket, &message, mount->nodes_fd);
	if (r < 0)
		return r;
	message_fill(&message, MESSAGE_MOUNT, index, init->bytes, init->length);
	return message_send(session->worker.socket, &message, mount->fuse_fd);
}
