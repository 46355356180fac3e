/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens, caches of logins, profiles: whatever rotates them swaps files or
 * links, so that no descriptor of one is kept. */
#include "aws/small_file.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/macros.h"
#include "base/projected.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct opened {
	const char *what;
	const char *path;
	int fd;
	struct err *err;
};

static void close_file(const struct opened *file)
{
	if (file->fd >= 0)
		(void)close(file->fd);
}

#define cleanup_opened CLEANUP(close_file)

static int fail(const struct opened *file, int code, const char *why)
{
	return err_set(file->err, code, "%s '%.256s': %s", file->what,
		       file->path, why);
}

/* The worker is not who mounts, where that is root. */
static int fail_access(const struct opened *file)
{
	struct stat status;
	int code = stat(file->path, &status) == 0 ? -EACCES : -EPERM;

	return err_set(file->err, code,
		       "%s '%.256s': Permission denied to uid %u (another one "
		       "reads with --worker-user)",
		       file->what, file->path, (unsigned)geteuid());
}

static int open_file(struct opened *file)
{
	file->fd = projected_open(file->path);
	if (file->fd >= 0)
		return 0;
	switch (file->fd) {
	case -EACCES:
		return fail_access(file);
	case -EXDEV:
		return fail(file, -EINVAL, "leads out of its directory");
	case -EISDIR:
	case -EINVAL:
		return fail(file, -EINVAL, "not a regular file");
	default:
		return fail(file, file->fd == -ENOTDIR ? -ENOENT : file->fd,
			    strerrordesc_np(-file->fd));
	}
}

/* Reads to the end of the file, also where it has grown since fstat(2). */
static int read_all(const struct opened *file, struct buf *out)
{
	while (out->length < out->limit) {
		ssize_t got = read(file->fd, out->bytes + out->length,
				   out->limit - out->length);

		if (got == 0)
			return 0;
		if (got < 0 && errno != EINTR)
			return fail(file, -errno, strerrordesc_np(errno));
		if (got > 0)
			out->length += (size_t)got;
	}
	return fail(file, -EINVAL, "too long");
}

int small_file_read(const char *what, const char *path, size_t max,
		    struct buf *out, struct err *err)
{
	cleanup_opened struct opened file = { what, path, -1, err };
	cleanup_buf struct buf text;
	int r;

	/* one byte more: only a read at the end tells that it is the end */
	buf_init(&text, max + 1);
	r = open_file(&file);
	if (r < 0)
		return r;
	if (buf_reserve(&text, max + 1) < 0)
		return err_set(err, -ENOMEM, "no memory for '%.256s'", path);
	r = read_all(&file, &text);
	if (r < 0)
		return r;
	if (text.length > 0 && memchr(text.bytes, '\0', text.length))
		return fail(&file, -EINVAL, "not a text");
	r = buf_append(out, text.bytes, text.length);
	return r < 0 ? err_set(err, -ENOMEM, "no memory for '%.256s'", path)
		     : 0;
}
