/* SPDX-License-Identifier: Apache-2.0 */
/* Names of classes have no control characters, so that they may be shown. */
#include "check_report.h"
#include "base/err.h"
#include "check_fetch.h"
#include "command.h"
#include "config/class.h"
#include "config/options.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MODE_SIZE 11
#define OWNER_SIZE 24

static void write_mode(const struct class_rights *rights, char text[MODE_SIZE])
{
	/* No mode makes anything writable. */
	static const char letters[] = "r-xr-xr-x";
	struct options options;
	unsigned mode;

	options_init(&options);
	mode = rights->has_mode ? rights->mode : options.mode;
	text[0] = '-';
	for (unsigned i = 0; i < 9; i++) {
		text[i + 1] = '-';
		if (mode & (0400U >> i))
			text[i + 1] = letters[i];
	}
	text[MODE_SIZE - 1] = '\0';
}

static void write_owner(const struct class_rights *rights,
			char text[OWNER_SIZE])
{
	if (!rights->has_owner)
		(void)snprintf(text, OWNER_SIZE, "-:-");
	else if (!rights->has_group)
		(void)snprintf(text, OWNER_SIZE, "%u:-", rights->uid);
	else
		(void)snprintf(text, OWNER_SIZE, "%u:%u", rights->uid,
			       rights->gid);
}

static void print_line(const struct class_rights *rights)
{
	char mode[MODE_SIZE];
	char owner[OWNER_SIZE];

	write_mode(rights, mode);
	write_owner(rights, owner);
	(void)printf("  %s %-11s ", mode, owner);
}

/* Only where secrets were read there is a column for it. */
static void print_length(bool is_fetched, const struct fetched_file *file)
{
	if (is_fetched && file && file->length >= 0)
		(void)printf("%7" PRId64 " ", file->length);
	else if (is_fetched)
		(void)printf("%7s ", "-");
}

/* The keys that were found, or one line that stands for them. */
static void print_keys(const struct class_object *object,
		       const struct fetched_object *fetched)
{
	for (size_t i = object->file_count; fetched && i < fetched->file_count;
	     i++) {
		const struct fetched_file *file = &fetched->files[i];

		if (!file->name || file->is_hidden)
			continue;
		print_line(&object->rights);
		print_length(true, file);
		(void)printf("%s\n", file->name);
	}
	if (fetched && fetched->version)
		return;
	print_line(&object->rights);
	print_length(fetched != NULL, NULL);
	(void)printf("%s%s<every key of %s>\n", object->folder,
		     *object->folder ? "/" : "", object->secret_name);
}

static void print_object(const struct class_object *object,
			 const struct fetched_object *fetched)
{
	for (size_t i = 0; i < object->file_count; i++) {
		print_line(&object->files[i].rights);
		print_length(fetched != NULL, fetched && fetched->version
						      ? &fetched->files[i]
						      : NULL);
		(void)printf("%s\n", object->files[i].name);
	}
	if (object->expands)
		print_keys(object, fetched);
}

static void complain_file(const char *path, const struct class_object *object,
			  const struct fetched_object *fetched, size_t index)
{
	const struct fetched_file *file = &fetched->files[index];
	bool is_key = index >= object->file_count;
	unsigned line = is_key ? object->line : object->files[index].line;
	const char *name = file->name ? file->name : object->secret_name;

	if (file->is_hidden)
		command_complain("%s:%u: warning: key '%.256s' of %.256s is "
				 "hidden by another file",
				 path, line, name, object->secret_name);
	else if (file->problem)
		command_complain("%s:%u: %.256s: %s", path, line, name,
				 file->problem);
}

static void complain_object(const char *path, const struct class_object *object,
			    const struct fetched_object *fetched)
{
	if (fetched->problem)
		command_complain("%s:%u: %s%.256s: %s", path, object->line,
				 fetched->is_absent ? "optional: " : "",
				 object->name, fetched->problem);
	for (size_t i = 0; i < fetched->file_count; i++)
		complain_file(path, object, fetched, i);
}

static void print_class(const char *path, const struct class *class,
			const struct fetched_class *fetched)
{
	bool is_fetched = fetched && fetched->object_count > 0;

	(void)printf("%s:%u: class %s%s%s\n", path, class->line,
		     class->namespace ? class->namespace : "",
		     class->namespace ? "/" : "", class->name);
	for (size_t i = 0; i < class->object_count; i++)
		print_object(&class->objects[i],
			     is_fetched ? &fetched->objects[i] : NULL);
	if (fetched && fetched->problem)
		command_complain("%s:%u: class %s: %s", path, class->line,
				 class->name, fetched->problem);
	for (size_t i = 0; is_fetched && i < class->object_count; i++)
		complain_object(path, &class->objects[i], &fetched->objects[i]);
}

void check_report_text(const char *path, const struct class_list *list,
		       const struct fetched_class *fetched,
		       const struct err *err)
{
	if (!list) {
		command_complain("%s", err->text);
		return;
	}
	for (size_t i = 0; i < list->count; i++)
		print_class(path, &list->classes[i],
			    fetched ? &fetched[i] : NULL);
	for (size_t i = 0; i < list->warning_count; i++)
		command_complain("%s:%u: warning: %s", path,
				 list->warnings[i].line,
				 list->warnings[i].text);
	if (list->warnings_left_out > 0)
		command_complain("%s: warning: and %zu warnings more", path,
				 list->warnings_left_out);
}
