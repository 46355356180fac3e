/* SPDX-License-Identifier: Apache-2.0 */
/* From a value to the nodes that show it. A value that cannot be shown under a
 * name is no failure of the mount: the reader gets an errno, the log says why,
 * once for each version. */
#include "base/err.h"
#include "base/log.h"
#include "base/once.h"
#include "fs/announce.h"
#include "fs/follow.h"
#include "fs/layout.h"
#include "fs/tree_private.h"
#include "store/value.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* A file name and a version's, with what stands between them. */
#define COMPLAINT_MAX (NAME_LENGTH_MAX + VALUE_VERSION_MAX + 2)

static void complain(struct tree *tree, const char *name,
		     const struct node_file *file, const struct err *err)
{
	char complaint[COMPLAINT_MAX];

	(void)snprintf(complaint, sizeof(complaint), "%s\n%s", name,
		       value_version(file->value));
	if (once_is_new(tree->told, complaint))
		log_warn("a file cannot be shown", "file=%s secret=%s error=%s",
			 name, file->secret, err->text);
}

/* The node makes the secret one that is in use. */
static int show(struct tree *tree, struct node *parent, const char *name,
		const struct cache_want *want, struct node_file *file,
		struct node **ret)
{
	struct follow *follow = follows_need(tree->follows, want);
	const struct node *old = nodes_current(tree->nodes, parent, name);
	uint64_t old_id = old ? old->id : 0;
	struct err err;
	int r;

	if (!follow)
		return -ENOMEM;
	file->modified_ns = follow_see(follow, file->value);
	/* the node that goes for it may be the secret's only one */
	follow->is_busy++;
	r = nodes_file(tree->nodes, parent, name, file, ret, &err);
	if (r == 0)
		follow_add(follow, *ret);
	else
		complain(tree, name, file, &err);
	follow->is_busy--;
	follow_settle(follow);
	old = nodes_find(tree->nodes, old_id);
	if (r == 0 && old && old != *ret)
		announce_left(tree, old);
	return r;
}

struct node_file tree_file_of(const struct layout_name *name,
			      struct value *value)
{
	struct node_file file = { .secret = name->object->name,
				  .value = value,
				  .view = name->file->view,
				  .rights = name->file->rights };

	/* what its keys are decoded from is no base64 itself */
	if (file.view.key == VIEW_WHOLE && value_has_keys(value))
		file.view.decode_base64 = false;
	return file;
}

struct node_file tree_key_file(const struct layout_object *object,
			       struct value *value, size_t key)
{
	return (struct node_file){
		.secret = object->name,
		.value = value,
		.view = { .key = key, .decode_base64 = object->decode_base64 },
		.rights = object->rights,
	};
}

/* Where it stands tells it apart: a name below a prefix is one secret. */
struct node_file tree_secret_file(const struct tree *tree, struct value *value)
{
	return (struct node_file){
		.secret = "",
		.value = value,
		.view = { .key = VIEW_WHOLE },
		.rights = tree->settings.prefix.rights,
	};
}

int tree_file_node(struct tree *tree, struct node *parent,
		   const struct layout_name *name, struct value *value,
		   struct node **ret)
{
	struct cache_want want = tree_want_object(tree->layout, name->object);
	struct node_file file = tree_file_of(name, value);

	return show(tree, parent, name->name, &want, &file, ret);
}

int tree_key_node(struct tree *tree, struct node *parent,
		  const struct tree_key *key, struct node **ret)
{
	struct cache_want want = tree_want_object(tree->layout, key->object);
	struct node_file file =
		tree_key_file(key->object, key->value, key->key);

	return show(tree, parent, key->name, &want, &file, ret);
}

int tree_secret_node(struct tree *tree, struct node *parent, const char *name,
		     const char *secret, struct value *value, struct node **ret)
{
	struct cache_want want = tree_want(tree, secret, false);
	struct node_file file = tree_secret_file(tree, value);

	return show(tree, parent, name, &want, &file, ret);
}

int64_t tree_rest_ms(const struct tree *tree, const struct node *node)
{
	const struct follow *follow = node->follow;
	struct cache_want want = { .source = follow->source,
				   .name = follow->name,
				   .version = follow->version,
				   .stage = follow->stage };
	struct cache_result result;

	want.ttl_ms = tree->layout ? layout_settings(tree->layout)->ttl_ms
				   : tree->settings.prefix.ttl_ms;
	return cache_peek(tree->settings.cache, &want, &result)
		       ? result.fresh_ms
		       : 0;
}

bool tree_find_key(const struct value *value, const char *name, size_t *ret_key)
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
