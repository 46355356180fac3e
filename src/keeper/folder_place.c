/* SPDX-License-Identifier: Apache-2.0 */
/* Directories are made as the owner of what they stand in: a keeper has no
 * right of its own to write where it is not the owner. */
#include "keeper/folder_place.h"
#include "base/err.h"
#include "base/macros.h"
#include "keeper/descriptor.h"
#include "keeper/owner.h"
#include "keeper/session.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MODE_MADE 0755

size_t folder_place_space_length(const char *name)
{
	const char *slash = strchr(name, '/');

	return slash ? (size_t)(slash - name) : 0;
}

/* The directory of that name, of the length, in the folder. */
static struct place space_of(const struct folder *folder, const char *name,
			     size_t length)
{
	struct place space = { .parent_fd = folder->directory_fd };

	memcpy(space.name, name, length);
	space.name[length] = '\0';
	return space;
}

void folder_place_leave(const struct folder *folder, const char *name)
{
	size_t length = folder_place_space_length(name);
	const struct place space = space_of(folder, name, length);

	if (length > 0)
		(void)place_remove(&space);
}

/* 0: it was there; 1: it was made; or negative errno. */
static int make_directory(const struct place *place)
{
	struct owner owner;
	struct stat parent;
	mode_t mask;
	int r;

	if (fstat(place->parent_fd, &parent) < 0)
		return -errno;
	owner_become(&owner, &parent);
	mask = umask(0);
	r = mkdirat(place->parent_fd, place->name, MODE_MADE) < 0 ? -errno : 1;
	umask(mask);
	owner_leave(&owner);
	return r == -EEXIST ? 0 : r;
}

/* A space is a directory of the folder's own file system: were it a mount of
 * ours, its server would be asked. */
static int check_space(int fd, int folder_fd)
{
	uint64_t its_id = 0;
	uint64_t id = 0;
	int r = descriptor_mount_id(fd, &its_id);

	if (r == 0)
		r = descriptor_mount_id(folder_fd, &id);
	if (r < 0)
		return r;
	return id == its_id ? 0 : -EXDEV;
}

/* The directory that the mount's own stands in: a descriptor, or negative
 * errno. made: it may be made, and whether it was; or NULL. */
static int enter_space(const struct folder *folder, const char *name,
		       bool *made)
{
	size_t length = folder_place_space_length(name);
	const struct place space = space_of(folder, name, length);
	cleanup_fd int fd = -1;
	int r;

	if (length == 0) {
		fd = fcntl(folder->directory_fd, F_DUPFD_CLOEXEC, 0);
		return fd < 0 ? -errno : descriptor_take(&fd);
	}
	r = made ? make_directory(&space) : 0;
	if (r < 0)
		return r;
	if (made)
		*made = r > 0;
	fd = place_enter(&space);
	if (fd < 0)
		return fd;
	r = check_space(fd, folder->directory_fd);
	return r < 0 ? r : descriptor_take(&fd);
}

static int refuse(const char *name, int code, struct err *err)
{
	return err_set(err, code, "no directory for %s: %s", name,
		       code == -EXDEV ? "something is mounted above it"
				      : strerrordesc_np(-code));
}

static int open_place(const struct folder *folder, const char *name, bool *made,
		      struct place *ret)
{
	const char *slash = strchr(name, '/');

	(void)snprintf(ret->name, sizeof(ret->name), "%.*s", FOLDER_PART_MAX,
		       slash ? slash + 1 : name);
	ret->parent_fd = enter_space(folder, name, made);
	return ret->parent_fd < 0 ? ret->parent_fd : 0;
}

int folder_place_make(const struct folder *folder, const char *name,
		      struct place *ret, struct vacant_made *made,
		      struct err *err)
{
	CLEANUP(place_done) struct place place = { .parent_fd = -1 };
	int r = open_place(folder, name, &made->above, &place);

	if (r == 0)
		r = make_directory(&place);
	if (r < 0)
		return refuse(name, r, err);
	made->place = r > 0;
	*ret = place;
	place.parent_fd = -1;
	return 0;
}

int folder_place_find(const struct folder *folder, const char *name,
		      struct place *ret, struct err *err)
{
	int r = open_place(folder, name, NULL, ret);

	return r < 0 ? refuse(name, r, err) : 0;
}
