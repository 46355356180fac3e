/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONFIG_YDOC_TREE_H
#define CONFIG_YDOC_TREE_H

#include <stddef.h>

#include "config/ydoc.h"

struct arena;
struct err;

/*
 * The tree of ydoc.h while events come, one call each. All of its own calls
 * return 0, or -EINVAL, -E2BIG or -ENOMEM with err filled. Texts are copied.
 */

struct ydoc_anchor {
	const char *name;
	const struct ydoc_node *node;
};

/* A list or map that is not over yet. */
struct ydoc_open {
	struct ydoc_node *node;
	const struct ydoc_node **end; /* where the next child is linked */
	const char *key;	      /* waits for its value */
	const char *anchor;
	const struct ydoc_node *merge; /* values of "<<", in order */
	const struct ydoc_node **merge_end;
};

struct ydoc_tree {
	struct arena *arena;
	struct err *err;
	unsigned line; /* of the event */

	struct ydoc_open open[YDOC_DEPTH_MAX];
	size_t depth;
	const struct ydoc_node *first; /* document */
	const struct ydoc_node **end;
	struct ydoc_anchor anchors[YDOC_ANCHORS_MAX];
	size_t anchor_count;
	size_t alias_count;
	size_t node_count;
};

struct ydoc_scalar {
	const char *text;
	enum ydoc_style style;
	unsigned line_ends; /* inside */
	const char *anchor; /* or NULL */
};

void ydoc_tree_init(struct ydoc_tree *tree, struct arena *arena,
		    struct err *err);

/* Each event counts, whatever it is. */
int ydoc_tree_count(struct ydoc_tree *tree);

int ydoc_tree_scalar(struct ydoc_tree *tree, const struct ydoc_scalar *scalar);

/* A list or a map begins; anchor may be NULL. */
int ydoc_tree_open(struct ydoc_tree *tree, enum ydoc_kind kind,
		   const char *anchor);
int ydoc_tree_close(struct ydoc_tree *tree);

int ydoc_tree_alias(struct ydoc_tree *tree, const char *name);

/* Anchors end with their document. */
void ydoc_tree_end_document(struct ydoc_tree *tree);

#endif
