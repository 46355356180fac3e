/* SPDX-License-Identifier: Apache-2.0 */
/*
 * While two keepers hold the same descriptors at most one of them has a worker:
 * the old one's has left before the first of them is sent.
 */
#include "keeper/inherit.h"
#include "base/err.h"
#include "base/log.h"
#include "base/macros.h"
#include "keeper/clients.h"
#include "keeper/descriptor.h"
#include "keeper/folder.h"
#include "keeper/handover.h"
#include "keeper/message.h"
#include "keeper/mountinfo.h"
#include "keeper/notifiers.h"
#include "keeper/restart.h"
#include "keeper/runtime.h"
#include "keeper/session.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* For the other one's worker to serve, and for the other one to listen. */
#define SERVE_TIMEOUT_MS 40000
#define LISTEN_TIMEOUT_MS 5000

/* Through whose socket the client has come; NULL: the folder's. */
static const struct session_mount *mount_of(const struct session *session,
					    int client)
{
	for (size_t i = 0; i < SESSION_CLIENTS_MAX; i++)
		if (session->clients[i].fd == client &&
		    session->clients[i].mount < SESSION_MOUNTS_MAX)
			return &session->mounts[session->clients[i].mount];
	return NULL;
}

static bool read_heir(const struct message *message, struct message_heir *ret)
{
	if (message->length != sizeof(*ret))
		return false;
	memcpy(ret, message->body, sizeof(*ret));
	return true;
}

/* What is held here is not what is wanted: why; or NULL. */
static const char *refusal(const struct session *session, int client,
			   const struct message *message)
{
	const struct session_mount *mount = mount_of(session, client);
	struct message_heir heir;

	if (!read_heir(message, &heir))
		return "it asks for nothing";
	if (folder_is_open(session) && mount)
		return "that is one mount of a directory of classes, which is "
		       "taken over as a whole";
	if (folder_is_open(session) != (heir.is_folder != 0))
		return heir.is_folder ? "no directory of classes is served here"
				      : "a directory of classes is served here";
	if (mount && mount->mount.device != heir.device)
		return "another mount is served here";
	return NULL;
}

static bool is_meant(const struct session *session, int client,
		     const struct message_heir *heir)
{
	const struct session_mount *mount = mount_of(session, client);

	return mount ? !heir->is_folder && mount->mount.device == heir->device
		     : heir->is_folder && folder_is_open(session);
}

void inherit_tell(const struct session *session, int client,
		  const struct message *message)
{
	struct message_heir heir;

	if (read_heir(message, &heir) && is_meant(session, client, &heir))
		clients_answer(client, MESSAGE_DONE, "");
	else
		clients_answer(client, MESSAGE_FAILED, "it is another one");
}

/* Answers what it holds, where it can be reached; what it then still holds is
 * the next one's. */
static void end_worker(struct session *session)
{
	struct message message;
	int status;

	session->phase = PHASE_WAITING;
	if (session->worker.socket < 0)
		return;
	message_fill(&message, MESSAGE_LEAVE, MESSAGE_NO_MOUNT, NULL, 0);
	(void)message_send(session->worker.socket, &message, -1);
	if (child_end(&session->worker, MESSAGE_LEAVE_MS, &status) < 0)
		restart_fence_off(session);
	else
		(void)fence_next(&session->fence);
	child_done(&session->worker);
}

/* Somebody may have taken it off while others have it still. */
static bool is_on_its_place(const struct mount *mount)
{
	return mount->is_attached &&
	       mountinfo_has(MOUNTINFO_SELF, mount->id) != 0;
}

/* What the other one cannot find on its place, the next worker asks for again.
 */
static void drop_unplaced(struct session *session)
{
	for (size_t i = 0; i < session->mount_count; i++)
		if (session->mounts[i].mount.fuse_fd >= 0 &&
		    !is_on_its_place(&session->mounts[i].mount))
			folder_drop(session, &session->mounts[i]);
}

static int give_mount(const struct session *session, int client, uint32_t index)
{
	const struct session_mount *mount = &session->mounts[index];
	struct message_legacy legacy;
	struct message message;
	int r;

	memset(&legacy, 0, sizeof(legacy));
	legacy.mount_id = mount->mount.id;
	legacy.device = mount->mount.device;
	(void)snprintf(legacy.name, sizeof(legacy.name), "%s", mount->name);
	message_fill(&message, MESSAGE_TAKE_OVER, index, &legacy,
		     sizeof(legacy));
	r = handover_send(client, &message, -1);
	return r < 0 ? r : handover_give(session, client, index);
}

static int give_strays(const struct session *session, int client)
{
	struct message message;
	int r = 0;

	message_fill(&message, MESSAGE_STRAY, MESSAGE_NO_MOUNT, NULL, 0);
	for (size_t i = 0; r == 0 && i < SESSION_STRAYS_MAX; i++)
		if (session->strays[i] >= 0)
			r = handover_send(client, &message, session->strays[i]);
	return r;
}

static int give(const struct session *session, int client)
{
	struct message message;
	int r = handover_pool(session, client);

	if (r == 0)
		r = give_strays(session, client);
	for (uint32_t i = 0; r == 0 && i < session->mount_count; i++)
		if (session->mounts[i].mount.fuse_fd >= 0)
			r = give_mount(session, client, i);
	message_fill(&message, MESSAGE_DONE, MESSAGE_NO_MOUNT, NULL, 0);
	return r < 0 ? r : handover_send(client, &message, -1);
}

static bool is_told_to_end(struct session *session)
{
	struct signalfd_siginfo info;

	if (read(session->signals, &info, sizeof(info)) == sizeof(info))
		session->is_told_to_end |=
			info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT;
	return session->is_told_to_end;
}

/* The other one has all. It may be told to end meanwhile, which changes nothing
 * for the other one. */
static int await_worker_of_heir(struct session *session, int client)
{
	struct pollfd fds[] = {
		{ .fd = client, .events = POLLIN },
		{ .fd = session->signals, .events = POLLIN },
	};

	log_info("another keeper has the mounts, and awaits a worker", NULL);
	for (;;) {
		if (poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno != EINTR)
			return -errno;
		if (fds[0].revents)
			return 0;
		if (fds[1].revents && is_told_to_end(session))
			return 1;
	}
}

static int await(int client, enum message_type *ret)
{
	struct pollfd ready = { .fd = client, .events = POLLIN };
	struct message message;
	int r = poll(&ready, 1, SERVE_TIMEOUT_MS);

	if (r <= 0)
		return r < 0 ? -errno : -ETIMEDOUT;
	r = message_receive(client, &message, NULL);
	if (r == 0)
		*ret = (enum message_type)message.type;
	return r;
}

/* 0: they are the other one's; or negative errno. */
static int await_heir(struct session *session, int client)
{
	enum message_type type = MESSAGE_FAILED;
	int r = await(client, &type);

	if (r == 0 && type == MESSAGE_READY) {
		r = await_worker_of_heir(session, client);
		if (r > 0)
			return 0;
		if (r == 0)
			r = await(client, &type);
	}
	if (r < 0)
		return r;
	return type == MESSAGE_DONE ? 0 : -EPROTO;
}

static void close_sockets(struct session *session)
{
	for (size_t i = 0; i < session->mount_count; i++)
		descriptor_done(&session->mounts[i].listening);
	descriptor_done(&session->folder.listening);
}

/* Where the other one sees other ids its sockets have other names. */
static void remove_sockets(const struct session *session)
{
	for (size_t i = 0; i < session->mount_count; i++) {
		const struct session_mount *mount = &session->mounts[i];

		if (mount->listening >= 0)
			runtime_remove(mount->mount.id, mount->listening);
	}
}

/* Until the other one listens, commands find this one's sockets, and are heard
 * by nobody: that is better than to find that a keeper has died. */
static void let_go(struct session *session, int client)
{
	struct pollfd end = { .fd = client };

	clients_answer(client, MESSAGE_DONE, "");
	(void)poll(&end, 1, LISTEN_TIMEOUT_MS);
	remove_sockets(session);
	close_sockets(session);
	for (size_t i = 0; i < session->mount_count; i++) {
		mount_disown(&session->mounts[i].mount);
		mount_done(&session->mounts[i].mount);
		notifiers_end(&session->mounts[i]);
	}
	session_drop_pools(session);
	session_drop_strays(session);
	attach_done(&session->attach);
}

/* The other one may have put its own at their places. */
static void listen_again(struct session *session)
{
	struct err err = { .code = 0 };

	close_sockets(session);
	for (size_t i = 0; i < session->mount_count; i++) {
		struct session_mount *mount = &session->mounts[i];

		if (mount->mount.fuse_fd >= 0)
			mount->listening =
				runtime_listen(mount->mount.id, &err);
	}
	if (folder_is_open(session))
		(void)folder_listen(session, &err);
	if (err.code < 0)
		log_err("commands do not find this keeper any more", "error=%s",
			err.text);
	attach_return(&session->attach);
}

/* What a worker of its has read is sent again once it is gone: it ends that one
 * before it closes the connection. */
static void keep_heir(struct session *session, int client)
{
	cleanup_fd int heir = fcntl(client, F_DUPFD_CLOEXEC, 0);

	session_keep_stray(session, &heir);
}

static void go_on(struct session *session, int client, int code)
{
	clients_answer(client, MESSAGE_FAILED, "it does not wait any longer");
	log_err("the other keeper does not, going on", "error=%s",
		strerrordesc_np(-code));
	listen_again(session);
	/* A worker of its may be there still. */
	session->shares_memory = true;
	keep_heir(session, client);
	restart_anew(session);
}

bool inherit_give(struct session *session, int client,
		  const struct message *message)
{
	const char *why = refusal(session, client, message);
	int r;

	if (why) {
		clients_answer(client, MESSAGE_FAILED, why);
		return false;
	}
	log_info("another keeper takes over", NULL);
	successor_done(session, "another keeper takes over");
	successor_conclude(session, "another keeper takes over");
	attach_step_aside(&session->attach);
	notifiers_drop(session);
	end_worker(session);
	if (folder_is_open(session))
		drop_unplaced(session);
	(void)restart_resend(session);
	handover_part(session);
	r = give(session, client);
	if (r == 0)
		r = await_heir(session, client);
	if (r < 0) {
		go_on(session, client, r);
		return false;
	}
	let_go(session, client);
	log_info("another keeper has taken over", NULL);
	return true;
}

void inherit_linger(struct session *session)
{
	struct pollfd signals = { .fd = session->signals, .events = POLLIN };

	if (session->is_told_to_end)
		return;
	for (size_t i = 0; i < SESSION_CLIENTS_MAX; i++)
		descriptor_done(&session->clients[i].fd);
	descriptor_done(&session->binary_fd);
	fence_done(&session->fence);
	log_info("waiting to be told to end", NULL);
	while (!is_told_to_end(session))
		(void)poll(&signals, 1, -1);
}
