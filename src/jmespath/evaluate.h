/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JMESPATH_EVALUATE_H
#define JMESPATH_EVALUATE_H

struct expression;
struct jvalue;
struct search;

/* What an expression is of a value. Recurses as deep as the expression is:
 * JMESPATH_DEPTH_MAX. 0, -EINVAL, -E2BIG, -ENOMEM. */
int evaluate(struct search *search, const struct expression *expression,
	     const struct jvalue *current, struct jvalue *ret);

#endif
