/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory is taken piece by piece and never given back before the end: searches
 * are short, and what they made may be shared. A text never moves, since its
 * buf gets all of its room at once.
 */
#include "jmespath/search.h"
#include "jmespath/fault.h"
#include "jmespath/jmespath.h"

#include <errno.h>
#include <stdalign.h>
#include <stdlib.h>

#define PIECE_SIZE ((size_t)8192)
#define TEXT_SIZE ((size_t)16383) /* and a byte that buf needs */

struct search_piece {
	struct search_piece *next;
	size_t used;
	size_t size;
	alignas(max_align_t) unsigned char bytes[];
};

struct search_text {
	struct search_text *next;
	struct buf buf;
};

void search_init(struct search *search, struct err *err)
{
	*search = (struct search){ .err = err };
	buf_init(&search->scratch, JMESPATH_TEXT_MAX);
}

void search_done(struct search *search)
{
	while (search->pieces) {
		struct search_piece *piece = search->pieces;

		search->pieces = piece->next;
		free(piece);
	}
	while (search->texts) {
		struct search_text *text = search->texts;

		search->texts = text->next;
		buf_done(&text->buf);
		free(text);
	}
	buf_done(&search->scratch);
}

static int fail_limit(struct search *search, const char *what)
{
	return fault_set(search->err, FAULT_LIMIT, search->offset, "%s", what);
}

int search_fail(struct search *search, int r)
{
	if (r == -EFBIG || r == -E2BIG)
		return fail_limit(search, "this makes too much text");
	return fault_set_memory(search->err);
}

int search_spend(struct search *search, size_t steps)
{
	if (steps > JMESPATH_STEPS_MAX - search->steps)
		return fail_limit(search, "this takes too many steps");
	search->steps += steps;
	return 0;
}

static int add_piece(struct search *search, size_t needed)
{
	size_t size = needed > PIECE_SIZE ? needed : PIECE_SIZE;
	struct search_piece *piece;

	if (size > JMESPATH_MEMORY_MAX - search->memory)
		return fail_limit(search, "this makes too many values");
	piece = malloc(sizeof(*piece) + size);
	if (!piece)
		return fault_set_memory(search->err);
	piece->next = search->pieces;
	piece->used = 0;
	piece->size = size;
	search->pieces = piece;
	search->memory += size;
	return 0;
}

int search_alloc(struct search *search, size_t count, size_t size, void **ret)
{
	struct search_piece *piece = search->pieces;
	size_t needed;

	if (count > JMESPATH_MEMORY_MAX / size)
		return fail_limit(search, "this makes too many values");
	needed = (count * size + alignof(max_align_t)) &
		 ~(alignof(max_align_t) - 1);
	if (!piece || needed > piece->size - piece->used) {
		int r = add_piece(search, needed);

		if (r < 0)
			return r;
		piece = search->pieces;
	}
	*ret = piece->bytes + piece->used;
	piece->used += needed;
	return 0;
}

static int add_text(struct search *search, size_t length)
{
	size_t room = length > TEXT_SIZE ? length : TEXT_SIZE;
	struct search_text *text = malloc(sizeof(*text));
	int r;

	if (!text)
		return fault_set_memory(search->err);
	text->next = search->texts;
	search->texts = text;
	buf_init(&text->buf, room);
	r = buf_reserve(&text->buf, room);
	return r < 0 ? search_fail(search, r) : 0;
}

/* A buf that takes so many bytes without moving. */
static int open_text(struct search *search, size_t length, struct buf **ret)
{
	struct search_text *text = search->texts;

	if (length > JMESPATH_TEXT_MAX - search->text_length)
		return search_fail(search, -EFBIG);
	if (!text || length > text->buf.limit - text->buf.length) {
		int r = add_text(search, length);

		if (r < 0)
			return r;
	}
	search->text_length += length;
	*ret = &search->texts->buf;
	return 0;
}

/* What was appended to a text since it had that length. */
static struct text end_of(const struct buf *buf, size_t before)
{
	return (struct text){ buf_text(buf) + before, buf->length - before };
}

int search_keep(struct search *search, const void *bytes, size_t length,
		struct text *ret)
{
	struct buf *buf;
	size_t before;
	int r = open_text(search, length, &buf);

	if (r < 0)
		return r;
	before = buf->length;
	r = buf_append(buf, bytes, length);
	if (r < 0)
		return search_fail(search, r);
	*ret = end_of(buf, before);
	return 0;
}

int search_decode(struct search *search, const struct jdoc *doc, jdoc_node node,
		  struct text *ret)
{
	struct buf *buf;
	size_t before;
	int r = open_text(search, jdoc_string_length(doc, node), &buf);

	if (r < 0)
		return r;
	before = buf->length;
	r = jdoc_string(doc, node, buf);
	if (r < 0)
		return search_fail(search, r);
	*ret = end_of(buf, before);
	return 0;
}
