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
	for (size_t i = 0; i < MESSAGE_POOL_PARTS; i++)
		session->pool_fds[i] = session->next_pool_fds[i] = -1;
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
		runtime_remove(mount->mount.id, mount->listening);
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
	session_drop_strays(session);
	attach_done(&session->attach);
	/* It puts its own sockets where this one's were. */
	descriptor_done(&session->forerunner);
	descriptor_done(&session->binary_fd);
	fence_done(&session->fence);
	session_drop_pools(session);
	descriptor_done(&session->signals);
	descriptor_done(&session->mount_table);
	(void)munmap(session, sizeof(*session));
}

bool session_take_pool(int fds[MESSAGE_POOL_PARTS],
		       const struct message *message, int *fd)
{
	int part = message->number;

	if (message->type != MESSAGE_POOL || *fd < 0 || part < 0 ||
	    part >= MESSAGE_POOL_PARTS)
		return false;
	descriptor_done(&fds[part]);
	fds[part] = descriptor_take(fd);
	return true;
}

void session_keep_stray(struct session *session, int *socket)
{
	for (size_t i = 0; i < SESSION_STRAYS_MAX; i++)
		if (session->strays[i] < 0) {
			session->strays[i] = descriptor_take(socket);
			return;
		}
}

bool session_has_stray(const struct session *session)
{
	for (size_t i = 0; i < SESSION_STRAYS_MAX; i++)
		if (session->strays[i] >= 0)
			return true;
	return false;
}

void session_drop_strays(struct session *session)
{
	for (size_t i = 0; i < SESSION_STRAYS_MAX; i++)
		descriptor_done(&session->strays[i]);
}

/* One that has served has sent its pool before. */
static bool is_pool_due(const struct session *session)
{
	return session->phase == PHASE_WAITING ||
	       session->phase == PHASE_STARTING;
}

int session_receive(struct session *session, struct message *ret)
{
	cleanup_fd int unwanted = -1;
	int r = message_receive(session->worker.socket, ret,
				is_pool_due(session) ? &unwanted : NULL);

	if (r < 0)
		return r;
	if (session_take_pool(session->next_pool_fds, ret, &unwanted))
		return -EAGAIN;
	return unwanted < 0 ? 0 : -EPROTO;
}

void session_keep_pool(struct session *session)
{
	for (size_t i = 0; i < MESSAGE_POOL_PARTS; i++) {
		descriptor_done(&session->pool_fds[i]);
		session->pool_fds[i] =
			descriptor_take(&session->next_pool_fds[i]);
	}
}

void session_drop_next_pool(struct session *session)
{
	for (size_t i = 0; i < MESSAGE_POOL_PARTS; i++)
		descriptor_done(&session->next_pool_fds[i]);
}

void session_drop_pools(struct session *session)
{
	for (size_t i = 0; i < MESSAGE_POOL_PARTS; i++)
		descriptor_done(&session->pool_fds[i]);
	session_drop_next_pool(session);
}

struct session_mount *session_mount_of(struct session *session,
				       const struct message *message)
{
	if (message->mount >= session->mount_count)
		return NULL;
	return &session->mounts[message->mount];
}
