/* SPDX-License-Identifier: Apache-2.0 */
/* How often the kernel was given a node, in the order that a worker can be
 * killed in: first the ledger, then the node, then the answer. */
#include "base/log.h"
#include "fs/ledger.h"
#include "fs/tree.h"
#include "fs/tree_private.h"

void tree_give(struct tree *tree, struct node *node)
{
	ledger_give(tree->ledger, node->id, node->lookups + 1);
	nodes_looked_up(node);
}

/* What another worker had written down may be in the node already. */
static bool finish(struct tree *tree, uint64_t id, uint64_t rest)
{
	const struct node *node = nodes_find(tree->nodes, id);

	return !node || node->lookups <= rest ||
	       nodes_forget(tree->nodes, id, node->lookups - rest);
}

static bool forget(struct tree *tree, uint64_t id, uint64_t count)
{
	const struct node *node = nodes_find(tree->nodes, id);
	uint64_t rest;

	if (ledger_recall(tree->ledger, id, &rest))
		return finish(tree, id, rest);
	if (node && node->lookups >= count && id != NODE_ROOT)
		ledger_take(tree->ledger, id, node->lookups - count);
	return nodes_forget(tree->nodes, id, count);
}

void tree_forget(struct tree *tree, uint64_t id, uint64_t count)
{
	if (!forget(tree, id, count))
		log_warn("the kernel forgot what it was not given",
			 "node=%llu count=%llu", (unsigned long long)id,
			 (unsigned long long)count);
	tree_sweep_later(tree);
}

static void take_back(void *owner, const struct ledger_entry *entry)
{
	struct tree *tree = owner;

	(void)nodes_forget(tree->nodes, entry->node, 1);
}

/* The worker may have been killed before it counted the last one, and one after
 * it while it took these back. */
static void take_back_counted(void *owner, const struct ledger_entry *entry)
{
	const struct tree *tree = owner;
	const struct node *node = nodes_find(tree->nodes, entry->node);

	if (node && node->lookups >= entry->lookups)
		take_back(owner, entry);
}

void tree_keep_counts(struct tree *tree, struct ledger *ledger)
{
	tree->ledger = ledger;
	ledger_settle(ledger, take_back_counted, tree);
}

void tree_request_came_again(struct tree *tree, uint64_t unique)
{
	ledger_came_again(tree->ledger, unique, take_back, tree);
}
