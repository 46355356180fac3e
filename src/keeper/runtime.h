/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KEEPER_RUNTIME_H
#define KEEPER_RUNTIME_H

#include <stdint.h>
#include <sys/types.h>

struct err;

#define RUNTIME_PATH_MAX 108 /* of a socket, with its NUL */

/*
 * How a command finds the keeper of a mount: one socket named after the
 * mount's id, in /run/secretsfs for root and in $XDG_RUNTIME_DIR/secretsfs, or
 * else /run/user/UID/secretsfs, for others. One that an ordinary user has
 * elsewhere is sought (seek.h) for that user and for root. The messages are
 * those of message.h.
 */

/* Makes the directory where it is missing, closes it to others' writes, or
 * altogether where it is not root's, and refuses one of someone else. 0, or
 * negative errno with err filled. */
int runtime_prepare(struct err *err);

/* A non-blocking listening socket for the mount; one that an earlier mount of
 * that id left is replaced. A descriptor, or negative errno with err filled. */
int runtime_listen(uint64_t mount_id, struct err *err);

/* Takes the next client off a listening socket: non-blocking, and refused
 * (-EACCES) unless it is root or owner. A descriptor or negative errno. */
int runtime_accept(int listening, uid_t owner);

/* A connection to the keeper of a mount; it and what is sent block, but not for
 * long. A descriptor; -ECONNREFUSED: the keeper has died; -ENOENT: none is
 * found, which is not the same where others have made the mount; -ETIMEDOUT for
 * one that does not turn; -EACCES: it is another user's; or negative errno. */
int runtime_connect(uint64_t mount_id);

/* The same for the socket at path. */
int runtime_connect_to(const char *path);

/*
 * Calls judge with a connection to each keeper of a mount, or with the negative
 * errno of why one that may live cannot be reached, until it returns something
 * else than 0, which is returned; or negative errno. The socket and its path
 * are lent for the call.
 */
int runtime_each(int (*judge)(void *owner, int socket, const char *path),
		 void *owner);

/* Unless another keeper listens at that name than the one that listens at this
 * socket, which is still open; or -1: unless any keeper does. */
void runtime_remove(uint64_t mount_id, int listening);

/* The same for a directory that mounts come and go in; fd is of it, and
 * O_PATH is enough. */
int runtime_listen_directory(int fd, struct err *err);
int runtime_connect_directory(int fd);

/* To one of this user only, and no other is sought: another user's keeper has
 * no say in whether ours may start. */
int runtime_connect_own_directory(int fd);

/* The path of that socket, whether there is one or not. 0 or negative errno. */
int runtime_path_directory(int fd, char ret[RUNTIME_PATH_MAX]);
void runtime_remove_directory(int fd, int listening);

#endif
