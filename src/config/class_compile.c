/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths of jmesPath are compiled when the class is read, so that a mistake in
 * one is an error of the class and not of each read.
 */
#include "base/err.h"
#include "config/class_reader.h"
#include "jmespath/jmespath.h"

#include <errno.h>
#include <string.h>

/* What a compiled expression takes at most, with the bookkeeping of malloc: an
 * operator makes two nodes, a literal is a document in pages of its own. */
#define BASE_COST 256
#define OPERATOR_COST 320
#define BACKTICK_COST 2304

/* How much of a path an error shows. */
#define PATH_SHOWN 200

/* Of what is not counted. */
#define SLACK ((size_t)128 * 1024)

static size_t cost_of(const char *path)
{
	static const char words[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_\"- ";
	size_t cost = BASE_COST + strlen(path);

	for (const char *at = path; *at; at++) {
		if (*at == '`')
			cost += BACKTICK_COST;
		else if (!strchr(words, *at))
			cost += OPERATOR_COST;
	}
	return cost;
}

static int refuse_path(const struct class_reader *reader, const char *path,
		       unsigned line, const struct err *err)
{
	if (err->code == -ENOMEM)
		return err_set(reader->err, -ENOMEM, "%s: no memory",
			       reader->file_name);
	/* The reason must fit behind it. */
	return class_refuse(reader, line, "Invalid JMES Path: %.*s%s. %s",
			    PATH_SHOWN, path,
			    strlen(path) > PATH_SHOWN ? "..." : "", err->text);
}

int class_compile_later(struct class_reader *reader, struct class_file *file,
			unsigned line)
{
	struct class_expression *expression =
		arena_alloc(reader->kept, sizeof(*expression));

	if (!expression)
		return class_no_room(reader);
	expression->file = file;
	expression->line = line;
	*reader->expressions_end = expression;
	reader->expressions_end = &expression->next;
	return 0;
}

int class_compile(const struct class_reader *reader,
		  struct class_expression *list)
{
	size_t room =
		CLASS_MEMORY_MAX - CLASS_FILE_MAX - SLACK - reader->kept->used;

	for (; list; list = list->next) {
		const char *path = list->file->path;
		size_t cost = cost_of(path);
		struct err err;

		if (cost > room)
			return class_refuse_size(reader, list->line,
						 "the JMES paths of this file "
						 "need too much memory");
		room -= cost;
		if (jmespath_compile(path, strlen(path), &list->compiled,
				     &err) < 0)
			return refuse_path(reader, path, list->line, &err);
		list->file->expression = list->compiled;
	}
	return 0;
}
