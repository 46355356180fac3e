/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONFIG_CLASS_OBJECT_TYPE_H
#define CONFIG_CLASS_OBJECT_TYPE_H

struct class_given;
struct class_object;
struct class_reader;

/* What an object is fetched from. */
struct class_object_type {
	const struct class_given *name; /* given */
	const struct class_given *type;
	const char *region; /* the class's; NULL: not known yet */
};

/* Refuses all but secrets of Secrets Manager and parameters of SSM, by name or
 * ARN. Fills is_parameter and arn_region of the object, the latter kept by the
 * reader; NULL for a name. */
int class_object_check_type(struct class_reader *reader,
			    const struct class_object_type *type,
			    struct class_object *object);

#endif
