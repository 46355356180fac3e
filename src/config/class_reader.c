/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Complaints about a class: each names the file and the line, and shows
 * nothing of the file that a terminal would obey.
 */
#include "config/class_reader.h"
#include "base/err.h"
#include "config/ydoc.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define WARNING_MAX 512

/* Control characters, those of Latin-1 in UTF-8 too. */
static void hide_controls(char *text)
{
	for (unsigned char *at = (unsigned char *)text; *at; at++) {
		if (*at == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0)
			*at = at[1] = '?';
		if (*at < 0x20 || *at == 0x7f)
			*at = '?';
	}
}

__attribute__((format(printf, 4, 0))) static int
refuse(const struct class_reader *reader, int code, unsigned line,
       const char *format, va_list args)
{
	char text[ERR_TEXT_MAX];

	(void)vsnprintf(text, sizeof(text), format, args);
	hide_controls(text);
	return err_set(reader->err, code, "%s:%u: %s", reader->file_name, line,
		       text);
}

int class_refuse(const struct class_reader *reader, unsigned line,
		 const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)refuse(reader, -EINVAL, line, format, args);
	va_end(args);
	return -EINVAL;
}

int class_refuse_size(const struct class_reader *reader, unsigned line,
		      const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)refuse(reader, -E2BIG, line, format, args);
	va_end(args);
	return -E2BIG;
}

int class_no_room(const struct class_reader *reader)
{
	/* What did not fit is no longer than a file. */
	if (reader->kept->limit - reader->kept->used > CLASS_FILE_MAX &&
	    reader->trees->limit - reader->trees->used > CLASS_FILE_MAX)
		return err_set(reader->err, -ENOMEM, "%s: no memory",
			       reader->file_name);
	return err_set(reader->err, -E2BIG,
		       "%s: needs more memory than a class file may take",
		       reader->file_name);
}

void class_warn(struct class_reader *reader, unsigned line, const char *format,
		...)
{
	struct class_warning *warning =
		&reader->warnings[reader->warning_count];
	char text[WARNING_MAX];
	va_list args;

	if (reader->warning_count < CLASS_WARNINGS_MAX) {
		va_start(args, format);
		(void)vsnprintf(text, sizeof(text), format, args);
		va_end(args);
		hide_controls(text);
		warning->line = line;
		warning->text = arena_copy(reader->kept, text, strlen(text));
		if (warning->text) {
			reader->warning_count++;
			return;
		}
	}
	reader->warnings_left_out++;
}

int class_parse_yaml(const struct class_reader *reader,
		     const struct ydoc_text *text, const struct ydoc_node **ret)
{
	static const char what[] = "Failed to load SecretProviderClass";
	unsigned line = 0;
	struct err err;
	int r = ydoc_parse(text, reader->trees, ret, &line, &err);

	if (r == 0)
		return 0;
	if (r == -E2BIG)
		return class_refuse_size(reader, line, "%s: %s", what,
					 err.text);
	(void)class_refuse(reader, line, "%s: %s", what, err.text);
	if (reader->err)
		reader->err->code = r;
	return r;
}

int class_refuse_kind(const struct class_reader *reader,
		      const struct ydoc_node *value, const char *name,
		      const char *wanted)
{
	return class_refuse(reader, value->line,
			    "Failed to load SecretProviderClass: %s: %s where "
			    "%s is wanted",
			    name, ydoc_kind_name(value), wanted);
}
