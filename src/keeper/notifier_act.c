/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why a rename, when the kernel has messages that invalidate a name: only what
 * goes through the file system's own calls makes inotify speak, and it moves
 * the entry at the same time. The old file is opened before, because no name
 * leads to it afterwards, and its pages are dropped after, because until then
 * a reader of the name fills them again.
 */
#include "keeper/notifier_act.h"
#include "base/macros.h"
#include "keeper/descriptor.h"
#include "keeper/notify_order.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A descriptor or negative errno. Neither a link nor a mount leads out. */
static int open_beneath(int root, const char *path, int flags)
{
	const struct open_how how = {
		.flags = (unsigned)(flags | O_NOFOLLOW | O_CLOEXEC),
		.resolve =
			RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV,
	};
	long fd = syscall(SYS_openat2, root, path, &how, sizeof(how));

	return fd < 0 ? -errno : (int)fd;
}

/* Not O_PATH: dropping pages wants an open file. */
static int open_file(int directory, const char *name)
{
	return open_beneath(directory, name, O_RDONLY | O_NONBLOCK);
}

static int drop_pages(int file)
{
	return -posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
}

static int replace(int directory, const struct notify_order *order)
{
	cleanup_fd int old = open_file(directory, order->name);

	/* Of renameat2() without flags the C library may make another call than
	 * the one that is allowed. */
	if (syscall(SYS_renameat2, directory, order->source_name, directory,
		    order->name, 0) < 0)
		return -errno;
	if (old >= 0)
		(void)drop_pages(old);
	return 0;
}

static int remove_name(int directory, const struct notify_order *order)
{
	cleanup_fd int old = open_file(directory, order->name);

	if (unlinkat(directory, order->name, 0) < 0)
		return -errno;
	if (old >= 0)
		(void)drop_pages(old);
	return 0;
}

static int drop(int directory, const struct notify_order *order)
{
	cleanup_fd int file = open_file(directory, order->name);
	int r = file < 0 ? file : drop_pages(file);

	descriptor_done(&file);
	if ((order->flags & NOTIFY_UNLINK) &&
	    unlinkat(directory, order->name, 0) < 0)
		return -errno;
	return r;
}

static int act_in(int directory, const struct notify_order *order)
{
	switch (order->kind) {
	case NOTIFY_REPLACE:
		return replace(directory, order);
	case NOTIFY_REMOVE:
		return remove_name(directory, order);
	case NOTIFY_DROP:
		return drop(directory, order);
	default:
		return -EINVAL;
	}
}

static int find_device(int fd, uint64_t *ret)
{
	struct statx about;

	/* Asks nobody: what serves it may be waiting for us. */
	if (syscall(SYS_statx, fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, 0,
		    &about) < 0)
		return -errno;
	*ret = (uint64_t)about.stx_dev_major << 32 | about.stx_dev_minor;
	return 0;
}

int notifier_way_open(int fd, const char *name, struct notifier_way *ret)
{
	struct notifier_way way = { .fd = fd };
	cleanup_fd int entered = -1;
	int root;
	int r;

	if (strlen(name) >= sizeof(way.name))
		return -ENAMETOOLONG;
	memcpy(way.name, name, strlen(name));
	root = notifier_way_enter(&way, &entered);
	r = entered < 0 ? root : find_device(root, &way.device);
	if (r < 0)
		return r;
	*ret = way;
	return 0;
}

/* The mount's root may be entered, but nothing looked up in it, even ".": for
 * that the kernel would ask who serves it. */
static int enter_by_name(const struct notifier_way *way)
{
	const struct open_how how = {
		.flags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
	};
	cleanup_fd int fd = (int)syscall(SYS_openat2, way->fd, way->name, &how,
					 sizeof(how));
	uint64_t device = 0;
	int r = fd < 0 ? -errno : 0;

	if (r < 0 || way->device == 0)
		return r < 0 ? r : descriptor_take(&fd);
	r = find_device(fd, &device);
	if (r == 0 && device != way->device)
		r = -ESTALE;
	return r < 0 ? r : descriptor_take(&fd);
}

int notifier_way_enter(const struct notifier_way *way, int *ret_entered)
{
	if (!*way->name)
		return way->fd;
	*ret_entered = enter_by_name(way);
	return *ret_entered;
}

int notifier_act(int root, const struct notify_order *order)
{
	cleanup_fd int directory = -1;

	if (order->directory[0] == '\0')
		return act_in(root, order);
	directory = open_beneath(root, order->directory, O_PATH | O_DIRECTORY);
	if (directory < 0)
		return directory;
	return act_in(directory, order);
}
