/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KEEPER_SEEK_H
#define KEEPER_SEEK_H

#include <sys/types.h>

/*
 * A connection to the keeper of an ordinary user, whose socket of that plain
 * name lies in a directory "secretsfs" below /run/user/UID, or wherever else
 * that user has XDG_RUNTIME_DIR: the kernel's table of sockets tells. The user
 * may be hostile: no symbolic link is followed, no FUSE mount is entered, and
 * what answers is a process of that user.
 *
 * A descriptor as of runtime_connect(); -ENOENT: none is found; -ECONNREFUSED:
 * one has been there, and nobody listens; -ETIMEDOUT: it does not turn.
 */
int seek_keeper(uid_t owner, const char *name);

#endif
