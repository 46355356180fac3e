/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A text goes out as far as the socket takes it, and the rest when the loop
 * says that there is room again. Whoever asks may stop reading at any time:
 * nothing is written that could wait, and what is left goes at the deadline.
 */
#include "ops/client.h"
#include "base/log.h"
#include "base/macros.h"
#include "keeper/message.h"
#include "loop/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct client {
	struct clients *clients;
	int socket;
	struct loop_watch *watch;
	struct loop_timer *deadline;
	char *text;
	size_t length;
	size_t sent;
};

struct clients {
	struct loop *loop;
	struct client *reading[CLIENTS_MAX];
};

struct clients *clients_new(struct loop *loop)
{
	struct clients *clients = calloc(1, sizeof(*clients));

	if (clients)
		clients->loop = loop;
	return clients;
}

static void client_free(struct client *client)
{
	loop_unwatch(client->watch);
	loop_timer_cancel(client->deadline);
	(void)close(client->socket);
	free(client->text);
	free(client);
}

static void leave(struct client *client)
{
	struct clients *clients = client->clients;

	for (size_t i = 0; i < CLIENTS_MAX; i++)
		if (clients->reading[i] == client)
			clients->reading[i] = NULL;
	client_free(client);
}

void clients_free(struct clients *clients)
{
	for (size_t i = 0; clients && i < CLIENTS_MAX; i++)
		if (clients->reading[i])
			client_free(clients->reading[i]);
	free(clients);
}

/* 0 when all has been sent; -EAGAIN: there is no room now. */
static int send_rest(struct client *client)
{
	struct message message;
	int r = 0;

	while (r == 0 && client->sent < client->length) {
		size_t left = client->length - client->sent;

		if (left > MESSAGE_BODY_MAX)
			left = MESSAGE_BODY_MAX;
		message_fill(&message, MESSAGE_ANSWER, MESSAGE_NO_MOUNT,
			     client->text + client->sent, left);
		r = message_send(client->socket, &message, -1);
		if (r == 0)
			client->sent += left;
	}
	if (r < 0)
		return r;
	message_fill(&message, MESSAGE_DONE, MESSAGE_NO_MOUNT, NULL, 0);
	return message_send(client->socket, &message, -1);
}

static void on_ready(void *owner, unsigned events)
{
	struct client *client = owner;

	if ((events & LOOP_ERROR) || send_rest(client) != -EAGAIN)
		leave(client);
}

static void on_deadline(void *owner)
{
	struct client *client = owner;

	client->deadline = NULL;
	log_debug("a client does not read its answer", "unread=%zu",
		  client->length - client->sent);
	leave(client);
}

/* Whether the socket makes nobody wait: that is not left to who sent it. */
static bool set_up(struct client *client)
{
	struct loop *loop = client->clients->loop;

	if (fcntl(client->socket, F_SETFL, O_NONBLOCK) < 0)
		return false;
	client->watch =
		loop_watch(loop, client->socket, LOOP_WRITE, on_ready, client);
	client->deadline =
		loop_timer(loop, loop_now_ms(loop) + CLIENT_TIMEOUT_MS,
			   on_deadline, client);
	return client->watch && client->deadline;
}

static struct client **find_place(struct clients *clients)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		if (!clients->reading[i])
			return &clients->reading[i];
	return NULL;
}

void clients_answer(struct clients *clients, int socket, char *text,
		    size_t length)
{
	struct client **place = find_place(clients);
	struct client *client = place ? calloc(1, sizeof(*client)) : NULL;

	if (!client) {
		free(text);
		client_refuse(socket,
			      place ? "no memory" : "too many ask at once");
		return;
	}
	client->clients = clients;
	client->socket = socket;
	client->text = text;
	client->length = length;
	if (set_up(client))
		*place = client;
	else
		client_free(client);
}

static void tell(int socket, const struct message *message)
{
	/* An empty socket has room for one message. */
	if (fcntl(socket, F_SETFL, O_NONBLOCK) == 0)
		(void)message_send(socket, message, -1);
	(void)close(socket);
}

void client_tell(int socket, unsigned number)
{
	struct message message;

	message_fill(&message, MESSAGE_DONE, MESSAGE_NO_MOUNT, NULL, 0);
	message.number = (int32_t)number;
	tell(socket, &message);
}

void client_refuse(int socket, const char *line)
{
	struct message message;

	message_fill(&message, MESSAGE_FAILED, MESSAGE_NO_MOUNT, line,
		     strlen(line));
	message.number = 1;
	tell(socket, &message);
}
