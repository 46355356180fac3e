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

#define LINKS_MAX 40 /* as the kernel follows */
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

/* A path on its way to be resolved. */
struct walk {
	struct reach *reach;
	int directory;	     /* so far */
	char rest[PATH_MAX]; /* as seen from there */
	unsigned links;	     /* that were followed */
};

static void end_walk(const struct walk *walk)
{
	close_fd(&walk->directory);
}

static void enter(struct walk *walk, int directory)
{
	close_fd(&walk->directory);
	walk->directory = directory;
}

/* Cuts the first name off the rest; "" at the end. */
static void next_name(struct walk *walk, char name[PATH_MAX])
{
	const char *start = walk->rest + strspn(walk->rest, "/");
	size_t length = strcspn(start, "/");
	const char *behind = start + length;

	memcpy(name, start, length);
	name[length] = '\0';
	behind += strspn(behind, "/");
	memmove(walk->rest, behind, strlen(behind) + 1);
}

/* Whether a link leads to below the directory that it stands in, as what is
 * replaced as a whole does: "current" of a release, "..data" of a volume. */
static bool leads_below(const char *target)
{
	return target[0] != '/' && strncmp(target, "../", 3) != 0 &&
	       strcmp(target, "..") != 0;
}

static int add_found(struct walk *walk)
{
	return is_root(walk->directory) ? 0 : add(walk->reach, walk->directory);
}

/* Of what lies in the root directory the file alone, and of devices, which
 * nobody replaces. */
static int add_last(struct walk *walk, const char *name)
{
	cleanup_fd int fd =
		openat(walk->directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat about = { .st_mode = 0 };

	if (fd >= 0 && fstat(fd, &about) < 0)
		return -errno;
	if (S_ISCHR(about.st_mode))
		return add(walk->reach, fd);
	if (!is_root(walk->directory))
		return add(walk->reach, walk->directory);
	return S_ISREG(about.st_mode) ? add(walk->reach, fd) : 0;
}

static int follow(struct walk *walk, const char *target)
{
	char joined[PATH_MAX];

	if (++walk->links > LINKS_MAX ||
	    snprintf(joined, sizeof(joined), "%s/%s", target, walk->rest) >=
		    (int)sizeof(joined))
		return -ELOOP;
	memcpy(walk->rest, joined, strlen(joined) + 1);
	if (target[0] == '/')
		enter(walk, open("/", OPEN_DIRECTORY));
	return 0;
}

/* Into a directory, that is no link. A missing one is where somebody will make
 * it, unless a link leads there. */
static int descend(struct walk *walk, const char *name)
{
	int fd = openat(walk->directory, name, OPEN_DIRECTORY | O_NOFOLLOW);

	if (fd < 0)
		return errno == ENOENT && walk->links == 0 ? add_found(walk)
							   : 0;
	enter(walk, fd);
	return 1;
}

/* 1: there is more to walk; 0: that was all; or negative errno. */
static int step(struct walk *walk)
{
	char target[PATH_MAX];
	char name[PATH_MAX];
	bool is_last;
	ssize_t length;
	int r = 0;

	next_name(walk, name);
	is_last = walk->rest[0] == '\0';
	length = readlinkat(walk->directory, name, target, sizeof(target) - 1);
	target[length < 0 ? 0 : length] = '\0';
	if (is_last)
		r = add_last(walk, name);
	else if (length >= 0 && leads_below(target))
		r = add_found(walk);
	if (r < 0)
		return r;
	if (length >= 0)
		return follow(walk, target) < 0 ? 0 : 1;
	return is_last ? 0 : descend(walk, name);
}

int reach_directory(struct reach *reach, const char *path)
{
	cleanup_fd int fd = open(path, OPEN_DIRECTORY);

	return fd < 0 ? 0 : add(reach, fd);
}

int reach_file(struct reach *reach, const char *path)
{
	CLEANUP(end_walk)
	struct walk walk = {
		.reach = reach,
		.directory = open("/", OPEN_DIRECTORY),
	};
	int r = 1;

	if (strlen(path) >= sizeof(walk.rest))
		return 0;
	memcpy(walk.rest, path, strlen(path) + 1);
	while (r > 0)
		r = step(&walk);
	return r;
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

/* Up from a directory, which is closed, until one is known, or the root is
 * reached. */
static bool is_below(const struct reach *reach, int fd)
{
	bool is_known = false;

	for (unsigned i = 0; i < DEPTH_MAX && fd >= 0 && !is_known; i++) {
		struct stat about;
		int above = is_root(fd) ? -1 : openat(fd, "..", OPEN_DIRECTORY);

		is_known = fstat(fd, &about) == 0 && has(reach, &about);
		close_fd(&fd);
		fd = above;
	}
	close_fd(&fd);
	return is_known;
}

bool reach_holds(const struct reach *reach, const char *path)
{
	char real[PATH_MAX];
	struct stat about;

	if (!realpath(path, real) || stat(real, &about) < 0 ||
	    has(reach, &about))
		return true;
	if (!S_ISDIR(about.st_mode))
		strrchr(real, '/')[real[0] == '/' && !strchr(real + 1, '/')] =
			'\0';
	return is_below(reach, open(real, OPEN_DIRECTORY));
}

void reach_close(struct reach *reach)
{
	for (size_t i = 0; i < reach->directory_count; i++) {
		close_fd(&reach->directories[i].fd);
		reach->directories[i].fd = -1;
	}
}
