/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a name to a node. A name in a secret's mount needs the secret; one in a
 * prefix needs the listing first, which tells folders from secrets, and then
 * the secret.
 */
#include "base/err.h"
#include "base/macros.h"
#include "fs/tree.h"
#include "fs/tree_private.h"
#include "store/listing.h"
#include "store/value.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct lookup {
	struct parked parked; /* first: freed as one */
	struct tree *tree;
	uint64_t parent;
	char name[NAME_LENGTH_MAX + 1];
};

static struct lookup *lookup_of(struct parked *parked)
{
	return CONTAINER_OF(parked, struct lookup, parked);
}

static void fail(struct lookup *lookup, int code)
{
	request_fail(lookup->parked.request, code);
	free(lookup);
}

/* The kernel's own parent may have gone while the request waited. */
static struct node *parent_of(const struct lookup *lookup)
{
	return nodes_find(lookup->tree->nodes, lookup->parent);
}

static void reply_absent(struct lookup *lookup, int64_t fresh_ms)
{
	struct tree *tree = lookup->tree;
	struct node *parent = parent_of(lookup);

	if (parent)
		nodes_unlink(tree->nodes, parent, lookup->name,
			     tree_now_ns(tree));
	request_reply_absent(lookup->parked.request,
			     fresh_ms < ABSENT_MS ? fresh_ms : ABSENT_MS);
	free(lookup);
}

static void reply_failure(struct lookup *lookup,
			  const struct cache_result *result)
{
	if (result->err->code == -ENOENT)
		reply_absent(lookup, result->fresh_ms);
	else
		fail(lookup, result->err->code);
}

static void reply_node(struct lookup *lookup, struct node *node,
		       int64_t entry_ms)
{
	struct tree *tree = lookup->tree;
	struct request_entry entry;

	if (!node) {
		fail(lookup, -ENOMEM);
		return;
	}
	entry = tree_entry_of(tree, node, entry_ms);
	nodes_looked_up(node);
	if (request_reply_entry(lookup->parked.request, &entry) < 0)
		(void)nodes_forget(tree->nodes, entry.node, 1);
	free(lookup);
}

/* Which key of the value the file name stands for. */
static bool find_key(const struct value *value, const char *name,
		     size_t *ret_key)
{
	char file[NAME_LENGTH_MAX + 1];

	for (size_t key = 0; key < value_key_count(value); key++) {
		size_t length;
		const char *bytes = value_key_name(value, key, &length);

		if (name_from_key(bytes, length, file) == 0 &&
		    strcmp(file, name) == 0) {
			*ret_key = key;
			return true;
		}
	}
	return false;
}

static void go_on_with_secret(struct parked *parked,
			      const struct cache_result *result)
{
	struct lookup *lookup = lookup_of(parked);
	struct tree *tree = lookup->tree;
	struct node *parent = parent_of(lookup);
	size_t key = NODE_WHOLE;

	if (result->err) {
		reply_failure(lookup, result);
		return;
	}
	if (!parent) {
		fail(lookup, -ESTALE);
		return;
	}
	if (!tree->settings.is_prefix &&
	    strcmp(lookup->name, tree->whole_file) != 0 &&
	    !find_key(result->value, lookup->name, &key)) {
		if (value_has_keys(result->value))
			reply_absent(lookup, result->fresh_ms);
		else
			fail(lookup, -EBADMSG);
		return;
	}
	reply_node(lookup,
		   nodes_file(tree->nodes, parent, lookup->name, result->value,
			      key),
		   result->fresh_ms);
}

static void look_in_secret(struct lookup *lookup, const char *secret)
{
	struct cache_want want = tree_want(lookup->tree, secret, false);

	parked_want(&lookup->parked, &want, 0, go_on_with_secret);
}

/* The one whose file name this is: names from a source may need escaping. */
static const struct listing_name *find_listed(const struct listing *listing,
					      const char *name)
{
	char file[NAME_LENGTH_MAX + 1];
	const struct listing_name *listed = listing_find(listing, name);

	if (listed && !strchr(name, '%'))
		return listed;
	for (size_t i = 0; i < listing_count(listing); i++) {
		listed = listing_at(listing, i);
		if (name_from_key(listed->name, strlen(listed->name), file) ==
			    0 &&
		    strcmp(file, name) == 0)
			return listed;
	}
	return NULL;
}

static void reply_folder(struct lookup *lookup,
			 const struct listing_name *listed, const char *prefix,
			 int64_t entry_ms)
{
	struct node *node = nodes_directory(
		lookup->tree->nodes, parent_of(lookup), lookup->name, prefix);

	if (node)
		node->has_value = listed->is_secret;
	reply_node(lookup, node, entry_ms);
}

static void go_on_with_listing(struct parked *parked,
			       const struct cache_result *result)
{
	struct lookup *lookup = lookup_of(parked);
	struct node *parent = parent_of(lookup);
	const struct listing_name *listed;
	char path[SECRET_NAME_MAX];

	if (result->err) {
		reply_failure(lookup, result);
		return;
	}
	listed = find_listed(result->listing, lookup->name);
	if (!parent || !listed) {
		reply_absent(lookup, result->fresh_ms);
		return;
	}
	if (snprintf(path, sizeof(path), "%s%s%s", parent->prefix, listed->name,
		     listed->is_folder ? "/" : "") >= (int)sizeof(path))
		fail(lookup, -ENAMETOOLONG);
	else if (listed->is_folder)
		reply_folder(lookup, listed, path, result->fresh_ms);
	else
		look_in_secret(lookup, path);
}

/* ".value" is the secret that has the name of its folder. */
static bool look_in_folder_itself(struct lookup *lookup,
				  const struct node *parent)
{
	char path[SECRET_NAME_MAX];
	size_t length = strlen(parent->prefix);

	if (length == 0 || length >= sizeof(path) ||
	    strcmp(lookup->name, NAME_FOLDER_VALUE) != 0)
		return false;
	memcpy(path, parent->prefix, length - 1);
	path[length - 1] = '\0';
	look_in_secret(lookup, path);
	return true;
}

static void look(struct lookup *lookup, const struct node *parent)
{
	struct tree *tree = lookup->tree;
	struct cache_want want;

	if (!tree->settings.is_prefix) {
		/* a leading dot is never a key: shells and tools ask often */
		if (lookup->name[0] == '.' &&
		    strcmp(lookup->name, tree->whole_file) != 0)
			reply_absent(lookup, ABSENT_MS);
		else
			look_in_secret(lookup, tree->name);
		return;
	}
	if (look_in_folder_itself(lookup, parent))
		return;
	if (lookup->name[0] == '.') {
		reply_absent(lookup, ABSENT_MS);
		return;
	}
	want = tree_want(tree, parent->prefix, true);
	parked_want(&lookup->parked, &want, 0, go_on_with_listing);
}

void tree_lookup(struct tree *tree, struct request *request, uint64_t parent_id,
		 const char *name)
{
	const struct node *parent = nodes_find(tree->nodes, parent_id);
	struct lookup *lookup;

	if (!parent || !parent->is_directory) {
		request_fail(request, parent ? -ENOTDIR : -ESTALE);
		return;
	}
	if (strlen(name) > NAME_LENGTH_MAX) {
		request_fail(request, -ENAMETOOLONG);
		return;
	}
	lookup = calloc(1, sizeof(*lookup));
	if (!lookup) {
		request_fail(request, -ENOMEM);
		return;
	}
	lookup->parked.parking = &tree->parking;
	lookup->parked.request = request;
	lookup->tree = tree;
	lookup->parent = parent_id;
	memcpy(lookup->name, name, strlen(name) + 1);
	look(lookup, parent);
}
