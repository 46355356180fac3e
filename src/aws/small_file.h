/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AWS_SMALL_FILE_H
#define AWS_SMALL_FILE_H

#include <stddef.h>

struct buf;
struct err;

/*
 * Appends a file that somebody else may replace at any time: opened anew each
 * time, never waited for, a regular file of at most `max` bytes and without
 * NUL. `what` begins the error's text, which names the path, and where it is
 * permission that is missing also who reads and which option changes that.
 *
 * -ENOENT: not there; -EACCES: may not be read; -EPERM: it cannot be told
 * whether it is there; -EINVAL: not such a file; -ENOMEM; other codes of
 * open(2) and read(2).
 */
int small_file_read(const char *what, const char *path, size_t max,
		    struct buf *out, struct err *err);

#endif
