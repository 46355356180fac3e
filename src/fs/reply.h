/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FS_REPLY_H
#define FS_REPLY_H

#include <stdbool.h>

struct fuse_req;
struct request;

/* How the session makes a request of ours of one of libfuse's; request.h has
 * what becomes of it. */

/* is_asked_always: the kernel may believe no name for any time. NULL: no
 * memory, and the kernel has been told. */
struct request *reply_take(struct fuse_req *fuse, bool is_asked_always);

#endif
