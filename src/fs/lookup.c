/* SPDX-License-Identifier: Apache-2.0 */
/* From a name to an answer: how a lookup begins and the ways in which it ends.
 * What is asked for in between depends on what the tree shows:
 * lookup_layout.c, lookup_prefix.c. */
#include "base/macros.h"
#include "fs/announce.h"
#include "fs/layout.h"
#include "fs/tree.h"
#include "fs/tree_private.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Nothing that a mount shows begins so: the notifier's names do, and a stranger
 * who asks for one leaves no trace in the kernel. */
#define OWN_NAMES ".."

static void free_lookup(struct lookup *lookup)
{
	struct tree *tree = lookup->tree;
	struct node *parent = lookup->is_cold ? lookup_parent(lookup) : NULL;

	layout_unref(lookup->layout);
	free(lookup->secret);
	free(lookup);
	if (parent && --parent->cold_lookups == 0)
		announce_flush(tree);
}

static void release(struct parked *parked)
{
	free_lookup(CONTAINER_OF(parked, struct lookup, parked));
}

void lookup_fail(struct lookup *lookup, int code)
{
	request_fail(lookup->parked.request, code);
	free_lookup(lookup);
}

struct node *lookup_parent(const struct lookup *lookup)
{
	return nodes_find(lookup->tree->nodes, lookup->parent);
}

void lookup_reply_absent(struct lookup *lookup, int64_t fresh_ms)
{
	struct tree *tree = lookup->tree;
	struct node *parent = lookup_parent(lookup);
	struct node *node = NULL;

	if (parent)
		node = nodes_current(tree->nodes, parent, lookup->name);
	/* a negative entry would be in the notifier's way */
	if (node && announce_remove(tree, node))
		fresh_ms = 0;
	else if (node)
		nodes_unlink(tree->nodes, parent, lookup->name,
			     tree_now_ns(tree));
	request_reply_absent(lookup->parked.request,
			     fresh_ms < ABSENT_MS ? fresh_ms : ABSENT_MS);
	free_lookup(lookup);
}

void lookup_reply_node(struct lookup *lookup, struct node *node,
		       int64_t entry_ms)
{
	struct tree *tree = lookup->tree;
	struct request_entry entry = tree_entry_of(tree, node, entry_ms);

	tree_give(tree, node);
	if (request_reply_entry(lookup->parked.request, &entry) < 0)
		(void)nodes_forget(tree->nodes, entry.node, 1);
	free_lookup(lookup);
}

/* A name that the kernel has no entry for holds its directory's lock until it
 * is answered; announce.c wants to know. */
static struct lookup *make_lookup(struct tree *tree, struct request *request,
				  struct node *parent, const char *name)
{
	struct lookup *lookup = calloc(1, sizeof(*lookup));

	if (!lookup)
		return NULL;
	lookup->parked.parking = &tree->parking;
	lookup->parked.request = request;
	lookup->parked.release = release;
	lookup->tree = tree;
	if (tree->layout)
		lookup->layout = layout_ref(tree->layout);
	lookup->parent = parent->id;
	lookup->is_cold = !nodes_current(tree->nodes, parent, name);
	parent->cold_lookups += lookup->is_cold;
	memcpy(lookup->name, name, strlen(name) + 1);
	return lookup;
}

/* The entry moves with a rename, so it is to last as long as any; that of a
 * node which shows nothing, for no time. */
static void look_for_notifier(struct lookup *lookup, const struct node *parent)
{
	struct tree *tree = lookup->tree;
	struct node *node = announce_find(tree, parent, lookup->name);

	if (node && strncmp(lookup->name, OWN_NAMES, strlen(OWN_NAMES)) == 0)
		node->has_entry = true;
	if (!node)
		lookup_reply_absent(lookup, 0);
	else
		lookup_reply_node(lookup, node,
				  node->is_current || !node->follow
					  ? 0
					  : tree_rest_ms(tree, node));
}

void tree_lookup(struct tree *tree, struct request *request, uint64_t parent_id,
		 const char *name)
{
	struct node *parent = nodes_find(tree->nodes, parent_id);
	struct lookup *lookup;

	if (!parent || !parent->is_directory) {
		request_fail(request, parent ? -ENOTDIR : -ESTALE);
		return;
	}
	if (strlen(name) > NAME_LENGTH_MAX) {
		request_fail(request, -ENAMETOOLONG);
		return;
	}
	lookup = make_lookup(tree, request, parent, name);
	if (!lookup)
		request_fail(request, -ENOMEM);
	else if (announce_is_notifier(tree, request))
		look_for_notifier(lookup, parent);
	else if (strncmp(name, OWN_NAMES, strlen(OWN_NAMES)) == 0)
		lookup_reply_absent(lookup, 0);
	else if (lookup->layout)
		lookup_in_layout(lookup, parent);
	else
		lookup_in_prefix(lookup, parent);
}
