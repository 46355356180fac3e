/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FS_SESSION_H
#define FS_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct journal;
struct loop;
struct traffic;
struct tree;

/*
 * One FUSE connection that somebody else has mounted and whose FUSE_INIT that
 * somebody has answered already. Any number of them live in one process.
 */

struct session;

/* The mount is gone (ENODEV): free the session from a later turn. */
typedef void session_on_gone(void *owner);

/* False: another process serves, and whatever was read is its to answer. */
typedef bool session_may_serve(void *owner);

struct session_settings {
	struct loop *loop; /* borrowed, like the next two */
	struct tree *tree; /* which keeps its nodes */
	struct journal *journal;
	int fd;		  /* taken over, also on failure */
	const void *init; /* the FUSE_INIT request as it was read */
	size_t init_length;
	session_on_gone *on_gone;
	session_may_serve *may_serve; /* asked around each read, and before an
					 answer */
	void *owner;
	bool is_asked_always; /* the kernel believes no name for any time */
	bool has_extended;    /* files have extended attributes */
	bool has_no_epochs;   /* as on a kernel before 6.16: for tests */
};

/* Serves from the next turn on, first what another worker has left. 0, or
 * negative errno with err filled. */
int session_new(const struct session_settings *settings, struct session **ret,
		struct err *err);

/*
 * Has the kernel ask again for every name, without taking a lock, so that it is
 * safe from the loop (FUSE_NOTIFY_INC_EPOCH, since Linux 6.16). False: it does
 * not know how; names then live to the end of their time.
 */
bool session_expire_names(struct session *session);
bool session_can_expire_names(const struct session *session);

/* Takes no more requests, neither the kernel's nor those that another worker
 * has left in the journal: they stay there for the next one. */
void session_pause(struct session *session);

/* From now on no answer reaches the kernel: what waits stays in the journal,
 * for the next worker to answer. */
void session_silence(struct session *session);

/* How many requests are not answered, and how many there have been. */
size_t session_waiting(const struct session *session);
uint64_t session_taken(const struct session *session);

/* What the kernel has asked so far, borrowed; see traffic.h. */
const struct traffic *session_traffic(const struct session *session);

/* Closes the fd. Requests of the tree must have been answered before
 * (tree_free()). NULL is allowed. */
void session_free(struct session *session);

#endif
