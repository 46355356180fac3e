/* SPDX-License-Identifier: Apache-2.0 */
/* Text that is written already is copied; only brackets, commas and strings
 * that the search decoded are written anew. */
#include "jmespath/print.h"
#include "base/buf.h"
#include "jmespath/jobject.h"
#include "jmespath/jvalue.h"

#include <stdio.h>
#include <string.h>

typedef int print_fn(const struct jvalue *value, struct buf *out);

static int append_raw(const struct jdoc *doc, jdoc_node node, struct buf *out)
{
	size_t length;
	const char *raw = jdoc_raw(doc, node, &length);

	return buf_append(out, raw, length);
}

/* RFC 8259, 7: what must be escaped, in its short form if there is one. */
static int append_escaped(unsigned char byte, struct buf *out)
{
	static const char bytes[] = "\"\\\b\f\n\r\t";
	static const char letters[] = "\"\\bfnrt";
	const char *found = memchr(bytes, byte, sizeof(bytes) - 1);
	char escape[sizeof("\\u001f")];

	if (found)
		(void)snprintf(escape, sizeof(escape), "\\%c",
			       letters[found - bytes]);
	else
		(void)snprintf(escape, sizeof(escape), "\\u%04x", byte);
	return buf_append_text(out, escape);
}

static bool is_plain(char byte)
{
	return (unsigned char)byte >= 0x20 && byte != '"' && byte != '\\';
}

static int append_string(struct text text, struct buf *out)
{
	size_t at = 0;
	int r = buf_append_text(out, "\"");

	while (r == 0 && at < text.length) {
		size_t from = at;

		while (at < text.length && is_plain(text.bytes[at]))
			at++;
		r = buf_append(out, text.bytes + from, at - from);
		if (r == 0 && at < text.length)
			r = append_escaped((unsigned char)text.bytes[at++],
					   out);
	}
	return r < 0 ? r : buf_append_text(out, "\"");
}

static int append_array(const struct jvalue *array, print_fn *print_item,
			struct buf *out)
{
	struct walk walk = walk_begin(array);
	const char *before = "[";
	struct jvalue item;
	int r = 0;

	if (jvalue_count(array) == 0)
		return buf_append_text(out, "[]");
	while (r == 0 && walk_next(&walk, &item)) {
		r = buf_append_text(out, before);
		if (r == 0)
			r = print_item(&item, out);
		before = ",";
	}
	return r < 0 ? r : buf_append_text(out, "]");
}

static int append_object(const struct jobject *object, print_fn *print_item,
			 struct buf *out)
{
	int r = buf_append_text(out, "{");

	for (size_t i = 0; r == 0 && i < object->count; i++) {
		if (i > 0)
			r = buf_append_text(out, ",");
		if (r == 0)
			r = append_string(object->members[i].name, out);
		if (r == 0)
			r = buf_append_text(out, ":");
		if (r == 0)
			r = print_item(&object->members[i].value, out);
	}
	return r < 0 ? r : buf_append_text(out, "}");
}

static int append_word(const struct jvalue *value, struct buf *out)
{
	if (jvalue_is(value, JDOC_NULL))
		return buf_append_text(out, "null");
	return buf_append_text(out,
			       jvalue_is(value, JDOC_TRUE) ? "true" : "false");
}

static int print_made(const struct jvalue *value, print_fn *print_item,
		      struct buf *out)
{
	switch ((enum jdoc_type)value->type) {
	case JDOC_NUMBER:
		return buf_append(out, value->text.bytes, value->text.length);
	case JDOC_STRING:
		return append_string(value->text, out);
	case JDOC_ARRAY:
		return append_array(value, print_item, out);
	case JDOC_OBJECT:
		return append_object(value->object, print_item, out);
	case JDOC_NULL:
	case JDOC_FALSE:
	case JDOC_TRUE:
		break;
	}
	return append_word(value, out);
}

int print(const struct jvalue *value, struct buf *out)
{
	if (jvalue_is_node(value))
		return append_raw(value->doc, value->node, out);
	return print_made(value, print, out);
}

static int append_member(const struct jdoc *doc, jdoc_node member,
			 struct buf *out)
{
	struct jvalue value = jvalue_of_node(doc, member);
	int r = append_raw(doc, jdoc_name(doc, member), out);

	if (r == 0)
		r = buf_append_text(out, ":");
	return r < 0 ? r : print_compact(&value, out);
}

static int append_node_object(const struct jvalue *value, struct buf *out)
{
	const struct jdoc *doc = value->doc;
	jdoc_node member = jdoc_first(doc, value->node);
	const char *before = "";
	int r = buf_append_text(out, "{");

	for (; r == 0 && member != JDOC_NONE; member = jdoc_next(doc, member)) {
		r = buf_append_text(out, before);
		if (r == 0)
			r = append_member(doc, member, out);
		before = ",";
	}
	return r < 0 ? r : buf_append_text(out, "}");
}

int print_compact(const struct jvalue *value, struct buf *out)
{
	if (!jvalue_is_node(value))
		return print_made(value, print_compact, out);
	if (jvalue_is(value, JDOC_ARRAY))
		return append_array(value, print_compact, out);
	if (jvalue_is(value, JDOC_OBJECT))
		return append_node_object(value, out);
	return append_raw(value->doc, value->node, out);
}
