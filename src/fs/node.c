/* SPDX-License-Identifier: Apache-2.0 */
/* One node alone: what it shows, and how that is told apart from what another
 * version or another class would show under its name. */
#include "base/buf.h"
#include "base/err.h"
#include "base/macros.h"
#include "base/secret.h"
#include "fs/node_private.h"
#include "store/listing.h"
#include "store/value.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void node_free(struct node *node)
{
	char *name = (char *)(uintptr_t)node->name;
	char *prefix = (char *)(uintptr_t)node->prefix;
	char *secret = (char *)(uintptr_t)node->secret;
	char *path_text = (char *)(uintptr_t)node->view.path_text;
	char *version = (char *)(uintptr_t)node->version;

	value_unref(node->value);
	secret_unref(node->content);
	listing_unref(node->listed);
	free(name);
	free(prefix);
	free(secret);
	free(path_text);
	free(version);
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
		node_free(node);
		return NULL;
	}
	return node;
}

struct node *node_new_directory(const char *name, const char *prefix)
{
	return make_node(name, prefix);
}

struct node *node_new_empty(const char *name)
{
	struct node *node = make_node(name, NULL);

	if (!node)
		return NULL;
	node->is_empty = true;
	node->revoked = -ESTALE;
	return node;
}

static struct node_state state_of(const struct node *node)
{
	return (struct node_state){
		.lookups = node->lookups,
		.changed_ns = node->changed_ns,
		.revoked = node->revoked,
		.is_current = node->is_current,
		.has_entry = node->has_entry,
		.has_value = node->has_value,
		.rights = node->rights,
	};
}

void nodes_note(const struct node *node)
{
	struct node_state state = state_of(node);

	if (node->slot)
		node_slot_note(node->slot, &state);
}

/* Of what a file shows of a value: keys by their names, since their numbers are
 * a value's own, and expressions by their text. */
static uint64_t mark_of(const struct view *view, const struct value *value)
{
	const char *text = view->key == VIEW_PATH ? view->path_text : "";
	const char *kind = view->key == VIEW_WHOLE  ? "whole"
			   : view->key == VIEW_PATH ? "path"
						    : "key";
	size_t length = strlen(text);
	uint64_t hash =
		node_table_hash(NODE_TABLE_HASH, kind, strlen(kind) + 1);

	hash = node_table_hash(hash, view->decode_base64 ? "d" : "-", 1);
	if (view->key != VIEW_WHOLE && view->key != VIEW_PATH)
		text = value_key_name(value, view->key, &length);
	return node_table_hash(hash, text, length);
}

/* Expressions are compared as text: a class that was read again has others. */
static bool is_same_view(const struct view *a, const struct view *b)
{
	return a->key == b->key && a->decode_base64 == b->decode_base64 &&
	       (a->key != VIEW_PATH || strcmp(a->path_text, b->path_text) == 0);
}

bool node_shows(const struct node *node, const struct node_file *file)
{
	if (node->version)
		return mark_of(&file->view, file->value) == node->mark &&
		       strcmp(node->secret, file->secret) == 0 &&
		       strcmp(node->version, value_version(file->value)) == 0;
	return !node->is_directory && node->value &&
	       is_same_view(&node->view, &file->view) &&
	       strcmp(node->secret, file->secret) == 0 &&
	       strcmp(value_version(node->value), value_version(file->value)) ==
		       0;
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

/* The bytes that the file shows, and how many they are. */
static int fill_view(struct node *node, const struct node_file *file,
		     struct err *err)
{
	const struct view *view = &file->view;

	node->value = value_ref(file->value);
	node->view = *view;
	node->view.path = NULL;
	node->view.path_text =
		view->key == VIEW_PATH ? strdup(view->path_text) : NULL;
	if (view->key == VIEW_PATH && !node->view.path_text)
		return err_set(err, -ENOMEM, "no memory");
	if (!view_is_plain(view))
		return keep_content(node, view, err);
	node->size = view->key == VIEW_WHOLE
			     ? secret_length(value_bytes(node->value))
			     : value_key_length(node->value, view->key);
	return 0;
}

static int fill_file(struct node *node, const struct node_file *file,
		     struct err *err)
{
	node->secret = strdup(file->secret);
	if (!node->secret)
		return err_set(err, -ENOMEM, "no memory");
	node->modified_ns = file->modified_ns;
	node->rights = file->rights;
	return fill_view(node, file, err);
}

static void empty(struct node *node)
{
	char *path_text = (char *)(uintptr_t)TAKE(node->view.path_text);

	value_unref(TAKE(node->value));
	secret_unref(TAKE(node->content));
	free(path_text);
}

int nodes_wake(struct node *node, const struct node_file *file, struct err *err)
{
	size_t size = node->size;
	int r;

	if (!node_shows(node, file))
		return err_set(err, -ESTALE, "it shows something else now");
	r = fill_view(node, file, err);
	if (r == 0 && node->size != size)
		r = err_set(err, -ESTALE, "its length was another");
	node->size = size;
	if (r < 0)
		empty(node);
	else
		free((char *)(uintptr_t)TAKE(node->version));
	return r;
}

struct node *node_new_file(const char *name, const struct node_file *file,
			   struct err *err)
{
	struct node *node = make_node(name, NULL);

	if (!node) {
		(void)err_set(err, -ENOMEM, "no memory");
		return NULL;
	}
	if (fill_file(node, file, err) < 0) {
		node_free(node);
		return NULL;
	}
	return node;
}

void nodes_revoke(struct node *node, int code)
{
	value_unref(TAKE(node->value));
	secret_unref(TAKE(node->content));
	free((char *)(uintptr_t)TAKE(node->version));
	node->revoked = code;
	nodes_note(node);
}

struct secret *node_bytes(const struct node *node)
{
	if (node->content)
		return node->content;
	return node->view.key == VIEW_WHOLE ? value_bytes(node->value) : NULL;
}

void node_fill_record(const struct node *node, struct node_record *ret)
{
	*ret = (struct node_record){
		.id = node->id,
		.parent = node->parent ? node->parent->id : 0,
		.is_directory = node->is_directory,
		.name = node->name,
		.text = node->prefix,
		.version = "",
		.size = node->size,
		.modified_ns = node->modified_ns,
		.state = state_of(node),
	};
	if (!node->value)
		return;
	ret->version = value_version(node->value);
	ret->view = mark_of(&node->view, node->value);
}

struct node *node_new_restored(const struct node_record *record,
			       const char *secret)
{
	struct node *node = make_node(
		record->name, record->is_directory ? record->text : NULL);

	if (!node)
		return NULL;
	node->id = record->id;
	node->has_value = record->state.has_value;
	node->changed_ns = record->state.changed_ns;
	node->rights = record->state.rights;
	node->revoked = record->state.revoked;
	node->lookups = record->state.lookups;
	node->has_entry = record->state.has_entry;
	node->mark = record->view;
	node->size = record->size;
	node->modified_ns = record->modified_ns;
	if (record->is_directory)
		return node;
	node->secret = strdup(secret);
	if (!node->revoked)
		node->version = strdup(record->version);
	if (node->secret && (node->version || node->revoked))
		return node;
	node_free(node);
	return NULL;
}
