/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every allocation fails once: the request must end in -ENOMEM, and nothing may
 * leak or be appended. The pool is this file's; so is the heap, but under
 * AddressSanitizer, which needs its own.
 */
#include "tests/test.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/jdoc.h"
#include "base/macros.h"
#include "base/pool.h"
#include "jmespath/jmespath.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Counts down; the allocation that finds it at 0 fails. Negative: none does. */
static long left = -1;

static bool is_refused(void)
{
	return left >= 0 && left-- == 0;
}

void *pool_alloc(size_t size)
{
	return is_refused() ? NULL : calloc(1, size);
}

void pool_free(void *bytes, size_t size)
{
	(void)size;
	free(bytes);
}

bool pool_extend(void *bytes, size_t size)
{
	(void)bytes;
	(void)size;
	return false;
}

bool pool_is_locked(void)
{
	return true;
}

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HEAP_IS_TAKEN
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define HEAP_IS_TAKEN
#endif

#ifndef HEAP_IS_TAKEN
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t nmemb, size_t size);
void *__libc_realloc(void *ptr, size_t size);

void *malloc(size_t size)
{
	return is_refused() ? NULL : __libc_malloc(size);
}

void *calloc(size_t nmemb, size_t size)
{
	return is_refused() ? NULL : __libc_calloc(nmemb, size);
}

void *realloc(void *ptr, size_t size)
{
	return is_refused() ? NULL : __libc_realloc(ptr, size);
}
#endif

static const char document[] =
	"{\"a\":[\"\\u0041\",\"b\"],\"b\":{\"\\u0041\":1},\"n\":[1,2.5]}";

/* One compile and one search, with one allocation that fails. */
static int run(const char *expression, const struct jdoc *doc, struct buf *out,
	       struct err *err)
{
	struct jmespath *compiled = NULL;
	enum jmespath_kind kind;
	int r = jmespath_compile(expression, strlen(expression), &compiled,
				 err);

	if (r == 0)
		r = jmespath_search(compiled, doc, out, &kind, err);
	jmespath_free(compiled);
	return r;
}

/* How many allocations had to succeed before the whole did. */
static long count_failures(const char *expression, const struct jdoc *doc)
{
	for (long at = 0;; at++) {
		cleanup_buf struct buf out = { .limit = 1000 };
		struct err err = { 0 };
		int r;

		left = at;
		r = run(expression, doc, &out, &err);
		if (left >= 0) {
			left = -1;
			assert_int_equal(r, 0);
			return at;
		}
		if (r != -ENOMEM || err.code != -ENOMEM || out.length)
			fail_msg("%s: %d when allocation %ld fails", expression,
				 r, at);
		assert_string_equal(err.text, "no memory for JMESPath");
	}
}

static void fails_when_any_allocation_does(void **state)
{
	static const char *const expressions[] = {
		"a[0]",
		"\"\\u0061\"[]",
		"`[1]`[0]",
		"[a, 'b', `{}`]",
		"{x: a, y: b}",
		"a[*] | sort(@)",
		"keys(b)",
		"merge(b, {z: a})",
		"b.* | [0]",
		"join('-', a)",
		"to_string(@)",
		"sum(n)",
		"a[].to_number(@)",
		"sort_by(a, &reverse(@))",
		"b == {A: `1`}",
		"a[?@ == 'A']",
		"a[::-1]",
		"length(b)",
	};
	cleanup_jdoc struct jdoc *doc = NULL;

	(void)state;
	assert_int_equal(jdoc_parse(document, strlen(document), &doc, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(expressions); i++)
		assert_true(count_failures(expressions[i], doc) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fails_when_any_allocation_does),
	};

	return cmocka_run_group_tests_name("jmespath_memory", tests, NULL,
					   NULL);
}
