/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONFIG_CLASS_NAMES_H
#define CONFIG_CLASS_NAMES_H

#include <stdbool.h>

struct class_reader;
struct map;

/*
 * Final file names: made from aliases and names of objects, and no two of them
 * the same. What the AWS provider says where it sees two, we say too; it
 * compares aliases as they are written, so that it misses some.
 */

/* Who wants a file name. */
struct class_name_use {
	const char *what;	 /* "file name", for complaints */
	const char *name;	 /* the final one */
	const char *alias;	 /* as written; NULL: none */
	const char *object_name; /* NULL: for an entry of jmesPath */
	const char *label;	 /* objectVersionLabel of an object, or NULL */
	const char *path;	 /* of an entry of jmesPath */
	unsigned line;
};

/* The names of one directory and of what is below it. Zeroed it is empty. */
struct class_names {
	struct map *uses;    /* by final name */
	struct map *folders; /* a use of something in it, by its name */
};

void class_names_done(struct class_names *names);

#define cleanup_class_names CLEANUP(class_names_done)

/* Whether the name that is made of it leads out of the directory. */
bool class_name_climbs(const char *written, char translation);

/* Turns what is written into a final name, kept by the reader: '/' becomes
 * translation, or, where that is 0, is a folder. Refuses what can be no name;
 * label is what to call one that climbs. */
int class_name_make(struct class_reader *reader, const char *written,
		    char translation, unsigned line, const char *label,
		    const char **ret);

/* use is borrowed until class_names_done(). Refuses a name that is taken. */
int class_names_add(struct class_reader *reader, struct class_names *names,
		    const struct class_name_use *use);

#endif
