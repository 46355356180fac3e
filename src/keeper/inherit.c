/* SPDX-License-Identifier: Apache-2.0 */
/*
 * While two keepers hold the same descriptors at most one of them has a worker:
 * the old one's has left before the first of them is sent.
 */
#include "keeper/inherit.h"
#include "base/err.h"
#include "base/log.h"
#include "base/macros.h"
#include "keeper/descriptor.h"
#include "keeper/handover.h"
#include "keeper/message.h"
#include "keeper/notifiers.h"
#include "keeper/restart.h"
#include "keeper/runtime.h"
#include "keeper/session.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

/* For the old worker to leave, for the new one to serve. */
#define GIVE_TIMEOUT_MS (MESSAGE_LEAVE_MS + 10000)
#define SERVE_TIMEOUT_MS 40000

static void end_worker(struct session *session)
{
	struct message message;
	int status;

	(void)fence_next(&session->fence);
	if (session->worker.socket < 0)
		return;
	message_fill(&message, MESSAGE_LEAVE, MESSAGE_NO_MOUNT, NULL, 0);
	(void)message_send(session->worker.socket, &message, -1);
	if (child_end(&session->worker, MESSAGE_LEAVE_MS, &status) < 0) {
		session->shares_memory = true;
		session_drop_pools(session);
	}
	child_done(&session->worker);
}

static int give(const struct session *session, int client)
{
	struct message message;
	int r = 0;

	message_fill(&message, MESSAGE_POOL, MESSAGE_NO_MOUNT, NULL, 0);
	for (int part = 0; r == 0 && part < MESSAGE_POOL_PARTS; part++) {
		message.number = part;
		if (session->pool_fds[part] >= 0)
			r = message_send(client, &message,
					 session->pool_fds[part]);
	}
	for (uint32_t i = 0; r == 0 && i < session->mount_count; i++) {
		const struct mount *mount = &session->mounts[i].mount;

		message_fill(&message, MESSAGE_NODES, i, NULL, 0);
		r = message_send(client, &message, mount->nodes_fd);
		message_fill(&message, MESSAGE_JOURNAL, i, NULL, 0);
		if (r == 0)
			r = message_send(client, &message, mount->journal_fd);
		message_fill(&message, MESSAGE_MOUNT, i, mount->init.bytes,
			     mount->init.length);
		if (r == 0)
			r = message_send(client, &message, mount->fuse_fd);
	}
	message_fill(&message, MESSAGE_DONE, MESSAGE_NO_MOUNT, NULL, 0);
	return r < 0 ? r : message_send(client, &message, -1);
}

/* The next message, with its descriptor or -1. */
static int await(int socket, int timeout_ms, struct message *ret, int *ret_fd)
{
	struct pollfd ready = { .fd = socket, .events = POLLIN };
	int r = poll(&ready, 1, timeout_ms);

	if (r <= 0)
		return r < 0 ? -errno : -ETIMEDOUT;
	return message_receive(socket, ret, ret_fd);
}

/* Their places and sockets are another's now. */
static void let_go(struct session *session)
{
	for (size_t i = 0; i < session->mount_count; i++) {
		struct mount *mount = &session->mounts[i].mount;

		mount->is_placed = mount->is_attached = false;
		mount->is_to_give_back = mount->is_place_made = false;
		descriptor_done(&session->mounts[i].listening);
	}
	attach_leave(&session->attach);
}

bool inherit_give(struct session *session, int client)
{
	cleanup_fd int unwanted = -1;
	struct message message = { 0 };
	int r;

	log_info("another keeper takes over", NULL);
	successor_done(session, "another keeper takes over");
	notifiers_drop(session);
	end_worker(session);
	(void)restart_resend(session);
	handover_part(session);
	r = give(session, client);
	if (r == 0)
		r = await(client, SERVE_TIMEOUT_MS, &message, &unwanted);
	if (r < 0 || message.type != MESSAGE_DONE) {
		log_err("the other keeper does not, going on", "error=%s",
			strerrordesc_np(r < 0 ? -r : EPROTO));
		/* A worker of its may be there still. */
		session->shares_memory = true;
		restart_anew(session);
		return false;
	}
	let_go(session);
	log_info("another keeper has taken over, ending", NULL);
	return true;
}

static int take_mount(struct session *session, const struct message *message,
		      int *fd)
{
	struct session_mount *held = session_mount_of(session, message);
	struct mount *mount = held ? &held->mount : NULL;

	if (!mount || *fd < 0)
		return -EPROTO;
	if (message->type == MESSAGE_NODES && mount->nodes_fd < 0) {
		mount->nodes_fd = descriptor_take(fd);
		return 0;
	}
	if (message->type == MESSAGE_JOURNAL && mount->journal_fd < 0) {
		mount->journal_fd = descriptor_take(fd);
		return 0;
	}
	if (message->type != MESSAGE_MOUNT || mount->fuse_fd >= 0)
		return -EPROTO;
	mount->fuse_fd = descriptor_take(fd);
	mount->init.length = message->length;
	memcpy(mount->init.bytes, message->body, message->length);
	return 0;
}

/* 1: that was the last; -ECANCELED, with err filled: it says why not. */
static int take_one(struct session *session, struct err *err)
{
	cleanup_fd int fd = -1;
	struct message message = { 0 };
	int r = await(session->forerunner, GIVE_TIMEOUT_MS, &message, &fd);

	if (r < 0)
		return r;
	if (message.type == MESSAGE_FAILED)
		return err_set(err, -ECANCELED, "%s", message.body);
	if (session_take_pool(session->pool_fds, &message, &fd))
		return 0;
	return message.type == MESSAGE_DONE
		       ? 1
		       : take_mount(session, &message, &fd);
}

static int check_all(const struct session *session)
{
	for (size_t i = 0; i < session->mount_count; i++)
		if (session->mounts[i].mount.fuse_fd < 0 ||
		    session->mounts[i].mount.nodes_fd < 0 ||
		    session->mounts[i].mount.journal_fd < 0)
			return -EPROTO;
	return 0;
}

int inherit_take(struct session *session, struct err *err)
{
	struct message message;
	int r;

	session->forerunner = runtime_connect_to(session->take_over);
	r = session->forerunner < 0 ? session->forerunner : 0;
	message_fill(&message, MESSAGE_TAKE_OVER, MESSAGE_NO_MOUNT, NULL, 0);
	if (r == 0)
		r = message_send(session->forerunner, &message, -1);
	while (r == 0)
		r = take_one(session, err);
	if (r > 0)
		r = check_all(session);
	if (r == -ECANCELED)
		return err_wrap(err, "--take-over %s", session->take_over);
	if (r < 0)
		return err_set(err, r, "--take-over %s: %s", session->take_over,
			       strerrordesc_np(-r));
	(void)restart_resend(session);
	return 0;
}

/* What the keeper before has at these names stays open until it ends. */
static int listen_to_all(struct session *session, struct err *err)
{
	for (size_t i = 0; i < session->mount_count; i++) {
		struct session_mount *mount = &session->mounts[i];

		mount->listening = runtime_listen(mount->mount.id, err);
		if (mount->listening < 0)
			return mount->listening;
	}
	return 0;
}

int inherit_finish(struct session *session, struct err *err)
{
	struct message message;
	int r;

	message_fill(&message, MESSAGE_DONE, MESSAGE_NO_MOUNT, NULL, 0);
	r = message_send(session->forerunner, &message, -1);
	if (r < 0)
		return err_set(err, r, "the keeper before has not waited: %s",
			       strerrordesc_np(-r));
	for (size_t i = 0; i < session->mount_count; i++) {
		struct mount *mount = &session->mounts[i].mount;

		mount->is_placed = mount->is_attached = true;
		mount->is_to_give_back = true;
	}
	return listen_to_all(session, err);
}
