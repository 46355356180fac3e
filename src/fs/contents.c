/* SPDX-License-Identifier: Apache-2.0 */
/* The list, and what below a prefix goes into it; a layout's names are in
 * contents_layout.c. */
#include "fs/contents.h"
#include "base/macros.h"
#include "fs/layout.h"
#include "fs/tree_private.h"
#include "store/listing.h"
#include "store/value.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void contents_clear(struct contents *contents)
{
	for (size_t i = 0; i < contents->count; i++) {
		free((char *)(uintptr_t)contents->names[i].name);
		free(contents->names[i].secret);
	}
	free(contents->names);
	for (size_t i = 0; i < contents->value_count; i++)
		value_unref(contents->values[i]);
	free(contents->values);
	layout_unref(contents->layout);
	*contents = (struct contents){ 0 };
}

void contents_drop_value(struct contents *contents, const struct value *value)
{
	for (size_t i = 0; i < contents->count; i++)
		if (contents->names[i].value == value)
			contents->names[i].value = NULL;
	for (size_t i = 0; i < contents->value_count; i++)
		if (contents->values[i] == value)
			value_unref(TAKE(contents->values[i]));
}

int contents_add(struct contents *contents, const struct noted *noted)
{
	struct noted *added;

	if (contents->count == contents->capacity) {
		size_t capacity =
			contents->capacity ? contents->capacity * 2 : 16;
		struct noted *names = reallocarray(contents->names, capacity,
						   sizeof(struct noted));

		if (!names)
			return -ENOMEM;
		contents->names = names;
		contents->capacity = capacity;
	}
	added = &contents->names[contents->count];
	*added = *noted;
	added->name = strdup(noted->name);
	if (!added->name)
		return -ENOMEM;
	contents->count++;
	return 0;
}

static int add_secret(struct contents *contents, const char *file,
		      const struct listing_name *listed, const char *prefix)
{
	struct noted noted = { .name = file, .is_folder = listed->is_folder };
	int r;

	if (asprintf(&noted.secret, "%s%s", prefix, listed->name) < 0)
		return -ENOMEM;
	r = contents_add(contents, &noted);
	if (r < 0)
		free(noted.secret);
	return r;
}

/* A secret that has the name of its folder stands in it. */
static int add_folder_value(struct contents *contents,
			    const struct node *directory)
{
	char secret[SECRET_NAME_MAX];

	if (!directory->has_value)
		return 0;
	(void)snprintf(secret, sizeof(secret), "%.*s",
		       (int)strlen(directory->prefix) - 1, directory->prefix);
	return add_secret(contents, NAME_FOLDER_VALUE,
			  &(struct listing_name){ .name = secret }, "");
}

int contents_note_listing(struct contents *contents,
			  const struct node *directory,
			  const struct listing *listing)
{
	char file[NAME_LENGTH_MAX + 1];
	int r = add_folder_value(contents, directory);

	for (size_t i = 0; r == 0 && i < listing_count(listing); i++) {
		const struct listing_name *listed = listing_at(listing, i);

		if (name_from_key(listed->name, strlen(listed->name), file) ==
		    0)
			r = add_secret(contents, file, listed,
				       directory->prefix);
	}
	return r;
}
