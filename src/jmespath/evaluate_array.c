/* SPDX-License-Identifier: Apache-2.0 */
/* What expressions make of whole arrays: items, slices and projections. They
 * take no memory before they know how many items there can be at most. */
#include "jmespath/evaluate.h"
#include "jmespath/evaluate_private.h"
#include "jmespath/expression.h"
#include "jmespath/jobject.h"
#include "jmespath/jvalue.h"
#include "jmespath/search.h"

/* The item of an index that the array has. */
static int get_item(struct search *search, const struct jvalue *array,
		    size_t index, struct jvalue *ret)
{
	jdoc_node node;
	int r;

	if (!jvalue_is_node(array)) {
		*ret = array->array.items[index];
		return 0;
	}
	r = search_spend(search, index);
	if (r < 0)
		return r;
	node = jdoc_first(array->doc, array->node);
	for (; index > 0; index--)
		node = jdoc_next(array->doc, node);
	*ret = jvalue_of_node(array->doc, node);
	return 0;
}

int evaluate_index(struct search *search, const struct expression *expression,
		   const struct jvalue *current, struct jvalue *ret)
{
	int64_t index = expression->index;
	struct jvalue array;
	int r = evaluate(search, expression->left, current, &array);

	*ret = jvalue_null();
	if (r < 0 || !jvalue_is(&array, JDOC_ARRAY))
		return r;
	if (index < 0)
		index += (int64_t)jvalue_count(&array);
	if (index < 0 || index >= (int64_t)jvalue_count(&array))
		return 0;
	return get_item(search, &array, (size_t)index, ret);
}

/* Where a slice begins or stops, counted from the front. */
static int64_t place(int64_t at, int64_t count, bool is_backward)
{
	if (at < 0)
		at += count;
	if (at < 0)
		return is_backward ? -1 : 0;
	if (at >= count)
		return is_backward ? count - 1 : count;
	return at;
}

static struct slice place_slice(const struct slice *slice, int64_t count)
{
	bool is_backward = slice->step < 0;
	struct slice placed = {
		.start = is_backward ? count - 1 : 0,
		.stop = is_backward ? -1 : count,
		.step = slice->step,
	};

	if (slice->has_start)
		placed.start = place(slice->start, count, is_backward);
	if (slice->has_stop)
		placed.stop = place(slice->stop, count, is_backward);
	return placed;
}

int evaluate_slice(struct search *search, const struct expression *expression,
		   const struct jvalue *current, struct jvalue *ret)
{
	const struct jvalue *items;
	struct jvalue *chosen;
	struct jvalue array;
	struct slice slice;
	size_t count = 0;
	void *memory;
	int r = evaluate(search, expression->left, current, &array);

	*ret = jvalue_null();
	if (r < 0 || !jvalue_is(&array, JDOC_ARRAY))
		return r;
	r = jvalue_items(search, &array, &items);
	if (r == 0)
		r = search_alloc(search, jvalue_count(&array), sizeof(*chosen),
				 &memory);
	if (r < 0)
		return r;
	chosen = memory;
	slice = place_slice(&expression->slice, (int64_t)jvalue_count(&array));
	for (int64_t at = slice.start;
	     slice.step > 0 ? at < slice.stop : at > slice.stop;
	     at += slice.step)
		chosen[count++] = items[at];
	return jvalue_of_items(search, chosen, count, ret);
}

/* How many items an array has once arrays in it are opened. */
static size_t flat_count(const struct jvalue *array)
{
	struct walk walk = walk_begin(array);
	struct jvalue item;
	size_t count = 0;

	while (walk_next(&walk, &item))
		count += jvalue_is(&item, JDOC_ARRAY) ? jvalue_count(&item) : 1;
	return count;
}

static size_t flatten_item(const struct jvalue *item, struct jvalue *to)
{
	struct walk walk;
	size_t count = 0;

	if (!jvalue_is(item, JDOC_ARRAY)) {
		*to = *item;
		return 1;
	}
	walk = walk_begin(item);
	while (count < jvalue_count(item) && walk_next(&walk, &to[count]))
		count++;
	return count;
}

int evaluate_flatten(struct search *search, const struct expression *expression,
		     const struct jvalue *current, struct jvalue *ret)
{
	struct jvalue array;
	struct jvalue item;
	struct jvalue *items;
	struct walk walk;
	size_t count = 0;
	void *memory;
	int r = evaluate(search, expression->left, current, &array);

	*ret = jvalue_null();
	if (r < 0 || !jvalue_is(&array, JDOC_ARRAY))
		return r;
	count = flat_count(&array);
	r = search_spend(search, jvalue_count(&array) + count);
	if (r == 0)
		r = search_alloc(search, count, sizeof(*items), &memory);
	if (r < 0)
		return r;
	items = memory;
	walk = walk_begin(&array);
	for (count = 0; walk_next(&walk, &item);)
		count += flatten_item(&item, items + count);
	return jvalue_of_items(search, items, count, ret);
}

/* Whether an item goes on to the right side of a projection. */
static int passes(struct search *search, const struct expression *projection,
		  const struct jvalue *item, bool *ret)
{
	struct jvalue answer;
	int r;

	*ret = true;
	if (projection->kind != EXPRESSION_FILTER)
		return 0;
	r = evaluate(search, projection->condition, item, &answer);
	if (r == 0)
		*ret = jvalue_is_true(&answer);
	return r;
}

/* Adds what the right side makes of an item, if anything. */
static int project_item(struct search *search,
			const struct expression *projection,
			const struct jvalue *item, struct jvalue *items,
			size_t *count)
{
	bool is_wanted;
	int r = passes(search, projection, item, &is_wanted);

	if (r < 0 || !is_wanted)
		return r;
	r = evaluate(search, projection->right, item, &items[*count]);
	if (r == 0 && !jvalue_is(&items[*count], JDOC_NULL))
		(*count)++;
	return r;
}

static int project(struct search *search, const struct expression *expression,
		   const struct jvalue *array, struct jvalue *ret)
{
	struct walk walk = walk_begin(array);
	struct jvalue item;
	struct jvalue *items;
	size_t count = 0;
	void *memory;
	int r = search_alloc(search, jvalue_count(array), sizeof(*items),
			     &memory);

	if (r < 0)
		return r;
	items = memory;
	while (r == 0 && walk_next(&walk, &item))
		r = project_item(search, expression, &item, items, &count);
	return r < 0 ? r : jvalue_of_items(search, items, count, ret);
}

int evaluate_items(struct search *search, const struct expression *expression,
		   const struct jvalue *current, struct jvalue *ret)
{
	struct jvalue array;
	int r = evaluate(search, expression->left, current, &array);

	*ret = jvalue_null();
	if (r < 0 || !jvalue_is(&array, JDOC_ARRAY))
		return r;
	return project(search, expression, &array, ret);
}

int evaluate_values(struct search *search, const struct expression *expression,
		    const struct jvalue *current, struct jvalue *ret)
{
	struct jvalue object;
	struct jvalue values;
	int r = evaluate(search, expression->left, current, &object);

	*ret = jvalue_null();
	if (r < 0 || !jvalue_is(&object, JDOC_OBJECT))
		return r;
	r = jobject_values(search, &object, &values);
	return r < 0 ? r : project(search, expression, &values, ret);
}
