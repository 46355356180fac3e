/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sorting and extremes, by the items themselves or by what a reference makes of
 * them: either way each item is given a key first, and all keys must be numbers
 * or all strings.
 */
#include "jmespath/decimal.h"
#include "jmespath/evaluate.h"
#include "jmespath/expression.h"
#include "jmespath/fault.h"
#include "jmespath/function.h"
#include "jmespath/functions.h"
#include "jmespath/search.h"

#include <stdlib.h>

struct ranked {
	struct jvalue item;
	struct text key;
	unsigned char type; /* of the key */
};

static int fail_key(const struct call *call, const struct jvalue *key)
{
	return fault_set(
		call->search->err, FAULT_INVALID_TYPE, call->reference->offset,
		"%s() wants keys that are all numbers or all strings, "
		"and found %s",
		call->expression->function->name, function_type_name(key));
}

static int rank(const struct call *call, struct ranked *ranked,
		unsigned char *type)
{
	struct jvalue key = ranked->item;
	int r = 0;

	if (call->reference)
		r = evaluate(call->search, call->reference, &ranked->item,
			     &key);
	if (r < 0)
		return r;
	if (!jvalue_is(&key, JDOC_NUMBER) && !jvalue_is(&key, JDOC_STRING))
		return fail_key(call, &key);
	if (*type != JDOC_NULL && *type != key.type)
		return fail_key(call, &key);
	*type = key.type;
	ranked->type = key.type;
	return jvalue_text(call->search, &key, &ranked->key);
}

static int rank_all(const struct call *call, struct ranked **ret)
{
	struct walk walk = walk_begin(&call->arguments[0]);
	unsigned char type = JDOC_NULL;
	struct ranked *all;
	void *memory;
	int r = search_alloc(call->search, jvalue_count(&call->arguments[0]),
			     sizeof(*all), &memory);

	if (r < 0)
		return r;
	all = memory;
	for (size_t i = 0; r == 0 && walk_next(&walk, &all[i].item); i++)
		r = rank(call, &all[i], &type);
	if (r == 0)
		*ret = all;
	return r;
}

static int compare_keys(const struct ranked *a, const struct ranked *b)
{
	if (a->key.bytes == b->key.bytes && a->key.length == b->key.length)
		return 0;
	return a->type == JDOC_NUMBER ? decimal_compare(a->key, b->key)
				      : text_compare(a->key, b->key);
}

/* Items with equal keys stay as they came. */
static int compare(const void *a, const void *b)
{
	const struct ranked *left = *(const struct ranked *const *)a;
	const struct ranked *right = *(const struct ranked *const *)b;
	int r = compare_keys(left, right);

	if (r != 0)
		return r;
	return left < right ? -1 : left > right;
}

/* Each key is compared about log2(count) times. */
static int spend(struct search *search, const struct ranked *all, size_t count)
{
	size_t steps = 0;

	for (size_t i = 0; i < count; i++)
		steps += 1 + all[i].key.length / SEARCH_BYTES_A_STEP;
	for (size_t rest = count; rest > 1; rest /= 2) {
		int r = search_spend(search, steps);

		if (r < 0)
			return r;
	}
	return 0;
}

/* Pointers are sorted, so that the order of the items can be told. */
static int sort(struct search *search, const struct ranked *all, size_t count,
		const struct ranked ***ret)
{
	const struct ranked **sorted;
	void *memory;
	int r = spend(search, all, count);

	if (r == 0)
		r = search_alloc(search, count, sizeof(*sorted), &memory);
	if (r < 0)
		return r;
	sorted = memory;
	for (size_t i = 0; i < count; i++)
		sorted[i] = &all[i];
	if (count)
		qsort(sorted, count, sizeof(struct ranked *), compare);
	*ret = sorted;
	return 0;
}

int function_sort(const struct call *call, struct jvalue *ret)
{
	size_t count = jvalue_count(&call->arguments[0]);
	const struct ranked **sorted;
	struct ranked *all;
	struct jvalue *items;
	void *memory;
	int r = rank_all(call, &all);

	if (r == 0)
		r = sort(call->search, all, count, &sorted);
	if (r == 0)
		r = search_alloc(call->search, count, sizeof(*items), &memory);
	if (r < 0)
		return r;
	items = memory;
	for (size_t i = 0; i < count; i++)
		items[i] = sorted[i]->item;
	return jvalue_of_items(call->search, items, count, ret);
}

/* The first of the items that no other one passes in this direction. */
static int find_extreme(const struct call *call, int direction,
			struct jvalue *ret)
{
	size_t count = jvalue_count(&call->arguments[0]);
	const struct ranked *found;
	struct ranked *all;
	int r = rank_all(call, &all);

	if (r < 0)
		return r;
	*ret = jvalue_null();
	if (count == 0)
		return 0;
	found = &all[0];
	for (size_t i = 1; i < count; i++)
		if (direction * compare_keys(&all[i], found) > 0)
			found = &all[i];
	*ret = found->item;
	return 0;
}

int function_max(const struct call *call, struct jvalue *ret)
{
	return find_extreme(call, 1, ret);
}

int function_min(const struct call *call, struct jvalue *ret)
{
	return find_extreme(call, -1, ret);
}
