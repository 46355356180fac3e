/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes options back as arguments, in the one form of each that options.c
 * reads: so the worker's command line is made from the same table.
 */
#include "config/option_table.h"
#include "config/options.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void write_flag(FILE *out, const struct option *option, bool is_set)
{
	if (is_set)
		(void)fprintf(out, "--%s%c", option->name, '\0');
}

static void write_text(FILE *out, const struct option *option,
		       const char *value)
{
	if (value)
		(void)fprintf(out, "--%s=%s%c", option->name, value, '\0');
}

/* The form that store() reads back; nothing for what is not set. */
static void write_option(FILE *out, const struct option *option,
			 const struct options *options)
{
	const void *member = (const char *)options + option->offset;

	switch (option->kind) {
	case OPTION_FLAG:
		write_flag(out, option, *(const bool *)member);
		break;
	case OPTION_TEXT:
	case OPTION_ADDRESS:
		write_text(out, option, *(const char *const *)member);
		break;
	case OPTION_DURATION:
		(void)fprintf(out, "--%s=%" PRId64 "ms%c", option->name,
			      *(const int64_t *)member, '\0');
		break;
	case OPTION_MODE:
		(void)fprintf(out, "--%s=0%o%c", option->name,
			      *(const unsigned *)member, '\0');
		break;
	case OPTION_OWNER:
		if (options->has_owner)
			(void)fprintf(out, "--%s=%u:%u%c", option->name,
				      options->owner_uid, options->owner_gid,
				      '\0');
		break;
	case OPTION_FORMAT:
		write_text(out, option, options->log_json ? "json" : "text");
		break;
	case OPTION_LEVEL:
		write_text(out, option, log_level_name(options->log_level));
		break;
	case OPTION_DEBUG:
	case OPTION_LATER:
		break;
	}
}

/* Strings that follow each other, each with its NUL, as an array. */
static char **list_of(const char *text, size_t size)
{
	size_t count = 0;
	char **list;
	char *copy;

	for (size_t i = 0; i < size; i++)
		count += text[i] == '\0';
	list = malloc((count + 1) * sizeof(*list) + size);
	if (!list)
		return NULL;
	copy = (char *)(list + count + 1);
	memcpy(copy, text, size);
	for (size_t i = 0; i < count; i++) {
		list[i] = copy;
		copy += strlen(copy) + 1;
	}
	list[count] = NULL;
	return list;
}

char **options_worker_arguments(const struct options *options)
{
	char *text = NULL;
	char **list = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	for (const struct option *option = option_table; option->name; option++)
		if (option->for_worker)
			write_option(out, option, options);
	(void)fprintf(out, "--%c%s%c%s%c", '\0', options->source, '\0',
		      options->mount_point, '\0');
	if (fclose(out) == 0)
		list = list_of(text, size);
	free(text);
	return list;
}
