/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Notifiers come and go while their mounts serve, and the worker always knows
 * the last one: it gets a socket with each, and a message when there is none.
 */
#include "keeper/notifiers.h"
#include "base/err.h"
#include "base/log.h"
#include "base/macros.h"
#include "keeper/descriptor.h"
#include "keeper/message.h"
#include "keeper/mountinfo.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#define LEAVE_TIMEOUT_MS 500
#define END_TIMEOUT_MS 5000

static int tell_worker(const struct session *session, size_t index, pid_t pid,
		       int orders)
{
	struct message message;

	message_fill(&message, MESSAGE_NOTIFIER, (uint32_t)index, NULL, 0);
	message.number = pid;
	return message_send(session->worker.socket, &message, orders);
}

static void go_without(const struct session_mount *mount, const char *why)
{
	log_warn("going on without a notifier",
		 "mount_id=%" PRIu64 " why=\"%s\"", mount->mount.id, why);
}

static void start(struct session *session, size_t index)
{
	struct session_mount *mount = &session->mounts[index];
	struct notifier_child *notifier = &mount->notifier;
	cleanup_fd int orders = -1;
	struct err err;

	if (notifier_child_start(notifier, &session->notifier_plan,
				 &mount->mount, &orders, &err) < 0) {
		go_without(mount, err.text);
		(void)tell_worker(session, index, 0, -1);
		return;
	}
	log_debug("notifier started", "mount_id=%" PRIu64 " pid=%d",
		  mount->mount.id, notifier->process.pid);
	if (tell_worker(session, index, notifier->process.pid, orders) < 0) {
		go_without(mount, "the worker takes no messages");
		notifier_child_dismiss(notifier);
	}
}

void notifiers_start(struct session *session)
{
	/* Kept open: it tells of changes since it was last waited for. */
	if (session->mount_table < 0)
		session->mount_table =
			open(MOUNTINFO_SELF, O_RDONLY | O_CLOEXEC);
	for (size_t i = 0; i < session->mount_count; i++) {
		const struct session_mount *mount = &session->mounts[i];

		if (!mount->mount.is_attached)
			continue;
		if (mount->notifier.process.pid == 0)
			start(session, i);
		else if (!mount->notifier.is_wanted)
			session->mounts[i].notifier.is_due = true;
	}
}

void notifiers_pause(struct session *session)
{
	for (size_t i = 0; i < session->mount_count; i++) {
		struct notifier_child *notifier = &session->mounts[i].notifier;

		notifier_child_dismiss(notifier);
		/* It did not die of itself. */
		notifier->starts = 0;
	}
}

void notifiers_fill_poll(const struct session *session, struct pollfd *fds)
{
	for (size_t i = 0; i < NOTIFIERS_POLL_COUNT; i++)
		fds[i] = (struct pollfd){ .fd = -1, .events = POLLIN };
	for (size_t i = 0; i < session->mount_count; i++) {
		const struct notifier_child *notifier =
			&session->mounts[i].notifier;

		fds[NOTIFIERS_POLL_SOCKETS + i].fd = notifier->process.socket;
		fds[NOTIFIERS_POLL_ENDED + i].fd = notifier->process.pidfd;
		if (notifier->is_wanted)
			fds[NOTIFIERS_POLL_TABLE] =
				(struct pollfd){ .fd = session->mount_table,
						 .events = POLLPRI };
	}
}

static void on_message(struct session_mount *mount)
{
	struct notifier_child *notifier = &mount->notifier;
	struct message message;
	int r = message_receive(notifier->process.socket, &message, NULL);

	if (r == -EAGAIN)
		return;
	if (r < 0) {
		/* Its end follows. */
		descriptor_done(&notifier->process.socket);
	} else if (message.type == MESSAGE_WARNING) {
		log_warn("a fence is missing", "why=\"%s\"", message.body);
	} else {
		go_without(mount, message.type == MESSAGE_FAILED
					  ? message.body
					  : "it sent what it does not send");
		notifier_child_dismiss(notifier);
	}
}

/* The worker learns of it first: until it is reaped, its pid is not another's.
 */
static void on_ended(struct session *session, size_t index)
{
	struct session_mount *mount = &session->mounts[index];
	struct notifier_child *notifier = &mount->notifier;
	pid_t pid = notifier->process.pid;
	char cause[32];
	bool is_due = notifier->is_due;
	int status;

	/* One of the worker before is none of this one's. */
	if (!is_due && session->phase == PHASE_SERVING)
		(void)tell_worker(session, index, 0, -1);
	if (notifier_child_bury(notifier, &status) < 0)
		return;
	if (is_due)
		start(session, index);
	if (is_due || !notifier->is_wanted)
		return;
	log_warn("the notifier died",
		 "mount_id=%" PRIu64 " pid=%d cause=\"%s\"", mount->mount.id,
		 pid, child_describe(status, cause, sizeof(cause)));
	if (notifier_child_may_start(notifier)) {
		start(session, index);
	} else {
		notifier->is_wanted = false;
		go_without(mount, "it died too often");
	}
}

static void on_table(struct session *session)
{
	for (size_t i = 0; i < session->mount_count; i++) {
		struct session_mount *mount = &session->mounts[i];

		if (mount->notifier.is_wanted &&
		    mountinfo_has(MOUNTINFO_SELF, mount->mount.id) == 0)
			notifier_child_dismiss(&mount->notifier);
	}
}

/* It may have spoken after poll(2) looked at its socket. */
static bool has_last_words(const struct session_mount *mount)
{
	struct pollfd last = { .fd = mount->notifier.process.socket,
			       .events = POLLIN };

	return poll(&last, 1, 0) > 0;
}

void notifiers_on_poll(struct session *session, const struct pollfd *fds)
{
	/* First: nothing of what was unmounted is started again. */
	if (fds[NOTIFIERS_POLL_TABLE].revents)
		on_table(session);
	for (size_t i = 0; i < session->mount_count; i++) {
		struct session_mount *mount = &session->mounts[i];

		bool has_spoken = fds[NOTIFIERS_POLL_SOCKETS + i].revents;
		bool has_ended = fds[NOTIFIERS_POLL_ENDED + i].revents;

		/* What it still had to say comes before its end. */
		if (mount->notifier.process.socket >= 0 &&
		    (has_spoken || (has_ended && has_last_words(mount))))
			on_message(mount);
		else if (has_ended)
			on_ended(session, i);
	}
}

void notifiers_drop(struct session *session)
{
	int left = 0;

	for (size_t i = 0; i < session->mount_count; i++) {
		struct notifier_child *notifier = &session->mounts[i].notifier;

		/* One that was dropped before has had its time. */
		if (notifier->is_wanted)
			left = LEAVE_TIMEOUT_MS;
		notifier_child_dismiss(notifier);
	}
	for (size_t i = 0; i < session->mount_count; i++)
		if (!notifier_child_await(&session->mounts[i].notifier, left))
			left = 0;
}

void notifiers_end(struct session_mount *mount)
{
	notifier_child_dismiss(&mount->notifier);
	if (!notifier_child_await(&mount->notifier, LEAVE_TIMEOUT_MS) &&
	    !notifier_child_await(&mount->notifier, END_TIMEOUT_MS))
		log_warn("the notifier does not end, leaving it", "pid=%d",
			 mount->notifier.process.pid);
	child_done(&mount->notifier.process);
}
