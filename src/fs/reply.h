/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FS_REPLY_H
#define FS_REPLY_H

#include <stdbool.h>
#include <stddef.h>

struct fuse_req;
struct request;

/* How the session makes a request of ours of one of libfuse's; request.h has
 * what becomes of it. */

struct reply_settings {
	bool is_asked_always; /* the kernel may believe no name for any time */
	size_t *waiting;      /* how many are not answered; borrowed */
};

/* NULL: no memory, and the kernel has been told. */
struct request *reply_take(struct fuse_req *fuse,
			   const struct reply_settings *settings);

#endif
