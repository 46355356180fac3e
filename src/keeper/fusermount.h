/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KEEPER_FUSERMOUNT_H
#define KEEPER_FUSERMOUNT_H

#include <stdbool.h>

struct err;
struct place;

/*
 * Mounting for who is not root, by fusermount3(1). It mounts at once, in sight
 * of all, on a directory that the caller may write to and on no dead mount.
 * Such a mount can be written to as far as the kernel is concerned: it has no
 * clone, so what refuses is the worker.
 */

/* Whether this process mounts and unmounts so. */
bool fusermount_is_needed(void);

/* Whether what it needs is there; target_fd: the mount point of that path, or
 * -1 where nothing is known of it. 0, or negative errno with err naming what
 * is missing. */
int fusermount_check(int target_fd, const char *path, struct err *err);

/* Mounts at the place. A descriptor of /dev/fuse, non-blocking and with its
 * FUSE_INIT unread, or negative errno with err filled. */
int fusermount_mount(const struct place *place, const char *source,
		     bool allow_other, struct err *err);

/* Takes the topmost mount off the place, lazily, without asking who serves it.
 * 0, or negative errno with err filled. */
int fusermount_unmount(const struct place *place, struct err *err);

#endif
