/* SPDX-License-Identifier: Apache-2.0 */
/* The same for programs: every number and text that a class was read to. */
#include "base/err.h"
#include "base/utf8.h"
#include "check_fetch.h"
#include "check_report.h"
#include "config/class.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void put_control(unsigned char byte)
{
	if (byte < 0x20 || byte == 0x7f)
		(void)printf("\\u%04x", byte);
	else
		(void)printf("\\%c", byte);
}

/* Paths may be no text at all, and long errors are cut: what is no UTF-8 is
 * U+FFFD. */
static void put_text(const char *text)
{
	size_t left = text ? strlen(text) : 0;

	if (!text) {
		(void)fputs("null", stdout);
		return;
	}
	(void)putchar('"');
	while (left > 0) {
		unsigned char byte = (unsigned char)*text;
		size_t length = utf8_length_at(text, left);

		if (length == 0)
			(void)fputs("\\ufffd", stdout);
		else if (byte < 0x20 || byte == 0x7f || byte == '"' ||
			 byte == '\\')
			put_control(byte);
		else
			(void)fwrite(text, 1, length, stdout);
		text += length ? length : 1;
		left -= length ? length : 1;
	}
	(void)putchar('"');
}

/* ,"name": */
static void put_name(const char *name)
{
	(void)printf(",\"%s\":", name);
}

static void put_text_member(const char *name, const char *text)
{
	put_name(name);
	put_text(text);
}

static void put_flag(const char *name, bool is_set)
{
	put_name(name);
	(void)fputs(is_set ? "true" : "false", stdout);
}

/* null where it is 0 */
static void put_duration(const char *name, int64_t ms)
{
	put_name(name);
	if (ms > 0)
		(void)printf("%" PRId64, ms);
	else
		(void)fputs("null", stdout);
}

static void put_id(const char *name, bool is_given, unsigned id)
{
	put_name(name);
	if (is_given)
		(void)printf("%u", id);
	else
		(void)fputs("null", stdout);
}

static void put_rights(const struct class_rights *rights)
{
	char mode[8];

	(void)snprintf(mode, sizeof(mode), "%04o", rights->mode);
	put_text_member("mode", rights->has_mode ? mode : NULL);
	put_id("uid", rights->has_owner, rights->uid);
	put_id("gid", rights->has_group, rights->gid);
}

static void put_file(const struct class_file *file)
{
	(void)printf("{\"line\":%u", file->line);
	put_text_member("name", file->name);
	put_text_member("path", file->path);
	put_text_member("decode", file->decode_base64 ? "base64" : NULL);
	put_rights(&file->rights);
	(void)putchar('}');
}

static void put_fetched_file(const struct fetched_file *file)
{
	(void)fputs("{\"bytes\":", stdout);
	if (file->length >= 0)
		(void)printf("%" PRId64, file->length);
	else
		(void)fputs("null", stdout);
	put_text_member("name", file->name);
	put_text_member("error", file->problem);
	put_flag("hidden", file->is_hidden);
	(void)putchar('}');
}

static void put_fetched_object(const struct fetched_object *fetched)
{
	put_name("fetched");
	if (!fetched) {
		(void)fputs("null", stdout);
		return;
	}
	(void)fputs("{\"error\":", stdout);
	put_text(fetched->problem);
	put_flag("absent", fetched->is_absent);
	put_text_member("version", fetched->version);
	put_name("files");
	(void)putchar('[');
	for (size_t i = 0; i < fetched->file_count; i++) {
		(void)fputs(i > 0 ? "," : "", stdout);
		put_fetched_file(&fetched->files[i]);
	}
	(void)fputs("]}", stdout);
}

static void put_object(const struct class_object *object,
		       const struct fetched_object *fetched)
{
	(void)printf("{\"line\":%u", object->line);
	put_text_member("name", object->name);
	put_text_member("secret", object->secret_name);
	put_text_member("version", object->version);
	put_text_member("stage", object->stage);
	put_flag("optional", object->optional);
	put_flag("expands", object->expands);
	put_text_member("folder", object->folder);
	put_text_member("decode", object->decode_base64 ? "base64" : NULL);
	put_rights(&object->rights);
	put_name("files");
	(void)putchar('[');
	for (size_t i = 0; i < object->file_count; i++) {
		(void)fputs(i > 0 ? "," : "", stdout);
		put_file(&object->files[i]);
	}
	(void)putchar(']');
	put_fetched_object(fetched);
	(void)putchar('}');
}

static void put_class(const struct class *class,
		      const struct fetched_class *fetched)
{
	bool is_fetched = fetched && fetched->object_count > 0;

	(void)printf("{\"line\":%u", class->line);
	put_text_member("namespace", class->namespace);
	put_text_member("name", class->name);
	put_text_member("region", class->region);
	put_text_member("layout",
			class->layout == CLASS_TREE ? "tree" : "flat");
	put_duration("ttlMs", class->ttl_ms);
	put_duration("maxStaleMs", class->max_stale_ms);
	put_duration("verifyAccessMs", class->verify_access_ms);
	put_text_member("fetchError", fetched ? fetched->problem : NULL);
	put_name("objects");
	(void)putchar('[');
	for (size_t i = 0; i < class->object_count; i++) {
		(void)fputs(i > 0 ? "," : "", stdout);
		put_object(&class->objects[i],
			   is_fetched ? &fetched->objects[i] : NULL);
	}
	(void)fputs("]}", stdout);
}

static void put_classes(const struct class_list *list,
			const struct fetched_class *fetched)
{
	put_name("classes");
	(void)putchar('[');
	for (size_t i = 0; list && i < list->count; i++) {
		(void)fputs(i > 0 ? "," : "", stdout);
		put_class(&list->classes[i], fetched ? &fetched[i] : NULL);
	}
	(void)putchar(']');
}

static void put_warnings(const struct class_list *list)
{
	put_name("warnings");
	(void)putchar('[');
	for (size_t i = 0; list && i < list->warning_count; i++) {
		(void)printf("%s{\"line\":%u", i > 0 ? "," : "",
			     list->warnings[i].line);
		put_text_member("text", list->warnings[i].text);
		(void)putchar('}');
	}
	(void)printf("],\"warningsLeftOut\":%zu",
		     list ? list->warnings_left_out : 0);
}

void check_report_json(const char *path, const struct class_list *list,
		       const struct fetched_class *fetched,
		       const struct err *err, bool is_first)
{
	(void)fputs(is_first ? "" : ",", stdout);
	(void)fputs("\n{\"file\":", stdout);
	put_text(path);
	put_text_member("error", list ? NULL : err->text);
	put_warnings(list);
	put_classes(list, fetched);
	(void)putchar('}');
}
