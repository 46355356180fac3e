/* SPDX-License-Identifier: Apache-2.0 */
/* A name below a prefix needs the listing first, which tells folders from
 * secrets, and then the secret. */
#include "base/macros.h"
#include "fs/tree_private.h"
#include "store/listing.h"
#include "store/value.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static struct lookup *lookup_of(struct parked *parked)
{
	return CONTAINER_OF(parked, struct lookup, parked);
}

static void reply_failure(struct lookup *lookup,
			  const struct parked_result *result)
{
	if (result->code == -ENOENT)
		lookup_reply_absent(lookup, result->fresh_ms);
	else
		lookup_fail(lookup, result->code);
}

static void reply_node(struct lookup *lookup, struct node *node,
		       int64_t entry_ms)
{
	if (node)
		lookup_reply_node(lookup, node, entry_ms);
	else
		lookup_fail(lookup, -ENOMEM);
}

static void go_on_with_secret(struct parked *parked,
			      const struct parked_results *results)
{
	struct lookup *lookup = lookup_of(parked);
	const struct parked_result *result = &results->at[0];
	struct node *parent = lookup_parent(lookup);
	struct node *node = NULL;

	if (result->code < 0)
		reply_failure(lookup, result);
	else if (!parent)
		lookup_fail(lookup, -ESTALE);
	else if (tree_secret_node(lookup->tree, parent, lookup->name,
				  lookup->secret, result->value, &node) < 0)
		lookup_fail(lookup, -ENOMEM);
	else
		lookup_reply_node(lookup, node, result->fresh_ms);
}

static void look_in_secret(struct lookup *lookup, const char *secret)
{
	struct cache_want want = tree_want(lookup->tree, secret, false);

	lookup->secret = strdup(secret);
	if (!lookup->secret) {
		lookup_fail(lookup, -ENOMEM);
		return;
	}
	parked_want(&lookup->parked,
		    &(struct parked_wants){ .at = &want, .count = 1 },
		    go_on_with_secret);
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
	struct node *node =
		nodes_directory(lookup->tree->nodes, lookup_parent(lookup),
				lookup->name, prefix);

	if (node) {
		node->has_value = listed->is_secret;
		nodes_note(node);
	}
	reply_node(lookup, node, entry_ms);
}

static void go_on_with_listing(struct parked *parked,
			       const struct parked_results *results)
{
	struct lookup *lookup = lookup_of(parked);
	const struct parked_result *result = &results->at[0];
	struct node *parent = lookup_parent(lookup);
	const struct listing_name *listed;
	char path[SECRET_NAME_MAX];

	if (result->code < 0) {
		reply_failure(lookup, result);
		return;
	}
	listed = find_listed(result->listing, lookup->name);
	if (!parent || !listed) {
		lookup_reply_absent(lookup, result->fresh_ms);
		return;
	}
	if (snprintf(path, sizeof(path), "%s%s%s", parent->prefix, listed->name,
		     listed->is_folder ? "/" : "") >= (int)sizeof(path))
		lookup_fail(lookup, -ENAMETOOLONG);
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

void lookup_in_prefix(struct lookup *lookup, const struct node *parent)
{
	struct cache_want want;

	if (look_in_folder_itself(lookup, parent))
		return;
	if (lookup->name[0] == '.') {
		lookup_reply_absent(lookup, ABSENT_MS);
		return;
	}
	want = tree_want(lookup->tree, parent->prefix, true);
	parked_want(&lookup->parked,
		    &(struct parked_wants){ .at = &want, .count = 1 },
		    go_on_with_listing);
}
