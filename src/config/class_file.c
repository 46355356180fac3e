/* SPDX-License-Identifier: Apache-2.0 */
/* A class file from the disk: a regular file, and no more than the bound. */
#include "base/err.h"
#include "base/macros.h"
#include "base/projected.h"
#include "config/class.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct file {
	int fd;
	char *bytes; /* room for CLASS_FILE_MAX and one more */
};

static void file_done(struct file *file)
{
	free(file->bytes);
	if (file->fd >= 0)
		(void)close(file->fd);
}

static int refuse_open(const char *path, int code, struct err *err)
{
	if (code == -EACCES)
		return err_set(err, code,
			       "%s: user %u may not read it; a mount reads it "
			       "as the user of --worker-user",
			       path, (unsigned)geteuid());
	return err_set(err, code, "%s: %s", path, strerrordesc_np(-code));
}

static int open_file(const char *path, struct file *file, struct err *err)
{
	file->fd = projected_open(path);
	if (file->fd == -EINVAL || file->fd == -EISDIR)
		return err_set(err, file->fd, "%s: not a regular file", path);
	if (file->fd == -EXDEV)
		return err_set(err, file->fd, "%s: leads out of its directory",
			       path);
	if (file->fd < 0)
		return refuse_open(path, file->fd, err);
	file->bytes = malloc(CLASS_FILE_MAX + 1);
	if (!file->bytes)
		return err_set(err, -ENOMEM, "%s: no memory", path);
	return 0;
}

/* The length, at most CLASS_FILE_MAX + 1. */
static ssize_t read_all(const struct file *file)
{
	size_t length = 0;

	while (length < CLASS_FILE_MAX + 1) {
		ssize_t r = read(file->fd, file->bytes + length,
				 CLASS_FILE_MAX + 1 - length);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -errno;
		if (r == 0)
			break;
		length += (size_t)r;
	}
	return (ssize_t)length;
}

int class_list_read(const char *path, struct class_list **ret, struct err *err)
{
	CLEANUP(file_done) struct file file = { .fd = -1 };
	ssize_t length;
	int r = open_file(path, &file, err);

	if (r < 0)
		return r;
	length = read_all(&file);
	if (length < 0)
		return refuse_open(path, (int)length, err);
	return class_list_parse(path, file.bytes, (size_t)length, ret, err);
}
