/* SPDX-License-Identifier: Apache-2.0 */
/* What a notifier asks for may have been done by a worker that was killed
 * before it could say so. The next one knows neither that notifier nor its
 * order, and can tell by the names. */
#include "fs/announce.h"
#include "fs/tree.h"
#include "fs/tree_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define OWN_NAME_SIZE (sizeof(ANNOUNCE_PREFIX) + 20)

struct node *announce_own_node(const struct tree *tree,
			       const struct node *parent, const char *name)
{
	char expected[OWN_NAME_SIZE];
	struct node *node;
	uint64_t id = 0;

	if (strncmp(name, ANNOUNCE_PREFIX, strlen(ANNOUNCE_PREFIX)) != 0)
		return NULL;
	for (const char *at = name + strlen(ANNOUNCE_PREFIX); *at; at++) {
		if (*at < '0' || *at > '9')
			return NULL;
		id = id * 10 + (uint64_t)(*at - '0');
	}
	(void)snprintf(expected, sizeof(expected), ANNOUNCE_PREFIX "%" PRIu64,
		       id);
	node = nodes_find(tree->nodes, id);
	return node && node->parent == parent && !node->is_directory &&
			       strcmp(name, expected) == 0
		       ? node
		       : NULL;
}

bool announce_is_renamed(const struct tree *tree,
			 const struct tree_rename *what)
{
	const struct node *parent = nodes_find(tree->nodes, what->parent);
	const struct node *node = NULL;

	if (parent && what->new_parent == what->parent)
		node = announce_own_node(tree, parent, what->name);
	return node && node->is_current &&
	       strcmp(node->name, what->new_name) == 0;
}

bool announce_is_unlinked(const struct tree *tree, uint64_t parent_id,
			  const char *name)
{
	const struct node *parent = nodes_find(tree->nodes, parent_id);

	return parent && parent->is_directory &&
	       strncmp(name, ANNOUNCE_PREFIX, strlen(ANNOUNCE_PREFIX)) != 0 &&
	       !announce_find(tree, parent, name);
}
