/* SPDX-License-Identifier: Apache-2.0 */
/* Two maps over the same nodes: every one by id, and the current ones by
 * parent and name. */
#include "fs/nodes.h"
#include "base/map.h"
#include "base/secret.h"
#include "store/value.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define NAME_KEY_MAX (sizeof(uint64_t) + 256)

struct nodes {
	struct map *by_id;
	struct map *by_name;
	uint64_t next_id;
};

/* The key of a name below a parent, in the caller's room. */
static size_t name_key(const struct node *parent, const char *name,
		       char key[NAME_KEY_MAX])
{
	size_t length = strlen(name);

	assert(length < 256);
	memcpy(key, &parent->id, sizeof(parent->id));
	/* NOLINTNEXTLINE(bugprone-not-null-terminated-result): it is counted */
	memcpy(key + sizeof(parent->id), name, length);
	return sizeof(parent->id) + length;
}

static void free_node(struct node *node)
{
	char *name = (char *)(uintptr_t)node->name;
	char *prefix = (char *)(uintptr_t)node->prefix;

	value_unref(node->value);
	free(name);
	free(prefix);
	free(node);
}

static struct node *make_node(const char *name, const char *prefix)
{
	struct node *node = calloc(1, sizeof(*node));

	if (!node)
		return NULL;
	node->name = strdup(name);
	node->prefix = prefix ? strdup(prefix) : NULL;
	node->is_directory = prefix != NULL;
	if (!node->name || (prefix && !node->prefix)) {
		free_node(node);
		return NULL;
	}
	return node;
}

/* Gives the node its number and its place; on failure frees it. */
static struct node *enter(struct nodes *nodes, struct node *parent,
			  struct node *node)
{
	char key[NAME_KEY_MAX];

	node->id = nodes->next_id;
	if (map_put(nodes->by_id, &node->id, sizeof(node->id), node) < 0) {
		free_node(node);
		return NULL;
	}
	node->is_current = true;
	if (parent && map_put(nodes->by_name, key,
			      name_key(parent, node->name, key), node) < 0) {
		map_remove(nodes->by_id, &node->id, sizeof(node->id));
		free_node(node);
		return NULL;
	}
	nodes->next_id++;
	node->parent = parent;
	if (parent)
		parent->children++;
	return node;
}

static bool enter_root(struct nodes *nodes, int64_t now_ns)
{
	struct node *root = make_node("", "");

	if (!root)
		return false;
	root->changed_ns = now_ns;
	root->lookups = 1; /* the kernel never looks the root up */
	return enter(nodes, NULL, root) != NULL;
}

static void free_tables(struct nodes *nodes)
{
	map_free(nodes->by_id);
	map_free(nodes->by_name);
	free(nodes);
}

struct nodes *nodes_new(int64_t now_ns)
{
	struct nodes *nodes = calloc(1, sizeof(*nodes));

	if (!nodes)
		return NULL;
	nodes->by_id = map_new();
	nodes->by_name = map_new();
	nodes->next_id = NODE_ROOT;
	if (!nodes->by_id || !nodes->by_name || !enter_root(nodes, now_ns)) {
		free_tables(nodes);
		return NULL;
	}
	return nodes;
}

static void free_each(void *owner, void *value)
{
	(void)owner;
	free_node(value);
}

void nodes_free(struct nodes *nodes)
{
	if (!nodes)
		return;
	map_each(nodes->by_id, free_each, NULL);
	free_tables(nodes);
}

struct node *nodes_find(const struct nodes *nodes, uint64_t id)
{
	return map_find(nodes->by_id, &id, sizeof(id));
}

struct node *nodes_current(const struct nodes *nodes, const struct node *parent,
			   const char *name)
{
	char key[NAME_KEY_MAX];

	return map_find(nodes->by_name, key, name_key(parent, name, key));
}

/* Takes the name away from the node, if it has it. */
static void retire(struct nodes *nodes, struct node *node)
{
	char key[NAME_KEY_MAX];

	if (!node->is_current || !node->parent)
		return;
	map_remove(nodes->by_name, key,
		   name_key(node->parent, node->name, key));
	node->is_current = false;
}

void nodes_settle(struct nodes *nodes, struct node *node)
{
	while (node && node->lookups == 0 && node->children == 0) {
		struct node *parent = node->parent;

		retire(nodes, node);
		map_remove(nodes->by_id, &node->id, sizeof(node->id));
		free_node(node);
		if (parent)
			parent->children--;
		node = parent;
	}
}

static bool shows(const struct node *node, const struct value *value,
		  size_t key)
{
	return !node->is_directory && node->key == key &&
	       strcmp(value_version(node->value), value_version(value)) == 0;
}

/* Puts a new node in the place of the one that has its name. */
static struct node *replace(struct nodes *nodes, struct node *parent,
			    struct node *node, int64_t now_ns)
{
	struct node *old = nodes_current(nodes, parent, node->name);
	struct node *entered;

	if (old)
		retire(nodes, old);
	entered = enter(nodes, parent, node);
	/* seen for the first time is no change of the directory */
	if (entered && old && now_ns > parent->changed_ns)
		parent->changed_ns = now_ns;
	if (old)
		nodes_settle(nodes, old);
	return entered;
}

struct node *nodes_file(struct nodes *nodes, struct node *parent,
			const char *name, struct value *value, size_t key)
{
	struct node *node = nodes_current(nodes, parent, name);

	if (node && shows(node, value, key))
		return node;
	node = make_node(name, NULL);
	if (!node)
		return NULL;
	node->value = value_ref(value);
	node->key = key;
	node->size = key == NODE_WHOLE ? secret_length(value_bytes(value))
				       : value_key_length(value, key);
	node->modified_ns = value_created_ns(value);
	return replace(nodes, parent, node, node->modified_ns);
}

struct node *nodes_directory(struct nodes *nodes, struct node *parent,
			     const char *name, const char *prefix)
{
	struct node *node = nodes_current(nodes, parent, name);

	if (node && node->is_directory)
		return node;
	node = make_node(name, prefix);
	if (!node)
		return NULL;
	node->changed_ns = parent->changed_ns;
	return replace(nodes, parent, node, parent->changed_ns);
}

void nodes_unlink(struct nodes *nodes, struct node *parent, const char *name,
		  int64_t now_ns)
{
	struct node *node = nodes_current(nodes, parent, name);

	if (!node)
		return;
	retire(nodes, node);
	parent->changed_ns = now_ns;
	nodes_settle(nodes, node);
}

void nodes_looked_up(struct node *node)
{
	node->lookups++;
}

bool nodes_forget(struct nodes *nodes, uint64_t id, uint64_t count)
{
	struct node *node = nodes_find(nodes, id);

	if (!node || node->lookups < count)
		return false;
	if (id == NODE_ROOT)
		return true;
	node->lookups -= count;
	nodes_settle(nodes, node);
	return true;
}

size_t nodes_count(const struct nodes *nodes)
{
	return map_count(nodes->by_id);
}
