/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KEEPER_DESCRIPTOR_H
#define KEEPER_DESCRIPTOR_H

#include <stdint.h>

/* File descriptors as the keeper holds them: -1 is none. */

/* Closes *fd unless it is none; it is none afterwards. Keeps errno. */
void descriptor_done(int *fd);

/* Hands a descriptor over: the variable is none afterwards. */
int descriptor_take(int *fd);

/* The id, as in mountinfo, of the mount that fd was opened on; O_PATH is
 * enough. Read from /proc/self/fdinfo. 0 or negative errno. */
int descriptor_mount_id(int fd, uint64_t *ret);

#define cleanup_fd CLEANUP(descriptor_done)

#endif
