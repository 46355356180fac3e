/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The other keeper may live in another mount namespace, where the same mount
 * has another id: it is known by where it stands and by the device of its file
 * system, which is the same everywhere.
 */
#include "keeper/heir.h"
#include "base/err.h"
#include "base/log.h"
#include "base/macros.h"
#include "keeper/descriptor.h"
#include "keeper/folder.h"
#include "keeper/message.h"
#include "keeper/restart.h"
#include "keeper/runtime.h"
#include "keeper/session.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>

/* For the old worker to leave; for a keeper that turns to answer. */
#define GIVE_TIMEOUT_MS (MESSAGE_LEAVE_MS + 10000)
#define ANSWER_TIMEOUT_MS 5000

struct taking {
	struct session *session;
	struct session_mount *mount; /* the one that comes, or NULL */
	struct err *err;
};

/* The next message, with its descriptor or -1; NULL: none may come with it. */
static int await(int socket, int timeout_ms, struct message *ret, int *ret_fd)
{
	struct pollfd ready = { .fd = socket, .events = POLLIN };
	int r = poll(&ready, 1, timeout_ms);

	if (r <= 0)
		return r < 0 ? -errno : -ETIMEDOUT;
	return message_receive(socket, ret, ret_fd);
}

static bool is_whole(const struct mount *mount)
{
	return mount->fuse_fd >= 0 && mount->nodes_fd >= 0 &&
	       mount->journal_fd >= 0;
}

/* Of a single mount it is the one that was found already. */
static int find_mount(const struct taking *taking, const char *name)
{
	struct session *session = taking->session;

	if (folder_is_open(session))
		return folder_inherit(session, name, taking->err);
	return taking->mount || *name ? -EPROTO : 0;
}

/* The next one is announced. -ECANCELED: err is filled. */
static int begin_mount(struct taking *taking, const struct message *message)
{
	struct session *session = taking->session;
	struct message_legacy legacy;

	if (message->length != sizeof(legacy) ||
	    (taking->mount && !is_whole(&taking->mount->mount)))
		return -EPROTO;
	memcpy(&legacy, message->body, sizeof(legacy));
	legacy.name[MESSAGE_LEGACY_NAME_MAX] = '\0';
	taking->err->code = 0;
	if (find_mount(taking, legacy.name) < 0)
		return taking->err->code < 0 ? -ECANCELED : -EPROTO;
	taking->mount = &session->mounts[session->mount_count - 1];
	taking->mount->legacy_id = legacy.mount_id;
	if (taking->mount->mount.device == legacy.device)
		return 0;
	(void)err_set(taking->err, -ESTALE, "%s: another mount stands there",
		      legacy.name);
	return -ECANCELED;
}

static int take_part(const struct taking *taking, const struct message *message,
		     int *fd)
{
	struct mount *mount = taking->mount ? &taking->mount->mount : NULL;

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
static int take_one(struct taking *taking)
{
	struct session *session = taking->session;
	cleanup_fd int fd = -1;
	struct message message = { 0 };
	int r = await(session->forerunner, GIVE_TIMEOUT_MS, &message, &fd);

	if (r < 0)
		return r;
	if (message.type == MESSAGE_FAILED)
		return err_set(taking->err, -ECANCELED, "%s", message.body);
	if (session_take_pool(session->pool_fds, &message, &fd))
		return 0;
	if (message.type == MESSAGE_STRAY) {
		session_keep_stray(session, &fd);
		return 0;
	}
	if (message.type == MESSAGE_TAKE_OVER)
		return begin_mount(taking, &message);
	return message.type == MESSAGE_DONE ? 1
					    : take_part(taking, &message, &fd);
}

static int check_all(const struct session *session)
{
	for (size_t i = 0; i < session->mount_count; i++)
		if (!is_whole(&session->mounts[i].mount))
			return -EPROTO;
	return 0;
}

static int ask(struct session *session)
{
	struct message_heir heir = { .is_folder = folder_is_open(session) };
	struct message message;

	if (!heir.is_folder)
		heir.device = session->mounts[0].mount.device;
	session->forerunner = runtime_connect_to(session->take_over);
	if (session->forerunner < 0)
		return session->forerunner;
	message_fill(&message, MESSAGE_TAKE_OVER, MESSAGE_NO_MOUNT, &heir,
		     sizeof(heir));
	return message_send(session->forerunner, &message, -1);
}

int heir_take(struct session *session, struct err *err)
{
	struct taking taking = { .session = session, .err = err };
	int r = ask(session);

	while (r == 0)
		r = take_one(&taking);
	if (r > 0)
		r = check_all(session);
	if (r == -ECANCELED)
		return err_wrap(err, "taking over from %s", session->take_over);
	if (r < 0)
		return err_set(err, r, "taking over from %s: %s",
			       session->take_over, strerrordesc_np(-r));
	(void)restart_resend(session);
	return 0;
}

/* What the keeper before has at these names stays open until it ends. That this
 * one cannot be asked is no reason to give mounts up. */
static void listen_to_all(struct session *session)
{
	struct err err = { .code = 0 };
	int r;

	for (size_t i = 0; i < session->mount_count; i++) {
		struct session_mount *mount = &session->mounts[i];

		if (mount->listening < 0)
			mount->listening =
				runtime_listen(mount->mount.id, &err);
	}
	if (folder_is_open(session) && session->folder.listening < 0)
		(void)folder_listen(session, &err);
	if (err.code < 0)
		log_err("commands do not find this keeper", "error=%s",
			err.text);
	r = attach_publish(&session->attach);
	/* It may be there already. */
	if (r < 0 && r != -ENOENT)
		log_err("workers do not find this keeper",
			"attach_socket=%s error=%s", session->attach.path,
			strerrordesc_np(-r));
}

static int tell(const struct session *session, enum message_type type)
{
	struct message message;

	message_fill(&message, type, MESSAGE_NO_MOUNT, NULL, 0);
	return message_send(session->forerunner, &message, -1);
}

/* One that died says nothing, and then nobody else has them. */
static bool has_gone_on(const struct session *session)
{
	struct message message = { 0 };
	int r = await(session->forerunner, ANSWER_TIMEOUT_MS, &message, NULL);

	return r == 0 && message.type == MESSAGE_FAILED;
}

/* Where the other one saw other ids it has sockets of other names, which nobody
 * removes if it has died. */
static void own(struct session_mount *mount)
{
	if (!mount->mount.is_found)
		return;
	mount_own(&mount->mount);
	if (mount->legacy_id != mount->mount.id)
		runtime_remove(mount->legacy_id, -1);
}

/* Until it is told more, it says nothing but that. */
enum forerunner heir_look(const struct session *session)
{
	char byte;
	ssize_t r = recv(session->forerunner, &byte, sizeof(byte),
			 MSG_PEEK | MSG_DONTWAIT);

	if (r > 0)
		return FORERUNNER_WENT_ON;
	return r < 0 && errno == EAGAIN ? FORERUNNER_WAITS : FORERUNNER_GONE;
}

static int refuse_late(struct err *err)
{
	return err_set(err, -EBUSY, "the keeper before has not waited");
}

int heir_own(struct session *session, struct err *err)
{
	if (session->forerunner < 0)
		return 0;
	(void)tell(session, MESSAGE_DONE);
	if (has_gone_on(session))
		return refuse_late(err);
	listen_to_all(session);
	for (size_t i = 0; i < session->mount_count; i++)
		own(&session->mounts[i]);
	attach_sweep(&session->attach);
	descriptor_done(&session->forerunner);
	log_info("took over from another keeper", NULL);
	return 0;
}

int heir_await(struct session *session, struct err *err)
{
	if (heir_look(session) == FORERUNNER_WENT_ON)
		return refuse_late(err);
	listen_to_all(session);
	return tell(session, MESSAGE_READY) < 0 ? heir_own(session, err) : 0;
}
