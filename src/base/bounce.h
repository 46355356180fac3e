/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_BOUNCE_H
#define BASE_BOUNCE_H

#include <stddef.h>
#include <sys/types.h>
#include <sys/uio.h>

/* The most that goes out at once: a reply with a directory or a value. */
#define BOUNCE_SIZE ((size_t)160 << 10)

/*
 * As writev(2), with errno E2BIG past BOUNCE_SIZE, for descriptors that take
 * nothing from secret memory: the bytes go through locked pages, which are
 * wiped before this returns.
 */
ssize_t bounce_writev(int fd, const struct iovec *parts, int count);

#endif
