/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The key: identity, NUL, kind, name, NUL, and then version and stage, each as
 * '=', text, NUL, or as NUL alone. No text holds a NUL, so that no two wants
 * have one key, and all of a name begin alike.
 */
#include "store/want_key.h"
#include "store/cache.h"

#include <string.h>

size_t want_key_name_length(const struct cache_want *want)
{
	return strlen(want->source->identity) + strlen(want->name) + 3;
}

static size_t part_length_of(const char *text)
{
	return text ? strlen(text) + 2 : 1;
}

size_t want_key_length(const struct cache_want *want)
{
	return want_key_name_length(want) + part_length_of(want->version) +
	       part_length_of(want->stage);
}

/* Returns where the copy stands in the key; moves `to` behind it. */
static const char *write_text(char **to, const char *text)
{
	size_t length = strlen(text) + 1;
	const char *copy = memcpy(*to, text, length);

	*to += length;
	return copy;
}

static const char *write_part(char **to, const char *text)
{
	if (!text) {
		*(*to)++ = '\0';
		return NULL;
	}
	*(*to)++ = '=';
	return write_text(to, text);
}

struct source_want want_key_write(const struct cache_want *want, char *key)
{
	struct source_want copy;

	(void)write_text(&key, want->source->identity);
	*key++ = want->is_listing ? 'l' : 'v';
	copy.name = write_text(&key, want->name);
	copy.version = write_part(&key, want->version);
	copy.stage = write_part(&key, want->stage);
	return copy;
}
