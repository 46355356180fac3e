/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file of Kubernetes objects, and the classes among them. All or nothing: one
 * class that is wrong is an error of the file.
 */
#include "base/err.h"
#include "base/macros.h"
#include "config/class.h"
#include "config/class_names.h"
#include "config/class_reader.h"
#include "config/ydoc.h"
#include "config/ydoc_scalar.h"
#include "jmespath/jmespath.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define API_GROUP "secrets-store.csi.x-k8s.io/"
#define KIND "SecretProviderClass"

/* Together, with the bytes of the file and maps of names, they stay below
 * CLASS_MEMORY_MAX. */
#define KEPT_MAX (CLASS_MEMORY_MAX / 16 * 7)
#define TREES_MAX (CLASS_MEMORY_MAX / 16 * 6)

/* The list, and what it and its strings are made of. */
struct owned_list {
	struct class_list list;
	struct arena kept;
	struct class_expression *expressions;
	unsigned others; /* to whom it belongs as well */
};

/* A class in the order of the file. */
struct link {
	struct link *next;
	struct class class;
};

/* The file that is read. */
struct reading {
	struct class_reader reader;
	struct arena trees;
	struct link *first;
	struct link **end;
	size_t count;
	struct class_names places; /* where classes would be mounted */
};

struct class_list *class_list_ref(struct class_list *list)
{
	CONTAINER_OF(list, struct owned_list, list)->others++;
	return list;
}

void class_list_free(struct class_list *list)
{
	struct owned_list *owned;

	if (!list)
		return;
	owned = CONTAINER_OF(list, struct owned_list, list);
	if (owned->others > 0) {
		owned->others--;
		return;
	}
	for (; owned->expressions;
	     owned->expressions = owned->expressions->next)
		jmespath_free(owned->expressions->compiled);
	arena_done(&owned->kept);
	free(owned);
}

static void reading_done(struct reading *reading)
{
	class_names_done(&reading->places);
	arena_done(&reading->trees);
}

/* The last one counts, as in Kubernetes. NULL: none, or null. */
static const struct ydoc_node *
find(struct class_reader *reader, const struct ydoc_node *map, const char *key)
{
	const struct ydoc_node *found = NULL;

	if (!map || map->kind != YDOC_MAP)
		return NULL;
	for (const struct ydoc_node *node = map->first; node;
	     node = node->next) {
		if (strcmp(node->key, key) != 0)
			continue;
		if (found)
			class_warn(reader, node->line,
				   "%s stands here again; the last one counts",
				   key);
		found = node;
	}
	return found && !ydoc_is_null(found) ? found : NULL;
}

/* "" for what is no text. */
static const char *text_of(const struct ydoc_node *node)
{
	return node && node->kind == YDOC_SCALAR ? node->text : "";
}

/* A class is mounted at [NAMESPACE/]NAME where a directory of files is. */
static int claim_place(struct reading *reading, const struct class *class)
{
	struct class_reader *reader = &reading->reader;
	struct class_name_use *use = arena_alloc(reader->trees, sizeof(*use));
	const char *namespace = class->namespace ? class->namespace : "";
	size_t size = strlen(namespace) + strlen(class->name) + 2;
	char *place = arena_alloc(reader->trees, size);
	const char *name;
	int r;

	if (!use || !place)
		return class_no_room(reader);
	(void)snprintf(place, size, "%s%s%s", namespace, *namespace ? "/" : "",
		       class->name);
	r = class_name_make(reader, place, '\0', class->line, place, &name);
	if (r < 0)
		return r;
	*use = (struct class_name_use){
		.what = "class",
		.name = place,
		.line = class->line,
	};
	return class_names_add(reader, &reading->places, use);
}

static int keep_text(struct class_reader *reader, const struct ydoc_node *node,
		     const char *name, const char **ret)
{
	const char *text;

	if (!node)
		return 0;
	if (node->kind != YDOC_SCALAR)
		return class_refuse_kind(reader, node, name, "text");
	if (strchr(node->text, '/'))
		return class_refuse(reader, node->line, "%s '%s' has a slash",
				    name, node->text);
	text = arena_copy(reader->kept, node->text, strlen(node->text));
	if (!text)
		return class_no_room(reader);
	*ret = *text ? text : NULL;
	return 0;
}

static int read_metadata(struct reading *reading,
			 const struct ydoc_node *document, struct class *class)
{
	struct class_reader *reader = &reading->reader;
	const struct ydoc_node *metadata = find(reader, document, "metadata");
	int r = keep_text(reader, find(reader, metadata, "name"),
			  "metadata.name", &class->name);

	if (r == 0)
		r = keep_text(reader, find(reader, metadata, "namespace"),
			      "metadata.namespace", &class->namespace);
	if (r < 0)
		return r;
	if (!class->name)
		return class_refuse(reader, document->line,
				    "metadata.name is missing");
	return claim_place(reading, class);
}

static int read_spec(struct class_reader *reader, const struct ydoc_node *spec,
		     struct class *class)
{
	const struct ydoc_node *map = find(reader, spec, "parameters");
	const struct ydoc_node *synced = find(reader, spec, "secretObjects");
	struct class_parameters parameters = { .translation = '_' };
	int r = 0;

	if (synced)
		class_warn(reader, synced->line,
			   "secretObjects: not served by a file mount");
	if (map && map->kind != YDOC_MAP)
		return class_refuse_kind(reader, map, "parameters", "a map");
	if (map)
		r = class_parameters_read(reader, map, class, &parameters);
	return r < 0 ? r : class_objects_read(reader, &parameters, class);
}

static int check_version(struct class_reader *reader,
			 const struct ydoc_node *document)
{
	const struct ydoc_node *version = find(reader, document, "apiVersion");
	const char *text = text_of(version);

	if (strcmp(text, API_GROUP "v1") == 0 ||
	    strcmp(text, API_GROUP "v1alpha1") == 0)
		return 0;
	return class_refuse(reader, version ? version->line : document->line,
			    "apiVersion of a " KIND " is " API_GROUP
			    "v1 or v1alpha1, not '%s'",
			    text);
}

static int read_class(struct reading *reading, const struct ydoc_node *document)
{
	struct class_reader *reader = &reading->reader;
	const struct ydoc_node *spec;
	const char *provider;
	struct link *link;
	int r = check_version(reader, document);

	if (r < 0)
		return r;
	spec = find(reader, document, "spec");
	provider = text_of(find(reader, spec, "provider"));
	if (strcmp(provider, "aws") != 0) {
		class_warn(reader, spec ? spec->line : document->line,
			   "a class for the provider '%s' is passed over",
			   provider);
		return 0;
	}
	link = arena_alloc(reader->trees, sizeof(*link));
	if (!link)
		return class_no_room(reader);
	link->class.line = document->line;
	r = read_metadata(reading, document, &link->class);
	if (r == 0)
		r = read_spec(reader, spec, &link->class);
	if (r < 0)
		return r;
	*reading->end = link;
	reading->end = &link->next;
	reading->count++;
	return 0;
}

/* Kubernetes has no lists of lists. */
static int read_items(struct reading *reading, const struct ydoc_node *list)
{
	struct class_reader *reader = &reading->reader;
	const struct ydoc_node *items = find(reader, list, "items");
	int r = 0;

	if (!items || items->kind != YDOC_LIST)
		return 0;
	for (const struct ydoc_node *item = items->first; item && r == 0;
	     item = item->next)
		if (strcmp(text_of(find(reader, item, "kind")), KIND) == 0)
			r = read_class(reading, item);
	return r;
}

static int read_document(struct reading *reading,
			 const struct ydoc_node *document)
{
	const char *kind = text_of(find(&reading->reader, document, "kind"));

	if (strcmp(kind, KIND) == 0)
		return read_class(reading, document);
	if (strcmp(kind, "List") == 0 || strcmp(kind, KIND "List") == 0)
		return read_items(reading, document);
	return 0;
}

static int read_documents(struct reading *reading)
{
	struct class_reader *reader = &reading->reader;
	const struct ydoc_text text = {
		.bytes = reader->bytes,
		.length = reader->length,
		.first_line = 1,
	};
	const struct ydoc_node *document = NULL;
	int r = class_parse_yaml(reader, &text, &document);

	for (; document && r == 0; document = document->next)
		r = read_document(reading, document);
	if (r == 0 && reading->count == 0)
		return err_set(reader->err, -EINVAL,
			       "%s: there is no " KIND
			       " of the provider aws in it",
			       reader->file_name);
	return r;
}

static int make_list(struct reading *reading, struct class_list *list)
{
	const struct class_reader *reader = &reading->reader;
	struct class *classes =
		arena_array(reader->kept, reading->count, sizeof(*classes));

	if (!classes)
		return class_no_room(reader);
	for (const struct link *link = reading->first; link; link = link->next)
		classes[list->count++] = link->class;
	list->classes = classes;
	list->warnings = reader->warnings;
	list->warning_count = reader->warning_count;
	list->warnings_left_out = reader->warnings_left_out;
	return 0;
}

int class_list_parse(const char *file_name, const void *bytes, size_t length,
		     struct class_list **ret, struct err *err)
{
	CLEANUP(reading_done) struct reading reading = {
		.reader = {
			.file_name = file_name,
			.bytes = bytes,
			.length = length,
			.err = err,
		},
	};
	cleanup_class_list struct class_list *list = NULL;
	struct owned_list *owned;
	int r;

	if (length > CLASS_FILE_MAX)
		return err_set(err, -E2BIG,
			       "%s: longer than the %zu bytes that a class "
			       "file may have",
			       file_name, CLASS_FILE_MAX);
	owned = calloc(1, sizeof(*owned));
	if (!owned)
		return err_set(err, -ENOMEM, "%s: no memory", file_name);
	list = &owned->list;
	arena_init(&owned->kept, KEPT_MAX);
	arena_init(&reading.trees, TREES_MAX);
	reading.reader.kept = &owned->kept;
	reading.reader.expressions_end = &owned->expressions;
	reading.reader.trees = &reading.trees;
	reading.end = &reading.first;
	reading.reader.warnings = arena_array(&owned->kept, CLASS_WARNINGS_MAX,
					      sizeof(struct class_warning));
	if (!reading.reader.warnings)
		return class_no_room(&reading.reader);
	r = read_documents(&reading);
	if (r == 0)
		r = make_list(&reading, list);
	arena_done(&reading.trees);
	if (r == 0)
		r = class_compile(&reading.reader, owned->expressions);
	if (r == 0)
		*ret = TAKE(list);
	return r;
}
