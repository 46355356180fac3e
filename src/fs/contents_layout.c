/* SPDX-License-Identifier: Apache-2.0 */
/* A name that the layout gives beats a key, and between keys the object that
 * stands first in the layout wins. */
#include "base/err.h"
#include "base/log.h"
#include "base/macros.h"
#include "base/map.h"
#include "base/once.h"
#include "fs/contents.h"
#include "fs/layout.h"
#include "fs/tree_private.h"
#include "store/value.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A reason, a file name and the name of a secret. */
#define COMPLAINT_MAX (SECRET_NAME_MAX + NAME_LENGTH_MAX + 64)

/* What is needed while keys are noted. */
struct noting {
	struct contents *contents;
	struct tree *tree;
	const struct layout_directory *directory;
	struct map *seen; /* keys' file names */
};

static void complain_of_hidden(struct tree *tree, const char *file,
			       const struct layout_object *object)
{
	char complaint[COMPLAINT_MAX];

	(void)snprintf(complaint, sizeof(complaint), "hidden\n%s\n%s", file,
		       object->name);
	if (once_is_new(tree->told, complaint))
		log_warn("a key is hidden by another file", "key=%s secret=%s",
			 file, object->name);
}

/* What is no name of a file may well be a secret, and is not shown. */
static void complain_of_nameless(struct tree *tree, size_t key, size_t length,
				 const struct layout_object *object)
{
	const char *why = length > 0 ? "it is too long" : "it is empty";
	char complaint[COMPLAINT_MAX];

	(void)snprintf(complaint, sizeof(complaint), "nameless\n%zu\n%zu\n%s",
		       key, length, object->name);
	if (once_is_new(tree->told, complaint))
		log_warn("a key makes no file name",
			 "why=\"%s\" position=%zu length=%zu secret=%s", why,
			 key + 1, length, object->name);
}

/* Whether it is known already that the name shows nothing. */
static bool is_known_absent(struct tree *tree, struct node *directory,
			    const struct layout *layout,
			    const struct layout_name *given)
{
	struct cache_want want = tree_want_object(layout, given->object);
	struct cache_result result;
	struct node *node = NULL;
	int r;

	if (!cache_peek(tree->settings.cache, &want, &result))
		return false;
	if (result.err)
		return result.err->code == -ENOENT;
	if (given->file->view.key != VIEW_PATH)
		return false;
	r = tree_file_node(tree, directory, given, result.value, &node);
	if (r == 0)
		nodes_settle(tree->nodes, node);
	return r == -ENOENT;
}

static int note_given(struct contents *contents, struct tree *tree,
		      struct node *directory,
		      const struct layout_directory *names)
{
	for (size_t i = 0; i < layout_name_count(names); i++) {
		const struct layout_name *given = layout_name_at(names, i);
		struct noted noted = {
			.name = given->name,
			.is_folder = given->is_directory,
			.given = given->is_directory ? NULL : given,
		};
		int r;

		if (!given->is_directory &&
		    is_known_absent(tree, directory, contents->layout, given))
			continue;
		r = contents_add(contents, &noted);
		if (r < 0)
			return r;
	}
	return 0;
}

static int note_key(struct noting *noting, const struct layout_object *object,
		    struct value *value, size_t key)
{
	char file[NAME_LENGTH_MAX + 1];
	struct noted noted = {
		.name = file, .object = object, .value = value, .key = key
	};
	size_t length;
	const char *bytes = value_key_name(value, key, &length);
	int r;

	if (name_from_key(bytes, length, file) < 0) {
		complain_of_nameless(noting->tree, key, length, object);
		return 0;
	}
	r = layout_find(noting->directory, file)
		    ? -EEXIST
		    : map_put(noting->seen, file, strlen(file), noting);
	if (r == -EEXIST) {
		complain_of_hidden(noting->tree, file, object);
		return 0;
	}
	return r == 0 ? contents_add(noting->contents, &noted) : r;
}

static int note_keys(struct noting *noting,
		     const struct parked_results *results)
{
	struct contents *contents = noting->contents;

	for (size_t i = 0; i < results->count; i++) {
		struct value *value = results->at[i].value;

		if (!value)
			continue;
		contents->values[contents->value_count++] = value_ref(value);
		for (size_t key = 0; key < value_key_count(value); key++) {
			int r = note_key(
				noting,
				layout_expanding_at(noting->directory, i),
				value, key);

			if (r < 0)
				return r;
		}
	}
	return 0;
}

static void free_map(struct map *const *map)
{
	map_free(*map);
}

int contents_note_layout(struct contents *contents, struct tree *tree,
			 struct node *directory, struct layout *layout,
			 const struct parked_results *results)
{
	CLEANUP(free_map) struct map *seen = map_new();
	struct noting noting = {
		.contents = contents,
		.tree = tree,
		.directory = layout_directory(layout, directory->prefix),
		.seen = seen,
	};
	int r;

	contents->layout = layout_ref(layout);
	contents->values = calloc(results->count + 1, sizeof(struct value *));
	if (!seen || !contents->values)
		return -ENOMEM;
	if (!noting.directory) /* a reload took it away */
		return 0;
	r = note_given(contents, tree, directory, noting.directory);
	return r == 0 ? note_keys(&noting, results) : r;
}
