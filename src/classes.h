/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLASSES_H
#define CLASSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct loop;
struct options;
struct provider;
struct shown;

/*
 * A directory of class files, each class of which is a mount of its own, named
 * [NAMESPACE/]NAME. The directory is read again when something in it changes,
 * and each file comes into force as a whole or not at all: one that is wrong is
 * logged, and what it gave before stays. Files whose names begin with a dot, or
 * end in neither ".yaml" nor ".yml", are passed over.
 *
 * Part of the worker's wiring. No callback runs before classes_new() returns,
 * except add and warn.
 */

#define CLASSES_FILES_MAX 1000
#define CLASSES_MAX 1000 /* of which MESSAGE_MOUNTS_MAX are mounted */
#define CLASSES_WARNINGS_MAX 8

struct classes;

/* All borrowed. */
struct classes_settings {
	struct loop *loop;
	struct provider *provider;
	const struct options *options;
	const char *path;

	/* A mount of that name is wanted; label: for mountinfo. */
	void (*add)(void *owner, const char *name, const char *label);
	/* A mount that was added is not. */
	void (*remove)(void *owner, uint32_t mount);
	/* What it shows has changed. */
	void (*change)(void *owner, uint32_t mount, const struct shown *shown);
	/* A file is wrong; only from within classes_new(). */
	void (*warn)(void *owner, const char *line);
	void *owner;
};

/* Whether SOURCE is such a directory. */
bool classes_are_at(const char *source);

/* Reads the directory and adds what is in it. 0, or negative errno with err
 * filled: it cannot be read, or all of its files are wrong. */
int classes_new(const struct classes_settings *settings, struct classes **ret,
		struct err *err);

/* NULL is allowed. */
void classes_free(struct classes *classes);

/* Reads all files again, also those that look unchanged; adds again what was
 * refused or has gone. */
void classes_read_again(struct classes *classes);

/* The mount of that name was made. What it shows, borrowed; NULL: it is not
 * wanted any more. */
const struct shown *classes_on_mount(struct classes *classes, const char *name,
				     uint32_t mount);

/* The mount of that name was refused: why. */
void classes_on_refused(struct classes *classes, const char *name,
			const char *why);

/* Someone has unmounted it. */
void classes_on_gone(struct classes *classes, uint32_t mount);

enum class_state {
	CLASS_ASKED,
	CLASS_MOUNTED,
	CLASS_REFUSED,
	CLASS_GONE,
};

/* Borrowed; the names are constants for as long as the class is there. */
struct class_about {
	const char *name;
	const char *file; /* in the directory */
	enum class_state state;
	const char *why;   /* it was refused, or "" */
	const char *fault; /* what is wrong with its file now, or "" */
	const struct shown *shown;
};

const char *class_state_name(enum class_state state);

/* 0 or -ENOENT. */
int classes_find(const struct classes *classes, uint32_t mount,
		 struct class_about *ret);

void classes_each(const struct classes *classes,
		  void (*on_class)(void *owner, const struct class_about *),
		  void *owner);

/* Files that are wrong, with what is. */
void classes_each_fault(const struct classes *classes,
			void (*on_fault)(void *owner, const char *file,
					 const char *fault),
			void *owner);

#endif
