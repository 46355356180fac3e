/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JMESPATH_FUNCTIONS_H
#define JMESPATH_FUNCTIONS_H

#include "jmespath/jvalue.h"

struct call;

/*
 * The functions of the specification, for the table in function.c, which has
 * checked the number and the types of their arguments. Each returns 0, or
 * -EINVAL, -E2BIG or -ENOMEM with the search's error set.
 */

/* The name of a value's type, as type() has it. */
const char *function_type_name(const struct jvalue *value);

/* functions_number.c */
int function_abs(const struct call *call, struct jvalue *ret);
int function_avg(const struct call *call, struct jvalue *ret);
int function_ceil(const struct call *call, struct jvalue *ret);
int function_floor(const struct call *call, struct jvalue *ret);
int function_sum(const struct call *call, struct jvalue *ret);
int function_to_number(const struct call *call, struct jvalue *ret);

/* functions_string.c */
int function_contains(const struct call *call, struct jvalue *ret);
int function_ends_with(const struct call *call, struct jvalue *ret);
int function_join(const struct call *call, struct jvalue *ret);
int function_length(const struct call *call, struct jvalue *ret);
int function_reverse(const struct call *call, struct jvalue *ret);
int function_starts_with(const struct call *call, struct jvalue *ret);
int function_to_string(const struct call *call, struct jvalue *ret);
int function_type(const struct call *call, struct jvalue *ret);

/* functions_array.c */
int function_keys(const struct call *call, struct jvalue *ret);
int function_map(const struct call *call, struct jvalue *ret);
int function_merge(const struct call *call, struct jvalue *ret);
int function_not_null(const struct call *call, struct jvalue *ret);
int function_to_array(const struct call *call, struct jvalue *ret);
int function_values(const struct call *call, struct jvalue *ret);

/* functions_order.c; with a reference they are the ones ending in _by. */
int function_max(const struct call *call, struct jvalue *ret);
int function_min(const struct call *call, struct jvalue *ret);
int function_sort(const struct call *call, struct jvalue *ret);

#endif
