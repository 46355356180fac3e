/* SPDX-License-Identifier: Apache-2.0 */
/* Two maps over the same nodes: every one by id, and the current ones by
 * parent and name. What changes in a node is noted in its slot at once: there
 * is no other moment, since the worker may be killed in any. */
#include "fs/nodes.h"
#include "base/err.h"
#include "base/map.h"
#include "fs/node_private.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define NAME_KEY_MAX (sizeof(uint64_t) + 256)
#define SWEEPS 2

/* At least: a listing with attributes gives the most. */
#define IDS_OF_AN_ANSWER 4096

struct nodes {
	struct map *by_id;
	struct map *by_name;
	uint64_t next_id;
	struct node_table *table; /* or NULL */
	nodes_on_free *on_free;
	void *owner;
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

static void record(const struct nodes *nodes, struct node *node,
		   const struct node_record *record)
{
	if (nodes->table && !node->slot)
		node->slot = node_table_add(nodes->table, record);
}

static void record_directory(const struct nodes *nodes, struct node *node)
{
	struct node_record about;

	node_fill_record(node, &about);
	record(nodes, node, &about);
}

/* One that is in the tables. */
static void release(struct nodes *nodes, struct node *node)
{
	if (node->slot)
		node_table_remove(nodes->table, node->slot);
	if (nodes->on_free)
		nodes->on_free(nodes->owner, node);
	node_free(node);
}

/* Gives the node its number below parent; on failure frees it. */
static struct node *number(struct nodes *nodes, struct node *parent,
			   struct node *node)
{
	node->id = nodes->next_id;
	if (map_put(nodes->by_id, &node->id, sizeof(node->id), node) < 0) {
		node_free(node);
		return NULL;
	}
	nodes->next_id++;
	if (nodes->table)
		node_table_set_next_id(nodes->table, nodes->next_id);
	node->parent = parent;
	if (parent)
		parent->children++;
	return node;
}

static int give_name(struct nodes *nodes, struct node *node)
{
	char key[NAME_KEY_MAX];
	int r = map_put(nodes->by_name, key,
			name_key(node->parent, node->name, key), node);

	if (r == 0)
		node->is_current = true;
	nodes_note(node);
	return r;
}

static bool enter_root(struct nodes *nodes, int64_t now_ns)
{
	struct node *root = node_new_directory("", "");

	if (!root)
		return false;
	root->changed_ns = now_ns;
	root->lookups = 1; /* the kernel never looks the root up */
	root->is_current = true;
	return number(nodes, NULL, root) != NULL;
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

void nodes_set_on_free(struct nodes *nodes, nodes_on_free *on_free, void *owner)
{
	nodes->on_free = on_free;
	nodes->owner = owner;
}

/* The kernel knows them still. */
static void free_each(void *owner, void *value)
{
	struct node *node = value;

	node->slot = NULL;
	release(owner, node);
}

void nodes_free(struct nodes *nodes)
{
	if (!nodes)
		return;
	map_each(nodes->by_id, free_each, nodes);
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
	nodes_note(node);
}

void nodes_settle(struct nodes *nodes, struct node *node)
{
	while (node && node->lookups == 0 && node->children == 0 &&
	       !(node->awaited && node->is_current)) {
		struct node *parent = node->parent;

		retire(nodes, node);
		map_remove(nodes->by_id, &node->id, sizeof(node->id));
		release(nodes, node);
		if (parent)
			parent->children--;
		node = parent;
	}
}

/* Puts the node, which has its number, in the place of the one that has its
 * name. */
static int replace(struct nodes *nodes, struct node *node, int64_t now_ns)
{
	struct node *parent = node->parent;
	struct node *old = nodes_current(nodes, parent, node->name);
	int r;

	if (old)
		retire(nodes, old);
	r = give_name(nodes, node);
	/* seen for the first time is no change of the directory */
	if (r == 0 && old && now_ns > parent->changed_ns) {
		parent->changed_ns = now_ns;
		nodes_note(parent);
	}
	if (old)
		nodes_settle(nodes, old);
	return r;
}

/* A node that is in the tables and has its name; on failure it is freed. */
static struct node *enter(struct nodes *nodes, struct node *parent,
			  struct node *node, int64_t now_ns)
{
	node = number(nodes, parent, node);
	if (!node || replace(nodes, node, now_ns) == 0)
		return node;
	nodes_settle(nodes, node);
	return NULL;
}

int nodes_file(struct nodes *nodes, struct node *parent, const char *name,
	       const struct node_file *file, struct node **ret, struct err *err)
{
	struct node *node = nodes_current(nodes, parent, name);

	if (node && node_shows(node, file) &&
	    (!node->version || nodes_wake(node, file, err) == 0)) {
		node->rights = file->rights;
		nodes_note(node);
		*ret = node;
		return 0;
	}
	node = node_new_file(name, file, err);
	if (!node)
		return err->code;
	node = enter(nodes, parent, node, node->modified_ns);
	if (!node)
		return err_set(err, -ENOMEM, "no memory");
	*ret = node;
	return 0;
}

int nodes_prepare(struct nodes *nodes, struct node *parent, const char *name,
		  const struct node_file *file, struct node **ret,
		  struct err *err)
{
	struct node *node = node_new_file(name, file, err);

	if (!node)
		return err->code;
	node = number(nodes, parent, node);
	if (!node)
		return err_set(err, -ENOMEM, "no memory");
	node->is_prepared = true;
	*ret = node;
	return 0;
}

struct node *nodes_prepare_empty(struct nodes *nodes, struct node *parent,
				 const char *name, const struct rights *rights,
				 int64_t modified_ns)
{
	struct node *node = node_new_empty(name);

	if (!node)
		return NULL;
	node->rights = *rights;
	node->modified_ns = modified_ns;
	node = number(nodes, parent, node);
	if (node)
		node->is_prepared = true;
	return node;
}

void nodes_stand_in(struct node *node, int64_t now_ns)
{
	node->is_prepared = node->has_entry = false;
	node->parent->changed_ns = now_ns;
	nodes_note(node->parent);
}

int nodes_install(struct nodes *nodes, struct node *node)
{
	node->is_prepared = node->has_entry = false;
	return replace(nodes, node, node->modified_ns);
}

struct node *nodes_directory(struct nodes *nodes, struct node *parent,
			     const char *name, const char *prefix)
{
	struct node *node = nodes_current(nodes, parent, name);

	if (node && node->is_directory)
		return node;
	node = node_new_directory(name, prefix);
	if (!node)
		return NULL;
	node->changed_ns = parent->changed_ns;
	node = enter(nodes, parent, node, parent->changed_ns);
	if (node)
		record_directory(nodes, node);
	return node;
}

void nodes_unlink(struct nodes *nodes, struct node *parent, const char *name,
		  int64_t now_ns)
{
	struct node *node = nodes_current(nodes, parent, name);

	if (!node)
		return;
	retire(nodes, node);
	parent->changed_ns = now_ns;
	nodes_note(parent);
	nodes_settle(nodes, node);
}

void nodes_looked_up(struct node *node)
{
	node->lookups++;
	node->awaited = 0;
	nodes_note(node);
}

bool nodes_forget(struct nodes *nodes, uint64_t id, uint64_t count)
{
	struct node *node = nodes_find(nodes, id);

	if (!node || node->lookups < count)
		return false;
	if (id == NODE_ROOT)
		return true;
	node->lookups -= count;
	nodes_note(node);
	nodes_settle(nodes, node);
	return true;
}

static void await(void *owner, void *value)
{
	struct node *node = value;

	(void)owner;
	if (node->parent)
		node->awaited = SWEEPS;
}

void nodes_await(struct nodes *nodes)
{
	map_each(nodes->by_id, await, NULL);
}

struct sweep {
	struct node *due; /* without children: none is another's parent */
	size_t kept;
};

static void sweep_one(void *owner, void *value)
{
	struct sweep *sweep = owner;
	struct node *node = value;

	if (node->lookups > 0 || node->awaited == 0)
		return;
	if (--node->awaited > 0) {
		sweep->kept++;
	} else if (node->children == 0) {
		node->next_swept = sweep->due;
		sweep->due = node;
	}
}

size_t nodes_sweep(struct nodes *nodes)
{
	struct sweep sweep = { 0 };

	map_each(nodes->by_id, sweep_one, &sweep);
	while (sweep.due) {
		struct node *node = sweep.due;

		sweep.due = node->next_swept;
		nodes_settle(nodes, node);
	}
	return sweep.kept;
}

struct each {
	nodes_on_each *each;
	void *owner;
};

static void call_each(void *owner, void *value)
{
	const struct each *each = owner;

	each->each(each->owner, value);
}

void nodes_each(struct nodes *nodes, nodes_on_each *each, void *owner)
{
	map_each(nodes->by_id, call_each,
		 &(struct each){ .each = each, .owner = owner });
}

size_t nodes_count(const struct nodes *nodes)
{
	return map_count(nodes->by_id);
}

void nodes_set_table(struct nodes *nodes, struct node_table *table)
{
	nodes->table = table;
	if (nodes->next_id < node_table_next_id(table))
		nodes->next_id = node_table_next_id(table);
	/* A worker that was shut out may be giving some with its last answer.
	 */
	if (node_table_age(table) == NODE_TABLE_KNOWN)
		nodes->next_id += IDS_OF_AN_ANSWER;
	node_table_set_next_id(table, nodes->next_id);
	if (node_table_age(table) != NODE_TABLE_KNOWN)
		record_directory(nodes, nodes_find(nodes, NODE_ROOT));
}

void nodes_record_file(struct nodes *nodes, struct node *node, uint64_t want,
		       const char *secret)
{
	struct node_record about;

	if (!nodes->table || node->slot || !node->value)
		return;
	node_fill_record(node, &about);
	about.want = want;
	about.text = secret;
	record(nodes, node, &about);
}

/* Of two that say so the later one shows the name: the worker was killed
 * between two notes. */
static int restore_name(struct nodes *nodes, struct node *node)
{
	struct node *old = nodes_current(nodes, node->parent, node->name);

	if (old)
		retire(nodes, old);
	return give_name(nodes, node);
}

static bool may_be(const struct nodes *nodes, const struct node *parent,
		   const struct node_record *record)
{
	return parent && parent->is_directory && record->id > parent->id &&
	       record->id < nodes->next_id && *record->name &&
	       strlen(record->name) < 256 && !nodes_find(nodes, record->id);
}

struct node *nodes_restore(struct nodes *nodes,
			   const struct node_record *record,
			   struct node_slot *slot, const char *secret)
{
	struct node *parent = nodes_find(nodes, record->parent);
	struct node *node;

	if (record->id == NODE_ROOT) {
		node = nodes_find(nodes, NODE_ROOT);
		node->slot = slot;
		node->changed_ns = record->state.changed_ns;
		return node;
	}
	node = may_be(nodes, parent, record) ? node_new_restored(record, secret)
					     : NULL;
	if (!node)
		return NULL;
	if (map_put(nodes->by_id, &node->id, sizeof(node->id), node) < 0) {
		node_free(node);
		return NULL;
	}
	node->slot = slot;
	node->parent = parent;
	parent->children++;
	if (record->state.is_current)
		(void)restore_name(nodes, node);
	return node;
}
