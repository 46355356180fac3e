/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values of both forms, read in the same way. What a node holds is looked up in
 * its document each time, so that nothing is copied before it must be.
 */
#include "jmespath/jvalue.h"
#include "jmespath/fault.h"
#include "jmespath/jmespath.h"
#include "jmespath/jobject.h"
#include "jmespath/search.h"

#include <string.h>

struct jvalue jvalue_null(void)
{
	return (struct jvalue){ .type = JDOC_NULL, .node = JDOC_NONE };
}

struct jvalue jvalue_of_bool(bool is_true)
{
	return (struct jvalue){ .type = is_true ? JDOC_TRUE : JDOC_FALSE,
				.node = JDOC_NONE };
}

struct jvalue jvalue_of_string(struct text decoded)
{
	return (struct jvalue){ .type = JDOC_STRING,
				.node = JDOC_NONE,
				.text = decoded };
}

struct jvalue jvalue_of_number(struct text json)
{
	return (struct jvalue){ .type = JDOC_NUMBER,
				.node = JDOC_NONE,
				.text = json };
}

struct jvalue jvalue_of_node(const struct jdoc *doc, jdoc_node node)
{
	if (node == JDOC_NONE)
		return jvalue_null();
	return (struct jvalue){ .type = (unsigned char)jdoc_type(doc, node),
				.node = node,
				.doc = doc };
}

/* One level more than the deepest of the items. */
static int add_level(struct search *search, unsigned depth, struct jvalue *ret)
{
	if (depth == JMESPATH_MADE_DEPTH_MAX)
		return fault_set(search->err, FAULT_LIMIT, search->offset,
				 "this makes values more than %u deep",
				 JMESPATH_MADE_DEPTH_MAX);
	ret->depth = (unsigned char)(depth + 1);
	ret->node = JDOC_NONE;
	return 0;
}

int jvalue_of_items(struct search *search, const struct jvalue *items,
		    size_t count, struct jvalue *ret)
{
	struct jvalue array = { .type = JDOC_ARRAY };
	unsigned depth = 0;
	int r;

	for (size_t i = 0; i < count; i++)
		if (items[i].depth > depth)
			depth = items[i].depth;
	r = add_level(search, depth, &array);
	if (r < 0)
		return r;
	array.array.items = items;
	array.array.count = count;
	*ret = array;
	return 0;
}

int jvalue_of_object(struct search *search, const struct jobject *object,
		     struct jvalue *ret)
{
	struct jvalue value = { .type = JDOC_OBJECT };
	unsigned depth = 0;
	int r;

	for (size_t i = 0; i < object->count; i++)
		if (object->members[i].value.depth > depth)
			depth = object->members[i].value.depth;
	r = add_level(search, depth, &value);
	if (r < 0)
		return r;
	value.object = object;
	*ret = value;
	return 0;
}

bool jvalue_is(const struct jvalue *value, enum jdoc_type type)
{
	return value->type == type;
}

bool jvalue_is_node(const struct jvalue *value)
{
	return value->node != JDOC_NONE;
}

static bool is_empty(const struct jvalue *value)
{
	if (jvalue_is(value, JDOC_STRING))
		return jvalue_is_node(value)
			       ? !jdoc_string_length(value->doc, value->node)
			       : !value->text.length;
	if (jvalue_is_node(value))
		return jdoc_count(value->doc, value->node) == 0;
	return jvalue_is(value, JDOC_ARRAY) ? !value->array.count
					    : !value->object->count;
}

bool jvalue_is_true(const struct jvalue *value)
{
	switch ((enum jdoc_type)value->type) {
	case JDOC_NULL:
	case JDOC_FALSE:
		return false;
	case JDOC_TRUE:
	case JDOC_NUMBER:
		return true;
	case JDOC_STRING:
	case JDOC_ARRAY:
	case JDOC_OBJECT:
		break;
	}
	return !is_empty(value);
}

int jvalue_text(struct search *search, const struct jvalue *value,
		struct text *ret)
{
	struct text raw;

	if (!jvalue_is_node(value)) {
		*ret = value->text;
		return 0;
	}
	raw.bytes = jdoc_raw(value->doc, value->node, &raw.length);
	if (!jvalue_is(value, JDOC_STRING)) {
		*ret = raw;
		return 0;
	}
	/* Without an escape it stands in the document already. */
	if (raw.length - 2 != jdoc_string_length(value->doc, value->node))
		return search_decode(search, value->doc, value->node, ret);
	*ret = (struct text){ raw.bytes + 1, raw.length - 2 };
	return 0;
}

int text_compare(struct text a, struct text b)
{
	size_t length = a.length < b.length ? a.length : b.length;
	int r = length ? memcmp(a.bytes, b.bytes, length) : 0;

	if (r != 0 || a.length == b.length)
		return r;
	return a.length < b.length ? -1 : 1;
}

size_t jvalue_count(const struct jvalue *array)
{
	return jvalue_is_node(array) ? jdoc_count(array->doc, array->node)
				     : array->array.count;
}

struct walk walk_begin(const struct jvalue *array)
{
	struct walk walk = { .array = *array, .node = JDOC_NONE };

	if (jvalue_is_node(array))
		walk.node = jdoc_first(array->doc, array->node);
	return walk;
}

bool walk_next(struct walk *walk, struct jvalue *ret)
{
	const struct jvalue *array = &walk->array;

	if (!jvalue_is_node(array)) {
		if (walk->at == array->array.count)
			return false;
		*ret = array->array.items[walk->at++];
		return true;
	}
	if (walk->node == JDOC_NONE)
		return false;
	*ret = jvalue_of_node(array->doc, walk->node);
	walk->node = jdoc_next(array->doc, walk->node);
	return true;
}

int jvalue_items(struct search *search, const struct jvalue *array,
		 const struct jvalue **ret)
{
	struct walk walk = walk_begin(array);
	struct jvalue *items;
	void *memory;
	int r;

	if (!jvalue_is_node(array)) {
		*ret = array->array.items;
		return 0;
	}
	r = search_spend(search, jvalue_count(array));
	if (r < 0)
		return r;
	r = search_alloc(search, jvalue_count(array), sizeof(*items), &memory);
	if (r < 0)
		return r;
	items = memory;
	for (size_t i = 0; walk_next(&walk, &items[i]); i++)
		continue;
	*ret = items;
	return 0;
}
