/* SPDX-License-Identifier: Apache-2.0 */
/* The keeper knows next to nothing that a command asks for; it checks who asks,
 * adds what it knows, and has the worker answer. Where there is none, it says
 * that. */
#include "keeper/clients.h"
#include "base/macros.h"
#include "keeper/descriptor.h"
#include "keeper/runtime.h"
#include "keeper/session.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void clients_connect(struct session *session, int listening, size_t mount)
{
	cleanup_fd int fd = runtime_accept(listening, getuid());

	for (size_t i = 0; fd >= 0 && i < SESSION_CLIENTS_MAX; i++)
		if (session->clients[i].fd < 0)
			session->clients[i] = (struct session_client){
				.fd = descriptor_take(&fd),
				.mount = mount,
			};
}

void clients_answer(int client, enum message_type type, const char *line)
{
	struct message message;

	message_fill(&message, type, MESSAGE_NO_MOUNT, line, strlen(line));
	message.number = type == MESSAGE_FAILED;
	(void)message_send(client, &message, -1);
}

static void tell_of_mount(const struct session_mount *mount,
			  struct message_client *about)
{
	about->notifier_pid = mount->notifier.process.pid;
	about->mount_id = mount->mount.id;
	about->dead_layers = mount->mount.layers.count;
}

static void say(int client, enum message_type type, const char *text)
{
	struct message message;

	message_fill(&message, type, MESSAGE_NO_MOUNT, text, strlen(text));
	/* Who does not read learns it by what is missing. */
	(void)message_send(client, &message, -1);
}

/* A name in a folder needs no escapes: folder_is_name(). */
static void tell_of_one(int client, const struct session_mount *mount,
			bool is_first)
{
	const char *quote = *mount->name ? "\"" : "";
	char text[FOLDER_NAME_MAX + 128];

	(void)snprintf(
		text, sizeof(text),
		"%s{\"name\":%s%s%s,\"mountId\":%" PRIu64 ",\"deadLayers\":%u}",
		is_first ? "" : ",", quote, *mount->name ? mount->name : "null",
		quote, mount->mount.id, mount->mount.layers.count);
	say(client, MESSAGE_ANSWER, text);
}

static bool is_asked_for(const struct session *session, size_t index,
			 const struct session_client *client)
{
	return session->mounts[index].mount.fuse_fd >= 0 &&
	       (client->mount == SESSION_MOUNTS_MAX || client->mount == index);
}

/* There is no worker, and that is what is to be said: as a JSON document, in
 * which what the keeper knows is called as in the worker's. */
static void answer_alone(const struct session *session,
			 const struct session_client *client)
{
	char text[128];
	bool is_first = true;

	(void)snprintf(text, sizeof(text),
		       "{\"pids\":{\"keeper\":%d,\"worker\":null,"
		       "\"notifier\":null},\"restarts\":%u,\"mounts\":[",
		       getpid(), session->deaths.total);
	say(client->fd, MESSAGE_ANSWER, text);
	for (size_t i = 0; i < session->mount_count; i++) {
		if (!is_asked_for(session, i, client))
			continue;
		tell_of_one(client->fd, &session->mounts[i], is_first);
		is_first = false;
	}
	say(client->fd, MESSAGE_ANSWER, "]}");
	clients_answer(client->fd, MESSAGE_DONE, "");
}

static void pass_on(const struct session *session,
		    const struct session_client *client,
		    const struct message *message)
{
	uint32_t index = MESSAGE_NO_MOUNT;
	struct message_client about;
	struct message order;

	memset(&about, 0, sizeof(about));
	about.asked = message->type;
	about.keeper_pid = getpid();
	about.started_s = session->started_s;
	about.restarts = session->deaths.total;
	if (client->mount < SESSION_MOUNTS_MAX) {
		index = (uint32_t)client->mount;
		tell_of_mount(&session->mounts[client->mount], &about);
	}
	memcpy(about.name, message->body,
	       message->length < MESSAGE_NAME_MAX ? message->length
						  : MESSAGE_NAME_MAX);
	message_fill(&order, MESSAGE_CLIENT, index, &about, sizeof(about));
	if (session->phase == PHASE_LEAVING)
		clients_answer(client->fd, MESSAGE_FAILED,
			       "one worker follows another; ask again");
	else if (message_send(session->worker.socket, &order, client->fd) < 0)
		clients_answer(client->fd, MESSAGE_FAILED,
			       "the worker takes no messages");
}

void clients_pass_on(const struct session *session,
		     struct session_client *client,
		     const struct message *message)
{
	if (message->type == MESSAGE_STATUS && session->worker.socket < 0)
		answer_alone(session, client);
	else
		pass_on(session, client, message);
	descriptor_done(&client->fd);
}

void clients_tell_of_end(const struct session *session)
{
	for (size_t i = 0; i < SESSION_CLIENTS_MAX; i++)
		if (session->clients[i].fd >= 0 &&
		    session->clients[i].awaits_end)
			clients_answer(session->clients[i].fd, MESSAGE_DONE,
				       "");
}
