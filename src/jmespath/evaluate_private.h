/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JMESPATH_EVALUATE_PRIVATE_H
#define JMESPATH_EVALUATE_PRIVATE_H

struct expression;
struct jvalue;
struct search;

/* For the two files of the evaluator only: how one kind of expression is
 * evaluated, with the contract of evaluate(). */
typedef int evaluate_fn(struct search *search,
			const struct expression *expression,
			const struct jvalue *current, struct jvalue *ret);

evaluate_fn evaluate_index;
evaluate_fn evaluate_slice;
evaluate_fn evaluate_flatten;
evaluate_fn evaluate_items; /* filters too */
evaluate_fn evaluate_values;

#endif
