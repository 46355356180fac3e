/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FS_LAYOUT_H
#define FS_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fs/rights.h"
#include "store/view.h"

struct err;
struct source;

/*
 * The names that a mount's configuration gives, and what each shows: counted,
 * and never changed once it is made. Names that only a secret can tell, its
 * keys, are not in it; it says which objects have such names.
 */

struct layout_file {
	const char *name; /* path below the mount's root: "password", "a/b" */
	struct view view;
	struct rights rights;
};

struct layout_object {
	struct source *source;
	const char *name;    /* what is fetched, as in struct source_want */
	const char *version; /* or NULL */
	const char *stage;   /* or NULL */
	const struct layout_file *files;
	size_t file_count;

	/* each key of the secret is a file too */
	bool expands;
	const char *folder; /* where: "" is the root, else "a/b" */
	bool decode_base64;
	struct rights rights;

	bool is_optional; /* that it is missing is nothing to complain of */
};

/* Everything that is pointed to is borrowed until free_owner(owner), which runs
 * when the layout goes; free_owner may be NULL. */
struct layout_settings {
	const struct layout_object *objects;
	size_t object_count;
	struct rights directory_rights;
	int64_t ttl_ms; /* these four as in struct cache_want */
	int64_t max_stale_ms;
	int64_t verify_ms;
	int64_t timeout_ms;
	void (*free_owner)(void *owner);
	void *owner;
};

struct layout;

/* 0; -EEXIST where two files have one name, or a file's name is a folder of
 * another; -EINVAL for a name that cannot be a path; -ENOMEM. On failure owner
 * stays the caller's. */
int layout_new(const struct layout_settings *settings, struct layout **ret,
	       struct err *err);

struct layout *layout_ref(struct layout *layout);

/* NULL is allowed. */
void layout_unref(struct layout *layout);

const struct layout_settings *layout_settings(const struct layout *layout);

/* Whether the secret of that name has to be there: an object that is not
 * optional shows it. */
bool layout_needs(const struct layout *layout, const char *name);

/* The longest that a name may be taken for true: the TTL, or less where a
 * source bounds it. */
int64_t layout_ttl_ms(const struct layout *layout);

/* A directory of the layout: path is "" for the root, else "a/b/". NULL: there
 * is none. */
struct layout_directory;
const struct layout_directory *layout_directory(const struct layout *layout,
						const char *path);

/* A name in a directory: another directory, or a file of an object. */
struct layout_name {
	const char *name;
	bool is_directory;
	const struct layout_object *object;
	const struct layout_file *file;
};

/* NULL: the configuration does not give this name. */
const struct layout_name *layout_find(const struct layout_directory *directory,
				      const char *name);

/* In the order of the configuration. */
size_t layout_name_count(const struct layout_directory *directory);
const struct layout_name *
layout_name_at(const struct layout_directory *directory, size_t index);

/* The objects whose keys are files in this directory, in that order. */
size_t layout_expanding_count(const struct layout_directory *directory);
const struct layout_object *
layout_expanding_at(const struct layout_directory *directory, size_t index);

#endif
