/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names are sorted once, when an object is read or made: that finds repeated
 * ones, and later each name, without comparing every pair.
 */
#include "jmespath/jobject.h"
#include "jmespath/search.h"

#include <stdlib.h>

int jobject_new(struct search *search, size_t capacity, struct jobject **ret)
{
	struct jobject *object;
	void *memory;
	int r = search_alloc(search, 1, sizeof(*object), &memory);

	if (r < 0)
		return r;
	object = memory;
	r = search_alloc(search, capacity, sizeof(*object->members), &memory);
	if (r < 0)
		return r;
	object->members = memory;
	r = search_alloc(search, capacity, sizeof(*object->by_name), &memory);
	if (r < 0)
		return r;
	object->by_name = memory;
	object->count = 0;
	*ret = object;
	return 0;
}

void jobject_add(struct jobject *object, struct text name,
		 const struct jvalue *value)
{
	object->members[object->count++] = (struct jmember){
		.name = name,
		.value = *value,
	};
}

/* By name; members of one name in the order they came. */
static int compare(const void *a, const void *b)
{
	const struct jmember *left = *(const struct jmember *const *)a;
	const struct jmember *right = *(const struct jmember *const *)b;
	int r = text_compare(left->name, right->name);

	if (r != 0)
		return r;
	return left < right ? -1 : left > right;
}

static void sort(struct jobject *object)
{
	for (size_t i = 0; i < object->count; i++)
		object->by_name[i] = &object->members[i];
	if (object->count)
		qsort(object->by_name, object->count, sizeof(struct jmember *),
		      compare);
}

static void drop_shadowed(struct jobject *object)
{
	size_t count = 0;

	for (size_t i = 0; i < object->count; i++)
		if (!object->members[i].is_shadowed)
			object->members[count++] = object->members[i];
	object->count = count;
}

/* How often a member may be looked at while count of them are sorted. */
static size_t steps_of(size_t count)
{
	size_t steps = count;

	for (size_t rest = count; rest > 1; rest /= 2)
		steps += count;
	return steps;
}

int jobject_finish(struct search *search, struct jobject *object)
{
	bool has_shadowed = false;
	int r = search_spend(search, steps_of(object->count));

	if (r < 0)
		return r;
	sort(object);
	for (size_t i = 0; i + 1 < object->count; i++) {
		if (text_compare(object->by_name[i]->name,
				 object->by_name[i + 1]->name) != 0)
			continue;
		object->by_name[i]->is_shadowed = true;
		has_shadowed = true;
	}
	if (has_shadowed) {
		drop_shadowed(object);
		sort(object);
	}
	return 0;
}

static int name_of(struct search *search, const struct jdoc *doc,
		   jdoc_node member, struct text *ret)
{
	struct jvalue name = jvalue_of_node(doc, jdoc_name(doc, member));

	return jvalue_text(search, &name, ret);
}

int jobject_open(struct search *search, const struct jvalue *value,
		 const struct jobject **ret)
{
	const struct jdoc *doc;
	struct jobject *object;
	int r;

	if (!jvalue_is_node(value)) {
		*ret = value->object;
		return 0;
	}
	doc = value->doc;
	r = jobject_new(search, jdoc_count(doc, value->node), &object);
	for (jdoc_node member = jdoc_first(doc, value->node);
	     r == 0 && member != JDOC_NONE; member = jdoc_next(doc, member)) {
		struct jvalue item = jvalue_of_node(doc, member);
		struct text name;

		r = name_of(search, doc, member, &name);
		if (r == 0)
			jobject_add(object, name, &item);
	}
	if (r == 0)
		r = jobject_finish(search, object);
	if (r == 0)
		*ret = object;
	return r;
}

int jobject_values(struct search *search, const struct jvalue *value,
		   struct jvalue *ret)
{
	const struct jobject *object;
	struct jvalue *items;
	void *memory;
	int r = jobject_open(search, value, &object);

	if (r == 0)
		r = search_alloc(search, object->count, sizeof(*items),
				 &memory);
	if (r < 0)
		return r;
	items = memory;
	for (size_t i = 0; i < object->count; i++)
		items[i] = object->members[i].value;
	return jvalue_of_items(search, items, object->count, ret);
}

const struct jvalue *jobject_find(const struct jobject *object,
				  struct text name)
{
	size_t from = 0;
	size_t to = object->count;

	while (from < to) {
		size_t middle = from + (to - from) / 2;
		const struct jmember *member = object->by_name[middle];
		int r = text_compare(name, member->name);

		if (r == 0)
			return &member->value;
		if (r < 0)
			to = middle;
		else
			from = middle + 1;
	}
	return NULL;
}
