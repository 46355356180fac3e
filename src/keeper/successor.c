/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first half of a change of workers, in which the keeper still has both;
 * from the moment that the old one is gone all is as after a death: see
 * restart.c.
 */
#include "keeper/successor.h"
#include "base/err.h"
#include "base/log.h"
#include "base/macros.h"
#include "keeper/descriptor.h"
#include "keeper/folder.h"
#include "keeper/message.h"
#include "keeper/moment.h"
#include "keeper/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define READY_TIMEOUT_MS 30000

void successor_init(struct successor *successor)
{
	*successor = (struct successor){
		.process = { .pidfd = -1, .socket = -1 },
		.pool_fd = -1,
		.binary_fd = -1,
		.client = -1,
	};
}

static void answer(int *client, const char *why)
{
	struct message message;

	if (*client < 0)
		return;
	message_fill(&message, why ? MESSAGE_FAILED : MESSAGE_DONE,
		     MESSAGE_NO_MOUNT, why, why ? strlen(why) : 0);
	message.number = why != NULL;
	(void)message_send(*client, &message, -1);
	descriptor_done(client);
}

void successor_done(struct session *session, const char *why)
{
	struct successor *successor = &session->successor;
	int status;

	if (successor->process.socket >= 0)
		log_err("the worker that was to follow does not",
			"pid=%d why=\"%s\"", successor->process.pid, why);
	/* One that has attached itself learns it by the end of its socket. */
	if (successor->process.pid > 0 && !successor->process.is_attached)
		(void)child_end(&successor->process, 0, &status);
	child_done(&successor->process);
	free(successor->wishes);
	descriptor_done(&successor->pool_fd);
	descriptor_done(&successor->binary_fd);
	answer(&successor->client, why);
	successor_init(successor);
}

void successor_start(struct session *session, int binary_fd, int client)
{
	struct successor *successor = &session->successor;
	struct child_plan plan;
	struct err err;

	if (!session->worker_plan || successor->process.socket >= 0) {
		descriptor_done(&binary_fd);
		answer(&client, session->worker_plan
					? "another worker is just following"
					: "the keeper starts no workers");
		return;
	}
	successor->binary_fd = binary_fd;
	successor->client = client;
	plan = *session->worker_plan;
	plan.binary_fd = binary_fd;
	if (child_start(&plan, &successor->process, &err) < 0) {
		log_err("cannot start a worker", "error=%s", err.text);
		successor_done(session, err.text);
		return;
	}
	successor->has_said_version = true;
	successor->deadline_ms = moment_ms() + READY_TIMEOUT_MS;
	log_info("a worker is to follow", "pid=%d", successor->process.pid);
}

void successor_on_connect(struct session *session)
{
	struct successor *successor = &session->successor;
	struct child come;

	if (attach_accept(&session->attach, &come) < 0)
		return;
	if (successor->process.socket >= 0) {
		log_warn("another worker is just following", "pid=%d",
			 come.pid);
		child_done(&come);
		return;
	}
	successor->process = come;
	successor->deadline_ms = moment_ms() + READY_TIMEOUT_MS;
}

void successor_urge(struct session *session)
{
	struct message message;

	if (!session->successor.is_ready)
		return;
	if (session->phase == PHASE_WAITING)
		session->phase_ms = moment_ms();
	if (session->phase != PHASE_SERVING)
		return;
	message_fill(&message, MESSAGE_LEAVE, MESSAGE_NO_MOUNT, NULL, 0);
	/* One that does not listen has a time as well. */
	(void)message_send(session->worker.socket, &message, -1);
	session->phase = PHASE_LEAVING;
	session->phase_ms = moment_ms() + MESSAGE_LEAVE_MS;
}

static int on_ready(struct session *session, const struct message *message)
{
	struct successor *successor = &session->successor;

	if (message->mount != MESSAGE_NO_MOUNT)
		return !folder_is_open(session) &&
				       message->mount == successor->mounts++
			       ? 0
			       : -EPROTO;
	if (!folder_is_open(session) &&
	    successor->mounts != session->mount_count)
		return -EPROTO;
	successor->is_ready = true;
	successor_urge(session);
	return 0;
}

static int on_add(struct session *session, const struct message *message)
{
	struct successor *successor = &session->successor;

	if (!folder_is_open(session))
		return -EPROTO;
	if (!successor->wishes)
		successor->wishes =
			calloc(SESSION_MOUNTS_MAX, sizeof(*successor->wishes));
	if (!successor->wishes)
		return -ENOMEM;
	if (successor->wish_count < SESSION_MOUNTS_MAX)
		successor->wishes[successor->wish_count++] = *message;
	else
		folder_refuse(successor->process.socket, message->body,
			      "no more mounts can be");
	return 0;
}

static int on_version(struct successor *successor,
		      const struct message *message)
{
	if (message->type != MESSAGE_ATTACH)
		return -EPROTO;
	successor->has_said_version = true;
	log_info("a worker is to follow", "pid=%d version=\"%s\"",
		 successor->process.pid, message->body);
	return 0;
}

static int on_warning(struct successor *successor,
		      const struct message *message)
{
	log_warn("the worker warns", "what=\"%s\"", message->body);
	return successor->warnings++ < MESSAGE_WARNINGS_MAX ? 0 : -EPROTO;
}

/* A negative errno ends it. */
static int on_message(struct session *session, const struct message *message)
{
	struct successor *successor = &session->successor;

	if (!successor->has_said_version)
		return on_version(successor, message);
	if (message->type == MESSAGE_WARNING)
		return on_warning(successor, message);
	if (message->type == MESSAGE_ADD)
		return on_add(session, message);
	if (message->type == MESSAGE_READY && !successor->is_ready)
		return on_ready(session, message);
	return -EPROTO;
}

void successor_on_message(struct session *session)
{
	struct successor *successor = &session->successor;
	cleanup_fd int unwanted = -1;
	struct message message;
	int r = message_receive(successor->process.socket, &message, &unwanted);

	if (r == -EAGAIN)
		return;
	if (r == 0 && message.type == MESSAGE_FAILED) {
		successor_done(session, message.body);
		return;
	}
	if (r == 0 && message.type == MESSAGE_POOL && unwanted >= 0) {
		descriptor_done(&successor->pool_fd);
		successor->pool_fd = descriptor_take(&unwanted);
		return;
	}
	if (r == 0)
		r = on_message(session, &message);
	if (r == -EPIPE)
		successor_done(session, "it died before it was ready");
	else if (r < 0)
		successor_done(session, "it sent what a worker does not send");
}

void successor_on_time(struct session *session)
{
	const struct successor *successor = &session->successor;

	if (successor->process.socket >= 0 && !successor->is_ready &&
	    moment_rest_ms(successor->deadline_ms) == 0)
		successor_done(session, "it did not get ready in time");
}

static void fulfil(struct session *session, const struct message *wish)
{
	struct err err;

	if (folder_add(session, wish, &err) < 0)
		folder_refuse(session->worker.socket, wish->body, err.text);
}

bool successor_take(struct session *session)
{
	struct successor *successor = &session->successor;

	if (!successor->is_ready)
		return false;
	session->worker = successor->process;
	session->next_pool_fd = descriptor_take(&successor->pool_fd);
	for (size_t i = 0; i < successor->wish_count; i++)
		fulfil(session, &successor->wishes[i]);
	free(successor->wishes);
	session->fresh_binary_fd = descriptor_take(&successor->binary_fd);
	session->upgrader = descriptor_take(&successor->client);
	successor_init(successor);
	return true;
}

void successor_conclude(struct session *session, const char *why)
{
	if (!why && session->fresh_binary_fd >= 0) {
		descriptor_done(&session->binary_fd);
		session->binary_fd = descriptor_take(&session->fresh_binary_fd);
	}
	descriptor_done(&session->fresh_binary_fd);
	answer(&session->upgrader, why);
}
