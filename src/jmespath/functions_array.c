/* SPDX-License-Identifier: Apache-2.0 */
/* Functions that make arrays and objects out of values as they are. */
#include "jmespath/evaluate.h"
#include "jmespath/function.h"
#include "jmespath/functions.h"
#include "jmespath/jobject.h"
#include "jmespath/search.h"

int function_keys(const struct call *call, struct jvalue *ret)
{
	const struct jobject *object;
	struct jvalue *items;
	void *memory;
	int r = jobject_open(call->search, &call->arguments[0], &object);

	if (r == 0)
		r = search_alloc(call->search, object->count, sizeof(*items),
				 &memory);
	if (r < 0)
		return r;
	items = memory;
	for (size_t i = 0; i < object->count; i++)
		items[i] = jvalue_of_string(object->members[i].name);
	return jvalue_of_items(call->search, items, object->count, ret);
}

int function_values(const struct call *call, struct jvalue *ret)
{
	return jobject_values(call->search, &call->arguments[0], ret);
}

int function_map(const struct call *call, struct jvalue *ret)
{
	struct walk walk = walk_begin(&call->arguments[1]);
	size_t count = jvalue_count(&call->arguments[1]);
	struct jvalue item;
	struct jvalue *items;
	void *memory;
	int r = search_alloc(call->search, count, sizeof(*items), &memory);

	if (r < 0)
		return r;
	items = memory;
	for (size_t i = 0; r == 0 && walk_next(&walk, &item); i++)
		r = evaluate(call->search, call->reference, &item, &items[i]);
	return r < 0 ? r : jvalue_of_items(call->search, items, count, ret);
}

static void add_all(struct jobject *merged, const struct jobject *object)
{
	for (size_t i = 0; i < object->count; i++)
		jobject_add(merged, object->members[i].name,
			    &object->members[i].value);
}

int function_merge(const struct call *call, struct jvalue *ret)
{
	const struct jobject **objects;
	struct jobject *merged;
	size_t count = 0;
	void *memory;
	int r = search_alloc(call->search, call->count, sizeof(*objects),
			     &memory);

	if (r < 0)
		return r;
	objects = memory;
	for (size_t i = 0; r == 0 && i < call->count; i++) {
		r = jobject_open(call->search, &call->arguments[i],
				 &objects[i]);
		if (r == 0)
			count += objects[i]->count;
	}
	if (r == 0)
		r = jobject_new(call->search, count, &merged);
	if (r < 0)
		return r;
	for (size_t i = 0; i < call->count; i++)
		add_all(merged, objects[i]);
	r = jobject_finish(call->search, merged);
	return r < 0 ? r : jvalue_of_object(call->search, merged, ret);
}

int function_not_null(const struct call *call, struct jvalue *ret)
{
	*ret = jvalue_null();
	for (size_t i = 0; jvalue_is(ret, JDOC_NULL) && i < call->count; i++)
		*ret = call->arguments[i];
	return 0;
}

int function_to_array(const struct call *call, struct jvalue *ret)
{
	*ret = call->arguments[0];
	if (jvalue_is(ret, JDOC_ARRAY))
		return 0;
	return jvalue_of_items(call->search, call->arguments, 1, ret);
}
