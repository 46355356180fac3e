/* SPDX-License-Identifier: Apache-2.0 */
/* `objects`: a list of entries, and the files that each of them makes. */
#include "base/macros.h"
#include "config/class_names.h"
#include "config/class_object.h"
#include "config/class_reader.h"
#include "config/ydoc.h"
#include "config/ydoc_scalar.h"

#include <stdio.h>
#include <string.h>

/* The raw value's file in the directory of an object. */
#define VALUE_NAME ".value"

/* What names are for. */
#define WHAT "file name"

struct given_entry {
	struct class_given path;
	struct class_given alias;
	struct class_given permission;
	struct class_given decode;
	struct class_given owner;
};

#define ENTRY(name) offsetof(struct given_entry, name)

static const struct class_field entry_list[] = {
	{ "path", FIELD_TEXT, ENTRY(path), NULL },
	{ "objectAlias", FIELD_TEXT, ENTRY(alias), NULL },
	{ "filePermission", FIELD_TEXT, ENTRY(permission), NULL },
	{ "decode", FIELD_TEXT, ENTRY(decode), NULL },
	{ "owner", FIELD_TEXT, ENTRY(owner), NULL },
};

static const struct class_fields entry_fields = {
	.what = "jmesPath",
	.any_case = true,
	.list = entry_list,
	.count = ARRAY_SIZE(entry_list),
};

/* The class whose objects are read. */
struct objects {
	struct class_reader *reader;
	const struct class_parameters *parameters;
	const struct class *class;
	struct class_names names; /* of files, or of objects' directories */
};

/* The object that is read. */
struct reading {
	struct objects *objects;
	struct class_object_given given;
	struct class_object *object;
	struct class_names *names; /* where its files' names must be new */
	struct class_names own;	   /* of its directory */
	struct class_file *files;
	bool shows_raw;
};

static void objects_done(struct objects *objects)
{
	class_names_done(&objects->names);
}

static void reading_done(struct reading *reading)
{
	class_names_done(&reading->own);
}

/* A name in the class's root. */
static int claim_name(struct reading *reading, const char **ret)
{
	struct objects *objects = reading->objects;
	const struct class_object_given *given = &reading->given;
	struct class_name_use *use =
		arena_alloc(objects->reader->trees, sizeof(*use));
	int r;

	if (!use)
		return class_no_room(objects->reader);
	*use = (struct class_name_use){
		.what = WHAT,
		.alias = class_text_or_null(&given->alias),
		.object_name = given->name.text,
		.label = class_text_or_null(&given->label),
		.line = given->alias.line ? given->alias.line
					  : given->name.line,
	};
	r = class_name_make(objects->reader,
			    use->alias ? use->alias : use->object_name,
			    objects->parameters->translation, use->line,
			    use->object_name, &use->name);
	if (r == 0)
		r = class_names_add(objects->reader, &objects->names, use);
	if (r == 0)
		*ret = use->name;
	return r;
}

/* "FOLDER/NAME", or NAME where folder is "". */
static const char *join(struct class_reader *reader, const char *folder,
			const char *name)
{
	size_t size = strlen(folder) + 1 + strlen(name) + 1;
	char *joined = arena_alloc(reader->kept, size);

	if (joined)
		(void)snprintf(joined, size, "%s%s%s", folder,
			       *folder ? "/" : "", name);
	return joined;
}

static int add_file(struct reading *reading, struct class_name_use *use,
		    struct class_file *file)
{
	struct class_reader *reader = reading->objects->reader;
	int r = class_names_add(reader, reading->names, use);

	if (r < 0)
		return r;
	file->name = join(reader, reading->object->folder, use->name);
	if (!file->name)
		return class_no_room(reader);
	reading->files[reading->object->file_count++] = *file;
	return 0;
}

/* The whole value: the object's own name, or a fixed one in its directory. */
static int add_raw(struct reading *reading)
{
	struct class_object *object = reading->object;
	struct class_file file = {
		.decode_base64 = object->decode_base64,
		.rights = object->rights,
		.line = object->line,
	};
	struct class_name_use *use;
	int r;

	if (!reading->shows_raw)
		return 0;
	if (reading->objects->class->layout == CLASS_FLAT) {
		r = claim_name(reading, &file.name);
		if (r == 0)
			reading->files[object->file_count++] = file;
		return r;
	}
	use = arena_alloc(reading->objects->reader->trees, sizeof(*use));
	if (!use)
		return class_no_room(reading->objects->reader);
	*use = (struct class_name_use){
		.what = WHAT,
		.name = VALUE_NAME,
		.line = object->line,
	};
	return add_file(reading, use, &file);
}

static int fill_entry(struct reading *reading, const struct given_entry *given,
		      struct class_file *file)
{
	struct class_reader *reader = reading->objects->reader;
	int r;

	if (!class_is_given(&given->path))
		return class_refuse(reader, file->line,
				    "Path must be specified for JMES object");
	if (!class_is_given(&given->alias))
		return class_refuse(reader, file->line,
				    "Object alias must be specified for JMES "
				    "object");
	file->path = given->path.text;
	r = class_read_rights(reader, &given->permission, &given->owner,
			      &file->rights);
	if (r == 0)
		r = class_read_decode(reader, &given->decode,
				      &file->decode_base64);
	return r;
}

static int add_entry(struct reading *reading, const struct ydoc_node *node)
{
	struct class_reader *reader = reading->objects->reader;
	struct given_entry given = { 0 };
	struct class_file file = {
		.decode_base64 = reading->object->decode_base64,
		.rights = reading->object->rights,
		.line = node->line,
	};
	struct class_name_use *use = arena_alloc(reader->trees, sizeof(*use));
	int r;

	if (!use)
		return class_no_room(reader);
	if (node->kind != YDOC_MAP && !ydoc_is_null(node))
		return class_refuse_kind(reader, node, "jmesPath", "a map");
	if (node->kind == YDOC_MAP) {
		r = class_fields_read(reader, node, &entry_fields, &given);
		if (r < 0)
			return r;
	}
	r = fill_entry(reading, &given, &file);
	if (r < 0)
		return r;
	*use = (struct class_name_use){
		.what = WHAT,
		.alias = given.alias.text,
		.path = given.path.text,
		.line = given.alias.line,
	};
	r = class_name_make(reader, given.alias.text,
			    reading->objects->parameters->translation,
			    use->line, given.alias.text, &use->name);
	if (r == 0)
		r = add_file(reading, use, &file);
	if (r < 0)
		return r;
	return class_compile_later(
		reader, &reading->files[reading->object->file_count - 1],
		given.path.line);
}

static int add_files(struct reading *reading)
{
	struct class_reader *reader = reading->objects->reader;
	struct class_object *object = reading->object;
	const struct ydoc_node *entries = reading->given.jmes_path.node;
	size_t most = reading->shows_raw + (entries ? entries->count : 0);
	int r;

	reading->files =
		arena_array(reader->kept, most, sizeof(*reading->files));
	if (!reading->files)
		return class_no_room(reader);
	object->files = reading->files;
	r = add_raw(reading);
	for (const struct ydoc_node *entry = entries ? entries->first : NULL;
	     entry && r == 0; entry = entry->next)
		r = add_entry(reading, entry);
	return r;
}

/* Where the object's files stand. */
static int place(struct reading *reading)
{
	struct class_object *object = reading->object;

	reading->names = &reading->objects->names;
	object->folder = "";
	if (reading->objects->class->layout == CLASS_FLAT)
		return 0;
	reading->names = &reading->own;
	return claim_name(reading, &object->folder);
}

static int read_object(struct objects *objects, const struct ydoc_node *node,
		       struct class_object *object)
{
	CLEANUP(reading_done)
	struct reading reading = {
		.objects = objects,
		.object = object,
	};
	int r;

	r = class_object_read(objects->reader, objects->class,
			      objects->parameters->translation, node,
			      &reading.given, object);
	reading.shows_raw = class_object_shows_raw(&reading.given);
	if (r == 0)
		r = place(&reading);
	if (r == 0)
		r = add_files(&reading);
	return r < 0 ? r
		     : class_object_read_failover(objects->reader,
						  objects->class,
						  &reading.given, object);
}

static int read_list(struct class_reader *reader,
		     const struct class_parameters *parameters,
		     struct class *class, const struct ydoc_node *list)
{
	CLEANUP(objects_done)
	struct objects objects = {
		.reader = reader,
		.parameters = parameters,
		.class = class,
	};
	struct class_object *array;

	if (list->kind != YDOC_LIST)
		return class_refuse_kind(reader, list, "objects", "a list");
	if (list->count > CLASS_OBJECTS_MAX)
		return class_refuse_size(reader, list->line,
					 "more than %d objects in one class",
					 CLASS_OBJECTS_MAX);
	array = arena_array(reader->kept, list->count, sizeof(*array));
	if (!array)
		return class_no_room(reader);
	class->objects = array;
	for (const struct ydoc_node *node = list->first; node;
	     node = node->next) {
		int r = read_object(&objects, node,
				    &array[class->object_count]);

		if (r < 0)
			return r;
		class->object_count++;
	}
	return 0;
}

int class_objects_read(struct class_reader *reader,
		       const struct class_parameters *parameters,
		       struct class *class)
{
	const struct class_given *given = &parameters->objects;
	struct ydoc_text text = { .bytes = given->text };
	const struct ydoc_node *list = NULL;
	int r = 0;

	if (class_is_given(given)) {
		text.length = strlen(given->text);
		reader->inner_length += text.length;
		if (reader->inner_length > CLASS_FILE_MAX)
			return class_refuse_size(reader, given->line,
						 "objects: more than %zu bytes "
						 "in all classes",
						 CLASS_FILE_MAX);
		r = class_place_inner(reader, given->node, &text);
		if (r == 0)
			r = class_parse_yaml(reader, &text, &list);
	}
	if (r < 0)
		return r;
	if (list && list->next)
		class_warn(reader, list->next->line,
			   "objects: only the first document counts");
	if (list && !ydoc_is_null(list))
		r = read_list(reader, parameters, class, list);
	if (r == 0 && class->object_count == 0)
		class_warn(reader, class->line,
			   "class '%s' lists no objects: it shows nothing",
			   class->name);
	return r;
}
