/* SPDX-License-Identifier: Apache-2.0 */
/* What a keeper holds, and how it is all let go again in the right order. */
#include "keeper/session.h"
#include "base/macros.h"
#include "keeper/descriptor.h"
#include "keeper/message.h"
#include "keeper/notifiers.h"
#include "keeper/runtime.h"

#include <errno.h>
#include <stdlib.h>

struct session *session_new(void)
{
	struct session *session = calloc(1, sizeof(*session));

	if (!session)
		return NULL;
	session->worker.pidfd = session->worker.socket = -1;
	session->signals = session->launcher = session->mount_table = -1;
	session->notifier_plan.binary_fd = -1;
	session->forerunner = -1;
	session->binary_fd = session->fresh_binary_fd = session->upgrader = -1;
	attach_init(&session->attach);
	fence_init(&session->fence);
	successor_init(&session->successor);
	for (size_t i = 0; i < SESSION_STRAYS_MAX; i++)
		session->strays[i] = -1;
	session->exit_code = 1;
	for (size_t i = 0; i < SESSION_MOUNTS_MAX; i++)
		notifier_child_init(&session->mounts[i].notifier);
	for (size_t i = 0; i < SESSION_CLIENTS_MAX; i++)
		session->clients[i].fd = -1;
	return session;
}

static void mount_free(struct session_mount *mount)
{
	if (mount->listening >= 0)
		runtime_remove(mount->mount.id);
	descriptor_done(&mount->listening);
	(void)mount_detach(&mount->mount);
	mount_done(&mount->mount);
	notifiers_end(mount);
}

void session_free(struct session *session)
{
	int status;

	if (!session)
		return;
	successor_done(session, "the mount ends");
	successor_conclude(session, "the mount ends");
	if (session->worker.pid > 0 && !session->worker.is_attached)
		(void)child_end(&session->worker, 0, &status);
	child_done(&session->worker);
	for (size_t i = 0; i < session->mount_count; i++)
		mount_free(&session->mounts[i]);
	for (size_t i = 0; i < SESSION_CLIENTS_MAX; i++)
		descriptor_done(&session->clients[i].fd);
	for (size_t i = 0; i < SESSION_STRAYS_MAX; i++)
		descriptor_done(&session->strays[i]);
	descriptor_done(&session->forerunner);
	descriptor_done(&session->binary_fd);
	attach_done(&session->attach);
	fence_done(&session->fence);
	descriptor_done(&session->signals);
	descriptor_done(&session->mount_table);
	free(session);
}

int session_receive(struct session *session, struct message *ret)
{
	cleanup_fd int unwanted = -1;
	int r = message_receive(session->worker.socket, ret, &unwanted);

	if (r < 0)
		return r;
	return unwanted < 0 ? 0 : -EPROTO;
}

struct session_mount *session_mount_of(struct session *session,
				       const struct message *message)
{
	if (message->mount >= session->mount_count)
		return NULL;
	return &session->mounts[message->mount];
}
