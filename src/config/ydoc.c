/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libyaml's events, and what it must not be given: its time grows with the
 * square of the nesting and of the directives, so that each event is seen to
 * before the next is asked for, and its own alias expansion is not used at all.
 */
#include "config/ydoc.h"
#include "base/err.h"
#include "config/ydoc_tree.h"

#include <errno.h>
#include <string.h>
#include <yaml.h>

struct builder {
	yaml_parser_t parser;
	const struct ydoc_text *text;
	struct ydoc_tree tree;
};

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

static int add_scalar(struct builder *builder, const yaml_event_t *event)
{
	const struct ydoc_scalar scalar = {
		.text = (const char *)event->data.scalar.value,
		.style = style_of(event),
		.line_ends = (unsigned)(event->end_mark.line -
					event->start_mark.line),
		.anchor = (const char *)event->data.scalar.anchor,
	};

	if (strlen(scalar.text) != event->data.scalar.length)
		return err_set(builder->tree.err, -EINVAL,
			       "a NUL byte in a text");
	return ydoc_tree_scalar(&builder->tree, &scalar);
}

static int add_event(struct builder *builder, const yaml_event_t *event)
{
	struct ydoc_tree *tree = &builder->tree;

	switch (event->type) {
	case YAML_SCALAR_EVENT:
		return add_scalar(builder, event);
	case YAML_SEQUENCE_START_EVENT:
		return ydoc_tree_open(
			tree, YDOC_LIST,
			(const char *)event->data.sequence_start.anchor);
	case YAML_MAPPING_START_EVENT:
		return ydoc_tree_open(
			tree, YDOC_MAP,
			(const char *)event->data.mapping_start.anchor);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		return ydoc_tree_close(tree);
	case YAML_ALIAS_EVENT:
		return ydoc_tree_alias(tree,
				       (const char *)event->data.alias.anchor);
	case YAML_DOCUMENT_END_EVENT:
		ydoc_tree_end_document(tree);
		return 0;
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_STREAM_END_EVENT:
	case YAML_DOCUMENT_START_EVENT:
		break;
	}
	return 0;
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
		return err_set(builder->tree.err, -ENOMEM, "no memory");
	if (parser->error == YAML_READER_ERROR)
		line = line_at(builder->text, parser->problem_offset);
	builder->tree.line = line_of(builder->text, line);
	return err_set(builder->tree.err, -EINVAL, "%s",
		       parser->problem ? parser->problem : "not YAML");
}

/* 1 after an event, 0 at the end. */
static int next_event(struct builder *builder)
{
	__attribute__((cleanup(yaml_event_delete))) yaml_event_t event = { 0 };
	int r;

	if (!yaml_parser_parse(&builder->parser, &event))
		return refuse_syntax(builder);
	builder->tree.line = line_of(builder->text, event.start_mark.line);
	r = ydoc_tree_count(&builder->tree);
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
			builder->tree.line = line_of(
				text, line_at(text, (size_t)(at - bytes)));
			return err_set(builder->tree.err, -E2BIG,
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
	struct builder builder = { .text = text };
	int r;

	ydoc_tree_init(&builder.tree, arena, err);
	if (!yaml_parser_initialize(&builder.parser))
		return err_set(err, -ENOMEM, "no memory");
	r = build(&builder);
	yaml_parser_delete(&builder.parser);
	if (r < 0)
		*ret_line = builder.tree.line;
	else
		*ret = builder.tree.first;
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
