/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file is read until its state is the same before and after, so that the
 * version, which is made of the state, belongs to the content. What a file is
 * replaced by takes its last link away, and with that changes its ctime: the
 * version is of the state that it had while it had a name.
 */
#include "store/file_value.h"
#include "base/buf.h"
#include "base/macros.h"
#include "base/secret.h"
#include "store/value.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_READ_TRIES 3

static void unref_secret(struct secret **secret)
{
	secret_unref(*secret);
}

/* Reads to the end; a file longer than a secret may be is -EFBIG. */
static int read_all(int fd, struct buf *content)
{
	for (;;) {
		ssize_t length;
		int r = buf_reserve(content, 1);

		if (r < 0)
			return r;
		length = read(fd, content->bytes + content->length,
			      content->capacity - content->length - 1);
		if (length < 0 && errno != EINTR)
			return -errno;
		if (length == 0)
			return 0;
		if (length > 0)
			content->length += (size_t)length;
		if (content->length > SECRET_LENGTH_MAX)
			return -EFBIG;
	}
}

static bool is_same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool is_settled(const struct stat *before, const struct stat *after)
{
	return before->st_size == after->st_size &&
	       is_same_time(&before->st_mtim, &after->st_mtim) &&
	       (is_same_time(&before->st_ctim, &after->st_ctim) ||
		after->st_nlink == 0);
}

/* A state is not taken in one moment: the last link may go after it was counted
 * and before the time was looked at, which is that of the end then. So a time
 * that did not change with the count is not to be believed. */
static bool is_torn(const struct stat *before, const struct stat *after)
{
	return after->st_nlink == 0 &&
	       is_same_time(&before->st_ctim, &after->st_ctim);
}

/* Content and state that belong together. */
static int read_settled(int fd, struct buf *content, struct stat *ret_state)
{
	for (int i = 0; i < FILE_READ_TRIES; i++) {
		struct stat before;
		struct stat after;
		int r;

		buf_clear(content);
		if (fstat(fd, &before) < 0 || lseek(fd, 0, SEEK_SET) < 0)
			return -errno;
		if (before.st_nlink == 0)
			return -ESTALE;
		r = read_all(fd, content);
		if (r < 0)
			return r;
		if (fstat(fd, &after) < 0)
			return -errno;
		if (is_torn(&before, &after))
			return -ESTALE;
		if (is_settled(&before, &after)) {
			*ret_state = before;
			return 0;
		}
	}
	return -EIO;
}

static struct value *make_value(const struct buf *content,
				const struct stat *state, bool is_raw)
{
	CLEANUP(unref_secret) struct secret *secret = NULL;
	char version[VALUE_VERSION_MAX + 1];
	struct value_about about = {
		.version = version,
		.created_ns = (int64_t)state->st_mtim.tv_sec * 1000000000 +
			      state->st_mtim.tv_nsec,
		.is_binary = is_raw,
	};

	(void)snprintf(version, sizeof(version), "%llx-%llx-%llx.%lx",
		       (unsigned long long)state->st_ino,
		       (unsigned long long)state->st_size,
		       (unsigned long long)state->st_ctim.tv_sec,
		       (unsigned long)state->st_ctim.tv_nsec);
	secret = secret_new(content->bytes, content->length);
	return secret ? value_new(secret, &about) : NULL;
}

int file_value_read(int fd, bool is_raw, struct value **ret)
{
	cleanup_buf struct buf content;
	struct value *value;
	struct stat state;
	int r;

	/* more than allowed, so that too long is noticed */
	buf_init(&content, (size_t)2 * SECRET_LENGTH_MAX);
	if (fstat(fd, &state) < 0 || !S_ISREG(state.st_mode))
		return -ENOENT;
	r = read_settled(fd, &content, &state);
	if (r < 0)
		return r;
	value = make_value(&content, &state, is_raw);
	if (!value)
		return -ENOMEM;
	*ret = value;
	return 0;
}
