/* SPDX-License-Identifier: Apache-2.0 */
/* One that has ended is buried when the next one is started: until then it is a
 * zombie, which costs a number. */
#include "keeper/page_dropper.h"
#include "keeper/fuse_init.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void drop_all(int fuse_fd, const char *nodes, size_t size)
{
	for (size_t at = 0; at + sizeof(uint64_t) <= size;
	     at += sizeof(uint64_t)) {
		uint64_t node;

		memcpy(&node, nodes + at, sizeof(node));
		if (fuse_notify_drop(fuse_fd, node) < 0)
			_exit(1);
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
