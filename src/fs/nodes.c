/* SPDX-License-Identifier: Apache-2.0 */
/* Two maps over the same nodes: every one by id, and the current ones by
 * parent and name. */
#include "fs/nodes.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/macros.h"
#include "base/map.h"
#include "base/secret.h"
#include "store/value.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define NAME_KEY_MAX (sizeof(uint64_t) + 256)
#define SWEEPS 2

struct nodes {
	struct map *by_id;
	struct map *by_name;
	uint64_t next_id;
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

static void free_node(struct node *node)
{
	char *name = (char *)(uintptr_t)node->name;
	char *prefix = (char *)(uintptr_t)node->prefix;
	char *secret = (char *)(uintptr_t)node->secret;
	char *path_text = (char *)(uintptr_t)node->view.path_text;

	value_unref(node->value);
	secret_unref(node->content);
	free(name);
	free(prefix);
	free(secret);
	free(path_text);
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

/* One that is in the tables. */
static void release(struct nodes *nodes, struct node *node)
{
	if (nodes->on_free)
		nodes->on_free(nodes->owner, node);
	free_node(node);
}

/* Gives the node its number below parent; on failure frees it. */
static struct node *number(struct nodes *nodes, struct node *parent,
			   struct node *node)
{
	node->id = nodes->next_id;
	if (map_put(nodes->by_id, &node->id, sizeof(node->id), node) < 0) {
		free_node(node);
		return NULL;
	}
	nodes->next_id++;
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
	return r;
}

static bool enter_root(struct nodes *nodes, int64_t now_ns)
{
	struct node *root = make_node("", "");

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

static void free_each(void *owner, void *value)
{
	release(owner, value);
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

/* Expressions are compared as text: a class that was read again has others. */
static bool is_same_view(const struct view *a, const struct view *b)
{
	return a->key == b->key && a->decode_base64 == b->decode_base64 &&
	       (a->key != VIEW_PATH || strcmp(a->path_text, b->path_text) == 0);
}

static bool shows(const struct node *node, const struct node_file *file)
{
	return !node->is_directory && node->value &&
	       is_same_view(&node->view, &file->view) &&
	       strcmp(node->secret, file->secret) == 0 &&
	       strcmp(value_version(node->value), value_version(file->value)) ==
		       0;
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
	if (r == 0 && old && now_ns > parent->changed_ns)
		parent->changed_ns = now_ns;
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

static int keep_content(struct node *node, const struct view *view,
			struct err *err)
{
	cleanup_buf struct buf bytes;
	int r;

	buf_init(&bytes, SECRET_LENGTH_MAX);
	r = view_read(view, node->value, &bytes, err);
	if (r < 0)
		return r;
	node->content = secret_new(buf_text(&bytes), bytes.length);
	if (!node->content)
		return err_set(err, -errno, "no memory");
	node->size = bytes.length;
	return 0;
}

/* What the file shows, and how long it is. */
static int fill_file(struct node *node, const struct node_file *file,
		     struct err *err)
{
	const struct view *view = &file->view;

	node->secret = strdup(file->secret);
	node->value = value_ref(file->value);
	node->view = *view;
	node->view.path = NULL;
	node->view.path_text =
		view->key == VIEW_PATH ? strdup(view->path_text) : NULL;
	if (!node->secret || (view->key == VIEW_PATH && !node->view.path_text))
		return err_set(err, -ENOMEM, "no memory");
	node->modified_ns = file->modified_ns;
	node->rights = file->rights;
	if (!view_is_plain(view))
		return keep_content(node, view, err);
	node->size = view->key == VIEW_WHOLE
			     ? secret_length(value_bytes(node->value))
			     : value_key_length(node->value, view->key);
	return 0;
}

/* NULL with err filled. */
static struct node *make_file(const char *name, const struct node_file *file,
			      struct err *err)
{
	struct node *node = make_node(name, NULL);

	if (!node) {
		(void)err_set(err, -ENOMEM, "no memory");
		return NULL;
	}
	if (fill_file(node, file, err) < 0) {
		free_node(node);
		return NULL;
	}
	return node;
}

int nodes_file(struct nodes *nodes, struct node *parent, const char *name,
	       const struct node_file *file, struct node **ret, struct err *err)
{
	struct node *node = nodes_current(nodes, parent, name);

	if (node && shows(node, file)) {
		node->rights = file->rights;
		*ret = node;
		return 0;
	}
	node = make_file(name, file, err);
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
	struct node *node = make_file(name, file, err);

	if (!node)
		return err->code;
	node = number(nodes, parent, node);
	if (!node)
		return err_set(err, -ENOMEM, "no memory");
	node->is_prepared = true;
	*ret = node;
	return 0;
}

int nodes_install(struct nodes *nodes, struct node *node)
{
	node->is_prepared = false;
	return replace(nodes, node, node->modified_ns);
}

void nodes_revoke(struct node *node, int code)
{
	value_unref(TAKE(node->value));
	secret_unref(TAKE(node->content));
	node->revoked = code;
}

const struct secret *node_bytes(const struct node *node)
{
	if (node->content)
		return node->content;
	return node->view.key == VIEW_WHOLE ? value_bytes(node->value) : NULL;
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
	return enter(nodes, parent, node, parent->changed_ns);
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
	node->awaited = 0;
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
