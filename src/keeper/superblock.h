/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KEEPER_SUPERBLOCK_H
#define KEEPER_SUPERBLOCK_H

#include <stdbool.h>

struct err;

/* A FUSE superblock on its way to a mount, as root makes it. */

struct superblock_plan {
	int fuse_fd;	    /* /dev/fuse, borrowed */
	const char *source; /* what mountinfo shows; cut if it is too long */
	bool allow_other;
	const char *context; /* SELinux's, of all files; or NULL */
};

/* Whether the kernel knows such contexts at all: before anything is made. 0, or
 * negative errno with err filled. */
int superblock_check_context(const char *context, struct err *err);

/* Its FUSE_INIT waits in fuse_fd then. A descriptor for superblock_mount(), or
 * negative errno with err filled, in the kernel's own words where it has some.
 */
int superblock_create(const struct superblock_plan *plan, struct err *err);

/* A mount of it that is attached nowhere: a descriptor, or negative errno with
 * err filled. It is read-only, and has no devices, programs or setuid bits. */
int superblock_mount(int context, struct err *err);

#endif
