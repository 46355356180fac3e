/* SPDX-License-Identifier: Apache-2.0 */
/*
 * umount2(2) takes a path and removes whatever stands on top there. So the
 * mount is opened first, its id is compared, and the path given is that of the
 * descriptor.
 */
#include "keeper/place.h"
#include "base/err.h"
#include "base/log.h"
#include "base/macros.h"
#include "keeper/descriptor.h"
#include "keeper/fusermount.h"
#include "keeper/mountinfo.h"
#include "keeper/owner.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LINKS_MAX 40 /* as the kernel follows */
#define ENTER_FLAGS (O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

static size_t length_without_slashes(const char *path)
{
	size_t length = strlen(path);

	while (length > 1 && path[length - 1] == '/')
		length--;
	return length;
}

/* Cuts path into the directory above and the last name. */
static int split(const char *path, char *parent, char *name, struct err *err)
{
	size_t length = length_without_slashes(path);
	const char *slash = memrchr(path, '/', length);
	const char *last = slash ? slash + 1 : path;
	size_t last_length = length - (size_t)(last - path);

	if (length >= PATH_MAX || last_length > NAME_MAX)
		return err_set(err, -ENAMETOOLONG, "%.64s...: too long", path);
	memcpy(name, last, last_length);
	name[last_length] = '\0';
	if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return err_set(err, -EINVAL,
			       "%s: a mount point is given by its own name",
			       path);
	if (last == path) {
		memcpy(parent, ".", sizeof("."));
		return 0;
	}
	memcpy(parent, path, (size_t)(last - path));
	parent[last - path] = '\0';
	return 0;
}

int place_resolve(const char *path, char *ret, struct err *err)
{
	char parent[PATH_MAX];
	char above[PATH_MAX];
	char name[NAME_MAX + 1];
	int r = split(path, parent, name, err);
	int length;

	if (r < 0)
		return r;
	if (!realpath(parent, above))
		return err_set(err, -errno, "%s: %s", parent,
			       strerrordesc_np(errno));
	length = snprintf(ret, PATH_MAX, "%s/%s",
			  strcmp(above, "/") == 0 ? "" : above, name);
	if (length >= PATH_MAX)
		return err_set(err, -ENAMETOOLONG, "%.64s...: too long", path);
	return 0;
}

/* Replaces path, a resolved one, by what the link there names. 1: it did; 0:
 * there is no link. readlink(2) looks at the name and not into a mount. */
static int follow_once(char *path, struct err *err)
{
	char target[PATH_MAX];
	char joined[2 * PATH_MAX];
	ssize_t length = readlink(path, target, sizeof(target) - 1);
	int above = (int)(strrchr(path, '/') - path);
	int r;

	if (length < 0)
		return 0;
	target[length] = '\0';
	(void)snprintf(joined, sizeof(joined), "%.*s/%s", above, path, target);
	r = place_resolve(*target == '/' ? target : joined, path, err);
	return r < 0 ? r : 1;
}

int place_follow(const char *path, char *ret, struct err *err)
{
	int r = place_resolve(path, ret, err);

	if (r < 0)
		return r;
	for (unsigned links = 0; links < LINKS_MAX; links++) {
		r = follow_once(ret, err);
		if (r <= 0)
			return r;
	}
	return err_set(err, -ELOOP, "%s: %s", path, strerrordesc_np(ELOOP));
}

int place_open_directory(const char *path, struct err *err)
{
	const struct open_how how = {
		.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_NO_SYMLINKS,
	};
	int fd = (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));

	if (fd >= 0)
		return fd;
	return err_set(err, -errno, "%s: %s", path,
		       errno == ELOOP ? "a symbolic link leads there; give "
					"what it names"
				      : strerrordesc_np(errno));
}

int place_open(const char *path, struct place *ret, struct err *err)
{
	struct place place;
	char parent[PATH_MAX];
	int r = split(path, parent, place.name, err);

	if (r < 0)
		return r;
	place.parent_fd = place_open_directory(parent, err);
	if (place.parent_fd < 0)
		return place.parent_fd;
	*ret = place;
	return 0;
}

void place_done(struct place *place)
{
	descriptor_done(&place->parent_fd);
}

static int enter_as_owner(const struct place *place)
{
	struct owner owner;
	struct stat parent;
	int fd;

	if (fstat(place->parent_fd, &parent) < 0)
		return -errno;
	owner_become(&owner, &parent);
	fd = openat(place->parent_fd, place->name, ENTER_FLAGS);
	if (fd < 0)
		fd = -errno;
	owner_leave(&owner);
	return fd;
}

int place_enter(const struct place *place)
{
	int fd = openat(place->parent_fd, place->name, ENTER_FLAGS);

	if (fd >= 0)
		return fd;
	return errno == EACCES ? enter_as_owner(place) : -errno;
}

int place_remove(const struct place *place)
{
	struct owner owner;
	struct stat parent;
	int r;

	if (fstat(place->parent_fd, &parent) < 0)
		return -errno;
	owner_become(&owner, &parent);
	r = unlinkat(place->parent_fd, place->name, AT_REMOVEDIR) < 0 ? -errno
								      : 0;
	owner_leave(&owner);
	return r;
}

/* By its name, where it is known to be on top. */
static int detach_by_helper(const struct place *place)
{
	struct err err;
	int r = fusermount_unmount(place, &err);

	if (r < 0)
		log_err("cannot unmount", "mount_point=%s why=\"%s\"",
			place->name, err.text);
	return r;
}

static int unmount(int fd, int flags)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return umount2(path, flags) < 0 ? -errno : 0;
}

int place_mount_id(const struct place *place, uint64_t *ret)
{
	cleanup_fd int fd = place_enter(place);

	return fd < 0 ? fd : descriptor_mount_id(fd, ret);
}

int place_enter_mount(const struct place *place, uint64_t mount_id)
{
	cleanup_fd int fd = -1;
	uint64_t found;
	int r = mountinfo_has(MOUNTINFO_SELF, mount_id);

	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	fd = place_enter(place);
	if (fd < 0)
		return fd;
	r = descriptor_mount_id(fd, &found);
	if (r < 0)
		return r;
	return found == mount_id ? descriptor_take(&fd) : -EBUSY;
}

int place_unmount(const struct place *place, uint64_t mount_id)
{
	cleanup_fd int fd = -1;
	int r = mountinfo_has(MOUNTINFO_SELF, mount_id);

	if (r <= 0)
		return r;
	fd = place_enter_mount(place, mount_id);
	if (fd < 0)
		return fd;
	return fusermount_is_needed() ? detach_by_helper(place)
				      : unmount(fd, MNT_DETACH);
}

int place_force(const struct place *place, uint64_t mount_id)
{
	cleanup_fd int fd = place_enter_mount(place, mount_id);
	int r = fd < 0 ? fd : unmount(fd, MNT_FORCE);

	/* The connection goes first; that our own descriptor keeps the mount
	 * comes after. */
	return r == -EBUSY && fd >= 0 ? 0 : r;
}
