/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FS_REFUSALS_H
#define FS_REFUSALS_H

struct fuse_lowlevel_ops;

/* Answers EROFS to every operation of libfuse that would change something, but
 * rename and unlink. */
void refusals_add(struct fuse_lowlevel_ops *operations);

#endif
