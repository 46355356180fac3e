/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JMESPATH_JOBJECT_H
#define JMESPATH_JOBJECT_H

#include <stdbool.h>
#include <stddef.h>

#include "jmespath/jvalue.h"
#include "jmespath/text.h"

struct search;

/* The members of an object, each name once. */

struct jmember {
	struct text name; /* decoded */
	struct jvalue value;
	bool is_shadowed; /* by a later one of its name; none is, in the end */
};

struct jobject {
	struct jmember *members;  /* in the order they came */
	struct jmember **by_name; /* in the order of their names */
	size_t count;
};

/* Reads an object of either form. 0, -E2BIG, -ENOMEM. */
int jobject_open(struct search *search, const struct jvalue *value,
		 const struct jobject **ret);

/* An empty one with room for so many members. 0, -E2BIG, -ENOMEM. */
int jobject_new(struct search *search, size_t capacity, struct jobject **ret);

/* Within the capacity. The object is in order after jobject_finish() only. */
void jobject_add(struct jobject *object, struct text name,
		 const struct jvalue *value);

/* Of members with the same name the last one stays. 0, or -E2BIG. */
int jobject_finish(struct search *search, struct jobject *object);

/* The values of an object of either form, as an array. 0, -E2BIG, -ENOMEM. */
int jobject_values(struct search *search, const struct jvalue *value,
		   struct jvalue *ret);

/* NULL where there is none. */
const struct jvalue *jobject_find(const struct jobject *object,
				  struct text name);

#endif
