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
	dev_t device;	  /* these two tell the socket from another keeper's */
	ino_t inode;
};

void attach_init(struct attach *attach);

/* Before privileges_reduce(): the socket is made the worker's. It is not at its
 * path yet. 0, or negative errno with err filled. */
int attach_listen(struct attach *attach, const char *path, uid_t uid, gid_t gid,
		  struct err *err);

/* Puts the socket at its path, where it replaces what is there. 0 or negative
 * errno. */
int attach_publish(const struct attach *attach);

/* Another keeper is to come to the path: no worker finds this one, until it
 * returns. */
void attach_step_aside(const struct attach *attach);
void attach_return(const struct attach *attach);

/* No other keeper is to return: what one has left aside is removed. */
void attach_sweep(const struct attach *attach);

/*
 * Takes the next one that comes: a child that is_attached, which has said
 * nothing yet. 0; -EACCES for one that is none of ours; or negative errno.
 */
int attach_accept(const struct attach *attach, struct child *ret);

/* Removes the socket; one of another keeper that stands at the path stays. May
 * be called twice. */
void attach_done(struct attach *attach);

#endif
