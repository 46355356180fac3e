/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The linker's --wrap puts these functions between our objects and libc (or
 * the sanitizers' allocator, which so keeps watching).
 */
#include "tests/test.h"

#include "tests/fail_alloc.h"

#include "base/annex.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* More than any attempt makes. */
#define REQUESTS_MAX 10000

static struct {
	unsigned refused; /* the request that is, counted from 1; 0: none */
	bool is_for_good; /* and all after it */
	bool is_paused;
	unsigned requests;
	long held; /* pieces that were given and not taken back */
} memory;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *piece, size_t size);
void *__real_reallocarray(void *piece, size_t count, size_t size);
char *__real_strdup(const char *text);
void __real_free(void *piece);
void *__real_pool_alloc(size_t size);
bool __real_pool_extend(void *piece, size_t size);
void __real_pool_free(void *piece, size_t size);
void *__real_annex_take(enum annex_part part, size_t size);
void __real_annex_give(enum annex_part part, void *piece);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *piece, size_t size);
void *__wrap_reallocarray(void *piece, size_t count, size_t size);
char *__wrap_strdup(const char *text);
int __wrap_asprintf(char **ret, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
int __wrap___asprintf_chk(char **ret, int flag, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void __wrap_free(void *piece);
void *__wrap_pool_alloc(size_t size);
bool __wrap_pool_extend(void *piece, size_t size);
void __wrap_pool_free(void *piece, size_t size);
void *__wrap_annex_take(enum annex_part part, size_t size);
void __wrap_annex_give(enum annex_part part, void *piece);

static bool is_refused(void)
{
	if (memory.is_paused)
		return false;
	memory.requests++;
	if (memory.refused == 0 || memory.requests < memory.refused ||
	    (memory.requests > memory.refused && !memory.is_for_good))
		return false;
	errno = ENOMEM;
	return true;
}

static void *give(void *piece)
{
	if (piece)
		memory.held++;
	return piece;
}

void *__wrap_malloc(size_t size)
{
	return is_refused() ? NULL : give(__real_malloc(size));
}

void *__wrap_calloc(size_t count, size_t size)
{
	return is_refused() ? NULL : give(__real_calloc(count, size));
}

void *__wrap_realloc(void *piece, size_t size)
{
	if (is_refused())
		return NULL;
	return piece ? __real_realloc(piece, size) : give(__real_malloc(size));
}

void *__wrap_reallocarray(void *piece, size_t count, size_t size)
{
	if (is_refused())
		return NULL;
	return piece ? __real_reallocarray(piece, count, size)
		     : give(__real_reallocarray(NULL, count, size));
}

char *__wrap_strdup(const char *text)
{
	return is_refused() ? NULL : give(__real_strdup(text));
}

/* As where glibc fails: what ret points to is of no use. */
static int print(char **ret, const char *format, va_list args)
{
	int length;

	if (is_refused())
		return -1;
	length = vasprintf(ret, format, args);
	if (length >= 0)
		(void)give(*ret);
	return length;
}

int __wrap_asprintf(char **ret, const char *format, ...)
{
	va_list args;
	int length;

	va_start(args, format);
	length = print(ret, format, args);
	va_end(args);
	return length;
}

int __wrap___asprintf_chk(char **ret, int flag, const char *format, ...)
{
	va_list args;
	int length;

	(void)flag;
	va_start(args, format);
	length = print(ret, format, args);
	va_end(args);
	return length;
}

void __wrap_free(void *piece)
{
	if (piece)
		memory.held--;
	__real_free(piece);
}

/* The pool opens once, and keeps what it has: what it gives is what counts. */
void *__wrap_pool_alloc(size_t size)
{
	return is_refused() ? NULL : give(__real_pool_alloc(size));
}

bool __wrap_pool_extend(void *piece, size_t size)
{
	return !is_refused() && __real_pool_extend(piece, size);
}

void __wrap_pool_free(void *piece, size_t size)
{
	if (piece)
		memory.held--;
	__real_pool_free(piece, size);
}

void *__wrap_annex_take(enum annex_part part, size_t size)
{
	return is_refused() ? NULL : give(__real_annex_take(part, size));
}

void __wrap_annex_give(enum annex_part part, void *piece)
{
	if (piece)
		memory.held--;
	__real_annex_give(part, piece);
}

static int run(alloc_attempt *attempt, void *owner, unsigned refused,
	       bool is_for_good)
{
	long before = memory.held;
	int r;

	memory.requests = 0;
	memory.refused = refused;
	memory.is_for_good = is_for_good;
	r = attempt(owner);
	memory.refused = 0;
	if ((r != 0 && r != -ENOMEM) || memory.held != before)
		fail_msg("request %u refused%s: result %d, %ld pieces left",
			 refused, is_for_good ? " for good" : "", r,
			 memory.held - before);
	return r;
}

unsigned fail_each_alloc(alloc_attempt *attempt, void *owner)
{
	unsigned failures = 0;

	/* What is made once in a process is no leak. */
	(void)attempt(owner);
	for (unsigned refused = 1; refused < REQUESTS_MAX; refused++) {
		failures += run(attempt, owner, refused, true) != 0;
		failures += run(attempt, owner, refused, false) != 0;
		if (memory.requests < refused)
			break;
	}
	assert_int_equal(run(attempt, owner, 0, false), 0);
	return failures;
}

void fail_alloc_pause(void)
{
	memory.is_paused = true;
}

void fail_alloc_resume(void)
{
	memory.is_paused = false;
}
