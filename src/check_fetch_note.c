/* SPDX-License-Identifier: Apache-2.0 */
/* A value becomes names and lengths here; nothing else of it is kept. */
#include "check_fetch_note.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/map.h"
#include "base/secret.h"
#include "check_fetch.h"
#include "fs/layout.h"
#include "fs/name.h"
#include "store/value.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int fetched_object_fail(struct fetched_object *fetched,
			const struct layout_object *object,
			const struct err *err)
{
	fetched->problem = strdup(err->text);
	fetched->is_absent = object->is_optional && err->code == -ENOENT;
	return fetched->problem ? 0 : -ENOMEM;
}

static int note_view(struct fetched_file *file, const struct view *view,
		     const struct value *value)
{
	cleanup_buf struct buf buf;
	struct err err;
	int r;

	buf_init(&buf, SECRET_LENGTH_MAX);
	r = view_read(view, value, &buf, &err);
	file->length = r < 0 ? -1 : (int64_t)buf.length;
	if (r == 0)
		return 0;
	file->problem = strdup(err.text);
	return r != -ENOMEM && file->problem ? 0 : -ENOMEM;
}

static int note_file(struct fetched_file *file, const struct layout_file *about,
		     const struct value *value)
{
	struct view view = about->view;

	/* as tree_file_node() does */
	if (view.key == VIEW_WHOLE && value_has_keys(value))
		view.decode_base64 = false;
	file->name = strdup(about->name);
	return file->name ? note_view(file, &view, value) : -ENOMEM;
}

static int note_key(struct fetched_file *file,
		    const struct layout_object *object,
		    const struct value *value, size_t key)
{
	const struct view view = { .key = key,
				   .decode_base64 = object->decode_base64 };
	char name[NAME_LENGTH_MAX + 1];
	size_t length;
	const char *bytes = value_key_name(value, key, &length);

	if (name_from_key(bytes, length, name) < 0) {
		file->length = -1;
		file->problem = strdup("a key makes no file name");
		return file->problem ? 0 : -ENOMEM;
	}
	if (asprintf(&file->name, "%s%s%s", object->folder,
		     *object->folder ? "/" : "", name) < 0) {
		file->name = NULL;
		return -ENOMEM;
	}
	return note_view(file, &view, value);
}

int fetched_object_fill(struct fetched_object *fetched,
			const struct layout_object *object,
			const struct value *value)
{
	size_t keys = object->expands ? value_key_count(value) : 0;
	int r = 0;

	fetched->version = strdup(value_version(value));
	fetched->files =
		calloc(object->file_count + keys + 1, sizeof(*fetched->files));
	if (!fetched->version || !fetched->files)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < object->file_count; i++)
		r = note_file(&fetched->files[fetched->file_count++],
			      &object->files[i], value);
	for (size_t key = 0; r == 0 && key < keys; key++)
		r = note_key(&fetched->files[fetched->file_count++], object,
			     value, key);
	return r;
}

/* Where the object's keys stand. 0 or -ENOMEM. */
static int find_folder(const struct layout *layout,
		       const struct layout_object *object,
		       const struct layout_directory **ret)
{
	char *path;

	if (asprintf(&path, "%s%s", object->folder,
		     *object->folder ? "/" : "") < 0)
		return -ENOMEM;
	*ret = layout_directory(layout, path);
	free(path);
	return 0;
}

int fetched_object_hide(struct fetched_object *fetched,
			const struct layout_object *object,
			const struct layout *layout, struct map *seen)
{
	const struct layout_directory *directory;
	size_t skipped = strlen(object->folder) + (*object->folder != '\0');
	int r = find_folder(layout, object, &directory);

	for (size_t i = object->file_count; r == 0 && i < fetched->file_count;
	     i++) {
		struct fetched_file *file = &fetched->files[i];

		if (!file->name)
			continue;
		if (!layout_find(directory, file->name + skipped))
			r = map_put(seen, file->name, strlen(file->name), file);
		else
			r = -EEXIST;
		file->is_hidden = r == -EEXIST;
		r = r == -ENOMEM ? r : 0;
	}
	return r;
}

static void free_object(struct fetched_object *object)
{
	for (size_t i = 0; i < object->file_count; i++) {
		free(object->files[i].name);
		free(object->files[i].problem);
	}
	free(object->files);
	free(object->problem);
	free(object->version);
}

void fetched_class_done(struct fetched_class *fetched)
{
	for (size_t i = 0; i < fetched->object_count; i++)
		free_object(&fetched->objects[i]);
	free(fetched->objects);
	free(fetched->problem);
	*fetched = (struct fetched_class){ 0 };
}

static bool has_problem(const struct fetched_object *object)
{
	if (object->problem)
		return !object->is_absent;
	for (size_t i = 0; i < object->file_count; i++)
		if (object->files[i].problem && !object->files[i].is_hidden)
			return true;
	return false;
}

bool fetched_class_has_problem(const struct fetched_class *fetched)
{
	if (fetched->problem)
		return true;
	for (size_t i = 0; i < fetched->object_count; i++)
		if (has_problem(&fetched->objects[i]))
			return true;
	return false;
}

bool fetched_class_has_hidden(const struct fetched_class *fetched)
{
	for (size_t i = 0; i < fetched->object_count; i++) {
		const struct fetched_object *object = &fetched->objects[i];

		for (size_t k = 0; k < object->file_count; k++)
			if (object->files[k].is_hidden)
				return true;
	}
	return false;
}
