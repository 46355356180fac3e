/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events become nodes. Every bound is kept while they come, before libyaml sees
 * more of the text.
 */
#include "config/ydoc_tree.h"
#include "base/err.h"
#include "config/arena.h"

#include <errno.h>
#include <string.h>

/* As a key: the members of its value are the map's own, unless it has them.
 * Known by its address, since a key in quotes may read the same. */
static const char merge_key[] = "<<";

void ydoc_tree_init(struct ydoc_tree *tree, struct arena *arena,
		    struct err *err)
{
	*tree = (struct ydoc_tree){ .arena = arena, .err = err };
	tree->end = &tree->first;
}

/* Several readers of one file may say it; the arena's limit is their sum. */
static int no_room(const struct ydoc_tree *tree)
{
	if (tree->arena->limit - tree->arena->used > 4096)
		return err_set(tree->err, -ENOMEM, "no memory");
	return err_set(tree->err, -E2BIG,
		       "needs more memory than a class file may take");
}

static const char *keep(struct ydoc_tree *tree, const char *text)
{
	return arena_copy(tree->arena, text, strlen(text));
}

static struct ydoc_node *new_node(struct ydoc_tree *tree, enum ydoc_kind kind)
{
	struct ydoc_node *node = arena_alloc(tree->arena, sizeof(*node));

	if (!node)
		return NULL;
	node->kind = kind;
	node->line = tree->line;
	return node;
}

int ydoc_tree_count(struct ydoc_tree *tree)
{
	if (++tree->node_count > YDOC_NODES_MAX)
		return err_set(tree->err, -E2BIG,
			       "more than %d values in one file",
			       YDOC_NODES_MAX);
	return 0;
}

static int set_anchor(struct ydoc_tree *tree, const char *name,
		      const struct ydoc_node *node)
{
	if (!name)
		return 0;
	if (tree->anchor_count == YDOC_ANCHORS_MAX)
		return err_set(tree->err, -E2BIG,
			       "more than %d anchors in one document",
			       YDOC_ANCHORS_MAX);
	tree->anchors[tree->anchor_count++] =
		(struct ydoc_anchor){ .name = name, .node = node };
	return 0;
}

/* In a map, texts are keys and values by turns. */
static struct ydoc_open *awaits_key(struct ydoc_tree *tree)
{
	struct ydoc_open *top;

	if (tree->depth == 0)
		return NULL;
	top = &tree->open[tree->depth - 1];
	return top->node->kind == YDOC_MAP && !top->key ? top : NULL;
}

/* Puts a node where it belongs: below what is open, or among documents. */
static void link_node(struct ydoc_tree *tree, struct ydoc_node *node)
{
	struct ydoc_open *top;

	if (tree->depth == 0) {
		*tree->end = node;
		tree->end = &node->next;
		return;
	}
	top = &tree->open[tree->depth - 1];
	node->key = top->key;
	top->key = NULL;
	if (node->key == merge_key) {
		*top->merge_end = node;
		top->merge_end = &node->next;
		return;
	}
	top->node->count++;
	*top->end = node;
	top->end = &node->next;
}

static int refuse_key(const struct ydoc_tree *tree, const char *what)
{
	return err_set(tree->err, -EINVAL, "%s where a key is wanted", what);
}

static void set_key(struct ydoc_open *map, const char *text,
		    enum ydoc_style style)
{
	bool is_merge = style == YDOC_PLAIN && strcmp(text, merge_key) == 0;

	map->key = is_merge ? merge_key : text;
}

int ydoc_tree_scalar(struct ydoc_tree *tree, const struct ydoc_scalar *scalar)
{
	struct ydoc_open *map = awaits_key(tree);
	const char *text = keep(tree, scalar->text);
	struct ydoc_node *node;

	if (!text)
		return no_room(tree);
	if (map)
		set_key(map, text, scalar->style);
	if (map && !scalar->anchor)
		return 0;
	node = new_node(tree, YDOC_SCALAR);
	if (!node)
		return no_room(tree);
	node->text = text;
	node->style = scalar->style;
	node->count = scalar->line_ends;
	if (!map)
		link_node(tree, node);
	if (!scalar->anchor)
		return 0;
	text = keep(tree, scalar->anchor);
	return text ? set_anchor(tree, text, node) : no_room(tree);
}

int ydoc_tree_open(struct ydoc_tree *tree, enum ydoc_kind kind,
		   const char *anchor)
{
	const char *name = anchor;
	struct ydoc_open *top;
	struct ydoc_node *node;

	if (awaits_key(tree))
		return refuse_key(tree, kind == YDOC_MAP ? "a map" : "a list");
	if (tree->depth == YDOC_DEPTH_MAX)
		return err_set(tree->err, -E2BIG,
			       "nested deeper than %d levels", YDOC_DEPTH_MAX);
	node = new_node(tree, kind);
	if (name)
		name = keep(tree, name);
	if (!node || (anchor && !name))
		return no_room(tree);
	link_node(tree, node);
	top = &tree->open[tree->depth++];
	*top = (struct ydoc_open){
		.node = node,
		.end = &node->first,
		.anchor = name,
	};
	top->merge_end = &top->merge;
	return 0;
}

/* A member that the map has not got itself. */
static int merge_member(struct ydoc_tree *tree, const struct ydoc_node *member)
{
	const struct ydoc_open *top = &tree->open[tree->depth - 1];
	struct ydoc_node *copy;

	for (const struct ydoc_node *own = top->node->first; own;
	     own = own->next)
		if (strcmp(own->key, member->key) == 0)
			return 0;
	copy = new_node(tree, member->kind);
	if (!copy)
		return no_room(tree);
	*copy = *member;
	copy->next = NULL;
	tree->open[tree->depth - 1].key = member->key;
	link_node(tree, copy);
	return 0;
}

static int merge_map(struct ydoc_tree *tree, const struct ydoc_node *map)
{
	const struct ydoc_node *own = tree->open[tree->depth - 1].node;

	if (map->kind != YDOC_MAP)
		return err_set(tree->err, -EINVAL,
			       "a merge (<<) of what is not a map");
	if (map->count > YDOC_MERGE_MAX || own->count > YDOC_MERGE_MAX)
		return err_set(tree->err, -E2BIG,
			       "a merge (<<) of maps of more than %d keys",
			       YDOC_MERGE_MAX);
	for (const struct ydoc_node *member = map->first; member;
	     member = member->next) {
		int r = merge_member(tree, member);

		if (r < 0)
			return r;
	}
	return 0;
}

/* The first of several has the say. */
static int merge(struct ydoc_tree *tree, const struct ydoc_node *value)
{
	int r = 0;

	tree->line = value->line;
	if (value->kind != YDOC_LIST)
		return merge_map(tree, value);
	for (const struct ydoc_node *map = value->first; map && r == 0;
	     map = map->next)
		r = merge_map(tree, map);
	return r;
}

/* Only now the anchor: inside itself it would have no end. */
int ydoc_tree_close(struct ydoc_tree *tree)
{
	const struct ydoc_open *top = &tree->open[tree->depth - 1];
	int r = 0;

	for (const struct ydoc_node *value = top->merge; value && r == 0;
	     value = value->next)
		r = merge(tree, value);
	if (r < 0)
		return r;
	tree->depth--;
	return set_anchor(tree, top->anchor, top->node);
}

void ydoc_tree_end_document(struct ydoc_tree *tree)
{
	tree->anchor_count = 0;
}

static const struct ydoc_node *find_anchor(const struct ydoc_tree *tree,
					   const char *name)
{
	for (size_t i = tree->anchor_count; i > 0; i--)
		if (strcmp(tree->anchors[i - 1].name, name) == 0)
			return tree->anchors[i - 1].node;
	return NULL;
}

/* Copies what is below a node that is copied already. Recursion ends at
 * YDOC_DEPTH_MAX. */
static int copy_children(struct ydoc_tree *tree, struct ydoc_node *to,
			 size_t depth)
{
	const struct ydoc_node *from = to->first;
	const struct ydoc_node **end = &to->first;

	if (to->kind == YDOC_SCALAR)
		return 0;
	if (depth >= YDOC_DEPTH_MAX)
		return err_set(tree->err, -E2BIG,
			       "nested deeper than %d levels", YDOC_DEPTH_MAX);
	for (; from; from = from->next) {
		struct ydoc_node *copy = new_node(tree, from->kind);
		int r = ydoc_tree_count(tree);

		if (r < 0)
			return r;
		if (!copy)
			return no_room(tree);
		*copy = *from;
		copy->next = NULL;
		*end = copy;
		end = &copy->next;
		r = copy_children(tree, copy, depth + 1);
		if (r < 0)
			return r;
	}
	return 0;
}

int ydoc_tree_alias(struct ydoc_tree *tree, const char *name)
{
	const struct ydoc_node *from = find_anchor(tree, name);
	struct ydoc_open *map = awaits_key(tree);
	struct ydoc_node *node;

	if (!from)
		return err_set(tree->err, -EINVAL, "unknown alias '%s'", name);
	if (++tree->alias_count > YDOC_ALIASES_MAX)
		return err_set(tree->err, -E2BIG,
			       "more than %d aliases in one file",
			       YDOC_ALIASES_MAX);
	if (map && from->kind != YDOC_SCALAR)
		return refuse_key(tree, ydoc_kind_name(from));
	if (map) {
		set_key(map, from->text, from->style);
		return 0;
	}
	node = new_node(tree, from->kind);
	if (!node)
		return no_room(tree);
	*node = *from;
	node->next = NULL;
	link_node(tree, node);
	return copy_children(tree, node, tree->depth);
}
