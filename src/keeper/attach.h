/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KEEPER_ATTACH_H
#define KEEPER_ATTACH_H

#include <sys/types.h>

#include "keeper/child.h"

struct err;

/*
 * Where workers that someone else has started, as in another container, come to
 * the keeper: a named socket, open to the worker's user and to root. Whoever
 * comes is asked for by the kernel's word.
 */
struct attach {
	const char *path; /* borrowed; NULL: no worker may come */
	int listening;	  /* or -1 */
	uid_t uid;	  /* of workers */
};

void attach_init(struct attach *attach);

/* Before privileges_reduce(): the socket is made the worker's. What an earlier
 * keeper left there is replaced. 0, or negative errno with err filled. */
int attach_listen(struct attach *attach, const char *path, uid_t uid, gid_t gid,
		  struct err *err);

/*
 * Takes the next one that comes: a child that is_attached, which has said
 * nothing yet. 0; -EACCES for one that is none of ours; or negative errno.
 */
int attach_accept(const struct attach *attach, struct child *ret);

/* Removes the socket. May be called twice. */
void attach_done(struct attach *attach);

/* The same, but what stands at the path now is another keeper's. */
void attach_leave(struct attach *attach);

#endif
