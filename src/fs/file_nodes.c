/* SPDX-License-Identifier: Apache-2.0 */
/* From a value to the nodes that show it. A value that cannot be shown under a
 * name is no failure of the mount: the reader gets an errno, the log says why,
 * once for each version. */
#include "base/err.h"
#include "base/log.h"
#include "base/once.h"
#include "fs/layout.h"
#include "fs/tree_private.h"
#include "store/value.h"

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

static int show(struct tree *tree, struct node *parent, const char *name,
		const struct node_file *file, struct node **ret)
{
	struct err err;
	int r = nodes_file(tree->nodes, parent, name, file, ret, &err);

	if (r < 0)
		complain(tree, name, file, &err);
	return r;
}

int tree_file_node(struct tree *tree, struct node *parent,
		   const struct layout_name *name, struct value *value,
		   struct node **ret)
{
	struct node_file file = { .secret = name->object->name,
				  .value = value,
				  .view = name->file->view,
				  .rights = name->file->rights };

	/* what its keys are decoded from is no base64 itself */
	if (file.view.key == VIEW_WHOLE && value_has_keys(value))
		file.view.decode_base64 = false;
	return show(tree, parent, name->name, &file, ret);
}

int tree_key_node(struct tree *tree, struct node *parent,
		  const struct tree_key *key, struct node **ret)
{
	const struct layout_object *object = key->object;

	return show(tree, parent, key->name,
		    &(struct node_file){
			    .secret = object->name,
			    .value = key->value,
			    .view = { .key = key->key,
				      .decode_base64 = object->decode_base64 },
			    .rights = object->rights },
		    ret);
}

int tree_secret_node(struct tree *tree, struct node *parent, const char *name,
		     struct value *value, struct node **ret)
{
	/* where it stands tells it apart: a name below a prefix is one secret
	 */
	return show(
		tree, parent, name,
		&(struct node_file){ .secret = "",
				     .value = value,
				     .view = { .key = VIEW_WHOLE },
				     .rights = tree->settings.prefix.rights },
		ret);
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
