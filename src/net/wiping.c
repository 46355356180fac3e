/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libcurl reads replies into buffers of its own and frees them as they are. So
 * each piece that it gets begins with its length, and is wiped by that before
 * the heap has it again.
 */
#include "net/wiping.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct piece {
	size_t length;
	max_align_t bytes[];
};

static struct piece *piece_of(void *bytes)
{
	return (struct piece *)((char *)bytes - offsetof(struct piece, bytes));
}

static void *bytes_of(struct piece *piece, size_t length)
{
	if (!piece)
		return NULL;
	piece->length = length;
	return piece->bytes;
}

void *wiping_malloc(size_t length)
{
	if (length > SIZE_MAX - sizeof(struct piece))
		return NULL;
	return bytes_of(malloc(sizeof(struct piece) + length), length);
}

void *wiping_calloc(size_t count, size_t size)
{
	size_t length;

	if (__builtin_mul_overflow(count, size, &length) ||
	    length > SIZE_MAX - sizeof(struct piece))
		return NULL;
	return bytes_of(calloc(1, sizeof(struct piece) + length), length);
}

void wiping_free(void *bytes)
{
	if (!bytes)
		return;
	explicit_bzero(bytes, piece_of(bytes)->length);
	free(piece_of(bytes));
}

/* Never in place: what realloc() leaves behind cannot be wiped. */
void *wiping_realloc(void *bytes, size_t length)
{
	void *copy = wiping_malloc(length);
	size_t kept;

	if (!copy || !bytes)
		return copy;
	kept = piece_of(bytes)->length;
	memcpy(copy, bytes, kept < length ? kept : length);
	wiping_free(bytes);
	return copy;
}

char *wiping_strdup(const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = wiping_malloc(size);

	return copy ? memcpy(copy, text, size) : NULL;
}
