/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Maps to structs by tables of names, as tolerant as the AWS provider: any
 * case where it takes any, scalars of every type as texts, unknown and repeated
 * names accepted. What it passes over in silence is a warning here.
 */
#include "base/macros.h"
#include "base/parse.h"
#include "config/class_reader.h"
#include "config/owner_text.h"
#include "config/ydoc.h"
#include "config/ydoc_scalar.h"

#include <inttypes.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#define GUESS_LENGTH_MAX 32
#define GUESS_DISTANCE_MAX 2
#define PERMISSION_LENGTH 4
#define PERMISSION_BITS 0777

static const struct class_field *find(const struct class_fields *fields,
				      const char *name)
{
	for (size_t i = 0; i < fields->count; i++) {
		const struct class_field *field = &fields->list[i];

		if (strcmp(field->name, name) == 0 ||
		    (fields->any_case && strcasecmp(field->name, name) == 0))
			return field;
	}
	return NULL;
}

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

static unsigned lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (unsigned)c | 0x20 : (unsigned char)c;
}

/* Levenshtein's distance, in any case; both at most GUESS_LENGTH_MAX. */
static unsigned distance(const char *a, const char *b)
{
	unsigned row[GUESS_LENGTH_MAX + 1];
	unsigned width = (unsigned)strlen(b);

	for (unsigned j = 0; j <= width; j++)
		row[j] = j;
	for (unsigned i = 1; *a; i++, a++) {
		unsigned diagonal = row[0];

		row[0] = i;
		for (unsigned j = 1; j <= width; j++) {
			unsigned cost = lower(*a) != lower(b[j - 1]);
			unsigned replaced = diagonal + cost;

			diagonal = row[j];
			row[j] = least(least(row[j], row[j - 1]) + 1, replaced);
		}
	}
	return row[width];
}

static const char *guess(const struct class_fields *fields, const char *name)
{
	const char *best = NULL;
	unsigned best_distance = GUESS_DISTANCE_MAX + 1;

	if (strlen(name) > GUESS_LENGTH_MAX)
		return NULL;
	for (size_t i = 0; i < fields->count; i++) {
		unsigned d = distance(name, fields->list[i].name);

		if (d < best_distance) {
			best_distance = d;
			best = fields->list[i].name;
		}
	}
	return best;
}

static void warn_unknown(struct class_reader *reader,
			 const struct ydoc_node *value,
			 const struct class_fields *fields)
{
	const char *meant = NULL;

	/* Guessing takes time; nobody reads more. */
	if (reader->warning_count < CLASS_WARNINGS_MAX)
		meant = guess(fields, value->key);
	if (meant)
		class_warn(reader, value->line,
			   "unknown %s field '%s' does nothing; '%s' is one",
			   fields->what, value->key, meant);
	else
		class_warn(reader, value->line,
			   "unknown %s field '%s' does nothing", fields->what,
			   value->key);
}

static int store_text(struct class_reader *reader,
		      const struct ydoc_node *value,
		      const struct class_field *field,
		      struct class_given *given)
{
	const char *text;

	if (value->kind != YDOC_SCALAR)
		return class_refuse_kind(reader, value, field->name, "text");
	text = ydoc_scalar_text(value, reader->kept);
	if (text)
		text = arena_copy(reader->kept, text, strlen(text));
	if (!text)
		return class_no_room(reader);
	*given = (struct class_given){ .text = text,
				       .node = value,
				       .line = value->line };
	if (field->kind == FIELD_TEXT && strcmp(text, value->text) != 0)
		class_warn(reader, value->line,
			   "%s: without quotes YAML reads '%s' as '%s'",
			   field->name, value->text, text);
	if (field->kind == FIELD_IDLE && *text)
		class_warn(reader, value->line, "%s does nothing here: %s",
			   field->name, field->remark);
	return 0;
}

static int store_list(struct class_reader *reader,
		      const struct ydoc_node *value,
		      const struct class_field *field,
		      struct class_given *given)
{
	if (value->kind != YDOC_LIST)
		return class_refuse_kind(reader, value, field->name, "a list");
	*given = (struct class_given){ .node = value, .line = value->line };
	return 0;
}

static int store_map(struct class_reader *reader, const struct ydoc_node *value,
		     const struct class_field *field, struct class_given *given)
{
	if (value->kind != YDOC_MAP)
		return class_refuse_kind(reader, value, field->name, "a map");
	*given = (struct class_given){ .node = value, .line = value->line };
	return 0;
}

static int store(struct class_reader *reader, const struct ydoc_node *value,
		 const struct class_field *field, struct class_given *given)
{
	if (given->node)
		class_warn(reader, value->line,
			   "%s stands here again; the last one counts",
			   field->name);
	if (ydoc_is_null(value)) {
		*given = (struct class_given){ 0 };
		return 0;
	}
	switch (field->kind) {
	case FIELD_TEXT:
	case FIELD_BOOL:
	case FIELD_IDLE:
		return store_text(reader, value, field, given);
	case FIELD_LIST:
		return store_list(reader, value, field, given);
	case FIELD_MAP:
		return store_map(reader, value, field, given);
	case FIELD_LATER:
		break;
	}
	if (value->kind == YDOC_SCALAR && !*value->text)
		return 0;
	return class_refuse(reader, value->line, "%s is not supported yet",
			    field->name);
}

int class_fields_read(struct class_reader *reader, const struct ydoc_node *map,
		      const struct class_fields *fields, void *into)
{
	for (const struct ydoc_node *value = map->first; value;
	     value = value->next) {
		const struct class_field *field = find(fields, value->key);
		struct class_given *given;
		int r;

		if (!field) {
			warn_unknown(reader, value, fields);
			continue;
		}
		given = (void *)((char *)into + field->offset);
		r = store(reader, value, field, given);
		if (r < 0)
			return r;
	}
	return 0;
}

bool class_is_given(const struct class_given *given)
{
	return given->text && *given->text;
}

const char *class_text_or_null(const struct class_given *given)
{
	return class_is_given(given) ? given->text : NULL;
}

int class_read_bool(struct class_reader *reader, const char *name,
		    const struct class_given *given, bool *ret)
{
	if (!class_is_given(given) || ydoc_bool_parse(given->text, ret) == 0)
		return 0;
	return class_refuse(reader, given->line,
			    "%s takes true or false, not '%s'", name,
			    given->text);
}

int class_read_decode(struct class_reader *reader,
		      const struct class_given *given, bool *ret_base64)
{
	if (!class_is_given(given))
		return 0;
	*ret_base64 = strcmp(given->text, "base64") == 0;
	if (*ret_base64 || strcmp(given->text, "none") == 0)
		return 0;
	return class_refuse(reader, given->line,
			    "decode takes base64 or none, not '%s'",
			    given->text);
}

static int refuse_permission(struct class_reader *reader,
			     const struct class_given *given)
{
	const struct ydoc_node *node = given->node;
	const char *written = node->text;

	if (node->style == YDOC_PLAIN && strcmp(written, given->text) != 0)
		return class_refuse(reader, given->line,
				    "Invalid File Permission: %s; write it in "
				    "quotes, \"%s\": without them YAML reads "
				    "it as a number",
				    given->text, written);
	return class_refuse(reader, given->line,
			    "Invalid File Permission: %s; it takes four octal "
			    "digits, like \"0400\"",
			    given->text);
}

static int read_permission(struct class_reader *reader,
			   const struct class_given *given,
			   struct class_rights *rights)
{
	unsigned mode;

	if (!class_is_given(given))
		return 0;
	if (strlen(given->text) != PERMISSION_LENGTH ||
	    parse_octal(given->text, 07777, &mode) < 0)
		return refuse_permission(reader, given);
	if (mode & ~(unsigned)PERMISSION_BITS)
		class_warn(reader, given->line,
			   "filePermission %s: its first digit does nothing",
			   given->text);
	rights->has_mode = true;
	rights->mode = mode & PERMISSION_BITS;
	return 0;
}

static int read_owner(struct class_reader *reader,
		      const struct class_given *given,
		      struct class_rights *rights)
{
	struct owner_text owner;

	if (!class_is_given(given))
		return 0;
	if (owner_text_parse(given->text, &owner) < 0)
		return class_refuse(reader, given->line,
				    "owner takes UID or UID:GID, as numbers, "
				    "not '%s'",
				    given->text);
	rights->has_owner = true;
	rights->uid = owner.uid;
	rights->has_group = owner.has_group;
	rights->gid = owner.gid;
	return 0;
}

int class_read_rights(struct class_reader *reader,
		      const struct class_given *permission,
		      const struct class_given *owner,
		      struct class_rights *rights)
{
	int r = read_permission(reader, permission, rights);

	return r < 0 ? r : read_owner(reader, owner, rights);
}
