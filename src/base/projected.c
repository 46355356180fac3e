/* SPDX-License-Identifier: Apache-2.0 */
/* Kubernetes replaces what it projects by a link to another directory beside
 * it, so links have to be followed; the kernel says where they may lead. */
#include "base/projected.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FLAGS (O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)

/* Where the last part of the path is; without a slash, or where that is too
 * long to be a path, the working directory. */
static int open_directory(const char *path, const char **ret_name)
{
	const char *slash = strrchr(path, '/');
	char directory[PATH_MAX];
	size_t length = slash ? (size_t)(slash - path) + 1 : 0;

	*ret_name = path + length;
	if (length >= sizeof(directory))
		return -ENAMETOOLONG;
	memcpy(directory, length ? path : ".", length ? length : 1);
	directory[length ? length : 1] = '\0';
	return open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static bool is_projected(int directory)
{
	struct stat status;

	return fstatat(directory, "..data", &status, AT_SYMLINK_NOFOLLOW) == 0;
}

static int open_within(int directory, const char *name)
{
	const struct open_how how = {
		.flags = FLAGS,
		.resolve = RESOLVE_NO_MAGICLINKS |
			   (is_projected(directory) ? RESOLVE_BENEATH : 0U),
	};
	int fd = (int)syscall(SYS_openat2, directory, name, &how, sizeof(how));

	/* A container whose filter is older than the call; older runtimes say
	 * that it is not permitted, as the call itself never would here. */
	if (fd < 0 && (errno == ENOSYS || errno == EPERM))
		fd = openat(directory, name, FLAGS);
	return fd < 0 ? -errno : fd;
}

static int check_kind(int fd)
{
	struct stat status;

	if (fstat(fd, &status) < 0)
		return -errno;
	if (S_ISREG(status.st_mode))
		return 0;
	return S_ISDIR(status.st_mode) ? -EISDIR : -EINVAL;
}

int projected_open(const char *path)
{
	const char *name;
	int directory = open_directory(path, &name);
	int fd;
	int r;

	if (directory < 0)
		return directory == -ENAMETOOLONG ? directory : -errno;
	fd = open_within(directory, name);
	(void)close(directory);
	if (fd < 0)
		return fd;
	r = check_kind(fd);
	if (r < 0) {
		(void)close(fd);
		return r;
	}
	return fd;
}
