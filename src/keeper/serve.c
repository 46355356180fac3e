/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a keeper does while its mounts serve: almost nothing. It waits for the
 * reasons to end, and hands those who want to know something to the worker. The
 * fuse descriptors are not among what it waits for: that would wake it with
 * every request, so it is the worker who tells that a mount has gone.
 */
#include "base/err.h"
#include "base/log.h"
#include "base/macros.h"
#include "keeper/clients.h"
#include "keeper/descriptor.h"
#include "keeper/ending.h"
#include "keeper/folder.h"
#include "keeper/heir.h"
#include "keeper/inherit.h"
#include "keeper/message.h"
#include "keeper/notifiers.h"
#include "keeper/restart.h"
#include "keeper/session.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

enum state {
	STATE_SERVING,
	STATE_STOPPED,	 /* a signal or a client asked for the end */
	STATE_INHERITED, /* another keeper has the mounts */
	STATE_UNMOUNTED, /* someone unmounted the last mount */
	STATE_BEREFT,	 /* the worker died or can no longer be trusted */
	STATE_FAILED,	 /* and it was the last */
};

enum {
	POLL_WORKER,
	POLL_ENDED,
	POLL_SIGNALS,
	POLL_FOLDER,
	POLL_FORERUNNER,
	POLL_ATTACH,
	POLL_SUCCESSOR,
	POLL_STRAYS,
	POLL_LISTENING = POLL_STRAYS + SESSION_STRAYS_MAX,
	POLL_CLIENTS = POLL_LISTENING + SESSION_MOUNTS_MAX,
	POLL_NOTIFIERS = POLL_CLIENTS + SESSION_CLIENTS_MAX,
	POLL_COUNT = POLL_NOTIFIERS + NOTIFIERS_POLL_COUNT,
};

static enum state lose(struct session *session, struct session_mount *mount)
{
	log_info("someone unmounted a mount", "mount_id=%" PRIu64,
		 mount->mount.id);
	/* Aborted rather than unmounted, it is still on its place. */
	session_drop_mount(session, mount, true);
	for (size_t i = 0; i < session->mount_count; i++)
		if (session_has(&session->mounts[i]))
			return STATE_SERVING;
	return STATE_UNMOUNTED;
}

static enum state on_gone(struct session *session,
			  const struct message *message)
{
	struct session_mount *mount = session_mount_of(session, message);

	if (!mount || !session_has(mount)) {
		log_err("the worker named a mount that is not there",
			"mount=%u", message->mount);
		return STATE_BEREFT;
	}
	return lose(session, mount);
}

static void on_drop_pages(struct session *session,
			  const struct message *message)
{
	const struct session_mount *mount = session_mount_of(session, message);
	int r;

	if (!mount || !session_has(mount))
		return;
	r = page_dropper_start(&session->page_droppers, mount->mount.fuse_fd,
			       message->body, message->length);
	if (r < 0)
		log_warn("pages of a secret that was refused may stay cached",
			 "mount_id=%" PRIu64 " error=%s", mount->mount.id,
			 strerrordesc_np(-r));
}

static enum state on_worker_message(struct session *session)
{
	struct message message;
	int r = session_receive(session, &message);

	if (r == -EAGAIN)
		return STATE_SERVING;
	if (r == -EPIPE)
		return STATE_BEREFT;
	if (r == 0 && (restart_on_message(session, &message) ||
		       folder_on_message(session, &message)))
		return STATE_SERVING;
	if (r == 0 && message.type == MESSAGE_GONE)
		return on_gone(session, &message);
	if (r == 0 && message.type == MESSAGE_DROP_PAGES) {
		on_drop_pages(session, &message);
		return STATE_SERVING;
	}
	if (r == 0 && message.type == MESSAGE_FAILED)
		log_err("the worker gave up", "reason=\"%s\"", message.body);
	else
		log_err("the worker sent what a worker does not send", NULL);
	return STATE_BEREFT;
}

/* It may have spoken after poll(2) looked at its socket. */
static enum state on_worker_ended(struct session *session)
{
	struct pollfd last = { .fd = session->worker.socket, .events = POLLIN };

	return poll(&last, 1, 0) > 0 ? on_worker_message(session)
				     : STATE_BEREFT;
}

static void tell_worker(const struct session *session, enum message_type type)
{
	struct message message;

	/* One that is started later knows by itself. */
	if (session->worker.socket < 0)
		return;
	message_fill(&message, type, MESSAGE_NO_MOUNT, NULL, 0);
	if (message_send(session->worker.socket, &message, -1) < 0)
		log_warn("the worker does not listen", "pid=%d",
			 session->worker.pid);
}

/* One that is to follow may have read what is to be read again. */
static void tell_workers(const struct session *session, enum message_type type)
{
	struct message message;

	tell_worker(session, type);
	message_fill(&message, type, MESSAGE_NO_MOUNT, NULL, 0);
	if (session->successor.process.socket >= 0)
		(void)message_send(session->successor.process.socket, &message,
				   -1);
}

static enum state on_signal(struct session *session)
{
	struct signalfd_siginfo info;

	if (read(session->signals, &info, sizeof(info)) != sizeof(info))
		return STATE_SERVING;
	if (info.ssi_signo == SIGHUP || info.ssi_signo == SIGUSR1) {
		tell_workers(session, info.ssi_signo == SIGHUP
					      ? MESSAGE_RELOAD
					      : MESSAGE_REFRESH);
		return STATE_SERVING;
	}
	session->is_told_to_end = true;
	log_info("ending", "signal=%s",
		 info.ssi_signo == SIGINT ? "INT" : "TERM");
	return STATE_STOPPED;
}

static const char *unmount_refusal(int code)
{
	return code == -EBUSY ? "another mount stands on this one"
			      : strerrordesc_np(-code);
}

/* One of a folder; the others stay. */
static void unmount_one(struct session *session, struct session_client *client)
{
	cleanup_fd int fd = descriptor_take(&client->fd);
	int r = !session_has(&session->mounts[client->mount])
			? 0
			: folder_unmount(session, client->mount);

	if (r < 0)
		clients_answer(fd, MESSAGE_FAILED, unmount_refusal(r));
	else
		clients_answer(fd, MESSAGE_DONE, "");
}

/* Another keeper's until now. */
static enum state own_all(struct session *session)
{
	struct err err;

	if (heir_own(session, &err) == 0)
		return STATE_SERVING;
	log_err("cannot take over", "error=%s", err.text);
	return STATE_FAILED;
}

static enum state on_unmount(struct session *session,
			     struct session_client *client)
{
	int r;

	if (own_all(session) != STATE_SERVING)
		return STATE_FAILED;
	if (folder_is_open(session) && client->mount < SESSION_MOUNTS_MAX) {
		unmount_one(session, client);
		return STATE_SERVING;
	}
	r = ending_detach(session);
	if (r < 0) {
		clients_answer(client->fd, MESSAGE_FAILED, unmount_refusal(r));
		return STATE_SERVING;
	}
	client->awaits_end = true;
	log_info("ending", "asked_by=unmount");
	return STATE_STOPPED;
}

static enum state on_take_over(struct session *session,
			       struct session_client *client,
			       const struct message *message)
{
	if (own_all(session) != STATE_SERVING)
		return STATE_FAILED;
	if (inherit_give(session, client->fd, message))
		return STATE_INHERITED;
	descriptor_done(&client->fd);
	return STATE_SERVING;
}

static enum state on_client_message(struct session *session,
				    struct session_client *client)
{
	cleanup_fd int unwanted = -1;
	struct message message;
	int r = message_receive(client->fd, &message, &unwanted);

	if (r == -EAGAIN)
		return STATE_SERVING;
	if (r == 0 && message.type == MESSAGE_UPGRADE) {
		successor_start(session, descriptor_take(&unwanted),
				descriptor_take(&client->fd));
		return STATE_SERVING;
	}
	if (r == 0 && message.type == MESSAGE_WHICH)
		inherit_tell(session, client->fd, &message);
	if (r == 0 && message.type == MESSAGE_TAKE_OVER)
		return on_take_over(session, client, &message);
	if (r == 0 && message.type == MESSAGE_UNMOUNT)
		return on_unmount(session, client);
	if (r == 0 &&
	    (message.type == MESSAGE_STATUS || message.type == MESSAGE_REFRESH))
		clients_pass_on(session, client, &message);
	descriptor_done(&client->fd);
	return STATE_SERVING;
}

static enum state on_clients(struct session *session, const struct pollfd *fds)
{
	for (size_t i = 0; i < session->mount_count; i++)
		if (fds[POLL_LISTENING + i].revents)
			clients_connect(session, session->mounts[i].listening,
					i);
	if (fds[POLL_FOLDER].revents)
		clients_connect(session, session->folder.listening,
				SESSION_MOUNTS_MAX);
	for (size_t i = 0; i < SESSION_CLIENTS_MAX; i++) {
		enum state state = STATE_SERVING;

		if (fds[POLL_CLIENTS + i].revents)
			state = on_client_message(session,
						  &session->clients[i]);
		if (state != STATE_SERVING)
			return state;
	}
	return STATE_SERVING;
}

/* poll(2) passes over what is -1. */
static void fill_poll(const struct session *session, struct pollfd *fds)
{
	for (size_t i = 0; i < POLL_COUNT; i++)
		fds[i] = (struct pollfd){ .fd = -1, .events = POLLIN };
	fds[POLL_WORKER].fd = session->worker.socket;
	fds[POLL_ENDED].fd = session->worker.pidfd;
	fds[POLL_SIGNALS].fd = session->signals;
	fds[POLL_FOLDER].fd = session->folder.listening;
	fds[POLL_FORERUNNER].fd = session->forerunner;
	for (size_t i = 0; i < session->mount_count; i++)
		fds[POLL_LISTENING + i].fd = session->mounts[i].listening;
	for (size_t i = 0; i < SESSION_CLIENTS_MAX; i++)
		fds[POLL_CLIENTS + i].fd = session->clients[i].fd;
	fds[POLL_ATTACH].fd = session->attach.listening;
	fds[POLL_SUCCESSOR].fd = session->successor.process.socket;
	for (size_t i = 0; i < SESSION_STRAYS_MAX; i++)
		fds[POLL_STRAYS + i] =
			(struct pollfd){ .fd = session->strays[i] };
	notifiers_fill_poll(session, fds + POLL_NOTIFIERS);
}

static void on_other_workers(struct session *session, const struct pollfd *fds)
{
	if (fds[POLL_SUCCESSOR].revents)
		successor_on_message(session);
	if (fds[POLL_ATTACH].revents)
		successor_on_connect(session);
	for (size_t i = 0; i < SESSION_STRAYS_MAX; i++)
		if (fds[POLL_STRAYS + i].revents)
			restart_on_stray(session, i);
}

/* While there is no worker nobody else tells of it. */
static enum state check_connections(struct session *session)
{
	enum state state = STATE_SERVING;

	for (size_t i = 0; i < session->mount_count; i++) {
		struct session_mount *mount = &session->mounts[i];
		struct pollfd connection = { .fd = mount->mount.fuse_fd };

		if (poll(&connection, 1, 0) <= 0)
			continue;
		if (folder_is_open(session))
			folder_drop(session, mount);
		else
			state = lose(session, mount);
	}
	return state;
}

/* What the worker still had to say comes before its death. One that talks
 * without end has every other turn, and nobody else waits for its silence. */
static enum state turn(struct session *session)
{
	struct pollfd fds[POLL_COUNT];

	if (!restart_on_time(session))
		return STATE_FAILED;
	fill_poll(session, fds);
	if (poll(fds, POLL_COUNT, restart_timeout_ms(session)) < 0) {
		if (errno == EINTR)
			return STATE_SERVING;
		log_err("poll failed", "error=%s", strerrordesc_np(errno));
		return STATE_FAILED;
	}
	if (fds[POLL_SIGNALS].revents)
		return on_signal(session);
	session->hears_worker =
		fds[POLL_WORKER].revents && !session->hears_worker;
	if (session->hears_worker)
		return on_worker_message(session);
	if (fds[POLL_ENDED].revents)
		return on_worker_ended(session);
	if (fds[POLL_FORERUNNER].revents && own_all(session) != STATE_SERVING)
		return STATE_FAILED;
	on_other_workers(session, fds);
	notifiers_on_poll(session, fds + POLL_NOTIFIERS);
	if (session->phase == PHASE_WAITING &&
	    check_connections(session) != STATE_SERVING)
		return STATE_UNMOUNTED;
	return on_clients(session, fds);
}

/* From now on SIGHUP and SIGUSR1 are heard, also those that came before. */
static void take_wishes(const struct session *session)
{
	sigset_t signals;

	(void)sigemptyset(&signals);
	(void)sigaddset(&signals, SIGTERM);
	(void)sigaddset(&signals, SIGINT);
	(void)sigaddset(&signals, SIGHUP);
	(void)sigaddset(&signals, SIGUSR1);
	if (signalfd(session->signals, &signals, 0) < 0)
		log_warn("no reload and no refresh by signals", "error=%s",
			 strerrordesc_np(errno));
}

int session_run(struct session *session)
{
	enum state state = STATE_SERVING;

	session->started_s = time(NULL);
	take_wishes(session);
	for (size_t i = 0; i < session->mount_count; i++)
		mount_report(&session->mounts[i].mount);
	if (session->phase == PHASE_SERVING)
		folder_settle(session);
	notifiers_start(session);
	while (state == STATE_SERVING) {
		state = turn(session);
		if (state == STATE_BEREFT)
			state = restart_after_death(session) ? STATE_SERVING
							     : STATE_FAILED;
	}
	if (state == STATE_FAILED)
		ending_drop(session, false);
	else if (state == STATE_STOPPED && session->is_told_to_end &&
		 session->leaves_mounts)
		ending_leave(session);
	else if (state != STATE_INHERITED)
		ending_unmount(session);
	folder_close(session);
	clients_tell_of_end(session);
	if (state == STATE_INHERITED && session->lingers)
		inherit_linger(session);
	if (state == STATE_FAILED)
		return 1;
	log_info("ended", NULL);
	return 0;
}
