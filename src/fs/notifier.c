/* SPDX-License-Identifier: Apache-2.0 */
/* A handful of orders are under way at a time: enough to keep the notifier
 * busy, and few enough for every socket's buffer. */
#include "fs/notifier.h"
#include "keeper/notify_order.h"
#include "loop/loop.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define UNDER_WAY_MAX 16

struct notifier {
	int fd;
	pid_t pid;
	struct loop_watch *watch; /* NULL: gone */
	notifier_on_answer *on_answer;
	void *owner;
	uint64_t under_way[UNDER_WAY_MAX]; /* oldest first */
	size_t count;
};

static void forget_order(struct notifier *notifier, size_t at)
{
	notifier->count--;
	for (; at < notifier->count; at++)
		notifier->under_way[at] = notifier->under_way[at + 1];
}

/* The owner may order again, or free the notifier, in the last call only. */
static void end(struct notifier *notifier)
{
	uint64_t ids[UNDER_WAY_MAX];
	size_t count = notifier->count;
	notifier_on_answer *on_answer = notifier->on_answer;
	void *owner = notifier->owner;

	loop_unwatch(notifier->watch);
	notifier->watch = NULL;
	notifier->count = 0;
	for (size_t i = 0; i < count; i++)
		ids[i] = notifier->under_way[i];
	for (size_t i = 0; i < count; i++)
		on_answer(owner, ids[i], -EPIPE);
}

static void on_answered(struct notifier *notifier,
			const struct notify_answer *answer)
{
	for (size_t i = 0; i < notifier->count; i++)
		if (notifier->under_way[i] == answer->id) {
			forget_order(notifier, i);
			notifier->on_answer(notifier->owner, answer->id,
					    answer->result);
			return;
		}
}

static void on_ready(void *owner, unsigned events)
{
	struct notifier *notifier = owner;
	struct notify_answer answer;
	ssize_t length =
		recv(notifier->fd, &answer, sizeof(answer), MSG_DONTWAIT);

	(void)events;
	if (length < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (length == sizeof(answer) && answer.magic == NOTIFY_MAGIC)
		on_answered(notifier, &answer);
	else
		end(notifier);
}

struct notifier *notifier_new(struct loop *loop, int fd, pid_t pid,
			      notifier_on_answer *on_answer, void *owner)
{
	struct notifier *notifier = calloc(1, sizeof(*notifier));

	if (notifier)
		notifier->watch =
			loop_watch(loop, fd, LOOP_READ, on_ready, notifier);
	if (!notifier || !notifier->watch) {
		int code = errno;

		(void)close(fd);
		free(notifier);
		errno = code;
		return NULL;
	}
	notifier->fd = fd;
	notifier->pid = pid;
	notifier->on_answer = on_answer;
	notifier->owner = owner;
	return notifier;
}

void notifier_free(struct notifier *notifier)
{
	if (!notifier)
		return;
	loop_unwatch(notifier->watch);
	(void)close(notifier->fd);
	free(notifier);
}

pid_t notifier_pid(const struct notifier *notifier)
{
	return notifier->pid;
}

int notifier_order(struct notifier *notifier, const struct notify_wish *wish)
{
	struct notify_order order;
	int r;

	if (!notifier->watch)
		return -EPIPE;
	if (notifier->count == UNDER_WAY_MAX)
		return -EAGAIN;
	r = notify_order_fill(&order, wish);
	if (r < 0)
		return r;
	if (send(notifier->fd, &order, sizeof(order),
		 MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return errno == EAGAIN || errno == ENOBUFS ? -EAGAIN : -EPIPE;
	notifier->under_way[notifier->count++] = wish->id;
	return 0;
}
