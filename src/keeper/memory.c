/* SPDX-License-Identifier: Apache-2.0 */
/* A copy takes as little memory as what it is of: holes stay holes. */
#include "keeper/memory.h"
#include "base/err.h"
#include "base/macros.h"
#include "keeper/descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE 4096

static int refuse(const char *name, struct err *err)
{
	return err_set(err, -errno, "no memory for %s: %s", name,
		       strerrordesc_np(errno));
}

int memory_open(const char *name, off_t size, struct err *err)
{
	cleanup_fd int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0 || ftruncate(fd, size) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) <
		    0)
		return refuse(name, err);
	return descriptor_take(&fd);
}

/* 0 or negative errno. */
static int copy_range(int from, int to, off_t at, off_t end)
{
	char bytes[PIECE];

	while (at < end) {
		size_t some =
			end - at < PIECE ? (size_t)(end - at) : sizeof(bytes);
		ssize_t length = pread(from, bytes, some, at);

		if (length > 0)
			length = pwrite(to, bytes, (size_t)length, at);
		if (length <= 0)
			return length < 0 ? -errno : -EIO;
		at += length;
	}
	return 0;
}

static int copy_all(int from, int to)
{
	off_t at = lseek(from, 0, SEEK_DATA);

	while (at >= 0) {
		off_t end = lseek(from, at, SEEK_HOLE);
		int r = end < 0 ? -errno : copy_range(from, to, at, end);

		if (r < 0)
			return r;
		at = lseek(from, end, SEEK_DATA);
	}
	/* ENXIO: there is nothing more */
	return errno == ENXIO ? 0 : -errno;
}

int memory_copy(const char *name, int fd, struct err *err)
{
	cleanup_fd int copy = -1;
	struct stat status;
	int r;

	if (fstat(fd, &status) < 0)
		return refuse(name, err);
	copy = memory_open(name, status.st_size, err);
	if (copy < 0)
		return copy;
	r = copy_all(fd, copy);
	if (r < 0)
		return err_set(err, r, "no copy of %s: %s", name,
			       strerrordesc_np(-r));
	return descriptor_take(&copy);
}
