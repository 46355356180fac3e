/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JMESPATH_FUNCTION_H
#define JMESPATH_FUNCTION_H

#include <stddef.h>

#include "jmespath/text.h"

struct err;
struct expression;
struct jvalue;
struct search;

/* What an argument may be. */
enum wanted {
	WANTED_ANY,
	WANTED_NUMBER,
	WANTED_STRING,
	WANTED_ARRAY,
	WANTED_OBJECT,
	WANTED_NUMBERS,	 /* an array of them */
	WANTED_STRINGS,	 /* an array of them */
	WANTED_SORTABLE, /* either of the two */
	WANTED_ARRAY_OR_STRING,
	WANTED_COUNTABLE, /* array, object or string */
	WANTED_REFERENCE, /* &expression */
};

struct call {
	struct search *search;
	const struct expression *expression;
	const struct jvalue *arguments; /* each as the function wants it */
	size_t count;
	const struct expression *reference; /* the argument behind &, or NULL */
};

#define FUNCTION_WANTED_MAX 2
#define FUNCTION_ANY_COUNT 0

struct function {
	const char *name;
	size_t count; /* of arguments; FUNCTION_ANY_COUNT: one or more */
	enum wanted wanted[FUNCTION_WANTED_MAX];
	int (*run)(const struct call *call, struct jvalue *ret);
};

/* NULL where there is none of the name. */
const struct function *function_find(struct text name);

/* Checks what is known of a call before there are values: how many arguments
 * there are, and which stand behind &. 0, or -EINVAL. */
int function_check(const struct expression *call, struct err *err);

/* Evaluates the arguments over a value, checks and calls. 0, -EINVAL, -E2BIG,
 * -ENOMEM. */
int function_call(struct search *search, const struct expression *expression,
		  const struct jvalue *current, struct jvalue *ret);

#endif
