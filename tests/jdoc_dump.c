/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What jdoc makes of each document on standard input, one line for each, for
 * jdoc_differential.py to compare with what Python makes of it.
 *
 * In: a length of four bytes, least significant first, then the document.
 * Out: "error", "limit", or the nodes in the order of the text, as words:
 *   null, false, true
 *   number RAW INTEGER NANOSECONDS  (the last two may be "range")
 *   string RAW DECODED
 *   array RAW COUNT, object RAW COUNT, then the children; before each member
 *   its name as a string, and "current" or "shadowed"
 * RAW and DECODED are hexadecimal in brackets.
 */
#include "base/buf.h"
#include "base/jdoc.h"
#include "base/macros.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static void print_hex(const void *bytes, size_t length)
{
	const unsigned char *at = bytes;

	(void)putchar('<');
	for (size_t i = 0; i < length; i++)
		(void)printf("%02x", at[i]);
	(void)fputs("> ", stdout);
}

static void print_raw(const struct jdoc *doc, jdoc_node node)
{
	size_t length;
	const char *raw = jdoc_raw(doc, node, &length);

	print_hex(raw, length);
}

static void print_scaled(const struct jdoc *doc, jdoc_node node,
			 int (*read)(const struct jdoc *doc, jdoc_node node,
				     int64_t *ret))
{
	int64_t number;

	if (read(doc, node, &number) < 0)
		(void)fputs("range ", stdout);
	else
		(void)printf("%" PRId64 " ", number);
}

static void print_number(const struct jdoc *doc, jdoc_node node)
{
	(void)fputs("number ", stdout);
	print_raw(doc, node);
	print_scaled(doc, node, jdoc_integer);
	print_scaled(doc, node, jdoc_seconds_ns);
}

/* Leaves the decoded string in buf. */
static void print_string(const struct jdoc *doc, jdoc_node node,
			 struct buf *buf)
{
	buf_init(buf, JDOC_TEXT_MAX);
	if (jdoc_string(doc, node, buf) < 0 ||
	    buf->length != jdoc_string_length(doc, node) ||
	    !jdoc_string_is(doc, node, buf_text(buf), buf->length))
		abort();
	(void)fputs("string ", stdout);
	print_raw(doc, node);
	print_hex(buf_text(buf), buf->length);
}

static void print_name(const struct jdoc *doc, jdoc_node parent,
		       jdoc_node member)
{
	cleanup_buf struct buf name;
	jdoc_node found;

	print_string(doc, jdoc_name(doc, member), &name);
	found = jdoc_member(doc, parent, buf_text(&name), name.length);
	(void)fputs(found == member ? "current " : "shadowed ", stdout);
}

static void print_node(const struct jdoc *doc, jdoc_node node);

static void print_container(const struct jdoc *doc, jdoc_node node)
{
	bool is_object = jdoc_type(doc, node) == JDOC_OBJECT;

	(void)fputs(is_object ? "object " : "array ", stdout);
	print_raw(doc, node);
	(void)printf("%zu ", jdoc_count(doc, node));
	for (jdoc_node child = jdoc_first(doc, node); child != JDOC_NONE;
	     child = jdoc_next(doc, child)) {
		if (is_object)
			print_name(doc, node, child);
		print_node(doc, child);
	}
}

static void print_node(const struct jdoc *doc, jdoc_node node)
{
	cleanup_buf struct buf buf = { 0 };

	switch (jdoc_type(doc, node)) {
	case JDOC_NULL:
		(void)fputs("null ", stdout);
		break;
	case JDOC_FALSE:
		(void)fputs("false ", stdout);
		break;
	case JDOC_TRUE:
		(void)fputs("true ", stdout);
		break;
	case JDOC_NUMBER:
		print_number(doc, node);
		break;
	case JDOC_STRING:
		print_string(doc, node, &buf);
		break;
	case JDOC_ARRAY:
	case JDOC_OBJECT:
		print_container(doc, node);
		break;
	}
}

static void dump(const char *text, size_t length)
{
	cleanup_jdoc struct jdoc *doc = NULL;
	int r = jdoc_parse(text, length, &doc, NULL);

	if (r == 0)
		print_node(doc, 0);
	else
		(void)fputs(r == -E2BIG ? "limit" : "error", stdout);
	(void)putchar('\n');
}

int main(void)
{
	unsigned char prefix[4];

	while (fread(prefix, sizeof(prefix), 1, stdin) == 1) {
		size_t length = (size_t)prefix[0] | (size_t)prefix[1] << 8 |
				(size_t)prefix[2] << 16 |
				(size_t)prefix[3] << 24;
		/* As long as the document: sanitizers see a byte too far. */
		char *text = malloc(length);

		if (length && (!text || fread(text, length, 1, stdin) != 1))
			return EXIT_FAILURE;
		dump(text, length);
		free(text);
	}
	return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
