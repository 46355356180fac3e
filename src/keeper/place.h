/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KEEPER_PLACE_H
#define KEEPER_PLACE_H

#include <limits.h>
#include <stdint.h>

struct err;

/*
 * A mount point as the directory that holds it and a plain name: nobody can
 * move it by renaming what is above, and finding it never enters the mount.
 */
struct place {
	int parent_fd;
	char name[NAME_MAX + 1];
};

/*
 * The path of a mount point as mountinfo shows it, in ret of PATH_MAX bytes.
 * Only what is above the mount point is looked at, so this never waits for
 * whoever serves it. path may end in slashes, but not in "." or "..". 0, or
 * negative errno with err filled.
 */
int place_resolve(const char *path, char *ret, struct err *err);

/* The same, but where the path ends in a symbolic link, for what that names. */
int place_follow(const char *path, char *ret, struct err *err);

/*
 * Opens the directory of a path by O_PATH, in which no name may be a symbolic
 * link: who gives it has resolved and checked it, and nobody may lead it
 * elsewhere meanwhile. A descriptor, or negative errno with err filled.
 */
int place_open_directory(const char *path, struct err *err);

/* path: one that place_resolve() gives, or one like it; its directory is opened
 * by place_open_directory(). 0 with a place for place_done(), or negative errno
 * with err filled. */
int place_open(const char *path, struct place *ret, struct err *err);
void place_done(struct place *place);

/* Removes the directory of that name as the owner of what it stands in, if it
 * is empty. 0 or negative errno. */
int place_remove(const struct place *place);

/* Opens what stands at the place now by O_PATH, without asking its server. A
 * symbolic link is -ENOTDIR. A descriptor or negative errno. */
int place_enter(const struct place *place);

/* The id of the mount that place_enter() finds. 0 or negative errno. */
int place_mount_id(const struct place *place, uint64_t *ret);

/*
 * Opens the mount of that id as place_enter() does. -ENOENT where it is not in
 * the mount table any more; -EBUSY where another one stands on it.
 */
int place_enter_mount(const struct place *place, uint64_t mount_id);

/*
 * Detaches the mount of that id from its place, lazily; its file system lives
 * on while someone uses it. Not to be found any more is success. -EBUSY where
 * another mount stands on it: that one is not ours to remove. 0 or negative
 * errno.
 */
int place_unmount(const struct place *place, uint64_t mount_id);

/*
 * Breaks the connection of that mount to whoever serves it: what is asked of it
 * fails from now on. The mount may stay. 0 or negative errno.
 */
int place_force(const struct place *place, uint64_t mount_id);

#endif
