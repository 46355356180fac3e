/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONFIG_CLASS_OBJECT_H
#define CONFIG_CLASS_OBJECT_H

#include <stdbool.h>

#include "config/class_reader.h"

struct class;
struct class_object;
struct ydoc_node;

/* What an entry of `objects` says. */
struct class_object_given {
	struct class_given name;
	struct class_given type;
	struct class_given alias;
	struct class_given version;
	struct class_given label;
	struct class_given permission;
	struct class_given jmes_path;
	struct class_given optional;
	struct class_given raw;
	struct class_given decode;
	struct class_given owner;
	struct class_given failover;
	struct class_given later;
};

/*
 * Reads an entry of `objects`, and checks all of it but jmesPath and the names
 * of its files, in the order of the AWS provider. class and translation are
 * those that it stands in. Fills object but for its files and folder.
 */
int class_object_read(struct class_reader *reader, const struct class *class,
		      char translation, const struct ydoc_node *node,
		      struct class_object_given *given,
		      struct class_object *object);

/* failoverObject, when all else of the object is there. */
int class_object_read_failover(struct class_reader *reader,
			       const struct class *class,
			       const struct class_object_given *given,
			       struct class_object *object);

/* Whether the raw value has a file, too. */
bool class_object_shows_raw(const struct class_object_given *given);

#endif
