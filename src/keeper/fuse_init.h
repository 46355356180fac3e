/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KEEPER_FUSE_INIT_H
#define KEEPER_FUSE_INIT_H

#include <stddef.h>
#include <stdint.h>

#include "keeper/message.h"

struct err;

/*
 * The first request on every /dev/fuse is FUSE_INIT. The keeper answers it, so
 * that a worker can come and go on a connection that is set up already: the
 * worker feeds the same request to its library and drops the library's answer.
 *
 * What the answer promises must match the worker's handlers: READDIR and
 * READDIRPLUS, lookups in parallel, reads of up to 128 KiB.
 */
struct fuse_init_request {
	char bytes[MESSAGE_BODY_MAX];
	size_t length;
};

/*
 * Waits for the request (at most timeout_ms), answers it, and gives its bytes.
 * fd is a non-blocking /dev/fuse whose superblock was just made. 0, or
 * negative errno with err filled: -ETIMEDOUT, -EPROTO for a kernel that speaks
 * another FUSE than 7.
 */
int fuse_init_answer(int fd, int timeout_ms, struct fuse_init_request *ret,
		     struct err *err);

/*
 * Has the kernel drop all pages of the node, mapped ones included. It waits for
 * whoever has a page locked, so as long as a READ is not answered. That the
 * kernel does not know the node is no failure: then it has no page of it. 0 or
 * negative errno.
 */
int fuse_notify_drop(int fd, uint64_t node);

/*
 * Has the kernel take back every request that was read and not answered, so
 * that it is read once more. 0 or negative errno; -EINVAL: it does not know how
 * (before Linux 6.9).
 */
int fuse_notify_resend(int fd);

#endif
