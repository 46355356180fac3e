/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The heap of a program that handles secrets: what is given back is wiped,
 * whoever gives it back. Our own code keeps plaintext in the pool; libraries
 * do not know of it.
 *
 * These take the place of the C library's in the program that they are linked
 * into. Sanitizers have a heap of their own, which they must keep; elsewhere
 * than with glibc net/wiping.h remains.
 */
#include <stdlib.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HEAP_IS_TAKEN
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) ||           \
	!defined(__GLIBC__)
#define HEAP_IS_TAKEN
#endif

#ifndef HEAP_IS_TAKEN

#include <malloc.h>
#include <string.h>

/* What glibc exports for this (malloc.c of glibc); in none of its headers. */
void __libc_free(void *piece);

static void wipe_and_free(void *piece)
{
	if (!piece)
		return;
	explicit_bzero(piece, malloc_usable_size(piece));
	__libc_free(piece);
}

/* What moves is wiped where it was. */
static void *wipe_and_move(void *piece, size_t size)
{
	size_t had = piece ? malloc_usable_size(piece) : 0;
	void *moved;

	if (!piece)
		return malloc(size);
	if (size == 0) {
		wipe_and_free(piece);
		return NULL;
	}
	if (size <= had && size >= had / 2) {
		explicit_bzero((char *)piece + size, had - size);
		return piece;
	}
	moved = malloc(size);
	if (!moved)
		return NULL;
	memcpy(moved, piece, had < size ? had : size);
	wipe_and_free(piece);
	return moved;
}

__typeof__(free) free __attribute__((alias("wipe_and_free")));
__typeof__(realloc) realloc __attribute__((alias("wipe_and_move")));

#endif
