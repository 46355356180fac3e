/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a started worker to served mounts. A mount is attached last, when it is
 * served already: so nobody ever sees one that does not answer, and whatever
 * fails before leaves no trace.
 */
#include "base/err.h"
#include "base/log.h"
#include "base/macros.h"
#include "keeper/folder.h"
#include "keeper/handover.h"
#include "keeper/heir.h"
#include "keeper/message.h"
#include "keeper/moment.h"
#include "keeper/report.h"
#include "keeper/restart.h"
#include "keeper/runtime.h"
#include "keeper/session.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define READY_TIMEOUT_MS 30000
#define SERVING_TIMEOUT_MS 30000
#define VERSION_TIMEOUT_MS 5000
#define GOING_TIMEOUT_MS 5000

struct startup {
	struct session *session;
	struct err *err;
	int64_t deadline_ms;
	/* ADD, of a folder that another keeper has: done when it is taken */
	struct message *wishes; /* room for SESSION_MOUNTS_MAX, or NULL */
	size_t wish_count;
};

/* To wait for it too, while it may still go on; or -1. */
static int forerunner_of(const struct session *session)
{
	return heir_look(session) == FORERUNNER_GONE ? -1 : session->forerunner;
}

/* 0 when the worker has sent something; its death is the end of its stream. */
static int wait_for_worker(const struct startup *startup)
{
	struct pollfd fds[] = {
		{ .fd = startup->session->worker.socket, .events = POLLIN },
		{ .fd = startup->session->signals, .events = POLLIN },
		{ .fd = startup->session->launcher, .events = POLLIN },
		{ .fd = forerunner_of(startup->session), .events = POLLIN },
	};
	/* One that talks without end would never let it come. */
	bool is_late = moment_ms() >= startup->deadline_ms;
	int r = poll(fds, ARRAY_SIZE(fds),
		     moment_rest_ms(startup->deadline_ms));

	if (r < 0 && errno != EINTR)
		return err_set(startup->err, -errno, "poll: %s",
			       strerrordesc_np(errno));
	if (r > 0 && fds[1].revents)
		return err_set(startup->err, -EINTR, "ended by a signal");
	if (r > 0 && fds[2].revents)
		return err_set(startup->err, -EINTR, "nobody waits for it");
	if (r > 0 && fds[3].revents &&
	    heir_look(startup->session) == FORERUNNER_WENT_ON)
		return err_set(startup->err, -EBUSY,
			       "the keeper before has not waited");
	if (r == 0 || is_late)
		return err_set(startup->err, -ETIMEDOUT,
			       "the worker did not get ready in time");
	return 0;
}

static int report_death(const struct startup *startup)
{
	char cause[32];
	int status;

	if (child_end(&startup->session->worker, GOING_TIMEOUT_MS, &status) < 0)
		return err_set(startup->err, -EIO,
			       "the worker left before it served");
	return err_set(startup->err, -EIO,
		       "the worker died before it served (%s); --foreground "
		       "shows more",
		       child_describe(status, cause, sizeof(cause)));
}

/* The worker's own line and number are the command's. */
static int report_refusal(const struct startup *startup,
			  const struct message *message)
{
	int number = message->number;
	int status;

	/* It is on its way out; waiting keeps its end its own. */
	(void)child_end(&startup->session->worker, GOING_TIMEOUT_MS, &status);
	startup->session->exit_code = number > 0 && number < 256 ? number : 1;
	return err_set(startup->err, -EIO, "%s", message->body);
}

static int report_nonsense(const struct startup *startup)
{
	return err_set(startup->err, -EPROTO,
		       "the worker sent what a worker does not send at its "
		       "start");
}

static int receive(const struct startup *startup, struct message *ret)
{
	struct session *session = startup->session;
	int r = session_receive(session, ret);

	if (r < 0 || ret->type != MESSAGE_WARNING)
		return r;
	/* One that never ends would never let the deadline come. */
	if (session->warnings++ == MESSAGE_WARNINGS_MAX)
		return -EPROTO;
	report_warning(ret->body);
	return -EAGAIN;
}

/* The worker's next message. */
static int await_any(const struct startup *startup, struct message *ret)
{
	int r;

	do {
		r = wait_for_worker(startup);
		if (r < 0)
			return r;
		r = receive(startup, ret);
	} while (r == -EAGAIN);
	if (r == -EPIPE)
		return report_death(startup);
	if (r < 0)
		return report_nonsense(startup);
	if (ret->type == MESSAGE_FAILED)
		return report_refusal(startup, ret);
	return 0;
}

/* The same, which has to be of that type. */
static int await(const struct startup *startup, enum message_type type,
		 struct message *ret)
{
	int r = await_any(startup, ret);

	if (r < 0)
		return r;
	return ret->type == (uint32_t)type ? 0 : report_nonsense(startup);
}

/* Mounts come in order, each with its source's name; a READY about none ends
 * the list. Each is created as it comes, and attached by nobody yet. */
static int create_mounts(const struct startup *startup)
{
	struct session *session = startup->session;
	struct message message;
	uint32_t count = 0;

	for (;;) {
		int r = await(startup, MESSAGE_READY, &message);

		if (r < 0)
			return r;
		if (message.mount == MESSAGE_NO_MOUNT)
			break;
		if (message.mount != count || count >= session->mount_count)
			return report_nonsense(startup);
		if (!session->take_over)
			r = mount_create(&session->mounts[count].mount,
					 message.body, &session->wish,
					 startup->err);
		if (r < 0)
			return r;
		count++;
	}
	return count == session->mount_count ? 0 : report_nonsense(startup);
}

/* One that cannot be is told of, and the others are made. */
static void add_to_folder(const struct startup *startup,
			  const struct message *message)
{
	char line[MESSAGE_BODY_MAX + ERR_TEXT_MAX];

	if (folder_add(startup->session, message, startup->err) == 0)
		return;
	(void)snprintf(line, sizeof(line), "class %.*s: %s", FOLDER_NAME_MAX,
		       message->body, startup->err->text);
	report_warning(line);
	folder_refuse(startup->session->worker.socket, message->body,
		      startup->err->text);
}

static int note_wish(struct startup *startup, const struct message *message)
{
	if (!startup->wishes)
		startup->wishes =
			calloc(SESSION_MOUNTS_MAX, sizeof(*startup->wishes));
	if (!startup->wishes)
		return err_set(startup->err, -ENOMEM, "no memory");
	if (startup->wish_count == SESSION_MOUNTS_MAX)
		return report_nonsense(startup);
	startup->wishes[startup->wish_count++] = *message;
	return 0;
}

/* Those of a folder come by their names. */
static int create_folder(struct startup *startup)
{
	bool is_heir = startup->session->take_over != NULL;
	struct message message;
	bool is_asked = false;
	int r = await_any(startup, &message);

	while (r == 0 && message.type == MESSAGE_ADD) {
		is_asked = true;
		if (is_heir)
			r = note_wish(startup, &message);
		else
			add_to_folder(startup, &message);
		if (r == 0)
			r = await_any(startup, &message);
	}
	if (r < 0)
		return r;
	if (message.type != MESSAGE_READY || message.mount != MESSAGE_NO_MOUNT)
		return report_nonsense(startup);
	if (is_asked && !is_heir && startup->session->mount_count == 0)
		return err_wrap(startup->err, "no class could be mounted");
	return 0;
}

/* What the worker has asked for is among it, or is made now. */
static int take_over(const struct startup *startup)
{
	int r = heir_take(startup->session, startup->err);

	for (size_t i = 0; r == 0 && i < startup->wish_count; i++)
		add_to_folder(startup, &startup->wishes[i]);
	return r;
}

static int hand_over(const struct startup *startup, uint32_t index,
		     int64_t deadline_ms)
{
	struct session *session = startup->session;
	struct session_mount *mount = &session->mounts[index];
	int r;

	/* One that is found is the keeper's before until all are served. */
	if (mount->listening < 0 && !mount->mount.is_found) {
		mount->listening =
			runtime_listen(mount->mount.id, startup->err);
		if (mount->listening < 0)
			return mount->listening;
	}
	r = handover_mount(session, index, deadline_ms);
	if (r == -EPIPE)
		return report_death(startup);
	if (r < 0)
		return err_set(startup->err, r,
			       "the mount could not be handed to the worker");
	return 0;
}

static bool is_still_wanted(const struct session *session, size_t index)
{
	return !folder_is_open(session) || session->mounts[index].is_wanted;
}

/* What is not wanted of a folder is taken off later. */
static int hand_over_rest(const struct startup *startup, int64_t deadline_ms)
{
	struct session *session = startup->session;
	int r = 0;

	for (uint32_t i = 0; r == 0 && i < session->mount_count; i++)
		if (!session->mounts[i].is_handed_over &&
		    is_still_wanted(session, i))
			r = hand_over(startup, i, deadline_ms);
	return r;
}

/* A worker of a folder may have changed its mind meanwhile; what it does not
 * want any more is taken off when all serve. */
static int on_afterthought(const struct startup *startup,
			   const struct message *message)
{
	struct session *session = startup->session;
	struct session_mount *mount = session_mount_of(session, message);

	if (message->type == MESSAGE_REMOVE && mount) {
		mount->is_wanted = false;
		return 0;
	}
	if (message->type != MESSAGE_ADD || !folder_is_open(session))
		return report_nonsense(startup);
	add_to_folder(startup, message);
	return hand_over_rest(startup, startup->deadline_ms);
}

/* What is not wanted any more need not serve. */
static bool do_all_serve(const struct session *session)
{
	for (size_t i = 0; i < session->mount_count; i++)
		if (!session->mounts[i].is_served &&
		    is_still_wanted(session, i))
			return false;
	return true;
}

static int on_serving(const struct startup *startup,
		      const struct message *message)
{
	struct session_mount *mount =
		session_mount_of(startup->session, message);

	if (!mount || mount->is_served)
		return report_nonsense(startup);
	mount->is_served = true;
	return 0;
}

static int await_serving(const struct startup *startup)
{
	struct message message;

	while (!do_all_serve(startup->session)) {
		int r = await_any(startup, &message);

		if (r == 0)
			r = message.type == MESSAGE_SERVING
				    ? on_serving(startup, &message)
				    : on_afterthought(startup, &message);
		if (r < 0)
			return r;
	}
	return 0;
}

static int wait_for_someone(const struct session *session, struct err *err)
{
	struct pollfd fds[] = {
		{ .fd = session->attach.listening, .events = POLLIN },
		{ .fd = session->signals, .events = POLLIN },
	};

	if (poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno != EINTR)
		return err_set(err, -errno, "poll: %s", strerrordesc_np(errno));
	return fds[1].revents ? err_set(err, -EINTR, "ended by a signal") : 0;
}

/* 0 when one has come, and has said what a worker says first. */
static int take_first(const struct startup *startup)
{
	struct session *session = startup->session;
	struct message message;
	int r;

	if (attach_accept(&session->attach, &session->worker) < 0)
		return -EAGAIN;
	r = await(startup, MESSAGE_ATTACH, &message);
	if (r == 0) {
		log_info("a worker has come", "pid=%d version=\"%s\"",
			 session->worker.pid, message.body);
		return 0;
	}
	child_done(&session->worker);
	if (r == -EINTR)
		return r;
	log_warn("who came is no worker", "why=\"%s\"", startup->err->text);
	return -EAGAIN;
}

/* For as long as it takes. */
static int await_first(struct startup *startup)
{
	int r;

	do {
		r = wait_for_someone(startup->session, startup->err);
		if (r < 0)
			return r;
		startup->deadline_ms = moment_ms() + VERSION_TIMEOUT_MS;
		r = take_first(startup);
	} while (r == -EAGAIN);
	startup->deadline_ms = moment_ms() + READY_TIMEOUT_MS;
	return r;
}

/* The mounts are made, or another keeper's, and nobody has them yet. */
static int get_mounts(struct startup *startup)
{
	struct session *session = startup->session;
	int r = session->worker_plan ? 0 : await_first(startup);

	if (r < 0)
		return r;
	r = folder_is_open(session) ? create_folder(startup)
				    : create_mounts(startup);
	return r == 0 && session->take_over ? take_over(startup) : r;
}

static int hand_over_all(const struct startup *startup)
{
	struct session *session = startup->session;
	int64_t deadline_ms = handover_deadline_ms();
	int r = fence_make(&session->fence, startup->err);

	if (r == 0 && handover_begin(session, deadline_ms) < 0)
		r = report_death(startup);
	return r < 0 ? r : hand_over_rest(startup, deadline_ms);
}

static int attach_all(struct session *session, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < session->mount_count; i++)
		if (is_still_wanted(session, i))
			r = mount_attach(&session->mounts[i].mount, err);
	return r;
}

/* What is new finds its place, or that is told of: mounts that are in use do
 * not end by it. */
static int own_all(struct session *session, struct err *err)
{
	int r = heir_own(session, err);

	for (size_t i = 0; r == 0 && i < session->mount_count; i++)
		if (is_still_wanted(session, i))
			folder_on_served(session, &session->mounts[i]);
	return r;
}

static int start_with_worker(struct startup *startup)
{
	int r = get_mounts(startup);

	if (r == 0)
		r = hand_over_all(startup);
	startup->deadline_ms = moment_ms() + SERVING_TIMEOUT_MS;
	if (r == 0)
		r = await_serving(startup);
	if (r < 0)
		return r;
	restart_begin(startup->session);
	return startup->session->take_over
		       ? own_all(startup->session, startup->err)
		       : attach_all(startup->session, startup->err);
}

/* One that comes is a successor then, of nobody. */
static int start_without_worker(const struct startup *startup)
{
	struct session *session = startup->session;
	int r = fence_make(&session->fence, startup->err);

	if (r == 0 && session->take_over)
		r = heir_take(session, startup->err);
	if (r == 0 && session->take_over)
		r = heir_await(session, startup->err);
	if (r == 0)
		restart_anew(session);
	return r;
}

int session_start(struct session *session, struct err *err)
{
	struct startup startup = {
		.session = session,
		.err = err,
		.deadline_ms = moment_ms() + READY_TIMEOUT_MS,
	};
	bool has_worker = session->worker_plan ||
			  (!session->take_over && !folder_is_open(session));
	int r = has_worker ? start_with_worker(&startup)
			   : start_without_worker(&startup);

	free(startup.wishes);
	return r;
}
