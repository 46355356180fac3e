/* SPDX-License-Identifier: Apache-2.0 */
/* From a name that a person writes back to a secret, asking nobody: the layout
 * has the names that it gives, the cache those that a secret gives. */
#include "fs/layout.h"
#include "fs/tree.h"
#include "fs/tree_private.h"

#include <string.h>

static bool has_file(const struct layout_object *object, const char *path)
{
	for (size_t i = 0; i < object->file_count; i++)
		if (strcmp(object->files[i].name, path) == 0)
			return true;
	return false;
}

/* The file name in the folder, or NULL where the path leads elsewhere. */
static const char *strip_folder(const char *path, const char *folder)
{
	size_t length = strlen(folder);

	if (length > 0) {
		if (strncmp(path, folder, length) != 0 || path[length] != '/')
			return NULL;
		path += length + 1;
	}
	return strchr(path, '/') ? NULL : path;
}

/* Whether the path is that of a key of the value that is at hand. */
static bool has_key(const struct tree *tree, const struct layout_object *object,
		    const char *path)
{
	struct cache_want want = tree_want_object(tree->layout, object);
	const char *file =
		object->expands ? strip_folder(path, object->folder) : NULL;
	struct cache_about about;
	size_t key;

	if (!file)
		return false;
	cache_tell(tree->settings.cache, &want, &about);
	return about.value && tree_find_key(about.value, file, &key);
}

static const char *find_in_layout(const struct tree *tree, const char *name)
{
	const struct layout_settings *settings = layout_settings(tree->layout);

	/* A name that the class gives is never that of a key. */
	for (size_t i = 0; i < settings->object_count; i++)
		if (strcmp(settings->objects[i].name, name) == 0 ||
		    has_file(&settings->objects[i], name))
			return settings->objects[i].name;
	for (size_t i = 0; i < settings->object_count; i++)
		if (has_key(tree, &settings->objects[i], name))
			return settings->objects[i].name;
	return NULL;
}

const char *tree_find_secret(const struct tree *tree, const char *name)
{
	struct cache_about about;
	struct cache_want want;

	if (tree->layout)
		return find_in_layout(tree, name);
	want = tree_want(tree, name, false);
	cache_tell(tree->settings.cache, &want, &about);
	return about.state != CACHE_EMPTY || about.is_in_flight ? name : NULL;
}
