/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FS_CONTENTS_H
#define FS_CONTENTS_H

#include <stdbool.h>
#include <stddef.h>

struct cache_result;
struct layout;
struct layout_name;
struct layout_object;
struct listing;
struct node;
struct parked_results;
struct tree;
struct value;

/* What a directory holds at one moment. ls reads it in pieces, and a rotation
 * between two of them must neither skip nor repeat a name. */

struct noted {
	const char *name; /* the list's own */
	bool is_folder;

	/* one of these says what the name shows; none for a folder */
	char *secret;			    /* below a prefix: its whole name */
	const struct layout_name *given;    /* by the layout */
	const struct layout_object *object; /* whose key it is */
	struct value *value;		    /* of object, in contents->values */
	size_t key;			    /* of value */
};

/* Zero is empty. */
struct contents {
	struct layout *layout; /* that noted names point into, or NULL */
	struct value **values; /* that noted keys are of */
	size_t value_count;
	struct noted *names;
	size_t count;
	size_t capacity;
};

/* Empties it. */
void contents_clear(struct contents *contents);

/* Copies noted->name; takes noted->secret over on success. 0 or -ENOMEM. */
int contents_add(struct contents *contents, const struct noted *noted);

/* Lets go of a value whose keys were noted; their names stay. */
void contents_drop_value(struct contents *contents, const struct value *value);

/*
 * The names that the layout gives in the directory, those left out of which it
 * is known that they show nothing, and the keys of the objects that expand
 * there and whose results are known. Says once in the log which keys are
 * hidden by another name, and where those stand that make no name. 0 or
 * -ENOMEM.
 */
int contents_note_layout(struct contents *contents, struct tree *tree,
			 struct node *directory, struct layout *layout,
			 const struct parked_results *results);

/* The secrets and folders directly below the directory's prefix. 0 or
 * -ENOMEM. */
int contents_note_listing(struct contents *contents,
			  const struct node *directory,
			  const struct listing *listing);

#endif
