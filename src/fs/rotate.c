/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a change of a secret means for the names that show it. Each name gets a
 * fresh node, also where a reader has led it to the new version already: a
 * rename of what is there is no event.
 */
#include "base/err.h"
#include "base/log.h"
#include "fs/announce.h"
#include "fs/follow.h"
#include "fs/layout.h"
#include "fs/tree_private.h"
#include "store/cache.h"
#include "store/value.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool is_text_same(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool is_of(const struct follow *follow,
		  const struct layout_object *object)
{
	return object->source == follow->source &&
	       strcmp(object->name, follow->name) == 0 &&
	       is_text_same(object->version, follow->version) &&
	       is_text_same(object->stage, follow->stage);
}

/* The object whose keys are names in the directory. NULL: none of the secret's
 * does that there. */
static const struct layout_object *
expanding_object(const struct layout_directory *directory,
		 const struct follow *follow)
{
	for (size_t i = 0; i < layout_expanding_count(directory); i++)
		if (is_of(follow, layout_expanding_at(directory, i)))
			return layout_expanding_at(directory, i);
	return NULL;
}

/* What a name shows of the value; false: nothing any more. */
static bool find_file(const struct tree *tree, const struct node *node,
		      struct value *value, struct node_file *ret)
{
	const struct layout_directory *directory =
		layout_directory(tree->layout, node->parent->prefix);
	const struct layout_object *object;
	const struct layout_name *name;
	size_t key;

	if (!directory)
		return false;
	name = layout_find(directory, node->name);
	if (name) {
		if (name->is_directory || !is_of(node->follow, name->object))
			return false;
		*ret = tree_file_of(name, value);
		return true;
	}
	object = expanding_object(directory, node->follow);
	if (!object || !tree_find_key(value, node->name, &key))
		return false;
	*ret = tree_key_file(object, value, key);
	return true;
}

bool tree_find_shown(const struct tree *tree, const struct node *node,
		     struct value *value, struct node_file *ret)
{
	if (tree->layout)
		return find_file(tree, node, value, ret);
	*ret = tree_secret_file(tree, value);
	return true;
}

/* Where a version cannot be shown under a name, the name goes: who asks for it
 * then is told why. */
static void rotate_node(struct tree *tree, struct node *node,
			struct value *value)
{
	struct node *prepared = NULL;
	struct node_file file;
	struct err err;

	if (!tree_find_shown(tree, node, value, &file)) {
		(void)announce_remove(tree, node);
		return;
	}
	file.modified_ns = node->follow->modified_ns;
	if (nodes_prepare(tree->nodes, node->parent, node->name, &file,
			  &prepared, &err) < 0) {
		(void)announce_remove(tree, node);
		return;
	}
	follow_add(node->follow, prepared);
	announce_replace(tree, prepared);
}

void tree_announce_again(struct tree *tree, struct node *node)
{
	if (node->value && node->follow)
		rotate_node(tree, node, node->value);
}

/* Whether the version before had it too, or its name has yet to appear. */
static bool is_known(const struct follow *follow, const struct node *directory,
		     const struct value *before, const char *name)
{
	const struct node *node;
	size_t key;

	LIST_FOREACH(node, &follow->nodes, followed)
	{
		if (node->is_prepared && node->parent == directory &&
		    strcmp(node->name, name) == 0)
			return false;
	}
	return tree_find_key(before, name, &key);
}

/* A name that appears. */
static void announce_key(struct tree *tree, struct node *directory,
			 struct follow *follow, struct node_file *file,
			 const char *name)
{
	struct node *prepared = NULL;
	struct err err;

	if (nodes_current(tree->nodes, directory, name))
		return;
	file->modified_ns = follow->modified_ns;
	if (nodes_prepare(tree->nodes, directory, name, file, &prepared, &err) <
	    0)
		return;
	follow_add(follow, prepared);
	announce_replace(tree, prepared);
}

/* Whether an object before this one, or any for NULL, is known to have the
 * key. */
static bool is_hidden(const struct tree *tree,
		      const struct layout_directory *names,
		      const struct layout_object *object, const char *name)
{
	for (size_t i = 0; i < layout_expanding_count(names); i++) {
		const struct layout_object *earlier =
			layout_expanding_at(names, i);
		struct cache_want want =
			tree_want_object(tree->layout, earlier);
		struct cache_result result;
		size_t key;

		if (earlier == object)
			break;
		if (cache_peek(tree->settings.cache, &want, &result) &&
		    result.value && tree_find_key(result.value, name, &key))
			return true;
	}
	return false;
}

/* Keys that the version before did not have, in the directory where keys of
 * the secret are names. */
static void announce_keys(struct tree *tree, struct node *directory,
			  struct follow *follow, const struct value *before)
{
	const struct layout_directory *names =
		layout_directory(tree->layout, directory->prefix);
	const struct layout_object *object = expanding_object(names, follow);
	struct value *value = follow->value;

	for (size_t key = 0; key < value_key_count(value); key++) {
		char name[NAME_LENGTH_MAX + 1];
		struct node_file file = tree_key_file(object, value, key);
		size_t length;
		const char *bytes = value_key_name(value, key, &length);

		if (name_from_key(bytes, length, name) == 0 &&
		    !layout_find(names, name) &&
		    !is_known(follow, directory, before, name) &&
		    !is_hidden(tree, names, object, name))
			announce_key(tree, directory, follow, &file, name);
	}
}

/* The first directory with a node of the secret in which its keys are names.
 * NULL: none. */
static struct node *find_expanding(const struct tree *tree,
				   const struct follow *follow)
{
	const struct node *node;

	LIST_FOREACH(node, &follow->nodes, followed)
	{
		const struct layout_directory *names =
			layout_directory(tree->layout, node->parent->prefix);

		if (names && expanding_object(names, follow))
			return node->parent;
	}
	return NULL;
}

/* The nodes as they are now, each once: what is done to one may free others.
 * NULL: no memory. */
static uint64_t *list_nodes(const struct follow *follow, size_t *ret_count)
{
	const struct node *node;
	size_t count = 0;
	uint64_t *ids;

	LIST_FOREACH(node, &follow->nodes, followed)
	{
		count++;
	}
	ids = calloc(count + 1, sizeof(*ids));
	*ret_count = ids ? count : 0;
	count = 0;
	LIST_FOREACH(node, &follow->nodes, followed)
	{
		if (ids)
			ids[count++] = node->id;
	}
	return ids;
}

static void drop_pages(const struct tree *tree, const uint64_t *ids,
		       size_t count)
{
	if (count > 0 && tree->reach.drop_pages)
		tree->reach.drop_pages(tree->reach.owner, ids, count);
}

static void rotate_nodes(struct tree *tree, const struct follow *follow)
{
	size_t count;
	uint64_t *ids = list_nodes(follow, &count);

	for (size_t i = 0; i < count; i++) {
		struct node *node = nodes_find(tree->nodes, ids[i]);

		if (node && node->is_current)
			rotate_node(tree, node, follow->value);
	}
	free(ids);
}

static void rotate(struct tree *tree, struct follow *follow,
		   struct value *value)
{
	struct value *before = follow->value ? value_ref(follow->value) : NULL;
	struct node *directory = NULL;

	(void)follow_see(follow, value);
	if (tree->is_unannounced) {
		follow->is_late = true;
	} else if (!tree_has_notifier(tree)) {
		announce_none(tree);
	} else {
		if (before && tree->layout)
			directory = find_expanding(tree, follow);
		rotate_nodes(tree, follow);
		if (directory)
			announce_keys(tree, directory, follow, before);
	}
	value_unref(before);
}

static void announce_late(void *owner, struct follow *follow)
{
	struct tree *tree = owner;

	if (!follow->is_late || !follow->value)
		return;
	follow->is_late = false;
	if (tree_has_notifier(tree))
		rotate_nodes(tree, follow);
	else
		announce_none(tree);
}

void tree_announce_late(struct tree *tree)
{
	if (!tree->is_unannounced)
		return;
	tree->is_unannounced = false;
	follows_each(tree->follows, announce_late, tree);
}

/* read(2) has no word for a secret that is gone. */
static int read_code(int code)
{
	return code == -ENOENT ? -ESTALE : code;
}

/* First the bytes here, then the names, then the kernel's pages: in between a
 * reader may still find a page, and none after. */
void tree_revoke(struct tree *tree, struct follow *follow,
		 const struct err *err)
{
	struct node *each;
	size_t count;
	uint64_t *ids;

	log_warn("a secret is no longer shown", "secret=%s error=%s",
		 follow->name, err->text);
	/* needs no memory: bytes that must go do */
	LIST_FOREACH(each, &follow->nodes, followed)
	{
		nodes_revoke(each, read_code(err->code));
	}
	if (follow->value)
		tree_drop_value(tree, follow->value);
	ids = list_nodes(follow, &count);
	for (size_t i = 0; i < count; i++) {
		struct node *node = nodes_find(tree->nodes, ids[i]);

		if (node && node->is_current)
			(void)announce_remove(tree, node);
	}
	if (!tree_has_notifier(tree))
		announce_none(tree);
	drop_pages(tree, ids, count);
	free(ids);
}

void tree_drop_revoked(const struct tree *tree, const struct follow *follow)
{
	size_t count;
	uint64_t *ids = list_nodes(follow, &count);
	size_t revoked = 0;

	for (size_t i = 0; i < count; i++) {
		const struct node *node = nodes_find(tree->nodes, ids[i]);

		if (node && node->revoked)
			ids[revoked++] = ids[i];
	}
	drop_pages(tree, ids, revoked);
	free(ids);
}

void tree_on_secret(void *owner, struct follow *follow,
		    const struct cache_result *result)
{
	struct tree *tree = owner;

	if (result->value) {
		log_debug("another version", "secret=%s version=%s",
			  follow->name, value_version(result->value));
		rotate(tree, follow, result->value);
	} else if (result->err) {
		tree_revoke(tree, follow, result->err);
	}
}

/* Whether the layout gives the name, for whatever secret: then a LOOKUP tells
 * what it shows now. */
static bool is_given(const struct tree *tree, const struct node *node)
{
	const struct layout_directory *directory =
		layout_directory(tree->layout, node->parent->prefix);
	size_t key;

	if (!directory)
		return false;
	if (layout_find(directory, node->name))
		return true;
	/* one that another worker made has no value until it is read */
	if (node->follow && expanding_object(directory, node->follow) &&
	    (!node->value || tree_find_key(node->value, node->name, &key)))
		return true;
	return is_hidden(tree, directory, NULL, node->name);
}

struct lost {
	const struct tree *tree;
	uint64_t *ids;
	size_t count;
};

static void note_lost(void *owner, struct node *node)
{
	struct lost *lost = owner;

	if (!node->is_directory && node->is_current && node->lookups > 0 &&
	    !is_given(lost->tree, node))
		lost->ids[lost->count++] = node->id;
}

void tree_announce_layout(struct tree *tree)
{
	struct lost lost = { .tree = tree };

	/* without memory for it only who asks hears of it */
	lost.ids = calloc(nodes_count(tree->nodes), sizeof(*lost.ids));
	if (!lost.ids)
		return;
	nodes_each(tree->nodes, note_lost, &lost);
	for (size_t i = 0; i < lost.count; i++) {
		struct node *node = nodes_find(tree->nodes, lost.ids[i]);

		if (node)
			(void)announce_remove(tree, node);
	}
	free(lost.ids);
}
