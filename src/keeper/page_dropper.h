/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KEEPER_PAGE_DROPPER_H
#define KEEPER_PAGE_DROPPER_H

#include <stddef.h>
#include <sys/types.h>

/*
 * Takes pages of nodes back from the kernel, also those that someone has
 * mapped (FUSE_NOTIFY_INVAL_INODE of linux/fuse.h). The kernel waits for locks
 * of these pages: as long as a READ of the node is not answered, the caller
 * hangs. So it is never the worker, nor the keeper, but a process that does
 * nothing else.
 */

#define PAGE_DROPPERS_MAX 8

struct page_droppers {
	pid_t pids[PAGE_DROPPERS_MAX]; /* 0: none */
};

/* Starts such a process and does not wait for it. nodes: uint64_t, as many as
 * are whole in size. 0; -EBUSY: as many as may be are at it; else negative
 * errno. */
int page_dropper_start(struct page_droppers *droppers, int fuse_fd,
		       const void *nodes, size_t size);

#endif
