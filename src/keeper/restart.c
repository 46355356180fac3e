/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The second worker is started as the first was, but in pieces between which
 * the keeper goes on: the mounts are there already, and who unmounts them must
 * not wait for a worker that never gets ready.
 */
#include "keeper/restart.h"
#include "base/err.h"
#include "base/log.h"
#include "keeper/abort.h"
#include "keeper/descriptor.h"
#include "keeper/folder.h"
#include "keeper/fuse_init.h"
#include "keeper/handover.h"
#include "keeper/heir.h"
#include "keeper/message.h"
#include "keeper/moment.h"
#include "keeper/notifiers.h"
#include "keeper/session.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#define START_TIMEOUT_MS 30000
/* From the end of its socket to that of its process. */
#define GOING_MS 1000
#define NEVER INT64_MAX

/* A mount that has gone meanwhile is told of by the next worker. */
bool restart_resend(const struct session *session)
{
	for (size_t i = 0; i < session->mount_count; i++)
		if (session_has(&session->mounts[i]) &&
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

void restart_fence_off(struct session *session)
{
	log_warn("a worker that cannot be ended is fenced off", "pid=%d",
		 session->worker.pid);
	(void)fence_next(&session->fence);
	session->shares_memory = true;
	session_drop_pools(session);
	session_keep_stray(session, &session->worker.socket);
}

void restart_on_stray(struct session *session, size_t index)
{
	descriptor_done(&session->strays[index]);
	(void)restart_resend(session);
	log_info("a worker that was fenced off is gone", NULL);
}

/* What it died of, in words. 0; 1: of nothing, it has left as it said; negative
 * errno: it cannot be ended. */
static int bury(struct session *session, char *cause, size_t size)
{
	bool is_leaving = session->phase == PHASE_LEAVING;
	int status;
	int r;

	(void)snprintf(cause, size, "unknown");
	/* One that sent nonsense lives, and one whose socket closed may take
	 * a moment. */
	r = child_end(&session->worker, is_leaving ? GOING_MS : 0, &status);
	if (r == 0 && !session->worker.is_attached)
		(void)child_describe(status, cause, size);
	if (r == -EPERM)
		restart_fence_off(session);
	child_done(&session->worker);
	if (r == -ETIMEDOUT)
		abort_connections(session);
	return r == 0 ? is_leaving && status == 0 : r;
}

static void plan_next(struct session *session, int64_t pause_ms)
{
	session->phase = PHASE_WAITING;
	session->phase_ms = moment_ms() + pause_ms;
	if (!session->worker_plan)
		session->phase_ms = NEVER;
	successor_urge(session);
	notifiers_pause(session);
}

void restart_anew(struct session *session)
{
	plan_next(session, 0);
	(void)restart_resend(session);
}

static void follow(struct session *session, pid_t pid)
{
	plan_next(session, 0);
	/* What it had no time to answer. */
	(void)restart_resend(session);
	log_info("the worker has left, another one follows", "pid=%d", pid);
}

static bool end(pid_t pid, const char *cause, const char *why)
{
	log_err("the worker died, unmounting", "pid=%d cause=\"%s\" why=\"%s\"",
		pid, cause, why);
	return false;
}

bool restart_after_death(struct session *session)
{
	pid_t pid = session->worker.pid;
	int64_t its_ms = served_ms(session);
	int64_t pause_ms;
	char cause[32];
	bool is_ours = !session->worker.is_attached;
	bool is_resent;
	int r = bury(session, cause, sizeof(cause));

	successor_conclude(session, "the new worker died before it served");
	if (r == -ETIMEDOUT)
		return end(pid, "it cannot be ended", "it stays");
	if (r > 0) {
		follow(session, pid);
		return true;
	}
	/* Whoever has started it starts it again. */
	pause_ms = is_ours ? deaths_note(&session->deaths, moment_ms(), its_ms)
			   : 0;
	plan_next(session, pause_ms);
	/* Now, and not when the next one reads: until then who waits could not
	 * even be killed. */
	is_resent = restart_resend(session);
	if (pause_ms < 0)
		return end(pid, cause, "too many have died");
	log_err("the worker died, another one follows",
		"requests=\"%s\" pid=%d cause=\"%s\" pause_ms=%" PRId64,
		is_resent ? "sent again" : "in the journal", pid, cause,
		pause_ms);
	return true;
}

int restart_timeout_ms(const struct session *session)
{
	int beat_ms = moment_rest_ms(session->heartbeat.due_ms);
	int rest_ms = moment_rest_ms(session->phase_ms);

	return session->phase == PHASE_SERVING || beat_ms < rest_ms ? beat_ms
								    : rest_ms;
}

void restart_begin(struct session *session)
{
	session->phase = PHASE_SERVING;
	session->phase_ms = moment_ms();
	session_keep_pool(session);
	heartbeat_begin(&session->heartbeat, session->phase_ms);
}

static void note_served(struct session *session)
{
	if (session->phase != PHASE_STARTING)
		return;
	for (size_t i = 0; i < session->mount_count; i++)
		if (session_has(&session->mounts[i]) &&
		    !session->mounts[i].is_served)
			return;
	restart_begin(session);
	log_info("serving again", "worker_pid=%d", session->worker.pid);
	notifiers_start(session);
	successor_conclude(session, NULL);
	successor_urge(session);
}

void restart_on_left(struct session *session)
{
	if (session->folder.is_ready)
		note_served(session);
}

void restart_on_deaf(struct session *session)
{
	log_err("the worker does not read what it is handed", "pid=%d",
		session->worker.pid);
	if (session->phase == PHASE_SERVING)
		session->phase = PHASE_LEAVING;
	session->phase_ms = moment_ms();
}

/* One that has died meanwhile is found by its pidfd or its socket. */
static void hand_over(struct session *session)
{
	int64_t deadline_ms = handover_deadline_ms();
	int r;

	folder_settle(session);
	r = handover_begin(session, deadline_ms);
	/* Before the first read: a request that this worker read would else be
	 * sent to it twice. */
	(void)restart_resend(session);
	/* After that: until then one that was fenced off may have answered. */
	handover_part(session);
	for (uint32_t i = 0; r == 0 && i < session->mount_count; i++)
		if (session_has(&session->mounts[i]))
			r = handover_mount(session, i, deadline_ms);
	if (r == -EAGAIN) {
		restart_on_deaf(session);
		return;
	}
	/* A folder may be empty. */
	note_served(session);
}

static bool start(struct session *session)
{
	struct child_plan plan;
	struct err err;

	session->warnings = 0;
	session_drop_next_pool(session);
	for (size_t i = 0; i < session->mount_count; i++)
		session->mounts[i].is_served = false;
	folder_begin(session);
	session->phase_ms = moment_ms() + START_TIMEOUT_MS;
	/* Before anything is made or taken off. */
	if (session->successor.is_ready && heir_own(session, &err) < 0) {
		log_err("cannot take over", "error=%s", err.text);
		return false;
	}
	if (successor_take(session)) {
		session->phase = PHASE_STARTING;
		hand_over(session);
		return true;
	}
	if (!session->worker_plan) {
		session->phase_ms = NEVER;
		return true;
	}
	plan = *session->worker_plan;
	if (session->binary_fd >= 0)
		plan.binary_fd = session->binary_fd;
	if (child_start(&plan, &session->worker, &err) < 0) {
		log_err("cannot start a worker", "error=%s", err.text);
		return restart_after_death(session);
	}
	session->phase = PHASE_STARTING;
	log_debug("worker started", "pid=%d", session->worker.pid);
	return true;
}

static void ask(struct session *session)
{
	struct message message;

	if (session->phase != PHASE_SERVING)
		return;
	message_fill(&message, MESSAGE_BEAT, MESSAGE_NO_MOUNT, NULL, 0);
	/* One whose queue is full has not answered the last either. */
	(void)message_send(session->worker.socket, &message, -1);
	heartbeat_asked(&session->heartbeat);
}

/* Other phases have a time of their own. */
static bool on_beat(struct session *session)
{
	enum heartbeat_verdict verdict =
		heartbeat_on_time(&session->heartbeat, moment_ms());

	if (verdict == HEARTBEAT_ASK)
		ask(session);
	if (verdict != HEARTBEAT_STILL || session->phase != PHASE_SERVING)
		return true;
	log_err("the worker stands still", "pid=%d limit_ms=%" PRId64,
		session->worker.pid, session->heartbeat.limit_ms);
	return restart_after_death(session);
}

bool restart_on_time(struct session *session)
{
	if (!on_beat(session))
		return false;
	successor_on_time(session);
	if (session->phase == PHASE_SERVING ||
	    moment_rest_ms(session->phase_ms) > 0)
		return true;
	if (session->phase == PHASE_WAITING)
		return start(session);
	log_err("the worker takes too long", "pid=%d to=%s",
		session->worker.pid,
		session->phase == PHASE_LEAVING ? "leave" : "get ready");
	session->phase = PHASE_STARTING;
	return restart_after_death(session);
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

	/* It did not know yet. */
	if (mount && mount->is_leaving)
		return true;
	if (!mount || mount->is_served)
		return false;
	mount->is_served = true;
	folder_on_served(session, mount);
	note_served(session);
	return true;
}

static bool on_leave(struct session *session)
{
	session->phase = PHASE_LEAVING;
	session->phase_ms = moment_ms() + MESSAGE_LEAVE_MS;
	return true;
}

bool restart_on_message(struct session *session, const struct message *message)
{
	if (message->type == MESSAGE_BEAT) {
		heartbeat_answered(&session->heartbeat);
		return true;
	}
	if (message->type == MESSAGE_LEAVE)
		return session->phase == PHASE_LEAVING || on_leave(session);
	if (session->phase != PHASE_STARTING)
		return false;
	if (message->type == MESSAGE_READY)
		return on_ready(session, message);
	if (message->type == MESSAGE_WARNING)
		return on_warning(session, message);
	return message->type == MESSAGE_SERVING && on_serving(session, message);
}
