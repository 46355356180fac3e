/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JMESPATH_DECIMAL_H
#define JMESPATH_DECIMAL_H

#include "jmespath/text.h"

struct jvalue;
struct search;

/* JSON numbers by their text, which alone has all of their digits, and as
 * doubles where there is something to compute. */

/* Exactly, by value: below 0, 0, or above 0. */
int decimal_compare(struct text a, struct text b);

/* Infinite where the number is beyond a double. 0, -E2BIG, -ENOMEM. */
int decimal_read(struct search *search, const struct jvalue *value,
		 double *ret);

/* The number in its shortest form that reads as the same double, integers
 * without a fraction. It must be finite. 0, -E2BIG, -ENOMEM. */
int decimal_write(struct search *search, double number, struct jvalue *ret);

#endif
