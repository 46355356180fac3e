/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a class file: refused with a line of text that shows nothing a
 * terminal obeys, or taken with names that are file names, each once.
 */
#include "fuzz/fuzz.h"

#include "base/err.h"
#include "base/macros.h"
#include "base/map.h"
#include "config/class.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#define FILE_NAME "c.yaml"

static void check_text(const char *text)
{
	for (; *text != '\0'; text++)
		PROMISE(!iscntrl((unsigned char)*text));
}

static void check_failure(int r, const struct err *err)
{
	PROMISE(r == -EINVAL || r == -E2BIG || r == -ENOMEM);
	PROMISE(err->code == r);
	PROMISE(strncmp(err->text, FILE_NAME ":", sizeof(FILE_NAME)) == 0);
	check_text(err->text);
}

static void check_rights(const struct class_rights *rights)
{
	PROMISE(rights->mode <= 0777);
	PROMISE(rights->has_owner || (rights->uid == 0 && rights->gid == 0));
}

static void check_component(const char *name, size_t length)
{
	PROMISE(length > 0 && length <= 255);
	PROMISE(!(length == 1 && *name == '.'));
	PROMISE(!(length >= 2 && strncmp(name, "..", 2) == 0));
	PROMISE(strncmp(name, ".secretsfs", 10) != 0);
}

static void check_name(const char *name)
{
	check_text(name);
	for (;;) {
		size_t length = strcspn(name, "/");

		check_component(name, length);
		if (!name[length])
			break;
		name += length + 1;
	}
}

static void check_object(const struct class_object *object, struct map *names)
{
	PROMISE(*object->name && *object->secret_name);
	PROMISE(!object->version || *object->version);
	PROMISE(!object->stage || *object->stage);
	PROMISE(object->expands || object->file_count > 0);
	PROMISE(object->line > 0);
	check_rights(&object->rights);
	if (*object->folder)
		check_name(object->folder);
	for (size_t i = 0; i < object->file_count; i++) {
		const struct class_file *file = &object->files[i];

		check_name(file->name);
		check_rights(&file->rights);
		PROMISE(file->path || i == 0);
		PROMISE(map_put(names, file->name, strlen(file->name), names) ==
			0);
	}
}

static void check_class(const struct class *class)
{
	struct map *names = map_new();

	PROMISE(names);
	check_name(class->name);
	PROMISE(class->ttl_ms >= 0 && class->max_stale_ms >= 0 &&
		class->verify_access_ms >= 0);
	PROMISE(class->object_count <= CLASS_OBJECTS_MAX);
	check_rights(&class->rights);
	for (size_t i = 0; i < class->object_count; i++)
		check_object(&class->objects[i], names);
	map_free(names);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	cleanup_class_list struct class_list *list = NULL;
	struct err err = { 0 };
	int r = class_list_parse(FILE_NAME, bytes, length, &list, &err);

	if (r < 0) {
		PROMISE(!list);
		check_failure(r, &err);
		return 0;
	}
	PROMISE(list->count > 0);
	PROMISE(list->warning_count <= CLASS_WARNINGS_MAX);
	for (size_t i = 0; i < list->warning_count; i++)
		check_text(list->warnings[i].text);
	for (size_t i = 0; i < list->count; i++)
		check_class(&list->classes[i]);
	return 0;
}
