/* SPDX-License-Identifier: Apache-2.0 */
/* A want is borrowed for the start of a call only: what outlives that is one
 * piece behind the call. */
#include "aws/want.h"
#include "store/source.h"

#include <string.h>

static size_t size_of(const char *text)
{
	return text ? strlen(text) + 1 : 0;
}

size_t want_texts_size(const struct source_want *want)
{
	return size_of(want->name) + size_of(want->version) +
	       size_of(want->stage);
}

/* Returns the copy, NULL for NULL, and moves `to` behind it. */
static const char *copy_text(char **to, const char *text)
{
	size_t size = size_of(text);
	const char *copy = text ? memcpy(*to, text, size) : NULL;

	*to += size;
	return copy;
}

char *want_copy(const struct source_want *want, char *to,
		struct source_want *ret)
{
	ret->name = copy_text(&to, want->name);
	ret->version = copy_text(&to, want->version);
	ret->stage = copy_text(&to, want->stage);
	return to;
}
