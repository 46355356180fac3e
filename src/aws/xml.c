/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A scanner that goes from tag to tag and keeps the names of the elements it
 * is in: no tree, no recursion, no copy of what it does not look for.
 */
#include "aws/xml.h"
#include "base/buf.h"
#include "base/macros.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

struct span {
	const char *start;
	size_t length;
};

struct scanner {
	const char *at;
	const char *end;
	size_t depth;
	struct span names[XML_DEPTH_MAX];
};

enum tag_kind {
	TAG_START,
	TAG_END,
	TAG_EMPTY,
	TAG_NONE, /* the end of the document */
};

struct tag {
	enum tag_kind kind;
	struct span name;
};

static bool starts_with(const struct scanner *scanner, const char *text)
{
	size_t length = strlen(text);

	return (size_t)(scanner->end - scanner->at) >= length &&
	       memcmp(scanner->at, text, length) == 0;
}

/* Moves behind the next `text`. */
static bool skip_past(struct scanner *scanner, const char *text)
{
	size_t length = strlen(text);
	const char *found =
		memmem(scanner->at, (size_t)(scanner->end - scanner->at), text,
		       length);

	if (!found)
		return false;
	scanner->at = found + length;
	return true;
}

static bool is_name_end(char c)
{
	return c != '\0' && strchr(" \t\r\n/>", c);
}

/* Moves behind the '>' of a tag; one in quotes is part of an attribute. */
static bool skip_attributes(struct scanner *scanner)
{
	char quote = '\0';

	for (; scanner->at < scanner->end; scanner->at++) {
		char c = *scanner->at;

		if (c == '<')
			return false;
		if (quote != '\0') {
			if (c == quote)
				quote = '\0';
		} else if (c == '"' || c == '\'') {
			quote = c;
		} else if (c == '>') {
			scanner->at++;
			return true;
		}
	}
	return false;
}

/* scanner is behind the '<'. */
static int take_tag(struct scanner *scanner, struct tag *ret)
{
	bool is_end = starts_with(scanner, "/");
	const char *start = scanner->at + (is_end ? 1 : 0);

	scanner->at = start;
	while (scanner->at < scanner->end && !is_name_end(*scanner->at))
		scanner->at++;
	ret->name = (struct span){ start, (size_t)(scanner->at - start) };
	if (ret->name.length == 0 || !skip_attributes(scanner))
		return -EBADMSG;
	if (is_end)
		ret->kind = TAG_END;
	else
		ret->kind = scanner->at[-2] == '/' ? TAG_EMPTY : TAG_START;
	return 0;
}

/* The next tag, past text, comments and processing instructions. */
static int next_tag(struct scanner *scanner, struct tag *ret)
{
	while (skip_past(scanner, "<")) {
		bool is_whole;

		if (starts_with(scanner, "!--"))
			is_whole = skip_past(scanner, "-->");
		else if (starts_with(scanner, "?"))
			is_whole = skip_past(scanner, "?>");
		else if (starts_with(scanner, "!"))
			return -EBADMSG;
		else
			return take_tag(scanner, ret);
		if (!is_whole)
			return -EBADMSG;
	}
	ret->kind = TAG_NONE;
	return 0;
}

static bool is_span(const struct span *span, const char *text, size_t length)
{
	return span->length == length && memcmp(span->start, text, length) == 0;
}

static int enter(struct scanner *scanner, const struct tag *tag)
{
	if (scanner->depth == XML_DEPTH_MAX)
		return -EBADMSG;
	scanner->names[scanner->depth++] = tag->name;
	return 0;
}

static int leave(struct scanner *scanner, const struct tag *tag)
{
	const struct span *open;

	if (scanner->depth == 0)
		return -EBADMSG;
	open = &scanner->names[--scanner->depth];
	return is_span(open, tag->name.start, tag->name.length) ? 0 : -EBADMSG;
}

/* Whether the elements that the scanner is in end with those of the path. */
static bool is_at_path(const struct scanner *scanner, const char *path)
{
	size_t length = strlen(path);

	for (size_t depth = scanner->depth; depth > 0; depth--) {
		const char *slash = memrchr(path, '/', length);
		const char *name = slash ? slash + 1 : path;

		if (!is_span(&scanner->names[depth - 1], name,
			     length - (size_t)(name - path)))
			return false;
		if (!slash)
			return true;
		length = (size_t)(slash - path);
	}
	return false;
}

/* Appends what the entity at `text` stands for; ret_used is its length. */
static int append_entity(const char *text, size_t length, struct buf *out,
			 size_t *ret_used)
{
	static const struct {
		const char *name;
		const char *means;
	} entities[] = {
		{ "&amp;", "&" },   { "&lt;", "<" },   { "&gt;", ">" },
		{ "&quot;", "\"" }, { "&apos;", "'" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(entities); i++) {
		size_t used = strlen(entities[i].name);

		if (length < used || memcmp(text, entities[i].name, used) != 0)
			continue;
		*ret_used = used;
		return buf_append_text(out, entities[i].means);
	}
	return -EBADMSG;
}

static int append_decoded(const char *text, size_t length, struct buf *out)
{
	int r = 0;

	while (r == 0 && length > 0) {
		const char *mark = memchr(text, '&', length);
		size_t used = mark ? (size_t)(mark - text) : length;

		if (used > 0)
			r = buf_append(out, text, used);
		else
			r = append_entity(text, length, out, &used);
		if (r < 0)
			break;
		text += used;
		length -= used;
	}
	return r;
}

/* The scanner is behind the start tag of the element that is looked for. */
static int read_text(struct scanner *scanner, struct buf *out)
{
	const char *start = scanner->at;
	size_t before = out->length;
	struct tag tag;
	int r;

	if (!skip_past(scanner, "<"))
		return -EBADMSG;
	r = append_decoded(start, (size_t)(scanner->at - start) - 1, out);
	if (r == 0)
		r = take_tag(scanner, &tag);
	if (r == 0)
		r = tag.kind == TAG_END ? leave(scanner, &tag) : -EBADMSG;
	if (r < 0)
		buf_truncate(out, before);
	return r;
}

/* Takes the next tag; ret_is_found when it begins the element of the path. */
static int step(struct scanner *scanner, const char *path, struct tag *ret,
		bool *ret_is_found)
{
	int r = next_tag(scanner, ret);

	if (r < 0)
		return r;
	if (ret->kind == TAG_NONE)
		return scanner->depth == 0 ? -ENOENT : -EBADMSG;
	if (ret->kind == TAG_END)
		return leave(scanner, ret);
	r = enter(scanner, ret);
	if (r < 0)
		return r;
	*ret_is_found = is_at_path(scanner, path);
	if (ret->kind == TAG_EMPTY)
		scanner->depth--;
	return 0;
}

int xml_find_text(const char *xml, size_t length, const char *path,
		  struct buf *out)
{
	struct scanner scanner = { .at = xml, .end = xml + length };
	bool is_found = false;
	struct tag tag;

	while (!is_found) {
		int r = step(&scanner, path, &tag, &is_found);

		if (r < 0)
			return r;
	}
	return tag.kind == TAG_EMPTY ? 0 : read_text(&scanner, out);
}
