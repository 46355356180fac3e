/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KEEPER_UNMOUNT_H
#define KEEPER_UNMOUNT_H

#include <limits.h>
#include <stdint.h>

struct err;

/*
 * A mount point as the directory that holds it and a plain name: nobody can
 * move it by renaming what is above, and finding it never enters the mount.
 */
struct mount_place {
	int parent_fd;
	char name[NAME_MAX + 1];
};

/*
 * path: absolute; blanks of form like trailing slashes are allowed, a last
 * component of "." or ".." is not. 0 with a place for mount_place_done(), or
 * negative errno with err filled.
 */
int mount_place_open(const char *path, struct mount_place *ret,
		     struct err *err);
void mount_place_done(struct mount_place *place);

/* Opens what stands at the place now by O_PATH, without asking its server. A
 * symbolic link is -ENOTDIR. A descriptor or negative errno. */
int mount_place_enter(const struct mount_place *place);

/*
 * Detaches the mount of that id from its place, lazily; its file system lives
 * on while someone uses it. Not to be found any more is success. -EBUSY where
 * another mount stands on it: that one is not ours to remove. 0 or negative
 * errno.
 */
int unmount_lazily(const struct mount_place *place, uint64_t mount_id);

#endif
