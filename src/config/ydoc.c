/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libyaml's events become nodes. Every bound is kept while events come, before
 * libyaml sees more: its time grows with the square of the nesting, of the
 * directives, and its own alias expansion has no end.
 */
#include "config/ydoc.h"
#include "base/err.h"
#include "config/arena.h"

#include <errno.h>
#include <string.h>
#include <yaml.h>

struct anchor {
	const char *name;
	const struct ydoc_node *node;
};

/* A list or map that is not over yet. */
struct open_node {
	struct ydoc_node *node;
	const struct ydoc_node **end; /* where the next child is linked */
	const char *key;	      /* waits for its value */
	const char *anchor;
};

struct builder {
	yaml_parser_t parser;
	const struct ydoc_text *text;
	struct arena *arena;
	struct err *err;
	unsigned line; /* of the event, or of what is wrong */

	struct open_node open[YDOC_DEPTH_MAX];
	size_t depth;
	const struct ydoc_node *first;
	const struct ydoc_node **end;
	struct anchor anchors[YDOC_ANCHORS_MAX];
	size_t anchor_count;
	size_t alias_count;
	size_t node_count;
};

static int add_alias(struct builder *builder, const char *name);

static unsigned line_of(const struct ydoc_text *text, size_t line)
{
	if (!text->lines)
		return text->first_line + (unsigned)line;
	if (text->line_count == 0)
		return text->first_line;
	if (line >= text->line_count)
		line = text->line_count - 1;
	return text->lines[line];
}

/* Several readers of one file may say it; the arena's limit is their sum. */
static int no_room(const struct builder *builder)
{
	if (builder->arena->limit - builder->arena->used > 4096)
		return err_set(builder->err, -ENOMEM, "no memory");
	return err_set(builder->err, -E2BIG,
		       "needs more memory than a class file may take");
}

static const char *keep(struct builder *builder, const char *text)
{
	return arena_copy(builder->arena, text, strlen(text));
}

static struct ydoc_node *new_node(struct builder *builder, enum ydoc_kind kind)
{
	struct ydoc_node *node = arena_alloc(builder->arena, sizeof(*node));

	if (!node)
		return NULL;
	node->kind = kind;
	node->line = builder->line;
	return node;
}

static int count_node(struct builder *builder)
{
	if (++builder->node_count > YDOC_NODES_MAX)
		return err_set(builder->err, -E2BIG,
			       "more than %d values in one file",
			       YDOC_NODES_MAX);
	return 0;
}

static int set_anchor(struct builder *builder, const char *name,
		      const struct ydoc_node *node)
{
	if (!name)
		return 0;
	if (builder->anchor_count == YDOC_ANCHORS_MAX)
		return err_set(builder->err, -E2BIG,
			       "more than %d anchors in one document",
			       YDOC_ANCHORS_MAX);
	builder->anchors[builder->anchor_count++] =
		(struct anchor){ .name = name, .node = node };
	return 0;
}

/* In a map, texts are keys and values by turns. */
static struct open_node *awaits_key(struct builder *builder)
{
	struct open_node *top;

	if (builder->depth == 0)
		return NULL;
	top = &builder->open[builder->depth - 1];
	return top->node->kind == YDOC_MAP && !top->key ? top : NULL;
}

/* Puts a node where it belongs: below what is open, or among documents. */
static void link_node(struct builder *builder, struct ydoc_node *node)
{
	struct open_node *top;

	if (builder->depth == 0) {
		*builder->end = node;
		builder->end = &node->next;
		return;
	}
	top = &builder->open[builder->depth - 1];
	node->key = top->key;
	top->key = NULL;
	top->node->count++;
	*top->end = node;
	top->end = &node->next;
}

static int refuse_key(const struct builder *builder, const char *what)
{
	return err_set(builder->err, -EINVAL, "%s where a key is wanted", what);
}

static enum ydoc_style style_of(const yaml_event_t *event)
{
	switch (event->data.scalar.style) {
	case YAML_LITERAL_SCALAR_STYLE:
		return YDOC_LITERAL;
	case YAML_FOLDED_SCALAR_STYLE:
		return YDOC_FOLDED;
	case YAML_PLAIN_SCALAR_STYLE:
		return event->data.scalar.plain_implicit ? YDOC_PLAIN
							 : YDOC_QUOTED;
	case YAML_ANY_SCALAR_STYLE:
	case YAML_SINGLE_QUOTED_SCALAR_STYLE:
	case YAML_DOUBLE_QUOTED_SCALAR_STYLE:
		break;
	}
	return YDOC_QUOTED;
}

static int add_key(struct builder *builder, struct open_node *map,
		   const char *text, enum ydoc_style style)
{
	if (style == YDOC_PLAIN && strcmp(text, "<<") == 0)
		return err_set(builder->err, -EINVAL,
			       "merge keys (<<) are not supported yet");
	map->key = text;
	return 0;
}

static int add_scalar(struct builder *builder, const yaml_event_t *event)
{
	struct open_node *map = awaits_key(builder);
	const char *bytes = (const char *)event->data.scalar.value;
	const char *name = (const char *)event->data.scalar.anchor;
	const char *text;
	struct ydoc_node *node;

	if (strlen(bytes) != event->data.scalar.length)
		return err_set(builder->err, -EINVAL, "a NUL byte in a text");
	text = keep(builder, bytes);
	if (!text)
		return no_room(builder);
	if (map && !name)
		return add_key(builder, map, text, style_of(event));
	node = new_node(builder, YDOC_SCALAR);
	if (!node)
		return no_room(builder);
	node->text = text;
	node->style = style_of(event);
	node->count = (unsigned)(event->end_mark.line - event->start_mark.line);
	if (name) {
		int r;

		name = keep(builder, name);
		r = name ? set_anchor(builder, name, node) : no_room(builder);
		if (r < 0)
			return r;
	}
	if (map)
		return add_key(builder, map, text, node->style);
	link_node(builder, node);
	return 0;
}

static int open_node(struct builder *builder, enum ydoc_kind kind,
		     const yaml_char_t *anchor)
{
	const char *name = (const char *)anchor;
	struct ydoc_node *node;

	if (awaits_key(builder))
		return refuse_key(builder,
				  kind == YDOC_MAP ? "a map" : "a list");
	if (builder->depth == YDOC_DEPTH_MAX)
		return err_set(builder->err, -E2BIG,
			       "nested deeper than %d levels", YDOC_DEPTH_MAX);
	node = new_node(builder, kind);
	if (name)
		name = keep(builder, name);
	if (!node || (anchor && !name))
		return no_room(builder);
	link_node(builder, node);
	builder->open[builder->depth++] = (struct open_node){
		.node = node,
		.end = &node->first,
		.anchor = name,
	};
	return 0;
}

/* Only now the anchor: inside itself it would have no end. */
static int close_node(struct builder *builder)
{
	const struct open_node *top = &builder->open[--builder->depth];

	return set_anchor(builder, top->anchor, top->node);
}

static int add_event(struct builder *builder, const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		return add_scalar(builder, event);
	case YAML_SEQUENCE_START_EVENT:
		return open_node(builder, YDOC_LIST,
				 event->data.sequence_start.anchor);
	case YAML_MAPPING_START_EVENT:
		return open_node(builder, YDOC_MAP,
				 event->data.mapping_start.anchor);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		return close_node(builder);
	case YAML_ALIAS_EVENT:
		return add_alias(builder,
				 (const char *)event->data.alias.anchor);
	case YAML_DOCUMENT_END_EVENT:
		builder->anchor_count = 0;
		return 0;
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_STREAM_END_EVENT:
	case YAML_DOCUMENT_START_EVENT:
		break;
	}
	return 0;
}

static const struct ydoc_node *find_anchor(const struct builder *builder,
					   const char *name)
{
	for (size_t i = builder->anchor_count; i > 0; i--)
		if (strcmp(builder->anchors[i - 1].name, name) == 0)
			return builder->anchors[i - 1].node;
	return NULL;
}

/* Copies what is below a node that is copied already. Recursion ends at
 * YDOC_DEPTH_MAX. */
static int copy_children(struct builder *builder, struct ydoc_node *to,
			 size_t depth)
{
	const struct ydoc_node *from = to->first;
	const struct ydoc_node **end = &to->first;

	if (to->kind == YDOC_SCALAR)
		return 0;
	if (depth >= YDOC_DEPTH_MAX)
		return err_set(builder->err, -E2BIG,
			       "nested deeper than %d levels", YDOC_DEPTH_MAX);
	for (; from; from = from->next) {
		struct ydoc_node *copy = new_node(builder, from->kind);
		int r = count_node(builder);

		if (r < 0)
			return r;
		if (!copy)
			return no_room(builder);
		*copy = *from;
		copy->next = NULL;
		*end = copy;
		end = &copy->next;
		r = copy_children(builder, copy, depth + 1);
		if (r < 0)
			return r;
	}
	return 0;
}

static int add_alias(struct builder *builder, const char *name)
{
	const struct ydoc_node *from = find_anchor(builder, name);
	struct open_node *map = awaits_key(builder);
	struct ydoc_node *node;

	if (!from)
		return err_set(builder->err, -EINVAL, "unknown alias '%s'",
			       name);
	if (++builder->alias_count > YDOC_ALIASES_MAX)
		return err_set(builder->err, -E2BIG,
			       "more than %d aliases in one file",
			       YDOC_ALIASES_MAX);
	if (map && from->kind != YDOC_SCALAR)
		return refuse_key(builder, ydoc_kind_name(from));
	if (map)
		return add_key(builder, map, from->text, from->style);
	node = new_node(builder, from->kind);
	if (!node)
		return no_room(builder);
	*node = *from;
	node->next = NULL;
	link_node(builder, node);
	return copy_children(builder, node, builder->depth);
}

/* A fault of the encoding has a place in bytes only. */
static size_t line_at(const struct ydoc_text *text, size_t offset)
{
	const char *bytes = text->bytes;
	size_t line = 0;

	for (size_t i = 0; i < offset && i < text->length; i++)
		line += bytes[i] == '\n';
	return line;
}

static int refuse_syntax(struct builder *builder)
{
	const yaml_parser_t *parser = &builder->parser;
	size_t line = parser->problem_mark.line;

	if (parser->error == YAML_MEMORY_ERROR)
		return err_set(builder->err, -ENOMEM, "no memory");
	if (parser->error == YAML_READER_ERROR)
		line = line_at(builder->text, parser->problem_offset);
	builder->line = line_of(builder->text, line);
	return err_set(builder->err, -EINVAL, "%s",
		       parser->problem ? parser->problem : "not YAML");
}

/* 1 after an event, 0 at the end. */
static int next_event(struct builder *builder)
{
	__attribute__((cleanup(yaml_event_delete))) yaml_event_t event = { 0 };
	int r;

	if (!yaml_parser_parse(&builder->parser, &event))
		return refuse_syntax(builder);
	builder->line = line_of(builder->text, event.start_mark.line);
	r = count_node(builder);
	if (r == 0)
		r = add_event(builder, &event);
	return r < 0 ? r : event.type != YAML_STREAM_END_EVENT;
}

/* libyaml compares each %TAG with all before it. */
static int check_directives(struct builder *builder)
{
	const struct ydoc_text *text = builder->text;
	const char *bytes = text->bytes;
	const char *end = bytes + text->length;
	size_t count = 0;

	for (const char *at = bytes; at < end; at++) {
		if (*at == '%' && ++count > YDOC_DIRECTIVES_MAX) {
			builder->line = line_of(
				text, line_at(text, (size_t)(at - bytes)));
			return err_set(builder->err, -E2BIG,
				       "more than %d lines begin with '%%'",
				       YDOC_DIRECTIVES_MAX);
		}
		at = memchr(at, '\n', (size_t)(end - at));
		if (!at)
			break;
	}
	return 0;
}

/* libyaml takes a mark of the byte order for a column. */
static size_t mark_length(const struct ydoc_text *text)
{
	static const char mark[] = "\xef\xbb\xbf";
	size_t length = strlen(mark);

	return text->length >= length && memcmp(text->bytes, mark, length) == 0
		       ? length
		       : 0;
}

static int build(struct builder *builder)
{
	const struct ydoc_text *text = builder->text;
	size_t skipped = mark_length(text);
	int r = check_directives(builder);

	if (r < 0)
		return r;
	yaml_parser_set_encoding(&builder->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(
		&builder->parser, (const unsigned char *)text->bytes + skipped,
		text->length - skipped);
	do
		r = next_event(builder);
	while (r > 0);
	return r;
}

int ydoc_parse(const struct ydoc_text *text, struct arena *arena,
	       const struct ydoc_node **ret, unsigned *ret_line,
	       struct err *err)
{
	struct builder builder = { .text = text, .arena = arena, .err = err };
	int r;

	builder.end = &builder.first;
	if (!yaml_parser_initialize(&builder.parser))
		return err_set(err, -ENOMEM, "no memory");
	r = build(&builder);
	yaml_parser_delete(&builder.parser);
	if (r < 0)
		*ret_line = builder.line;
	else
		*ret = builder.first;
	return r;
}

const char *ydoc_kind_name(const struct ydoc_node *node)
{
	switch (node->kind) {
	case YDOC_LIST:
		return "a list";
	case YDOC_MAP:
		return "a map";
	case YDOC_SCALAR:
		break;
	}
	return "text";
}
