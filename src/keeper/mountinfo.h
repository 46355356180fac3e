/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KEEPER_MOUNTINFO_H
#define KEEPER_MOUNTINFO_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * The mount table, read without touching any mount: a file system whose server
 * hangs makes stat(2) hang. Format: proc_pid_mountinfo(5).
 */

#define MOUNTINFO_SELF "/proc/self/mountinfo"
#define MOUNTINFO_FSTYPE_MAX 64
#define MOUNTINFO_NO_USER ((uid_t)-1)

struct mountinfo {
	uint64_t id;
	uint64_t parent_id; /* of the mount that this one stands on */
	char mount_point[PATH_MAX];
	char fstype[MOUNTINFO_FSTYPE_MAX]; /* with its subtype: "fuse.x" */
	uid_t user_id; /* of FUSE, by the kernel's word: who has mounted it; or
			* MOUNTINFO_NO_USER */
};

/* One line, with or without its newline; octal escapes are decoded. 0, or
 * -EINVAL for another form. */
int mountinfo_parse(const char *line, struct mountinfo *ret);

/*
 * What is mounted on top at mount_point, an absolute path without symbolic
 * links. file is MOUNTINFO_SELF, or a text like it. 0, -ENOENT where nothing
 * is mounted there, or negative errno.
 */
int mountinfo_find(const char *file, const char *mount_point,
		   struct mountinfo *ret);

/* The mount of that id. 0, -ENOENT, or negative errno. */
int mountinfo_get(const char *file, uint64_t id, struct mountinfo *ret);

/* Calls judge for each mount until it returns something else than 0, which is
 * returned; or negative errno. Lines that cannot be read are passed over: they
 * are of mounts that are not ours. */
int mountinfo_each(const char *file,
		   int (*judge)(void *owner, const struct mountinfo *entry),
		   void *owner);

/* 1 if the mount of that id is in the table, 0 if not, or negative errno. */
int mountinfo_has(const char *file, uint64_t id);

#endif
