/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FS_FOLLOW_H
#define FS_FOLLOW_H

#include <stdint.h>

#include "fs/nodes.h"
#include "store/value.h"

struct cache;
struct cache_result;
struct cache_want;

/*
 * The secrets of which the kernel holds nodes: each is in use, and so confirmed
 * in the background, until the last of its nodes goes. An inotify watch holds
 * its node, so who only watches keeps a secret in use.
 */

struct follows;

LIST_HEAD(node_list, node);

struct follow {
	struct follows *follows;
	struct cache_use *use;
	struct node_list nodes;

	/* the version that was seen last; NULL: none, or it was wiped */
	struct value *value;
	int64_t modified_ns; /* of all its files */

	/* left by another worker, until it is clear what there is now: the
	 * oldest version that a name shows, with its date; and the newest that
	 * has a node, whose date modified_ns is. "": none */
	char shown[VALUE_VERSION_MAX + 1];
	int64_t shown_ns;
	char newest[VALUE_VERSION_MAX + 1];

	/* what is asked for: texts in key */
	struct source *source;
	const char *name;
	const char *version; /* or NULL */
	const char *stage;   /* or NULL */
	bool is_left;	     /* by another worker; not seen here yet */
	bool is_late;	     /* a change waits to be announced */
	int is_busy;	     /* it stays though it has no nodes */
	uint64_t mark;	     /* follow_mark() of it */
	size_t key_length;
	char key[];
};

/* The secret is another version now, or is wiped (result->err). follow->value
 * is still the one before. */
typedef void follows_on_change(void *owner, struct follow *follow,
			       const struct cache_result *result);

/* NULL: no memory. */
struct follows *follows_new(struct cache *cache, follows_on_change *on_change,
			    void *owner);

/* Calls each for every follow, in no order; it may end that one, and no other.
 */
void follows_each(struct follows *follows,
		  void (*each)(void *owner, struct follow *follow),
		  void *owner);

/* Files are recorded there as they are added. */
void follows_set_nodes(struct follows *follows, struct nodes *nodes);

/* Every node must have been dropped. NULL is allowed. */
void follows_free(struct follows *follows);

/* The one for what is wanted, made where there was none. It goes with the last
 * of its nodes; without any, by follow_settle(). NULL: no memory. */
struct follow *follows_need(struct follows *follows,
			    const struct cache_want *want);
void follow_settle(struct follow *follow);

/*
 * The modification time of the files of this version, which is seen now. It is
 * the version's date, or a nanosecond more than that of the version before
 * where it would not be later: two versions never share one.
 */
int64_t follow_see(struct follow *follow, struct value *value);

/* Once for each node; again is no fault. */
void follow_add(struct follow *follow, struct node *node);

/* A node of another worker, instead of follow_add(): what it is of was seen. */
void follow_resume(struct follow *follow, struct node *node);

/* A hash of who asks, and for what: the same in every worker. */
uint64_t follow_mark(const struct cache_want *want);

/* The node goes. One that is not followed is no fault. */
void follow_drop(struct node *node);

#endif
