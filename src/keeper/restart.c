/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The second worker is started as the first was, but in pieces between which
 * the keeper goes on: the mounts are there already, and who unmounts them must
 * not wait for a worker that never gets ready.
 */
#include "keeper/restart.h"
#include "base/err.h"
#include "base/log.h"
#include "keeper/folder.h"
#include "keeper/fuse_init.h"
#include "keeper/handover.h"
#include "keeper/message.h"
#include "keeper/moment.h"
#include "keeper/notifiers.h"
#include "keeper/session.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#define START_TIMEOUT_MS 30000

static bool is_there(const struct session_mount *mount)
{
	return mount->mount.fuse_fd >= 0;
}

/* False: this kernel cannot, and the next worker takes them from the journal. A
 * mount that has gone meanwhile is told of by that one. */
static bool resend(const struct session *session)
{
	for (size_t i = 0; i < session->mount_count; i++)
		if (is_there(&session->mounts[i]) &&
		    (session->resends_nothing ||
		     fuse_notify_resend(session->mounts[i].mount.fuse_fd) ==
			     -EINVAL))
			return false;
	return true;
}

static int64_t served_ms(const struct session *session)
{
	return session->phase == PHASE_SERVING ? moment_ms() - session->phase_ms
					       : 0;
}

/* What it died of, in words. */
static void bury(struct session *session, char *cause, size_t size)
{
	int status;

	(void)snprintf(cause, size, "unknown");
	/* One that sent nonsense lives, and one whose socket closed may take
	 * a moment. */
	if (child_end(&session->worker, 0, &status) == 0)
		(void)child_describe(status, cause, size);
	child_done(&session->worker);
}

bool restart_after_death(struct session *session)
{
	int64_t pause_ms =
		deaths_note(&session->deaths, moment_ms(), served_ms(session));
	pid_t pid = session->worker.pid;
	char cause[32];
	bool is_resent;

	bury(session, cause, sizeof(cause));
	session->phase = PHASE_WAITING;
	session->phase_ms = moment_ms() + pause_ms;
	notifiers_pause(session);
	/* Now, and not when the next one reads: until then who waits could not
	 * even be killed. */
	is_resent = resend(session);
	if (pause_ms < 0) {
		log_err("the worker died, unmounting",
			"pid=%d cause=\"%s\" why=\"too many have died\"", pid,
			cause);
		return false;
	}
	log_err("the worker died, another one follows",
		"requests=\"%s\" pid=%d cause=\"%s\" pause_ms=%" PRId64,
		is_resent ? "sent again" : "in the journal", pid, cause,
		pause_ms);
	return true;
}

int restart_timeout_ms(const struct session *session)
{
	if (session->phase == PHASE_SERVING)
		return -1;
	return moment_rest_ms(session->phase_ms);
}

static bool start(struct session *session)
{
	struct err err;

	session->warnings = 0;
	session_drop_next_pool(session);
	for (size_t i = 0; i < session->mount_count; i++)
		session->mounts[i].is_served = false;
	folder_begin(session);
	if (child_start(session->worker_plan, &session->worker, &err) < 0) {
		log_err("cannot start a worker", "error=%s", err.text);
		return restart_after_death(session);
	}
	session->phase = PHASE_STARTING;
	session->phase_ms = moment_ms() + START_TIMEOUT_MS;
	log_debug("worker started", "pid=%d", session->worker.pid);
	return true;
}

bool restart_on_time(struct session *session)
{
	if (session->phase == PHASE_SERVING ||
	    moment_rest_ms(session->phase_ms) > 0)
		return true;
	if (session->phase == PHASE_WAITING)
		return start(session);
	log_err("the worker did not get ready in time", "pid=%d",
		session->worker.pid);
	return restart_after_death(session);
}

static void note_served(struct session *session)
{
	for (size_t i = 0; i < session->mount_count; i++)
		if (is_there(&session->mounts[i]) &&
		    !session->mounts[i].is_served)
			return;
	session->phase = PHASE_SERVING;
	session_keep_pool(session);
	session->phase_ms = moment_ms();
	log_info("serving again", "worker_pid=%d", session->worker.pid);
	notifiers_start(session);
}

/* One that has died meanwhile is found by its pidfd. */
static void hand_over(struct session *session)
{
	folder_settle(session);
	/* Before the first read: a request that this worker read would else be
	 * sent to it twice. */
	(void)resend(session);
	(void)handover_pool(session);
	for (uint32_t i = 0; i < session->mount_count; i++)
		if (is_there(&session->mounts[i]))
			(void)handover_mount(session, i);
	/* A folder may be empty. */
	note_served(session);
}

static bool on_ready(struct session *session, const struct message *message)
{
	if (message->mount == MESSAGE_NO_MOUNT)
		hand_over(session);
	return message->mount == MESSAGE_NO_MOUNT ||
	       message->mount < session->mount_count;
}

static bool on_warning(struct session *session, const struct message *message)
{
	log_warn("the worker warns", "what=\"%s\"", message->body);
	return session->warnings++ < MESSAGE_WARNINGS_MAX;
}

static bool on_serving(struct session *session, const struct message *message)
{
	struct session_mount *mount = session_mount_of(session, message);

	if (!mount || mount->is_served)
		return false;
	mount->is_served = true;
	folder_on_served(session, mount);
	note_served(session);
	return true;
}

bool restart_on_message(struct session *session, const struct message *message)
{
	if (session->phase != PHASE_STARTING)
		return false;
	if (message->type == MESSAGE_READY)
		return on_ready(session, message);
	if (message->type == MESSAGE_WARNING)
		return on_warning(session, message);
	return message->type == MESSAGE_SERVING && on_serving(session, message);
}
