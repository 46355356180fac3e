/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FS_ANNOUNCE_H
#define FS_ANNOUNCE_H

#include <stdbool.h>
#include <stdint.h>

#include "keeper/notify_order.h"

struct node;
struct request;
struct tree;
struct tree_rename;

/*
 * How those who watch hear of what has changed: through the notifier, whose
 * renames and unlinks in a writable clone of the mount move the kernel's
 * entries and fire inotify events. Where there is none, the kernel is at least
 * told to ask for all names again.
 *
 * A prepared node has the name "..new-ID" for the notifier and for nobody else
 * until the rename installs it under its own: a name that a stranger could
 * look up before would break the rename, or move a wrong node.
 */

#define ANNOUNCE_PREFIX "..new-"

/* There is no notifier: something has changed, and the kernel is to ask. */
void announce_none(struct tree *tree);

/* Has the notifier put a prepared node in its place, instead of what it was to
 * do with that name before. It settles the node where that fails, or where
 * there is no notifier. */
void announce_replace(struct tree *tree, struct node *node);

/* Has it take the name of a current node away, which the node keeps until then.
 * False: there is no notifier. */
bool announce_remove(struct tree *tree, struct node *node);

/*
 * A name was given to another node by a mere LOOKUP, which the kernel takes
 * for no change: whoever watches the old file would never hear of anything
 * again. The notifier unlinks it under a name of its own.
 */
void announce_left(struct tree *tree, const struct node *node);

/* Orders what may be ordered now: called when something that stood in the way
 * of an order is gone. */
void announce_flush(struct tree *tree);

/* Forgets all orders. */
void announce_drop(struct tree *tree);

/* Whether the request is the notifier's. */
bool announce_is_notifier(const struct tree *tree,
			  const struct request *request);

/* The node that the notifier means by a name: one that it was told of by
 * number, or what the name shows. NULL: none. */
struct node *announce_find(const struct tree *tree, const struct node *parent,
			   const char *name);

/* The node that a "..new-ID" is of; NULL: it is none, or the node is gone. */
struct node *announce_own_node(const struct tree *tree,
			       const struct node *parent, const char *name);

/* Whether a rename or an unlink of a notifier that is not known is done
 * already, so that to say so changes nothing. */
bool announce_is_renamed(const struct tree *tree,
			 const struct tree_rename *what);
bool announce_is_unlinked(const struct tree *tree, uint64_t parent,
			  const char *name);

#endif
