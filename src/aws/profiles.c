/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sections and properties in the order in which they were read: who is asked
 * for one searches from the end, so that the last one counts without anything
 * being merged.
 */
#include "aws/profiles.h"
#include "aws/profiles_private.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Both files, and a NUL for each text of them. */
#define TEXT_MAX ((size_t)4 * PROFILES_FILE_MAX)
#define FIRST_COUNT 8

struct profiles *profiles_new(void)
{
	struct profiles *profiles = calloc(1, sizeof(*profiles));

	if (profiles)
		buf_init(&profiles->text, TEXT_MAX);
	return profiles;
}

void profiles_free(struct profiles *profiles)
{
	if (!profiles)
		return;
	buf_done(&profiles->text);
	free(profiles->sections);
	free(profiles->properties);
	free(profiles);
}

void profiles_cleanup(struct profiles **profiles)
{
	profiles_free(*profiles);
}

static int add_text(struct profiles *profiles, const char *text, size_t length,
		    size_t *ret_at)
{
	size_t at = profiles->text.length;
	int r = buf_append(&profiles->text, text, length);

	if (r == 0)
		r = buf_append(&profiles->text, "", 1);
	if (r == 0)
		*ret_at = at;
	return r;
}

/* The array with room for one more, in steps of powers of two; NULL: no memory,
 * and the array is as it was. */
static void *grow(void *array, size_t count, size_t size)
{
	if (count > 0 && (count < FIRST_COUNT || (count & (count - 1)) != 0))
		return array;
	return reallocarray(array, count == 0 ? FIRST_COUNT : 2 * count, size);
}

int profiles_add_section(struct profiles *profiles, enum profile_section kind,
			 const char *name, size_t length)
{
	struct profiles_section section = { .kind = kind };
	struct profiles_section *more = grow(
		profiles->sections, profiles->section_count, sizeof(section));
	int r;

	if (!more)
		return -ENOMEM;
	profiles->sections = more;
	r = add_text(profiles, name, length, &section.name_at);
	if (r == 0)
		profiles->sections[profiles->section_count++] = section;
	return r;
}

static void lower(char *text)
{
	for (; *text != '\0'; text++)
		*text = (char)tolower((unsigned char)*text);
}

int profiles_add_property(struct profiles *profiles, const char *key,
			  size_t key_length, const char *value,
			  size_t value_length)
{
	struct profiles_property property = {
		.section = profiles->section_count - 1,
	};
	struct profiles_property *more =
		grow(profiles->properties, profiles->property_count,
		     sizeof(property));
	int r;

	if (!more)
		return -ENOMEM;
	profiles->properties = more;
	r = add_text(profiles, key, key_length, &property.key_at);
	if (r < 0)
		return r;
	lower((char *)profiles->text.bytes + property.key_at);
	r = add_text(profiles, value, value_length, &property.value_at);
	if (r == 0)
		profiles->properties[profiles->property_count++] = property;
	return r;
}

int profiles_extend_value(struct profiles *profiles, const char *line,
			  size_t length)
{
	int r;

	buf_truncate(&profiles->text, profiles->text.length - 1);
	r = buf_append_text(&profiles->text, "\n");
	if (r == 0)
		r = buf_append(&profiles->text, line, length);
	if (r == 0)
		r = buf_append(&profiles->text, "", 1);
	return r;
}

static const char *text_at(const struct profiles *profiles, size_t at)
{
	return buf_text(&profiles->text) + at;
}

static bool is_section(const struct profiles *profiles, size_t index,
		       enum profile_section kind, const char *name)
{
	const struct profiles_section *section = &profiles->sections[index];

	return section->kind == kind && !section->is_hidden &&
	       strcmp(text_at(profiles, section->name_at), name) == 0;
}

bool profiles_has(const struct profiles *profiles, enum profile_section kind,
		  const char *name)
{
	for (size_t i = 0; i < profiles->section_count; i++)
		if (is_section(profiles, i, kind, name))
			return true;
	return false;
}

const char *profiles_get(const struct profiles *profiles,
			 enum profile_section kind, const char *name,
			 const char *key)
{
	for (size_t i = profiles->property_count; i-- > 0;) {
		const struct profiles_property *one = &profiles->properties[i];

		if (strcmp(text_at(profiles, one->key_at), key) == 0 &&
		    is_section(profiles, one->section, kind, name))
			return text_at(profiles, one->value_at);
	}
	return NULL;
}

/* Without the blanks around it. */
static const char *trim(const char *text, size_t *length)
{
	while (*length > 0 && (*text == ' ' || *text == '\t')) {
		text++;
		(*length)--;
	}
	while (*length > 0 &&
	       (text[*length - 1] == ' ' || text[*length - 1] == '\t'))
		(*length)--;
	return text;
}

const char *profiles_get_sub(const char *value, const char *sub,
			     size_t *ret_length)
{
	const char *found = NULL;

	/* a value of its own is none of its lines */
	while (*value == '\n') {
		const char *name = ++value;
		size_t length = strcspn(value, "\n");
		const char *equals = memchr(name, '=', length);
		size_t name_length = equals ? (size_t)(equals - name) : 0;

		value += length;
		name = trim(name, &name_length);
		if (!equals || name_length != strlen(sub) ||
		    strncasecmp(name, sub, name_length) != 0)
			continue;
		*ret_length = (size_t)(value - (equals + 1));
		found = trim(equals + 1, ret_length);
	}
	return found;
}
