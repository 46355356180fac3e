/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Directories by path, each with its names in order and by name. Objects are
 * few or thousands, so nothing here walks all of them to find one.
 */
#include "fs/layout.h"
#include "base/err.h"
#include "base/map.h"
#include "store/source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct name {
	struct layout_name about;
	char text[];
};

struct list {
	void **items;
	size_t count;
	size_t capacity;
};

struct layout_directory {
	struct map *by_name;
	struct list names;     /* of struct name */
	struct list expanding; /* of const struct layout_object */
	char path[];	       /* "" or "a/b/" */
};

struct layout {
	unsigned references;
	struct layout_settings settings;
	int64_t ttl_ms;
	struct map *directories;
};

static int list_add(struct list *list, const void *item)
{
	if (list->count == list->capacity) {
		size_t capacity = list->capacity ? list->capacity * 2 : 8;
		void **items =
			reallocarray(list->items, capacity, sizeof(void *));

		if (!items)
			return -ENOMEM;
		list->items = items;
		list->capacity = capacity;
	}
	list->items[list->count++] = (void *)(uintptr_t)item;
	return 0;
}

static void free_directory(void *owner, void *value)
{
	struct layout_directory *directory = value;

	(void)owner;
	for (size_t i = 0; i < directory->names.count; i++)
		free(directory->names.items[i]);
	free(directory->names.items);
	free(directory->expanding.items);
	map_free(directory->by_name);
	free(directory);
}

static void free_layout(struct layout *layout)
{
	if (layout->directories)
		map_each(layout->directories, free_directory, NULL);
	map_free(layout->directories);
	free(layout);
}

/* about.name is set here. */
static int add_name(struct layout_directory *directory, const char *text,
		    size_t length, const struct layout_name *about)
{
	struct name *name;
	int r;

	if (map_find(directory->by_name, text, length))
		return -EEXIST;
	name = calloc(1, sizeof(*name) + length + 1);
	if (!name)
		return -ENOMEM;
	memcpy(name->text, text, length);
	name->about = *about;
	name->about.name = name->text;
	r = list_add(&directory->names, name);
	if (r < 0) {
		free(name);
		return r;
	}
	return map_put(directory->by_name, text, length, name);
}

static struct layout_directory *make_directory(struct layout *layout,
					       const char *path, size_t length)
{
	struct layout_directory *directory =
		calloc(1, sizeof(*directory) + length + 1);

	if (!directory)
		return NULL;
	memcpy(directory->path, path, length);
	directory->by_name = map_new();
	if (!directory->by_name ||
	    map_put(layout->directories, path, length, directory) < 0) {
		free_directory(NULL, directory);
		return NULL;
	}
	return directory;
}

/* The directory `name` below parent, whose path has `length` bytes of path. */
static int enter(struct layout *layout, struct layout_directory **directory,
		 const char *path, size_t length)
{
	size_t parent = strlen((*directory)->path);
	const struct layout_name about = { .is_directory = true };
	struct layout_directory *found =
		map_find(layout->directories, path, length);
	int r;

	if (!found) {
		r = add_name(*directory, path + parent, length - parent - 1,
			     &about);
		if (r < 0)
			return r;
		found = make_directory(layout, path, length);
	}
	if (!found)
		return -ENOMEM;
	*directory = found;
	return 0;
}

/* Walks to the directory that holds the last component of path, making those
 * that are not there; *ret_last is that component. */
static int walk(struct layout *layout, const char *path,
		struct layout_directory **ret, const char **ret_last)
{
	struct layout_directory *directory =
		map_find(layout->directories, "", 0);
	const char *at = path;
	const char *slash;

	while ((slash = strchr(at, '/'))) {
		int r;

		if (slash == at)
			return -EINVAL;
		r = enter(layout, &directory, path, (size_t)(slash - path) + 1);
		if (r < 0)
			return r;
		at = slash + 1;
	}
	*ret = directory;
	*ret_last = at;
	return 0;
}

static int add_file(struct layout *layout, const struct layout_object *object,
		    const struct layout_file *file)
{
	const struct layout_name about = { .object = object, .file = file };
	struct layout_directory *directory;
	const char *last;
	int r = walk(layout, file->name, &directory, &last);

	if (r == 0 && !*last)
		r = -EINVAL;
	return r == 0 ? add_name(directory, last, strlen(last), &about) : r;
}

static int add_expanding(struct layout *layout,
			 const struct layout_object *object)
{
	struct layout_directory *directory;
	const char *last;
	char *path;
	int r;

	if (!*object->folder)
		return list_add(&((struct layout_directory *)map_find(
					  layout->directories, "", 0))
					 ->expanding,
				object);
	if (asprintf(&path, "%s/", object->folder) < 0)
		return -ENOMEM;
	r = walk(layout, path, &directory, &last);
	free(path);
	return r == 0 ? list_add(&directory->expanding, object) : r;
}

static int add_object(struct layout *layout, const struct layout_object *object,
		      struct err *err)
{
	int64_t bound_ms = object->source->max_ttl_ms;

	if (bound_ms && bound_ms < layout->ttl_ms)
		layout->ttl_ms = bound_ms;
	for (size_t i = 0; i < object->file_count; i++) {
		int r = add_file(layout, object, &object->files[i]);

		if (r < 0)
			return err_set(err, r, "file '%.256s' of '%.200s': %s",
				       object->files[i].name, object->name,
				       r == -EEXIST ? "the name is taken"
						    : strerrordesc_np(-r));
	}
	if (object->expands && add_expanding(layout, object) < 0)
		return err_set(err, -ENOMEM, "no memory");
	return 0;
}

int layout_new(const struct layout_settings *settings, struct layout **ret,
	       struct err *err)
{
	struct layout *layout = calloc(1, sizeof(*layout));
	int r = 0;

	if (!layout)
		return err_set(err, -ENOMEM, "no memory");
	layout->references = 1;
	layout->settings = *settings;
	layout->ttl_ms = settings->ttl_ms;
	layout->directories = map_new();
	if (!layout->directories || !make_directory(layout, "", 0))
		r = err_set(err, -ENOMEM, "no memory");
	for (size_t i = 0; r == 0 && i < settings->object_count; i++)
		r = add_object(layout, &settings->objects[i], err);
	if (r < 0)
		free_layout(layout);
	else
		*ret = layout;
	return r;
}

struct layout *layout_ref(struct layout *layout)
{
	layout->references++;
	return layout;
}

void layout_unref(struct layout *layout)
{
	if (!layout || --layout->references > 0)
		return;
	if (layout->settings.free_owner)
		layout->settings.free_owner(layout->settings.owner);
	free_layout(layout);
}

const struct layout_settings *layout_settings(const struct layout *layout)
{
	return &layout->settings;
}

bool layout_needs(const struct layout *layout, const char *name)
{
	for (size_t i = 0; i < layout->settings.object_count; i++) {
		const struct layout_object *object =
			&layout->settings.objects[i];

		if (!object->is_optional && strcmp(object->name, name) == 0)
			return true;
	}
	return false;
}

int64_t layout_ttl_ms(const struct layout *layout)
{
	return layout->ttl_ms;
}

const struct layout_directory *layout_directory(const struct layout *layout,
						const char *path)
{
	return map_find(layout->directories, path, strlen(path));
}

const struct layout_name *layout_find(const struct layout_directory *directory,
				      const char *name)
{
	const struct name *found =
		map_find(directory->by_name, name, strlen(name));

	return found ? &found->about : NULL;
}

size_t layout_name_count(const struct layout_directory *directory)
{
	return directory->names.count;
}

const struct layout_name *
layout_name_at(const struct layout_directory *directory, size_t index)
{
	const struct name *name = directory->names.items[index];

	return &name->about;
}

size_t layout_expanding_count(const struct layout_directory *directory)
{
	return directory->expanding.count;
}

const struct layout_object *
layout_expanding_at(const struct layout_directory *directory, size_t index)
{
	return directory->expanding.items[index];
}
