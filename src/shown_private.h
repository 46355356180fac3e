/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SHOWN_PRIVATE_H
#define SHOWN_PRIVATE_H

/* What shown.c and shown_class.c share. */

#include "config/source_text.h"
#include "fs/layout.h"
#include "fs/name.h"
#include "shown.h"

struct class_list;
struct source;

/* All that a layout borrows. */
struct holding {
	struct class_list *classes; /* or NULL */
	struct layout_object *objects;
	size_t object_count;
	struct layout_file *files; /* of all objects, one behind the other */

	/* of a single secret */
	char name[SOURCE_OWN_NAME_SIZE];
	char file[NAME_LENGTH_MAX + 1];
};

/* What reading SOURCE takes. */
struct reading {
	struct provider *provider;
	const struct options *options;
	struct shown *shown;
	struct err *err;
};

/* Room for so many objects and files, none of them filled. NULL: no memory. */
struct holding *holding_new(size_t object_count, size_t file_count);

void holding_free(struct holding **holding);

#define cleanup_holding CLEANUP(holding_free)

/* What the options say of files and of directories. */
struct rights shown_file_rights(const struct options *options);
struct rights shown_directory_rights(const struct options *options);

/* What the options say of a layout; nothing of its objects. */
struct layout_settings shown_settings(const struct options *options);

/* Makes the layout of the holding, which it takes over on success; about's
 * objects and owner are not looked at. */
int shown_lay_out(const struct reading *reading, struct holding **holding,
		  const struct layout_settings *about);

/* The class in the file at path. */
int shown_class(const struct reading *reading, const char *path);

#endif
