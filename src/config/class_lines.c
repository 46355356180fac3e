/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `objects` is YAML inside a scalar of YAML. Its lines stand below each other
 * in the file only where the scalar is a literal block. Otherwise each line of
 * the text is looked for in the file, from the scalar's first line on: folding
 * joins lines, and leaves their words as they are.
 */
#include "config/class_reader.h"
#include "config/ydoc.h"

#include <string.h>

/* A walk over lines of bytes. */
struct cursor {
	const char *at; /* start of a line */
	const char *end;
	unsigned line;
};

static const char *line_end(const struct cursor *cursor)
{
	const char *end =
		memchr(cursor->at, '\n', (size_t)(cursor->end - cursor->at));

	return end ? end : cursor->end;
}

static void next_line(struct cursor *cursor)
{
	const char *end = line_end(cursor);

	cursor->at = end < cursor->end ? end + 1 : end;
	cursor->line++;
}

/* Without what folding may drop at the start of a line, and quotes. */
static const char *skip_blanks(const char *at, const char *end)
{
	while (at < end && (*at == ' ' || *at == '\t' || *at == '\r'))
		at++;
	return at;
}

/* The words that a line of the text begins with: what folding may have put
 * behind them is left out. */
static size_t first_words(const char *at, const char *end)
{
	size_t length = (size_t)(end - at);
	const char *colon = memchr(at, ':', length);

	return colon ? (size_t)(colon - at) + 1 : length;
}

/* Moves file behind the next place where a line of the text begins. False: it
 * is not found up to last_line, and file is where it was. */
static bool find_line(struct cursor *file, unsigned last_line,
		      const struct cursor *text)
{
	const char *end = line_end(text);
	const char *words = skip_blanks(text->at, end);
	size_t length = first_words(words, end);
	struct cursor found = *file;

	if (length == 0)
		return true;
	for (; found.at < found.end && found.line <= last_line;
	     next_line(&found)) {
		const char *match =
			memmem(found.at, (size_t)(line_end(&found) - found.at),
			       words, length);

		if (!match)
			continue;
		found.at = match + length;
		*file = found;
		return true;
	}
	return false;
}

static size_t count_lines(const char *text)
{
	size_t count = 1;

	for (; *text; text++)
		count += *text == '\n';
	return count;
}

/* After the first line that is not found no other is looked for: that would
 * take the square of the length. */
static void place_each(struct cursor *file, unsigned last_line,
		       struct cursor *text, unsigned *lines, size_t count)
{
	bool is_found = true;

	for (size_t i = 0; i < count; i++) {
		is_found = is_found && find_line(file, last_line, text);
		lines[i] = file->line;
		next_line(text);
	}
}

/* Classes come in the order of the file, but for aliases. */
static void go_to_line(const struct class_reader *reader, struct cursor *file,
		       unsigned line)
{
	if (!file->at || file->line > line)
		*file = (struct cursor){ .at = reader->bytes, .line = 1 };
	file->end = reader->bytes + reader->length;
	while (file->line < line && file->at < file->end)
		next_line(file);
}

int class_place_inner(struct class_reader *reader,
		      const struct ydoc_node *scalar, struct ydoc_text *text)
{
	struct cursor inner = { .at = scalar->text };
	struct cursor file = { .at = reader->line_at, .line = reader->line };
	unsigned *lines;

	text->first_line = scalar->line + 1;
	if (scalar->style == YDOC_LITERAL)
		return 0;
	text->line_count = count_lines(scalar->text);
	lines = arena_array(reader->trees, text->line_count, sizeof(*lines));
	if (!lines)
		return class_no_room(reader);
	go_to_line(reader, &file, scalar->line);
	reader->line_at = file.at;
	reader->line = file.line;
	inner.end = inner.at + strlen(inner.at);
	place_each(&file, scalar->line + scalar->count, &inner, lines,
		   text->line_count);
	text->lines = lines;
	return 0;
}
