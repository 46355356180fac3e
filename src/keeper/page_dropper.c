/* SPDX-License-Identifier: Apache-2.0 */
/* One that has ended is buried when the next one is started: until then it is a
 * zombie, which costs a number. */
#include "keeper/page_dropper.h"

#include <errno.h>
#include <linux/fuse.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct notification {
	struct fuse_out_header header;
	struct fuse_notify_inval_inode_out node;
};

/* All of the node. That the kernel does not know it any more is no failure: it
 * then has no page of it. */
static void drop(int fuse_fd, uint64_t node)
{
	const struct notification notification = {
		.header = { .len = sizeof(notification),
			    .error = FUSE_NOTIFY_INVAL_INODE },
		.node = { .ino = node },
	};

	if (write(fuse_fd, &notification, sizeof(notification)) < 0 &&
	    errno != ENOENT)
		_exit(1);
}

static void drop_all(int fuse_fd, const char *nodes, size_t size)
{
	for (size_t at = 0; at + sizeof(uint64_t) <= size;
	     at += sizeof(uint64_t)) {
		uint64_t node;

		memcpy(&node, nodes + at, sizeof(node));
		drop(fuse_fd, node);
	}
	_exit(0);
}

/* NULL: all places are taken. */
static pid_t *free_place(struct page_droppers *droppers)
{
	for (size_t i = 0; i < PAGE_DROPPERS_MAX; i++) {
		pid_t *pid = &droppers->pids[i];

		if (*pid && waitpid(*pid, NULL, WNOHANG) != 0)
			*pid = 0;
		if (!*pid)
			return pid;
	}
	return NULL;
}

int page_dropper_start(struct page_droppers *droppers, int fuse_fd,
		       const void *nodes, size_t size)
{
	pid_t *place = free_place(droppers);
	pid_t pid;

	if (!place)
		return -EBUSY;
	pid = fork();
	if (pid == 0)
		drop_all(fuse_fd, nodes, size);
	if (pid < 0)
		return -errno;
	*place = pid;
	return 0;
}
