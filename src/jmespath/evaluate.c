/* SPDX-License-Identifier: Apache-2.0 */
/* One function for each kind of expression, in a table. Most of them evaluate
 * what stands left first, and give null for what is of another type. */
#include "jmespath/evaluate.h"
#include "jmespath/decimal.h"
#include "jmespath/evaluate_private.h"
#include "jmespath/expression.h"
#include "jmespath/function.h"
#include "jmespath/jobject.h"
#include "jmespath/search.h"

static int evaluate_current(struct search *search,
			    const struct expression *expression,
			    const struct jvalue *current, struct jvalue *ret)
{
	(void)search;
	(void)expression;
	*ret = *current;
	return 0;
}

static int evaluate_literal(struct search *search,
			    const struct expression *expression,
			    const struct jvalue *current, struct jvalue *ret)
{
	(void)search;
	(void)current;
	*ret = expression->literal;
	return 0;
}

static int evaluate_field(struct search *search,
			  const struct expression *expression,
			  const struct jvalue *current, struct jvalue *ret)
{
	struct text name = expression->name;
	const struct jvalue *found;
	int r;

	*ret = jvalue_null();
	if (!jvalue_is(current, JDOC_OBJECT))
		return 0;
	if (!jvalue_is_node(current)) {
		found = jobject_find(current->object, name);
		if (found)
			*ret = *found;
		return 0;
	}
	r = search_spend(search, jdoc_count(current->doc, current->node));
	if (r == 0)
		*ret = jvalue_of_node(current->doc,
				      jdoc_member(current->doc, current->node,
						  name.bytes, name.length));
	return r;
}

static int evaluate_pipe(struct search *search,
			 const struct expression *expression,
			 const struct jvalue *current, struct jvalue *ret)
{
	struct jvalue left;
	int r = evaluate(search, expression->left, current, &left);

	return r < 0 ? r : evaluate(search, expression->right, &left, ret);
}

static int evaluate_or(struct search *search,
		       const struct expression *expression,
		       const struct jvalue *current, struct jvalue *ret)
{
	int r = evaluate(search, expression->left, current, ret);

	if (r < 0 || jvalue_is_true(ret))
		return r;
	return evaluate(search, expression->right, current, ret);
}

static int evaluate_and(struct search *search,
			const struct expression *expression,
			const struct jvalue *current, struct jvalue *ret)
{
	int r = evaluate(search, expression->left, current, ret);

	if (r < 0 || !jvalue_is_true(ret))
		return r;
	return evaluate(search, expression->right, current, ret);
}

static int evaluate_not(struct search *search,
			const struct expression *expression,
			const struct jvalue *current, struct jvalue *ret)
{
	struct jvalue value;
	int r = evaluate(search, expression->left, current, &value);

	if (r == 0)
		*ret = jvalue_of_bool(!jvalue_is_true(&value));
	return r;
}

static bool holds(enum token_kind comparator, int order)
{
	if (comparator == TOKEN_LESS)
		return order < 0;
	if (comparator == TOKEN_LESS_OR_EQUAL)
		return order <= 0;
	if (comparator == TOKEN_GREATER)
		return order > 0;
	return order >= 0;
}

/* Only numbers have an order; between other values it is null. */
static int compare_order(struct search *search, enum token_kind comparator,
			 const struct jvalue sides[2], struct jvalue *ret)
{
	struct text left;
	struct text right;
	int r;

	*ret = jvalue_null();
	if (!jvalue_is(&sides[0], JDOC_NUMBER) ||
	    !jvalue_is(&sides[1], JDOC_NUMBER))
		return 0;
	r = jvalue_text(search, &sides[0], &left);
	if (r == 0)
		r = jvalue_text(search, &sides[1], &right);
	if (r == 0)
		*ret = jvalue_of_bool(
			holds(comparator, decimal_compare(left, right)));
	return r;
}

static int evaluate_comparison(struct search *search,
			       const struct expression *expression,
			       const struct jvalue *current, struct jvalue *ret)
{
	enum token_kind comparator = expression->comparator;
	struct jvalue sides[2];
	bool is_equal;
	int r = evaluate(search, expression->left, current, &sides[0]);

	if (r == 0)
		r = evaluate(search, expression->right, current, &sides[1]);
	if (r < 0)
		return r;
	if (comparator != TOKEN_EQUAL && comparator != TOKEN_UNEQUAL)
		return compare_order(search, comparator, sides, ret);
	r = jvalue_is_equal(search, &sides[0], &sides[1], &is_equal);
	if (r == 0)
		*ret = jvalue_of_bool(is_equal == (comparator == TOKEN_EQUAL));
	return r;
}

static int evaluate_list(struct search *search,
			 const struct expression *expression,
			 const struct jvalue *current, struct jvalue *ret)
{
	const struct expression *part = expression->first;
	struct jvalue *items;
	void *memory;
	int r;

	*ret = jvalue_null();
	if (jvalue_is(current, JDOC_NULL))
		return 0;
	r = search_alloc(search, expression->count, sizeof(*items), &memory);
	if (r < 0)
		return r;
	items = memory;
	for (size_t i = 0; r == 0 && part; part = part->next)
		r = evaluate(search, part, current, &items[i++]);
	return r < 0 ? r
		     : jvalue_of_items(search, items, expression->count, ret);
}

static int evaluate_hash(struct search *search,
			 const struct expression *expression,
			 const struct jvalue *current, struct jvalue *ret)
{
	const struct expression *part = expression->first;
	struct jobject *object;
	int r;

	*ret = jvalue_null();
	if (jvalue_is(current, JDOC_NULL))
		return 0;
	r = jobject_new(search, expression->count, &object);
	for (; r == 0 && part; part = part->next) {
		struct jvalue value;

		r = evaluate(search, part, current, &value);
		if (r == 0)
			jobject_add(object, part->label, &value);
	}
	if (r == 0)
		r = jobject_finish(search, object);
	return r < 0 ? r : jvalue_of_object(search, object, ret);
}

int evaluate(struct search *search, const struct expression *expression,
	     const struct jvalue *current, struct jvalue *ret)
{
	static evaluate_fn *const functions[EXPRESSION_KINDS] = {
		[EXPRESSION_CURRENT] = evaluate_current,
		[EXPRESSION_FIELD] = evaluate_field,
		[EXPRESSION_LITERAL] = evaluate_literal,
		[EXPRESSION_INDEX] = evaluate_index,
		[EXPRESSION_SLICE] = evaluate_slice,
		[EXPRESSION_PIPE] = evaluate_pipe,
		[EXPRESSION_OR] = evaluate_or,
		[EXPRESSION_AND] = evaluate_and,
		[EXPRESSION_NOT] = evaluate_not,
		[EXPRESSION_COMPARISON] = evaluate_comparison,
		[EXPRESSION_FLATTEN] = evaluate_flatten,
		[EXPRESSION_ITEMS] = evaluate_items,
		[EXPRESSION_VALUES] = evaluate_values,
		[EXPRESSION_FILTER] = evaluate_items,
		[EXPRESSION_LIST] = evaluate_list,
		[EXPRESSION_HASH] = evaluate_hash,
		[EXPRESSION_CALL] = function_call,
	};
	int r;

	search->offset = expression->offset;
	r = search_spend(search, 1);
	if (r < 0)
		return r;
	return functions[expression->kind](search, expression, current, ret);
}
