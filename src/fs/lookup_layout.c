/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A name that the layout gives needs its own object and no other. Any other
 * name can only be a key, so all objects that expand here are asked at once,
 * and the first one in the layout's order that has the key serves it.
 */
#include "base/macros.h"
#include "fs/layout.h"
#include "fs/tree_private.h"
#include "store/value.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

/* While an earlier object cannot be read, it may yet turn out to have the key
 * that a later one serves. */
#define UNSURE_MS 1000

static struct lookup *lookup_of(struct parked *parked)
{
	return CONTAINER_OF(parked, struct lookup, parked);
}

static void reply_failure(struct lookup *lookup, int code, int64_t fresh_ms)
{
	if (code == -ENOENT)
		lookup_reply_absent(lookup, fresh_ms);
	else
		lookup_fail(lookup, code);
}

/* A reload may have taken the name or its directory away meanwhile. */
static const struct layout_name *name_of(const struct lookup *lookup,
					 const struct node *parent)
{
	const struct layout_directory *directory =
		layout_directory(lookup->layout, parent->prefix);

	return directory ? layout_find(directory, lookup->name) : NULL;
}

static void go_on_with_file(struct parked *parked,
			    const struct parked_results *results)
{
	struct lookup *lookup = lookup_of(parked);
	const struct parked_result *result = &results->at[0];
	struct node *parent = lookup_parent(lookup);
	struct node *node = NULL;
	int r = result->code;

	if (!parent) {
		lookup_fail(lookup, -ESTALE);
		return;
	}
	if (r == 0)
		r = tree_file_node(lookup->tree, parent,
				   name_of(lookup, parent), result->value,
				   &node);
	if (r < 0)
		reply_failure(lookup, r, result->fresh_ms);
	else
		lookup_reply_node(lookup, node, result->fresh_ms);
}

static void look_in_object(struct lookup *lookup,
			   const struct layout_object *object)
{
	struct cache_want want = tree_want_object(lookup->layout, object);

	parked_want(&lookup->parked,
		    &(struct parked_wants){ .at = &want, .count = 1 },
		    go_on_with_file);
}

/* Whether the objects that are known settle where the key is: found, with all
 * earlier ones known. */
static bool is_key_found(struct parked *parked,
			 const struct parked_results *results)
{
	struct lookup *lookup = lookup_of(parked);

	for (; lookup->scanned < results->count; lookup->scanned++) {
		const struct parked_result *result =
			&results->at[lookup->scanned];
		size_t key;

		if (!result->is_known)
			return false;
		if (result->value &&
		    tree_find_key(result->value, lookup->name, &key))
			return true;
	}
	return false;
}

/* While others were waited for, the object may have become another version, or
 * have been wiped: NULL. To what the cache held before nothing leads back. */
static struct value *value_now(const struct lookup *lookup,
			       const struct layout_object *object,
			       struct value *value)
{
	struct cache_want want = tree_want_object(lookup->layout, object);
	struct cache_about about;

	cache_tell(lookup->tree->settings.cache, &want, &about);
	if (about.value || about.failure)
		return about.value;
	return value; /* it was not remembered */
}

/* The object at lookup->scanned has the key. */
static void reply_key(struct lookup *lookup, struct node *parent,
		      const struct parked_results *results)
{
	const struct parked_result *result = &results->at[lookup->scanned];
	const struct layout_directory *directory =
		layout_directory(lookup->layout, parent->prefix);
	struct tree_key key = {
		.name = lookup->name,
		.object = layout_expanding_at(directory, lookup->scanned),
	};
	int64_t entry_ms = result->fresh_ms;
	struct node *node = NULL;
	int r;

	key.value = value_now(lookup, key.object, result->value);
	if (!key.value) {
		lookup_fail(lookup, -EIO);
		return;
	}
	if (!tree_find_key(key.value, lookup->name, &key.key)) {
		lookup_reply_absent(lookup, entry_ms);
		return;
	}
	for (size_t i = 0; i < lookup->scanned; i++)
		if (results->at[i].code < 0 && results->at[i].code != -ENOENT &&
		    entry_ms > UNSURE_MS)
			entry_ms = UNSURE_MS;
	r = tree_key_node(lookup->tree, parent, &key, &node);
	if (r < 0)
		reply_failure(lookup, r, entry_ms);
	else
		lookup_reply_node(lookup, node, entry_ms);
}

/* No object has the key: the first one's error, or a name that is not there,
 * or, where no secret has keys at all, that they are not JSON. */
static void reply_no_key(struct lookup *lookup,
			 const struct parked_results *results)
{
	int64_t fresh_ms = ABSENT_MS;
	bool has_keys = false;
	bool has_values = false;

	for (size_t i = 0; i < results->count; i++) {
		const struct parked_result *result = &results->at[i];

		if (result->code < 0 && result->code != -ENOENT) {
			lookup_fail(lookup, result->code);
			return;
		}
		has_values |= result->value != NULL;
		has_keys |= result->value && value_has_keys(result->value);
		if (result->fresh_ms < fresh_ms)
			fresh_ms = result->fresh_ms;
	}
	if (has_values && !has_keys)
		lookup_fail(lookup, -EBADMSG);
	else
		lookup_reply_absent(lookup, fresh_ms);
}

static void go_on_with_keys(struct parked *parked,
			    const struct parked_results *results)
{
	struct lookup *lookup = lookup_of(parked);
	struct node *parent = lookup_parent(lookup);

	if (!parent)
		lookup_fail(lookup, -ESTALE);
	else if (is_key_found(parked, results))
		reply_key(lookup, parent, results);
	else
		reply_no_key(lookup, results);
}

static void look_in_objects(struct lookup *lookup,
			    const struct layout_directory *directory)
{
	size_t count = layout_expanding_count(directory);
	struct cache_want *wants = calloc(count, sizeof(*wants));

	if (!wants) {
		lookup_fail(lookup, -ENOMEM);
		return;
	}
	for (size_t i = 0; i < count; i++)
		wants[i] = tree_want_object(lookup->layout,
					    layout_expanding_at(directory, i));
	parked_want(&lookup->parked,
		    &(struct parked_wants){ .at = wants,
					    .count = count,
					    .is_enough = is_key_found },
		    go_on_with_keys);
	free(wants);
}

static void reply_directory(struct lookup *lookup, struct node *parent)
{
	struct node *node = NULL;
	char path[SECRET_NAME_MAX];

	if (snprintf(path, sizeof(path), "%s%s/", parent->prefix,
		     lookup->name) < (int)sizeof(path))
		node = nodes_directory(lookup->tree->nodes, parent,
				       lookup->name, path);
	if (node)
		lookup_reply_node(lookup, node, layout_ttl_ms(lookup->layout));
	else
		lookup_fail(lookup, -ENOMEM);
}

void lookup_in_layout(struct lookup *lookup, const struct node *parent)
{
	const struct layout_directory *directory =
		layout_directory(lookup->layout, parent->prefix);
	const struct layout_name *name =
		directory ? layout_find(directory, lookup->name) : NULL;

	if (name && name->is_directory)
		reply_directory(lookup, lookup_parent(lookup));
	else if (name)
		look_in_object(lookup, name->object);
	else if (directory && lookup->name[0] != '.' &&
		 layout_expanding_count(directory) > 0)
		look_in_objects(lookup, directory);
	else
		/* with a leading dot it is no key: shells and tools ask often
		 */
		lookup_reply_absent(lookup, ABSENT_MS);
}
