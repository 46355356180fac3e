/* SPDX-License-Identifier: Apache-2.0 */
/* One inotify descriptor; a map leads from each watch to its prefix. */
#include "store/dir_watch.h"
#include "base/map.h"
#include "loop/loop.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#define WATCHES_MAX 4096
#define WATCHED                                                                \
	(IN_CREATE | IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB | IN_MOVED_TO |    \
	 IN_MOVED_FROM | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF |           \
	 IN_ONLYDIR)
#define LOST (IN_Q_OVERFLOW | IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT)

struct dir_watch {
	int fd;
	struct map *prefixes; /* by watch descriptor */
	struct loop_watch *ready;
	dir_watch_on_change *on_change;
	void *owner;
};

static void report(struct dir_watch *watch, const struct inotify_event *event)
{
	const char *prefix =
		map_find(watch->prefixes, &event->wd, sizeof(event->wd));

	if (event->mask & IN_IGNORED)
		free(map_remove(watch->prefixes, &event->wd,
				sizeof(event->wd)));
	else if ((event->mask & LOST) || !prefix || event->len == 0)
		watch->on_change(watch->owner, NULL, "");
	else
		watch->on_change(watch->owner, prefix, event->name);
}

static void on_ready(void *owner, unsigned events)
{
	_Alignas(struct inotify_event) char buffer[4096];
	struct dir_watch *watch = owner;
	ssize_t length;

	(void)events;
	while ((length = read(watch->fd, buffer, sizeof(buffer))) > 0)
		for (ssize_t at = 0; at < length;) {
			const struct inotify_event *event =
				(const void *)(buffer + at);

			report(watch, event);
			at += (ssize_t)(sizeof(*event) + event->len);
		}
}

struct dir_watch *dir_watch_new(struct loop *loop,
				dir_watch_on_change *on_change, void *owner)
{
	struct dir_watch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		return NULL;
	watch->on_change = on_change;
	watch->owner = owner;
	watch->prefixes = map_new();
	watch->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (watch->fd >= 0 && watch->prefixes)
		watch->ready =
			loop_watch(loop, watch->fd, LOOP_READ, on_ready, watch);
	if (!watch->ready) {
		dir_watch_free(watch);
		return NULL;
	}
	return watch;
}

static void free_each(void *owner, void *value)
{
	(void)owner;
	free(value);
}

void dir_watch_free(struct dir_watch *watch)
{
	if (!watch)
		return;
	loop_unwatch(watch->ready);
	if (watch->fd >= 0)
		(void)close(watch->fd);
	if (watch->prefixes)
		map_each(watch->prefixes, free_each, NULL);
	map_free(watch->prefixes);
	free(watch);
}

void dir_watch_add(struct dir_watch *watch, int directory_fd,
		   const char *prefix)
{
	char path[sizeof("/proc/self/fd/") + 11];
	char *copy;
	int descriptor;

	if (map_count(watch->prefixes) >= WATCHES_MAX)
		return;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", directory_fd);
	descriptor = inotify_add_watch(watch->fd, path, WATCHED);
	if (descriptor < 0 ||
	    map_find(watch->prefixes, &descriptor, sizeof(descriptor)))
		return;
	copy = strdup(prefix);
	if (copy &&
	    map_put(watch->prefixes, &descriptor, sizeof(descriptor), copy) < 0)
		free(copy);
}
