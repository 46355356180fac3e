/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A path that a user has made is gone through by single names, each from the
 * descriptor of the one before. A mount that was entered so has not been asked
 * anything yet, so one whose server may be the user's is told by the mount
 * table and goes no further.
 */
#include "keeper/seek.h"
#include "base/macros.h"
#include "keeper/descriptor.h"
#include "keeper/mountinfo.h"
#include "keeper/runtime.h"
#include "keeper/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define SOCKETS "/proc/net/unix"
#define DIRECTORY "secretsfs"
#define OTHERS_WRITE (S_IWGRP | S_IWOTH)

/* 0, or -EXDEV where fd is of a mount that a user may serve. */
static int check_mount(int fd, uint64_t *known_id)
{
	struct mountinfo mount;
	uint64_t id;
	int r = descriptor_mount_id(fd, &id);

	if (r < 0 || id == *known_id)
		return r;
	r = mountinfo_get(MOUNTINFO_SELF, id, &mount);
	if (r < 0)
		return r;
	*known_id = id;
	return strncmp(mount.fstype, "fuse", strlen("fuse")) == 0 ? -EXDEV : 0;
}

/* One name further: *fd is replaced. */
static int step(int *fd, const char *name, uint64_t *mount_id)
{
	int next = openat(*fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (next < 0)
		return -errno;
	descriptor_done(fd);
	*fd = next;
	return check_mount(next, mount_id);
}

/* What an absolute path leads to, by O_PATH. A descriptor or negative errno. */
static int walk(const char *path)
{
	cleanup_fd int fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	char copy[PATH_MAX];
	uint64_t mount_id = 0;
	char *rest = NULL;
	int r = fd < 0 ? -errno : 0;

	if (strlen(path) >= sizeof(copy))
		return -ENAMETOOLONG;
	memcpy(copy, path, strlen(path) + 1);
	for (char *name = strtok_r(copy, "/", &rest); r == 0 && name;
	     name = strtok_r(NULL, "/", &rest))
		r = strcmp(name, "..") == 0 ? -EINVAL
					    : step(&fd, name, &mount_id);
	return r < 0 ? r : descriptor_take(&fd);
}

static bool is_of(int fd, mode_t type, uid_t owner)
{
	struct stat about;

	return fstat(fd, &about) == 0 && (about.st_mode & S_IFMT) == type &&
	       about.st_uid == owner &&
	       (type != S_IFDIR || !(about.st_mode & OTHERS_WRITE));
}

static int check_peer(int fd, uid_t owner)
{
	struct ucred peer;
	socklen_t length = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0)
		return -errno;
	return peer.uid == owner ? 0 : -ENOENT;
}

static int connect_to(int fd, uid_t owner)
{
	cleanup_fd int socket = -1;
	char path[64];
	int r;

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	socket = runtime_connect_to(path);
	r = socket < 0 ? socket : check_peer(socket, owner);
	return r < 0 ? r : descriptor_take(&socket);
}

/* The socket of that name in a directory of ours. */
static int try_directory(const char *path, const char *name, uid_t owner)
{
	cleanup_fd int directory = walk(path);
	cleanup_fd int fd = -1;
	uint64_t mount_id = 0;

	if (directory < 0 || !is_of(directory, S_IFDIR, owner))
		return -ENOENT;
	fd = openat(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || check_mount(fd, &mount_id) < 0 ||
	    !is_of(fd, S_IFSOCK, owner))
		return -ENOENT;
	return connect_to(fd, owner);
}

/* The directory of a line of the table, if it is of a socket of that name in
 * one of ours, where it was bound by a name that begins so (runtime.c renames
 * it); the line is cut. NULL: it is not. */
static const char *directory_of(char *line, const char *name)
{
	char *path = strchr(line, '/');
	char *last = path ? strrchr(path, '/') : NULL;
	char *above;

	if (!last)
		return NULL;
	if (strncmp(last + 1, name, strlen(name)) != 0)
		return NULL;
	*last = '\0';
	above = strrchr(path, '/');
	return above && strcmp(above + 1, DIRECTORY) == 0 ? path : NULL;
}

static bool is_last(int found)
{
	return found >= 0 || found == -ETIMEDOUT;
}

static int try_table(const char *name, uid_t owner)
{
	cleanup_file FILE *table = fopen(SOCKETS, "re");
	cleanup_line char *line = NULL;
	int found = -ENOENT;
	size_t size = 0;

	while (table && !is_last(found) && getline(&line, &size, table) > 0) {
		const char *directory = directory_of(line, name);

		if (directory)
			found = try_directory(directory, name, owner);
	}
	return is_last(found) ? found : -ENOENT;
}

int seek_keeper(uid_t owner, const char *name)
{
	char path[64];
	int first;
	int other;

	(void)snprintf(path, sizeof(path), "/run/user/%u/" DIRECTORY, owner);
	first = try_directory(path, name, owner);
	if (is_last(first))
		return first;
	other = try_table(name, owner);
	if (is_last(other))
		return other;
	return first == -ECONNREFUSED ? first : -ENOENT;
}
