/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One pass writes the nodes down in the order of the text, so that a parent's
 * first child stands right behind it, and a member's name right before its
 * value. Nodes hold offsets only: there is no plaintext to wipe.
 */
#include "base/jdoc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/jnumber.h"
#include "base/jstring.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NODES_FIRST_CAPACITY 16

struct node {
	uint32_t start; /* offset in the text */
	uint32_t length;
	uint32_t size;	/* children; of a string: its decoded length */
	jdoc_node next; /* sibling */
	unsigned char type;
	bool is_member;
};

struct jdoc {
	const char *text;
	struct node *nodes;
	uint32_t count;
	uint32_t capacity;
};

struct parser {
	struct jdoc *doc;
	size_t length;
	size_t at;
	unsigned depth;
	struct err *err;
};

static int fail(const struct parser *parser, const char *reason)
{
	(void)err_set(parser->err, -EBADMSG, "byte %zu is not JSON: %s",
		      parser->at, reason);
	return -EBADMSG;
}

static int fail_limit(const struct parser *parser, const char *limit)
{
	(void)err_set(parser->err, -E2BIG, "byte %zu of JSON: %s", parser->at,
		      limit);
	return -E2BIG;
}

static int fail_memory(struct err *err)
{
	(void)err_set(err, -ENOMEM, "no memory for JSON");
	return -ENOMEM;
}

static const char *here(const struct parser *parser)
{
	return parser->doc->text + parser->at;
}

static size_t left(const struct parser *parser)
{
	return parser->length - parser->at;
}

static bool stands(const struct parser *parser, char byte)
{
	return left(parser) > 0 && *here(parser) == byte;
}

static bool accept(struct parser *parser, char byte)
{
	if (!stands(parser, byte))
		return false;
	parser->at++;
	return true;
}

static void skip_blanks(struct parser *parser)
{
	while (accept(parser, ' ') || accept(parser, '\t') ||
	       accept(parser, '\n') || accept(parser, '\r'))
		continue;
}

static int grow(struct jdoc *doc)
{
	uint32_t capacity =
		doc->capacity ? doc->capacity * 2 : NODES_FIRST_CAPACITY;
	struct node *nodes = reallocarray(doc->nodes, capacity, sizeof(*nodes));

	if (!nodes)
		return -ENOMEM;
	doc->nodes = nodes;
	doc->capacity = capacity;
	return 0;
}

/* Adds a node that starts here. */
static int open_node(struct parser *parser, enum jdoc_type type, jdoc_node *ret)
{
	struct jdoc *doc = parser->doc;

	if (doc->count == JDOC_NODES_MAX)
		return fail_limit(parser, "too many values");
	if (doc->count == doc->capacity && grow(doc) < 0)
		return fail_memory(parser->err);
	doc->nodes[doc->count] = (struct node){
		.start = (uint32_t)parser->at,
		.next = JDOC_NONE,
		.type = (unsigned char)type,
	};
	*ret = doc->count++;
	return 0;
}

/* Ends a node here. */
static void close_node(struct parser *parser, jdoc_node self)
{
	struct node *node = &parser->doc->nodes[self];

	node->length = (uint32_t)parser->at - node->start;
}

static int parse_word(struct parser *parser, enum jdoc_type type,
		      const char *word)
{
	size_t length = strlen(word);
	jdoc_node self;
	int r;

	if (left(parser) < length || memcmp(here(parser), word, length) != 0)
		return fail(parser, "an unknown word");
	r = open_node(parser, type, &self);
	if (r < 0)
		return r;
	parser->at += length;
	close_node(parser, self);
	return 0;
}

static int parse_number(struct parser *parser)
{
	const char *fault;
	jdoc_node self;
	size_t length;
	int r = open_node(parser, JDOC_NUMBER, &self);

	if (r < 0)
		return r;
	fault = jnumber_scan(here(parser), left(parser), &length);
	parser->at += length;
	close_node(parser, self);
	return fault ? fail(parser, fault) : 0;
}

static int parse_string(struct parser *parser)
{
	struct jstring string;
	const char *fault;
	jdoc_node self;
	int r = open_node(parser, JDOC_STRING, &self);

	if (r < 0)
		return r;
	parser->at++;
	fault = jstring_scan(here(parser), left(parser), &string);
	parser->at += string.written;
	if (fault)
		return fail(parser, fault);
	parser->at++;
	close_node(parser, self);
	parser->doc->nodes[self].size = (uint32_t)string.decoded;
	return 0;
}

static int parse_value(struct parser *parser);

/* An item of an array. */
static int parse_item(struct parser *parser, jdoc_node *ret)
{
	*ret = parser->doc->count;
	return parse_value(parser);
}

/* A member of an object: its node is the value's. */
static int parse_member(struct parser *parser, jdoc_node *ret)
{
	int r;

	if (!stands(parser, '"'))
		return fail(parser, "no name where one is due");
	r = parse_string(parser);
	if (r < 0)
		return r;
	skip_blanks(parser);
	if (!accept(parser, ':'))
		return fail(parser, "no ':' behind a name");
	skip_blanks(parser);
	r = parse_item(parser, ret);
	if (r == 0)
		parser->doc->nodes[*ret].is_member = true;
	return r;
}

/* The children of a container and its closing bracket. */
static int parse_children(struct parser *parser, jdoc_node self,
			  enum jdoc_type type)
{
	char close = type == JDOC_ARRAY ? ']' : '}';
	jdoc_node child = JDOC_NONE;
	jdoc_node last = JDOC_NONE;
	int r;

	skip_blanks(parser);
	if (accept(parser, close))
		return 0;
	do {
		skip_blanks(parser);
		r = type == JDOC_ARRAY ? parse_item(parser, &child)
				       : parse_member(parser, &child);
		if (r < 0)
			return r;
		if (last != JDOC_NONE)
			parser->doc->nodes[last].next = child;
		last = child;
		parser->doc->nodes[self].size++;
		skip_blanks(parser);
	} while (accept(parser, ','));
	return accept(parser, close) ? 0 : fail(parser, "no ',' and no end");
}

static int parse_container(struct parser *parser, enum jdoc_type type)
{
	jdoc_node self;
	int r;

	if (parser->depth == JDOC_DEPTH_MAX)
		return fail_limit(parser, "too deep");
	r = open_node(parser, type, &self);
	if (r < 0)
		return r;
	parser->depth++;
	parser->at++;
	r = parse_children(parser, self, type);
	parser->depth--;
	close_node(parser, self);
	return r;
}

static int parse_value(struct parser *parser)
{
	switch (left(parser) ? *here(parser) : '\0') {
	case '{':
		return parse_container(parser, JDOC_OBJECT);
	case '[':
		return parse_container(parser, JDOC_ARRAY);
	case '"':
		return parse_string(parser);
	case 'n':
		return parse_word(parser, JDOC_NULL, "null");
	case 'f':
		return parse_word(parser, JDOC_FALSE, "false");
	case 't':
		return parse_word(parser, JDOC_TRUE, "true");
	default:
		return parse_number(parser);
	}
}

static int parse_text(struct parser *parser)
{
	int r;

	if (parser->length > JDOC_TEXT_MAX)
		return fail_limit(parser, "too long");
	skip_blanks(parser);
	r = parse_value(parser);
	if (r < 0)
		return r;
	skip_blanks(parser);
	return left(parser) ? fail(parser, "more behind the value") : 0;
}

int jdoc_parse(const char *text, size_t length, struct jdoc **ret,
	       struct err *err)
{
	struct jdoc *doc = calloc(1, sizeof(*doc));
	struct parser parser = { .doc = doc, .length = length, .err = err };
	int r;

	if (!doc)
		return fail_memory(err);
	doc->text = text;
	r = parse_text(&parser);
	if (r < 0) {
		jdoc_free(doc);
		return r;
	}
	*ret = doc;
	return 0;
}

void jdoc_free(struct jdoc *doc)
{
	if (!doc)
		return;
	free(doc->nodes);
	free(doc);
}

void jdoc_rebind(struct jdoc *doc, const char *text)
{
	doc->text = text;
}

void jdoc_cleanup(struct jdoc **doc)
{
	jdoc_free(*doc);
}

/* Any node, of which JDOC_NONE is one without text or children. */
static const struct node *node_of(const struct jdoc *doc, jdoc_node node)
{
	static const struct node none = { .next = JDOC_NONE };

	if (node == JDOC_NONE)
		return &none;
	assert(node < doc->count);
	return &doc->nodes[node];
}

static bool is_string(const struct jdoc *doc, jdoc_node node)
{
	return node_of(doc, node)->type == JDOC_STRING;
}

/* What stands between a string's quotes. */
static const char *inside_of(const struct jdoc *doc, jdoc_node node,
			     size_t *ret_length)
{
	*ret_length = doc->nodes[node].length - 2;
	return doc->text + doc->nodes[node].start + 1;
}

enum jdoc_type jdoc_type(const struct jdoc *doc, jdoc_node node)
{
	return (enum jdoc_type)node_of(doc, node)->type;
}

const char *jdoc_raw(const struct jdoc *doc, jdoc_node node, size_t *ret_length)
{
	*ret_length = node_of(doc, node)->length;
	return doc->text + node_of(doc, node)->start;
}

jdoc_node jdoc_first(const struct jdoc *doc, jdoc_node parent)
{
	if (jdoc_count(doc, parent) == 0)
		return JDOC_NONE;
	return jdoc_type(doc, parent) == JDOC_OBJECT ? parent + 2 : parent + 1;
}

jdoc_node jdoc_next(const struct jdoc *doc, jdoc_node node)
{
	return node_of(doc, node)->next;
}

size_t jdoc_count(const struct jdoc *doc, jdoc_node parent)
{
	return is_string(doc, parent) ? 0 : node_of(doc, parent)->size;
}

jdoc_node jdoc_name(const struct jdoc *doc, jdoc_node member)
{
	return node_of(doc, member)->is_member ? member - 1 : JDOC_NONE;
}

jdoc_node jdoc_member(const struct jdoc *doc, jdoc_node parent,
		      const char *name, size_t name_length)
{
	jdoc_node found = JDOC_NONE;

	if (jdoc_type(doc, parent) != JDOC_OBJECT)
		return JDOC_NONE;
	for (jdoc_node member = jdoc_first(doc, parent); member != JDOC_NONE;
	     member = jdoc_next(doc, member))
		if (jdoc_string_is(doc, jdoc_name(doc, member), name,
				   name_length))
			found = member;
	return found;
}

size_t jdoc_string_length(const struct jdoc *doc, jdoc_node node)
{
	return is_string(doc, node) ? doc->nodes[node].size : 0;
}

bool jdoc_string_is(const struct jdoc *doc, jdoc_node node, const char *bytes,
		    size_t length)
{
	const char *inside;
	size_t written;

	if (!is_string(doc, node) || doc->nodes[node].size != length)
		return false;
	inside = inside_of(doc, node, &written);
	return jstring_is(inside, written, bytes);
}

void jdoc_string_write(const struct jdoc *doc, jdoc_node node,
		       unsigned char *to)
{
	const char *inside;
	size_t written;

	if (!is_string(doc, node))
		return;
	inside = inside_of(doc, node, &written);
	jstring_decode(inside, written, to);
}

int jdoc_string(const struct jdoc *doc, jdoc_node node, struct buf *out)
{
	size_t length = jdoc_string_length(doc, node);
	int r;

	if (!is_string(doc, node))
		return -EINVAL;
	r = buf_reserve(out, length);
	if (r < 0)
		return r;
	jdoc_string_write(doc, node, out->bytes + out->length);
	out->length += length;
	out->bytes[out->length] = '\0';
	return 0;
}

static int scaled(const struct jdoc *doc, jdoc_node node, unsigned places,
		  int64_t *ret)
{
	size_t length;
	const char *text = jdoc_raw(doc, node, &length);

	if (jdoc_type(doc, node) != JDOC_NUMBER)
		return -EINVAL;
	return jnumber_scaled(text, length, places, ret);
}

int jdoc_integer(const struct jdoc *doc, jdoc_node node, int64_t *ret)
{
	return scaled(doc, node, 0, ret);
}

int jdoc_seconds_ns(const struct jdoc *doc, jdoc_node node, int64_t *ret)
{
	return scaled(doc, node, 9, ret);
}
