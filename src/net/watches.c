/* SPDX-License-Identifier: Apache-2.0 */
/* A list: a transfer waits for one or two descriptors at a time. */
#include "net/watches.h"
#include "loop/loop.h"

#include <errno.h>
#include <stdlib.h>

struct watch {
	struct watches *watches;
	int fd;
	struct loop_watch *loop_watch;
	struct watch *next;
};

void watches_init(struct watches *watches, struct loop *loop,
		  watches_on_ready *on_ready, void *owner)
{
	*watches = (struct watches){
		.loop = loop,
		.on_ready = on_ready,
		.owner = owner,
	};
}

static void forget(struct watch **at)
{
	struct watch *watch = *at;

	*at = watch->next;
	loop_unwatch(watch->loop_watch);
	free(watch);
}

void watches_done(struct watches *watches)
{
	while (watches->first)
		forget(&watches->first);
}

static struct watch **find(struct watches *watches, int fd)
{
	struct watch **at = &watches->first;

	while (*at && (*at)->fd != fd)
		at = &(*at)->next;
	return at;
}

static void on_loop_ready(void *owner, unsigned events)
{
	const struct watch *watch = owner;

	watch->watches->on_ready(watch->watches->owner, watch->fd, events);
}

static int add(struct watches *watches, int fd, unsigned events)
{
	struct watch *watch = malloc(sizeof(*watch));

	if (!watch)
		return -ENOMEM;
	*watch = (struct watch){
		.watches = watches,
		.fd = fd,
		.loop_watch = loop_watch(watches->loop, fd, events,
					 on_loop_ready, watch),
		.next = watches->first,
	};
	if (!watch->loop_watch) {
		int code = -errno;

		free(watch);
		return code;
	}
	watches->first = watch;
	return 0;
}

int watches_set(struct watches *watches, int fd, unsigned events)
{
	struct watch *watch = *find(watches, fd);

	if (watch)
		return loop_watch_change(watch->loop_watch, events);
	return add(watches, fd, events);
}

void watches_remove(struct watches *watches, int fd)
{
	struct watch **at = find(watches, fd);

	if (*at)
		forget(at);
}
