/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names that come and go below a prefix. They are known only when somebody
 * lists, and nothing is fetched for telling of them: a node that shows nothing
 * goes through the notifier's hands under the name, and the first who looks the
 * name up gets the real one. Of folders nothing is told, since the notifier may
 * handle files alone.
 */
#include "base/log.h"
#include "fs/announce.h"
#include "fs/tree_private.h"
#include "store/listing.h"

#include <string.h>

/* Of one listing. More than that is no news that anybody follows name by name,
 * and each is an order and a node. */
#define ANNOUNCED_MAX 256

struct telling {
	struct tree *tree;
	struct node *directory;
	const struct listing *than; /* what is in it is no news */
	void (*tell)(struct telling *telling, const char *name);
	size_t count;
};

static bool is_file(const struct listing_name *listed)
{
	return listed && listed->is_secret && !listed->is_folder;
}

static struct node *stand_in(struct telling *telling, const char *name)
{
	struct tree *tree = telling->tree;

	return nodes_prepare_empty(tree->nodes, telling->directory, name,
				   &tree->settings.prefix.rights,
				   tree_now_ns(tree));
}

static void tell_of_new(struct telling *telling, const char *name)
{
	struct tree *tree = telling->tree;
	struct node *node =
		nodes_current(tree->nodes, telling->directory, name);

	if (node) {
		tree_announce_again(tree, node);
		return;
	}
	node = stand_in(telling, name);
	if (node)
		announce_replace(tree, node);
}

static void tell_of_gone(struct telling *telling, const char *name)
{
	struct tree *tree = telling->tree;
	struct node *node =
		nodes_current(tree->nodes, telling->directory, name);

	if (!node)
		node = stand_in(telling, name);
	if (node && !announce_remove(tree, node) && node->is_empty)
		nodes_settle(tree->nodes, node);
}

static void tell_each(struct telling *telling, const struct listing *listing)
{
	char file[NAME_LENGTH_MAX + 1];

	for (size_t i = 0; i < listing_count(listing); i++) {
		const struct listing_name *listed = listing_at(listing, i);

		if (!is_file(listed) ||
		    listing_find(telling->than, listed->name) ||
		    name_from_key(listed->name, strlen(listed->name), file) < 0)
			continue;
		if (telling->count++ < ANNOUNCED_MAX)
			telling->tell(telling, file);
	}
	if (telling->count > ANNOUNCED_MAX)
		log_debug("too many names to tell of", "names=%zu",
			  telling->count);
}

void tree_announce_listing(struct tree *tree, struct node *directory,
			   struct listing *listing)
{
	struct listing *before = directory->listed;

	if (before == listing)
		return;
	directory->listed = listing_ref(listing);
	if (before && tree_has_notifier(tree)) {
		tell_each(&(struct telling){ .tree = tree,
					     .directory = directory,
					     .than = before,
					     .tell = tell_of_new },
			  listing);
		tell_each(&(struct telling){ .tree = tree,
					     .directory = directory,
					     .than = listing,
					     .tell = tell_of_gone },
			  before);
	}
	listing_unref(before);
}
