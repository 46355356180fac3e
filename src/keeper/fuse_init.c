/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the keeper itself says over /dev/fuse. The answer to FUSE_INIT is
 * written by hand, because libfuse before 3.17 cannot ask for
 * FUSE_PARALLEL_DIROPS, without which one secret that is slow to come blocks
 * its whole directory. Layouts: linux/fuse.h.
 */
#include "keeper/fuse_init.h"
#include "base/err.h"

#include <errno.h>
#include <linux/fuse.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

/* Since 7.40, 7.41; older headers lack them. */
#define NOTIFY_RESEND 7
#ifndef FUSE_ALLOW_IDMAP
#define FUSE_ALLOW_IDMAP (1ULL << 40)
#endif

#define SPOKEN_MINOR 41U
#define READ_MAX 131072U
#define BACKGROUND_MAX 64
#define BACKGROUND_CONGESTED 48

#define WANTED_FLAGS                                                           \
	(FUSE_ASYNC_READ | FUSE_PARALLEL_DIROPS | FUSE_DO_READDIRPLUS |        \
	 FUSE_READDIRPLUS_AUTO | FUSE_MAX_PAGES | FUSE_INIT_EXT)
#define WANTED_FLAGS2 ((uint32_t)(FUSE_ALLOW_IDMAP >> 32))

/* A read below this size is refused by the kernel. */
struct request {
	struct fuse_in_header header;
	struct fuse_init_in init;
	char rest[FUSE_MIN_READ_BUFFER];
};

struct reply {
	struct fuse_out_header header;
	struct fuse_init_out init;
};

static int read_request(int fd, int timeout_ms, struct request *request,
			size_t *ret_length, struct err *err)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	ssize_t length;
	int r = poll(&ready, 1, timeout_ms);

	if (r < 0)
		return err_set(err, -errno, "waiting for FUSE_INIT: %s",
			       strerrordesc_np(errno));
	if (r == 0)
		return err_set(err, -ETIMEDOUT,
			       "the kernel sent no FUSE_INIT in %d ms",
			       timeout_ms);
	length = read(fd, request, sizeof(*request));
	if (length < 0)
		return err_set(err, -errno, "reading FUSE_INIT: %s",
			       strerrordesc_np(errno));
	*ret_length = (size_t)length;
	return 0;
}

static int check_request(const struct request *request, size_t length,
			 struct err *err)
{
	if (length < offsetof(struct request, init.flags2) ||
	    length > MESSAGE_BODY_MAX || request->header.len != length ||
	    request->header.opcode != FUSE_INIT)
		return err_set(err, -EPROTO,
			       "the kernel's first request is no FUSE_INIT");
	if (request->init.major != FUSE_KERNEL_VERSION)
		return err_set(err, -EPROTO,
			       "the kernel speaks FUSE %u.%u, not %d",
			       request->init.major, request->init.minor,
			       FUSE_KERNEL_VERSION);
	return 0;
}

/* Where a page is larger than that, one page is enough for any secret. */
static uint16_t pages_of_largest_read(void)
{
	long page = sysconf(_SC_PAGESIZE);

	if (page <= 0 || page > (long)READ_MAX)
		return 1;
	return (uint16_t)(READ_MAX / (unsigned long)page);
}

static void fill_reply(const struct request *request, struct reply *reply)
{
	const struct fuse_init_in *in = &request->init;
	struct fuse_init_out *out = &reply->init;

	memset(reply, 0, sizeof(*reply));
	reply->header.len = sizeof(*reply);
	reply->header.unique = request->header.unique;
	out->major = FUSE_KERNEL_VERSION;
	out->minor = in->minor < SPOKEN_MINOR ? in->minor : SPOKEN_MINOR;
	out->max_readahead = in->max_readahead;
	out->flags = in->flags & WANTED_FLAGS;
	/* Kernels before 5.17 send no flags2; the rest of request is zero. */
	if (in->flags & FUSE_INIT_EXT)
		out->flags2 = in->flags2 & WANTED_FLAGS2;
	out->max_background = BACKGROUND_MAX;
	out->congestion_threshold = BACKGROUND_CONGESTED;
	out->max_write = 4096;
	out->time_gran = 1;
	out->max_pages = pages_of_largest_read();
}

int fuse_init_answer(int fd, int timeout_ms, struct fuse_init_request *ret,
		     struct err *err)
{
	struct request request = { 0 };
	struct reply reply;
	size_t length = 0;
	int r;

	r = read_request(fd, timeout_ms, &request, &length, err);
	if (r < 0)
		return r;
	r = check_request(&request, length, err);
	if (r < 0)
		return r;
	fill_reply(&request, &reply);
	if (write(fd, &reply, sizeof(reply)) < 0)
		return err_set(err, -errno, "answering FUSE_INIT: %s",
			       strerrordesc_np(errno));
	memcpy(ret->bytes, &request, length);
	ret->length = length;
	return 0;
}

int fuse_notify_drop(int fd, uint64_t node)
{
	const struct {
		struct fuse_out_header header;
		struct fuse_notify_inval_inode_out about;
	} notification = {
		.header = { .len = sizeof(notification),
			    .error = FUSE_NOTIFY_INVAL_INODE },
		.about = { .ino = node },
	};

	if (write(fd, &notification, sizeof(notification)) < 0 &&
	    errno != ENOENT)
		return -errno;
	return 0;
}

int fuse_notify_resend(int fd)
{
	const struct fuse_out_header notification = {
		.len = sizeof(notification),
		.error = NOTIFY_RESEND,
	};

	if (write(fd, &notification, sizeof(notification)) < 0)
		return -errno;
	return 0;
}
