/* SPDX-License-Identifier: Apache-2.0 */
/* What a keeper holds, and how it is all let go again in the right order. */
#include "keeper/session.h"
#include "base/macros.h"
#include "keeper/descriptor.h"
#include "keeper/folder.h"
#include "keeper/message.h"
#include "keeper/notifiers.h"
#include "keeper/runtime.h"

#include <errno.h>
#include <sys/mman.h>

/* Room for many mounts, most of which are never there: calloc(3) would write to
 * all of it. */
struct session *session_new(void)
{
	struct session *session =
		mmap(NULL, sizeof(*session), PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (session == MAP_FAILED)
		return NULL;
	session->worker.pidfd = session->worker.socket = -1;
	session->signals = session->launcher = session->mount_table = -1;
	session->notifier_plan.binary_fd = -1;
	session->pool_fd = session->next_pool_fd = -1;
	session->folder.directory_fd = session->folder.listening = -1;
	session->forerunner = -1;
	session->binary_fd = session->fresh_binary_fd = session->upgrader = -1;
	attach_init(&session->attach);
	fence_init(&session->fence);
	successor_init(&session->successor);
	for (size_t i = 0; i < SESSION_STRAYS_MAX; i++)
		session->strays[i] = -1;
	session->exit_code = 1;
	/* The others when they are used: until then they take no memory. */
	notifier_child_init(&session->mounts[0].notifier);
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
	mount_give_back(&mount->mount);
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
	folder_close(session);
	for (size_t i = 0; i < SESSION_CLIENTS_MAX; i++)
		descriptor_done(&session->clients[i].fd);
	for (size_t i = 0; i < SESSION_STRAYS_MAX; i++)
		descriptor_done(&session->strays[i]);
	descriptor_done(&session->forerunner);
	descriptor_done(&session->binary_fd);
	attach_done(&session->attach);
	fence_done(&session->fence);
	descriptor_done(&session->pool_fd);
	descriptor_done(&session->next_pool_fd);
	descriptor_done(&session->signals);
	descriptor_done(&session->mount_table);
	(void)munmap(session, sizeof(*session));
}

int session_receive(struct session *session, struct message *ret)
{
	cleanup_fd int unwanted = -1;
	int r = message_receive(session->worker.socket, ret, &unwanted);

	if (r < 0)
		return r;
	if (ret->type == MESSAGE_POOL && unwanted >= 0) {
		descriptor_done(&session->next_pool_fd);
		session->next_pool_fd = descriptor_take(&unwanted);
		return -EAGAIN;
	}
	return unwanted < 0 ? 0 : -EPROTO;
}

void session_keep_pool(struct session *session)
{
	descriptor_done(&session->pool_fd);
	session->pool_fd = descriptor_take(&session->next_pool_fd);
}

void session_drop_pools(struct session *session)
{
	descriptor_done(&session->pool_fd);
	descriptor_done(&session->next_pool_fd);
}

struct session_mount *session_mount_of(struct session *session,
				       const struct message *message)
{
	if (message->mount >= session->mount_count)
		return NULL;
	return &session->mounts[message->mount];
}
