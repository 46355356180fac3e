/* SPDX-License-Identifier: Apache-2.0 */
/* Names of classes have no control characters, so that they may be shown. */
#include "check_report.h"
#include "base/err.h"
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

static void print_object(const struct class_object *object)
{
	for (size_t i = 0; i < object->file_count; i++) {
		print_line(&object->files[i].rights);
		(void)printf("%s\n", object->files[i].name);
	}
	if (!object->expands)
		return;
	print_line(&object->rights);
	(void)printf("%s%s<every key of %s>\n", object->folder,
		     *object->folder ? "/" : "", object->secret_name);
}

static void print_class(const char *path, const struct class *class)
{
	(void)printf("%s:%u: class %s%s%s\n", path, class->line,
		     class->namespace ? class->namespace : "",
		     class->namespace ? "/" : "", class->name);
	for (size_t i = 0; i < class->object_count; i++)
		print_object(&class->objects[i]);
}

void check_report_text(const char *path, const struct class_list *list,
		       const struct err *err)
{
	if (!list) {
		command_complain("%s", err->text);
		return;
	}
	for (size_t i = 0; i < list->count; i++)
		print_class(path, &list->classes[i]);
	for (size_t i = 0; i < list->warning_count; i++)
		command_complain("%s:%u: warning: %s", path,
				 list->warnings[i].line,
				 list->warnings[i].text);
	if (list->warnings_left_out > 0)
		command_complain("%s: warning: and %zu warnings more", path,
				 list->warnings_left_out);
}
