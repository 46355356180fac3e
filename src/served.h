/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVED_H
#define SERVED_H

#include <stdbool.h>
#include <stdint.h>

struct cache;
struct err;
struct loop;
struct message;
struct session;
struct shown;
struct tree;

/* One mount as the worker serves it. Part of the worker's wiring. */

struct served;

/* Someone has unmounted it, and the keeper has been told: free it. From a turn
 * of its own. */
typedef void served_on_gone(void *owner, struct served *served);

/* As of session.h. */
typedef bool served_may_serve(void *owner);

/* All borrowed. */
struct served_settings {
	struct loop *loop;
	struct cache *cache;
	const struct shown *shown; /* of the moment it is made */
	uint32_t index;		   /* as the keeper counts mounts */
	int keeper_fd;
	bool is_asked_always; /* as in struct session_settings, these three */
	bool has_extended;
	bool has_no_epochs;
	served_on_gone *on_gone;
	served_may_serve *may_serve;
	void *owner;
};

struct served_mount {
	int fuse_fd;
	int nodes_fd;		    /* the memory of its nodes; -1: none came */
	int journal_fd;		    /* likewise, of its requests */
	bool is_writable;	    /* as in struct tree_settings */
	const struct message *init; /* with the FUSE_INIT request */
};

/* The fds are taken over, also on failure. 0, or negative errno with err
 * filled. */
int served_new(const struct served_settings *settings,
	       const struct served_mount *mount, struct served **ret,
	       struct err *err);

/* NULL is allowed. */
void served_free(struct served *served);

/* Whether someone has unmounted it, and the keeper has been told. */
bool served_has_gone(const struct served *served);

/* Borrowed. */
struct tree *served_tree(const struct served *served);
struct session *served_session(const struct served *served);

#endif
