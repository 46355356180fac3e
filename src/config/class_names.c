/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two maps hold every name and every folder of a directory, so that each new
 * name is compared with all others at once.
 */
#include "config/class_names.h"
#include "base/map.h"
#include "config/class_reader.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#define COMPONENT_MAX 255 /* NAME_MAX of linux/limits.h */
#define FOLDERS_OF_NAME_MAX 16

void class_names_done(struct class_names *names)
{
	map_free(names->uses);
	map_free(names->folders);
}

static bool has_prefix(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool climbs(const char *name)
{
	size_t length = strlen(name);

	return strstr(name, "/../") || has_prefix(name, "../") ||
	       (length >= 3 && strcmp(name + length - 3, "/..") == 0);
}

bool class_name_climbs(const char *written, char translation)
{
	/* A name whose slashes become something else has none. */
	if (translation && translation != '/')
		return false;
	if (!translation)
		written += strspn(written, "/");
	return climbs(written);
}

/* Also those that terminals know from Latin-1, in UTF-8: U+0080 to U+009F. */
static bool has_control(const char *text, size_t length)
{
	const unsigned char *bytes = (const unsigned char *)text;

	for (size_t i = 0; i < length; i++)
		if (bytes[i] < 0x20 || bytes[i] == 0x7f ||
		    (bytes[i] == 0xc2 && i + 1 < length && bytes[i + 1] < 0xa0))
			return true;
	return false;
}

/* Why a component of a name cannot be one; NULL: it can. */
static const char *fault_of(const char *text, size_t length)
{
	if (length == 0)
		return "it is empty, or has nothing before or between slashes";
	if (length > COMPONENT_MAX)
		return "it is longer than 255 bytes";
	if (length == 1 && *text == '.')
		return "'.' is the directory itself";
	if (length >= 2 && has_prefix(text, ".."))
		return "names that begin with '..' are reserved";
	if (has_prefix(text, ".secretsfs"))
		return "names that begin with '.secretsfs' are reserved";
	if (has_control(text, length))
		return "it has a control character";
	return NULL;
}

static int check_components(const struct class_reader *reader, const char *name,
			    unsigned line)
{
	unsigned folders = 0;

	for (const char *at = name;; at++, folders++) {
		size_t length = strcspn(at, "/");
		const char *fault = fault_of(at, length);

		if (fault)
			return class_refuse(reader, line,
					    "'%s' cannot be a file name: %s",
					    name, fault);
		at += length;
		if (!*at)
			break;
	}
	if (folders > FOLDERS_OF_NAME_MAX)
		return class_refuse_size(reader, line,
					 "'%s' is in more than %d folders",
					 name, FOLDERS_OF_NAME_MAX);
	return 0;
}

int class_name_make(struct class_reader *reader, const char *written,
		    char translation, unsigned line, const char *label,
		    const char **ret)
{
	char *name;
	int r;

	if (!translation)
		written += strspn(written, "/");
	name = arena_copy(reader->kept, written, strlen(written));
	if (!name)
		return class_no_room(reader);
	for (char *at = name; translation && *at; at++)
		if (*at == '/')
			*at = translation;
	if (climbs(name))
		return class_refuse(reader, line,
				    "path can not contain ../: %s", label);
	r = check_components(reader, name, line);
	if (r == 0)
		*ret = name;
	return r;
}

static bool is_same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

/* The four combinations that the provider refuses for one objectName. */
static int refuse_same_object(const struct class_reader *reader,
			      const struct class_name_use *use,
			      const struct class_name_use *other)
{
	const char *name = use->object_name;
	const char *alias = use->alias;

	if (alias && use->label)
		return class_refuse(reader, use->line,
				    "found descriptor with duplicate object "
				    "name %s, duplicate object alias %s, and "
				    "duplicate version label %s (see line %u)",
				    name, alias, use->label, other->line);
	if (alias)
		return class_refuse(reader, use->line,
				    "found descriptor with duplicate object "
				    "name %s, duplicate object alias %s, and "
				    "no version label (see line %u)",
				    name, alias, other->line);
	if (use->label)
		return class_refuse(reader, use->line,
				    "found descriptor with duplicate object "
				    "name %s, no object alias, and duplicate "
				    "version label %s (see line %u)",
				    name, use->label, other->line);
	return class_refuse(reader, use->line,
			    "found descriptor with duplicate object name %s, "
			    "no object alias, and no version label (see line "
			    "%u)",
			    name, other->line);
}

static int refuse_taken(const struct class_reader *reader,
			const struct class_name_use *use,
			const struct class_name_use *other)
{
	bool is_alias = use->alias && is_same(use->alias, other->alias);

	if (use->object_name && is_same(use->object_name, other->object_name) &&
	    is_same(use->alias, other->alias) &&
	    is_same(use->label, other->label))
		return refuse_same_object(reader, use, other);
	if (is_alias && use->path)
		return class_refuse(reader, use->line,
				    "Name already in use for objectAlias: "
				    "found duplicate object alias %s in JMES "
				    "path entry %s (see line %u)",
				    use->alias, use->path, other->line);
	if (is_alias)
		return class_refuse(reader, use->line,
				    "found duplicate object alias %s (see "
				    "line %u)",
				    use->alias, other->line);
	return class_refuse(reader, use->line,
			    "the %s '%s' is already in use (see line %u)",
			    use->what, use->name, other->line);
}

static int refuse_file_and_folder(const struct class_reader *reader,
				  const struct class_name_use *file,
				  const struct class_name_use *inside,
				  unsigned line, unsigned other_line)
{
	return class_refuse(reader, line,
			    "'%s' would be a file, and a folder of '%s' (see "
			    "line %u)",
			    file->name, inside->name, other_line);
}

/* map_put() never changes a value. */
static void *as_value(const struct class_name_use *use)
{
	return (void *)(uintptr_t)use;
}

/* Names each folder above use, unless one of them is a file. */
static int add_folders(struct class_reader *reader, struct class_names *names,
		       const struct class_name_use *use)
{
	for (const char *slash = strchr(use->name, '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		size_t length = (size_t)(slash - use->name);
		const struct class_name_use *file =
			map_find(names->uses, use->name, length);
		int r;

		if (file)
			return refuse_file_and_folder(reader, file, use,
						      use->line, file->line);
		r = map_put(names->folders, use->name, length, as_value(use));
		if (r == -ENOMEM)
			return class_no_room(reader);
		if (map_count(names->folders) > CLASS_FOLDERS_MAX)
			return class_refuse_size(reader, use->line,
						 "more than %d folders in one "
						 "class",
						 CLASS_FOLDERS_MAX);
	}
	return 0;
}

int class_names_add(struct class_reader *reader, struct class_names *names,
		    const struct class_name_use *use)
{
	size_t length = strlen(use->name);
	const struct class_name_use *other;
	int r;

	if (!names->uses)
		names->uses = map_new();
	if (!names->folders)
		names->folders = map_new();
	if (!names->uses || !names->folders)
		return class_no_room(reader);
	other = map_find(names->uses, use->name, length);
	if (other)
		return refuse_taken(reader, use, other);
	other = map_find(names->folders, use->name, length);
	if (other)
		return refuse_file_and_folder(reader, use, other, use->line,
					      other->line);
	r = add_folders(reader, names, use);
	if (r == 0 &&
	    map_put(names->uses, use->name, length, as_value(use)) < 0)
		return class_no_room(reader);
	return r;
}
