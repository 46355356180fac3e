/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Directories are held open from the moment they are found, so that what is
 * granted is what was seen; afterwards they are known by device and inode, as
 * the kernel knows them.
 */
#include "guard/reach.h"
#include "base/macros.h"
#include "base/parse.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINKS_MAX 16
#define DEPTH_MAX 256
#define OPEN_DIRECTORY (O_PATH | O_DIRECTORY | O_CLOEXEC)

static void close_fd(const int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

#define cleanup_fd CLEANUP(close_fd)

static bool is_same(const struct reach_directory *directory,
		    const struct stat *about)
{
	return directory->device == about->st_dev &&
	       directory->inode == about->st_ino;
}

static bool has(const struct reach *reach, const struct stat *about)
{
	for (size_t i = 0; i < reach->directory_count; i++)
		if (is_same(&reach->directories[i], about))
			return true;
	return false;
}

/* The descriptor stays the caller's. */
static int add(struct reach *reach, int fd)
{
	struct reach_directory *directory;
	struct stat about;

	if (fstat(fd, &about) < 0)
		return -errno;
	if (has(reach, &about))
		return 0;
	if (reach->directory_count == REACH_DIRECTORIES_MAX)
		return -E2BIG;
	directory = &reach->directories[reach->directory_count];
	*directory = (struct reach_directory){
		.fd = fcntl(fd, F_DUPFD_CLOEXEC, 0),
		.is_file = !S_ISDIR(about.st_mode),
		.device = about.st_dev,
		.inode = about.st_ino,
	};
	if (directory->fd < 0)
		return -errno;
	reach->directory_count++;
	return 0;
}

static bool is_root(int fd)
{
	struct stat about;
	struct stat root;

	return fstat(fd, &about) == 0 && stat("/", &root) == 0 &&
	       about.st_dev == root.st_dev && about.st_ino == root.st_ino;
}

/* Where to look: a directory, and a name in it. */
struct spot {
	int directory;
	char name[PATH_MAX];
};

static void close_spot(const struct spot *spot)
{
	close_fd(&spot->directory);
}

/* Goes from the spot to that of path as seen from there: its directory is
 * opened, the spot's closed. */
static int go(struct spot *spot, const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	size_t length = slash ? (size_t)(slash - path) + 1 : 0;
	char directory[PATH_MAX];
	int fd;

	if (strlen(path) >= PATH_MAX)
		return -ENAMETOOLONG;
	(void)snprintf(directory, sizeof(directory), "%.*s", (int)length, path);
	fd = openat(spot->directory, length ? directory : ".", OPEN_DIRECTORY);
	if (fd < 0)
		return -errno;
	close_fd(&spot->directory);
	spot->directory = fd;
	/* name may be a part of the spot's own */
	memmove(spot->name, name, strlen(name) + 1);
	return 0;
}

static int add_file_alone(struct reach *reach, const struct spot *spot)
{
	cleanup_fd int fd =
		openat(spot->directory, spot->name, O_PATH | O_CLOEXEC);
	struct stat about;

	if (fd < 0 || fstat(fd, &about) < 0 || !S_ISREG(about.st_mode))
		return 0;
	return add(reach, fd);
}

static int add_spot(struct reach *reach, const struct spot *spot)
{
	return is_root(spot->directory) ? add_file_alone(reach, spot)
					: add(reach, spot->directory);
}

/* Adds the spot, and what links lead to from there. */
static int add_links(struct reach *reach, struct spot *spot)
{
	char target[PATH_MAX];

	for (unsigned i = 0; i < LINKS_MAX; i++) {
		ssize_t length;
		int r = add_spot(reach, spot);

		if (r < 0)
			return r;
		length = readlinkat(spot->directory, spot->name, target,
				    sizeof(target) - 1);
		if (length < 0)
			return 0;
		target[length] = '\0';
		if (go(spot, target) < 0)
			return 0;
	}
	return 0;
}

/* The nearest directory above that is there, and is not the root. */
static int add_above(struct reach *reach, const char *path)
{
	char above[PATH_MAX];
	char *slash;

	(void)snprintf(above, sizeof(above), "%s", path);
	while ((slash = strrchr(above, '/')) && slash != above) {
		cleanup_fd int fd = -1;

		*slash = '\0';
		fd = open(above, OPEN_DIRECTORY);
		if (fd >= 0)
			return is_root(fd) ? 0 : add(reach, fd);
	}
	return 0;
}

int reach_directory(struct reach *reach, const char *path)
{
	cleanup_fd int fd = open(path, OPEN_DIRECTORY);

	return fd < 0 ? 0 : add(reach, fd);
}

int reach_file(struct reach *reach, const char *path)
{
	CLEANUP(close_spot) struct spot spot = { .directory = -1 };

	return go(&spot, path) < 0 ? add_above(reach, path)
				   : add_links(reach, &spot);
}

int reach_port(struct reach *reach, uint16_t port)
{
	for (size_t i = 0; i < reach->port_count; i++)
		if (reach->ports[i] == port)
			return 0;
	if (reach->port_count == REACH_PORTS_MAX)
		return -E2BIG;
	reach->ports[reach->port_count++] = port;
	return 0;
}

static uint16_t port_of_scheme(const char *url)
{
	return strncasecmp(url, "http://", 7) == 0 ? 80 : 443;
}

/* text is what follows a host: "", ":PORT" or anything else. */
static int read_port(const char *text, size_t length, uint16_t *ret)
{
	char digits[sizeof("65535")];
	uint64_t port;
	int r;

	if (length == 0)
		return 0;
	if (*text != ':' || length > sizeof(digits))
		return -EINVAL;
	(void)snprintf(digits, sizeof(digits), "%.*s", (int)length - 1,
		       text + 1);
	r = parse_decimal(digits, UINT16_MAX, &port);
	if (r == 0)
		*ret = (uint16_t)port;
	return r;
}

int reach_url(struct reach *reach, const char *url, uint16_t port_otherwise)
{
	uint16_t port = port_otherwise ? port_otherwise : port_of_scheme(url);
	const char *scheme = strstr(url, "://");
	const char *host = scheme ? scheme + 3 : url;
	const char *end = host + strcspn(host, "/?#");
	const char *at = memrchr(host, '@', (size_t)(end - host));
	const char *after;
	int r;

	if (at)
		host = at + 1;
	/* an IPv6 address has colons of its own */
	after = *host == '[' ? memchr(host, ']', (size_t)(end - host))
			     : memchr(host, ':', (size_t)(end - host));
	if (*host == '[' && !after)
		return -EINVAL;
	if (*host == '[')
		after++;
	r = after ? read_port(after, (size_t)(end - after), &port) : 0;
	return r < 0 ? r : reach_port(reach, port);
}

/* Up from a directory until one is known, or the root is reached. */
static bool is_below(const struct reach *reach, int directory)
{
	cleanup_fd int fd = openat(directory, ".", OPEN_DIRECTORY);

	for (unsigned i = 0; i < DEPTH_MAX && fd >= 0; i++) {
		struct stat about;
		int above;

		if (fstat(fd, &about) < 0)
			return true;
		if (has(reach, &about))
			return true;
		if (is_root(fd))
			return false;
		above = openat(fd, "..", OPEN_DIRECTORY);
		close_fd(&fd);
		fd = above;
	}
	return true;
}

bool reach_holds(const struct reach *reach, const char *path)
{
	CLEANUP(close_spot) struct spot spot = { .directory = -1 };
	char real[PATH_MAX];
	struct stat about;

	if (!realpath(path, real) || stat(real, &about) < 0 ||
	    has(reach, &about))
		return true;
	if (go(&spot, real) < 0)
		return true;
	return is_below(reach, spot.directory);
}

void reach_close(struct reach *reach)
{
	for (size_t i = 0; i < reach->directory_count; i++) {
		close_fd(&reach->directories[i].fd);
		reach->directories[i].fd = -1;
	}
}
