/* SPDX-License-Identifier: Apache-2.0 */
/* The same for programs: every number and text that a class was read to. */
#include "base/err.h"
#include "base/jwrite.h"
#include "check_fetch.h"
#include "check_report.h"
#include "config/class.h"

#include <stdio.h>

/* null where it is 0 */
static void put_duration(struct jwrite *json, const char *name, int64_t ms)
{
	if (ms > 0)
		jwrite_number(json, name, ms);
	else
		jwrite_null(json, name);
}

static void put_id(struct jwrite *json, const char *name, bool is_given,
		   unsigned id)
{
	if (is_given)
		jwrite_number(json, name, id);
	else
		jwrite_null(json, name);
}

static void put_decode(struct jwrite *json, bool is_base64)
{
	jwrite_text(json, "decode", is_base64 ? "base64" : NULL);
}

static void put_rights(struct jwrite *json, const struct class_rights *rights)
{
	char mode[8];

	(void)snprintf(mode, sizeof(mode), "%04o", rights->mode);
	jwrite_text(json, "mode", rights->has_mode ? mode : NULL);
	put_id(json, "uid", rights->has_owner, rights->uid);
	put_id(json, "gid", rights->has_group, rights->gid);
}

static void put_file(struct jwrite *json, const struct class_file *file)
{
	jwrite_object(json, NULL);
	jwrite_number(json, "line", file->line);
	jwrite_text(json, "name", file->name);
	jwrite_text(json, "path", file->path);
	put_decode(json, file->decode_base64);
	put_rights(json, &file->rights);
	jwrite_object_end(json);
}

static void put_fetched_file(struct jwrite *json,
			     const struct fetched_file *file)
{
	jwrite_object(json, NULL);
	if (file->length >= 0)
		jwrite_number(json, "bytes", file->length);
	else
		jwrite_null(json, "bytes");
	jwrite_text(json, "name", file->name);
	jwrite_text(json, "error", file->problem);
	jwrite_flag(json, "hidden", file->is_hidden);
	jwrite_object_end(json);
}

static void put_fetched_object(struct jwrite *json,
			       const struct fetched_object *fetched)
{
	if (!fetched) {
		jwrite_null(json, "fetched");
		return;
	}
	jwrite_object(json, "fetched");
	jwrite_text(json, "error", fetched->problem);
	jwrite_flag(json, "absent", fetched->is_absent);
	jwrite_text(json, "version", fetched->version);
	jwrite_array(json, "files");
	for (size_t i = 0; i < fetched->file_count; i++)
		put_fetched_file(json, &fetched->files[i]);
	jwrite_array_end(json);
	jwrite_object_end(json);
}

static void put_object(struct jwrite *json, const struct class_object *object,
		       const struct fetched_object *fetched)
{
	jwrite_object(json, NULL);
	jwrite_number(json, "line", object->line);
	jwrite_text(json, "name", object->name);
	jwrite_text(json, "secret", object->secret_name);
	jwrite_text(json, "version", object->version);
	jwrite_text(json, "stage", object->stage);
	jwrite_flag(json, "optional", object->optional);
	jwrite_flag(json, "expands", object->expands);
	jwrite_text(json, "folder", object->folder);
	put_decode(json, object->decode_base64);
	put_rights(json, &object->rights);
	jwrite_array(json, "files");
	for (size_t i = 0; i < object->file_count; i++)
		put_file(json, &object->files[i]);
	jwrite_array_end(json);
	put_fetched_object(json, fetched);
	jwrite_object_end(json);
}

static void put_class(struct jwrite *json, const struct class *class,
		      const struct fetched_class *fetched)
{
	bool is_fetched = fetched && fetched->object_count > 0;

	jwrite_object(json, NULL);
	jwrite_number(json, "line", class->line);
	jwrite_text(json, "namespace", class->namespace);
	jwrite_text(json, "name", class->name);
	jwrite_text(json, "region", class->region);
	jwrite_text(json, "layout",
		    class->layout == CLASS_TREE ? "tree" : "flat");
	put_duration(json, "ttlMs", class->ttl_ms);
	put_duration(json, "maxStaleMs", class->max_stale_ms);
	put_duration(json, "verifyAccessMs", class->verify_access_ms);
	jwrite_text(json, "fetchError", fetched ? fetched->problem : NULL);
	jwrite_array(json, "objects");
	for (size_t i = 0; i < class->object_count; i++)
		put_object(json, &class->objects[i],
			   is_fetched ? &fetched->objects[i] : NULL);
	jwrite_array_end(json);
	jwrite_object_end(json);
}

static void put_classes(struct jwrite *json, const struct class_list *list,
			const struct fetched_class *fetched)
{
	jwrite_array(json, "classes");
	for (size_t i = 0; list && i < list->count; i++)
		put_class(json, &list->classes[i],
			  fetched ? &fetched[i] : NULL);
	jwrite_array_end(json);
}

static void put_warnings(struct jwrite *json, const struct class_list *list)
{
	jwrite_array(json, "warnings");
	for (size_t i = 0; list && i < list->warning_count; i++) {
		jwrite_object(json, NULL);
		jwrite_number(json, "line", list->warnings[i].line);
		jwrite_text(json, "text", list->warnings[i].text);
		jwrite_object_end(json);
	}
	jwrite_array_end(json);
	jwrite_number(json, "warningsLeftOut",
		      list ? (int64_t)list->warnings_left_out : 0);
}

void check_report_json(const char *path, const struct class_list *list,
		       const struct fetched_class *fetched,
		       const struct err *err, bool is_first)
{
	struct jwrite json;

	(void)fputs(is_first ? "\n" : ",\n", stdout);
	jwrite_init(&json, stdout);
	jwrite_object(&json, NULL);
	jwrite_text(&json, "file", path);
	jwrite_text(&json, "error", list ? NULL : err->text);
	put_warnings(&json, list);
	put_classes(&json, list, fetched);
	jwrite_object_end(&json);
}
