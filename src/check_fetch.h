/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CHECK_FETCH_H
#define CHECK_FETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct check_fetch;
struct class;
struct err;
struct options;

/* What a mount of a class would show, found by reading its secrets the way a
 * worker does, in this process. Of values only lengths are kept. */

struct fetched_file {
	char *name;	/* below the mount; NULL: a key that makes no name */
	int64_t length; /* -1: not shown */
	char *problem;	/* why it is not shown, or NULL */
	bool is_hidden; /* a key whose name another file has */
};

/* Of one object: first its files, in the order of the class, then its keys. */
struct fetched_object {
	char *problem;	/* why the secret was not read, or NULL */
	bool is_absent; /* there is none, and it is optional: all is right */
	char *version;	/* which one was read; NULL: none was */
	struct fetched_file *files;
	size_t file_count;
};

struct fetched_class {
	char *problem; /* why nobody could be asked, or NULL */
	struct fetched_object *objects;
	size_t object_count; /* as in the class, or 0 */
};

/* Where and for how long to ask is the options', which are borrowed. 0, or
 * negative errno with err filled. */
int check_fetch_new(const struct options *options, struct check_fetch **ret,
		    struct err *err);

/* NULL is allowed. */
void check_fetch_free(struct check_fetch *fetch);

/* Reads all secrets of a class, some at a time, and returns when each has ended
 * in some way. path is for errors. 0; -ENOMEM. Release ret with
 * fetched_class_done(). */
int check_fetch_class(struct check_fetch *fetch, const char *path,
		      const struct class *class, struct fetched_class *ret);

void fetched_class_done(struct fetched_class *fetched);

/* Whether something that the class shows could not be read. */
bool fetched_class_has_problem(const struct fetched_class *fetched);

/* Whether some key is hidden by another file. */
bool fetched_class_has_hidden(const struct fetched_class *fetched);

/* What will make reading fail until it is mended; NULL: nothing known. */
const char *check_fetch_warning(const struct check_fetch *fetch);

#endif
