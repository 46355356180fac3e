/* SPDX-License-Identifier: Apache-2.0 */
/* The depth of each tree is known while it grows: what evaluates it later may
 * recurse without counting. */
#include "jmespath/expression.h"
#include "jmespath/fault.h"
#include "jmespath/jmespath.h"

#include <stdlib.h>

int expression_new(struct jmespath *jmespath, enum expression_kind kind,
		   const struct token *token, struct expression **ret,
		   struct err *err)
{
	struct expression *expression = calloc(1, sizeof(*expression));

	if (!expression)
		return fault_set_memory(err);
	expression->kind = kind;
	expression->offset = token->offset;
	expression->depth = 1;
	expression->older = jmespath->newest;
	jmespath->newest = expression;
	*ret = expression;
	return 0;
}

static int deepen(struct expression *parent, const struct expression *child,
		  struct err *err)
{
	if (child->depth >= JMESPATH_DEPTH_MAX)
		return fault_set(err, FAULT_LIMIT, parent->offset,
				 "expressions are more than %u deep",
				 JMESPATH_DEPTH_MAX);
	if (parent->depth <= child->depth)
		parent->depth = child->depth + 1;
	return 0;
}

int expression_set_left(struct expression *parent, struct expression *child,
			struct err *err)
{
	parent->left = child;
	return deepen(parent, child, err);
}

int expression_set_right(struct expression *parent, struct expression *child,
			 struct err *err)
{
	parent->right = child;
	return deepen(parent, child, err);
}

int expression_set_condition(struct expression *parent,
			     struct expression *child, struct err *err)
{
	parent->condition = child;
	return deepen(parent, child, err);
}

int expression_add(struct expression *parent, struct expression *child,
		   struct err *err)
{
	if (parent->last)
		parent->last->next = child;
	else
		parent->first = child;
	parent->last = child;
	parent->count++;
	return deepen(parent, child, err);
}
