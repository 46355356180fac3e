/* SPDX-License-Identifier: Apache-2.0 */
/* Functions over strings. Their characters are code points, not bytes; bytes
 * are only searched for whole characters, where it is the same. */
#include "base/utf8.h"
#include "jmespath/decimal.h"
#include "jmespath/function.h"
#include "jmespath/functions.h"
#include "jmespath/jobject.h"
#include "jmespath/print.h"
#include "jmespath/search.h"

#include <string.h>

static int texts_of(const struct call *call, struct text ret[2])
{
	int r = jvalue_text(call->search, &call->arguments[0], &ret[0]);

	if (r == 0)
		r = jvalue_text(call->search, &call->arguments[1], &ret[1]);
	return r;
}

/* Keeps what is in the scratch as a string. */
static int keep_scratch(struct search *search, struct jvalue *ret)
{
	struct text text;
	int r = search_keep(search, search->scratch.bytes,
			    search->scratch.length, &text);

	if (r == 0)
		*ret = jvalue_of_string(text);
	return r;
}

int function_starts_with(const struct call *call, struct jvalue *ret)
{
	struct text texts[2];
	int r = texts_of(call, texts);

	if (r < 0)
		return r;
	*ret = jvalue_of_bool(
		texts[1].length <= texts[0].length &&
		memcmp(texts[0].bytes, texts[1].bytes, texts[1].length) == 0);
	return 0;
}

int function_ends_with(const struct call *call, struct jvalue *ret)
{
	struct text texts[2];
	int r = texts_of(call, texts);

	if (r < 0)
		return r;
	*ret = jvalue_of_bool(
		texts[1].length <= texts[0].length &&
		memcmp(texts[0].bytes + texts[0].length - texts[1].length,
		       texts[1].bytes, texts[1].length) == 0);
	return 0;
}

static int contains_text(const struct call *call, struct jvalue *ret)
{
	struct text texts[2];
	int r;

	*ret = jvalue_of_bool(false);
	if (!jvalue_is(&call->arguments[1], JDOC_STRING))
		return 0;
	r = texts_of(call, texts);
	if (r == 0)
		*ret = jvalue_of_bool(memmem(texts[0].bytes, texts[0].length,
					     texts[1].bytes, texts[1].length));
	return r;
}

int function_contains(const struct call *call, struct jvalue *ret)
{
	struct walk walk = walk_begin(&call->arguments[0]);
	struct jvalue item;
	bool is_equal = false;
	int r = 0;

	if (jvalue_is(&call->arguments[0], JDOC_STRING))
		return contains_text(call, ret);
	while (r == 0 && !is_equal && walk_next(&walk, &item))
		r = jvalue_is_equal(call->search, &item, &call->arguments[1],
				    &is_equal);
	if (r == 0)
		*ret = jvalue_of_bool(is_equal);
	return r;
}

static int append_item(const struct call *call, const struct jvalue *item,
		       struct text between)
{
	struct buf *scratch = &call->search->scratch;
	struct text text;
	int r = jvalue_text(call->search, item, &text);

	if (r < 0)
		return r;
	r = buf_append(scratch, between.bytes, between.length);
	if (r == 0)
		r = buf_append(scratch, text.bytes, text.length);
	return r < 0 ? search_fail(call->search, r) : 0;
}

int function_join(const struct call *call, struct jvalue *ret)
{
	struct walk walk = walk_begin(&call->arguments[1]);
	struct text between = { "", 0 };
	struct text glue;
	struct jvalue item;
	int r = jvalue_text(call->search, &call->arguments[0], &glue);

	buf_clear(&call->search->scratch);
	while (r == 0 && walk_next(&walk, &item)) {
		r = append_item(call, &item, between);
		between = glue;
	}
	return r < 0 ? r : keep_scratch(call->search, ret);
}

static int reverse_text(const struct call *call, struct jvalue *ret)
{
	struct buf *scratch = &call->search->scratch;
	struct text text;
	unsigned char *to;
	int r = jvalue_text(call->search, &call->arguments[0], &text);

	if (r < 0)
		return r;
	buf_clear(scratch);
	r = buf_reserve(scratch, text.length);
	if (r < 0)
		return search_fail(call->search, r);
	to = scratch->bytes + text.length;
	for (size_t at = 0, step; at < text.length; at += step) {
		step = utf8_length_at(text.bytes + at, text.length - at);
		to -= step;
		memcpy(to, text.bytes + at, step);
	}
	scratch->length = text.length;
	return keep_scratch(call->search, ret);
}

int function_reverse(const struct call *call, struct jvalue *ret)
{
	const struct jvalue *array = &call->arguments[0];
	size_t count;
	struct walk walk;
	struct jvalue *items;
	void *memory;
	int r;

	if (jvalue_is(array, JDOC_STRING))
		return reverse_text(call, ret);
	count = jvalue_count(array);
	r = search_alloc(call->search, count, sizeof(*items), &memory);
	if (r < 0)
		return r;
	items = memory;
	walk = walk_begin(array);
	for (size_t left = count; left > 0; left--)
		(void)walk_next(&walk, &items[left - 1]);
	return jvalue_of_items(call->search, items, count, ret);
}

static size_t count_characters(struct text text)
{
	size_t count = 0;

	for (size_t at = 0; at < text.length; count++)
		at += utf8_length_at(text.bytes + at, text.length - at);
	return count;
}

static int length_of(struct search *search, const struct jvalue *value,
		     size_t *ret)
{
	const struct jobject *object;
	struct text text;
	int r = 0;

	if (jvalue_is(value, JDOC_ARRAY)) {
		*ret = jvalue_count(value);
	} else if (jvalue_is(value, JDOC_OBJECT)) {
		r = jobject_open(search, value, &object);
		if (r == 0)
			*ret = object->count;
	} else {
		r = jvalue_text(search, value, &text);
		if (r == 0)
			*ret = count_characters(text);
	}
	return r;
}

int function_length(const struct call *call, struct jvalue *ret)
{
	size_t length = 0;
	int r = length_of(call->search, &call->arguments[0], &length);

	return r < 0 ? r : decimal_write(call->search, (double)length, ret);
}

int function_to_string(const struct call *call, struct jvalue *ret)
{
	const struct jvalue *value = &call->arguments[0];
	struct buf *scratch = &call->search->scratch;
	int r;

	if (jvalue_is(value, JDOC_STRING)) {
		*ret = *value;
		return 0;
	}
	buf_clear(scratch);
	r = print_compact(value, scratch);
	if (r < 0)
		return search_fail(call->search, r);
	return keep_scratch(call->search, ret);
}

const char *function_type_name(const struct jvalue *value)
{
	static const char *const names[] = {
		[JDOC_NULL] = "null",	  [JDOC_FALSE] = "boolean",
		[JDOC_TRUE] = "boolean",  [JDOC_NUMBER] = "number",
		[JDOC_STRING] = "string", [JDOC_ARRAY] = "array",
		[JDOC_OBJECT] = "object",
	};

	return names[value->type];
}

int function_type(const struct call *call, struct jvalue *ret)
{
	const char *name = function_type_name(&call->arguments[0]);

	*ret = jvalue_of_string((struct text){ name, strlen(name) });
	return 0;
}
