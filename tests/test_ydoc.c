/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "base/err.h"
#include "base/macros.h"
#include "config/arena.h"
#include "config/ydoc.h"
#include "config/ydoc_scalar.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MEMORY_MAX ((size_t)4 << 20)

struct parsed {
	struct arena arena;
	const struct ydoc_node *first;
	unsigned line;
	struct err err;
};

static int parse(struct parsed *parsed, const char *bytes, size_t length)
{
	const struct ydoc_text text = { .bytes = bytes,
					.length = length,
					.first_line = 1 };

	*parsed = (struct parsed){ 0 };
	arena_init(&parsed->arena, MEMORY_MAX);
	return ydoc_parse(&text, &parsed->arena, &parsed->first, &parsed->line,
			  &parsed->err);
}

static void makes_a_tree_with_lines(void **state)
{
	static const char text[] = "a: [x, y]\n"
				   "b:\n"
				   "  c: |\n"
				   "    z\n"
				   "---\n"
				   "'w'\n";
	struct parsed parsed;
	const struct ydoc_node *node;

	(void)state;
	assert_int_equal(parse(&parsed, text, strlen(text)), 0);
	node = parsed.first;
	assert_int_equal(node->kind, YDOC_MAP);
	assert_int_equal(node->count, 2);
	assert_string_equal(node->first->key, "a");
	assert_int_equal(node->first->kind, YDOC_LIST);
	assert_int_equal(node->first->count, 2);
	assert_string_equal(node->first->first->next->text, "y");
	assert_null(node->first->first->key);
	assert_string_equal(node->first->next->key, "b");
	assert_string_equal(node->first->next->first->text, "z\n");
	assert_int_equal(node->first->next->first->line, 3);
	assert_int_equal(node->first->next->first->style, YDOC_LITERAL);
	assert_string_equal(node->next->text, "w");
	assert_int_equal(node->next->style, YDOC_QUOTED);
	assert_int_equal(node->next->line, 6);
	assert_null(node->next->next);
	arena_done(&parsed.arena);
}

static void copies_what_an_alias_names(void **state)
{
	static const char text[] = "a: &x {k: [1, 2]}\nb: *x\n";
	struct parsed parsed;
	const struct ydoc_node *b;

	(void)state;
	assert_int_equal(parse(&parsed, text, strlen(text)), 0);
	b = parsed.first->first->next;
	assert_string_equal(b->key, "b");
	assert_string_equal(b->first->key, "k");
	assert_int_equal(b->first->count, 2);
	assert_string_equal(b->first->first->next->text, "2");
	assert_ptr_not_equal(b->first, parsed.first->first->first);
	arena_done(&parsed.arena);
}

static void merges_maps(void **state)
{
	/* each is {k: 1, l: 2} in the end, in any order */
	static const char *const texts[] = {
		"{<<: {k: 1, l: 2}}",
		"{k: 1, <<: {k: 3, l: 2}}",
		"{<<: {k: 3, l: 2}, k: 1}",
		"{<<: [{k: 1}, {k: 3, l: 2}]}",
		"{<<: {k: 1}, <<: {k: 3, l: 2}}",
		"{<<: {<<: {l: 2, k: 3}, k: 1}}",
		"{<<: {}, <<: [], k: 1, l: 2}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct parsed parsed;
		unsigned count = 0;

		assert_int_equal(parse(&parsed, texts[i], strlen(texts[i])), 0);
		assert_int_equal(parsed.first->count, 2);
		for (const struct ydoc_node *node = parsed.first->first; node;
		     node = node->next, count++)
			assert_string_equal(node->text,
					    *node->key == 'k' ? "1" : "2");
		assert_int_equal(count, 2);
		arena_done(&parsed.arena);
	}
}

static void a_merge_key_in_quotes_is_a_key(void **state)
{
	static const char text[] = "{'<<': {k: 1}}";
	struct parsed parsed;

	(void)state;
	assert_int_equal(parse(&parsed, text, strlen(text)), 0);
	assert_int_equal(parsed.first->count, 1);
	assert_string_equal(parsed.first->first->key, "<<");
	arena_done(&parsed.arena);
}

/* count times what, between before and after. */
static char *repeat(const char *before, const char *what, size_t count,
		    const char *after)
{
	size_t size = strlen(before) + count * strlen(what) + strlen(after) + 1;
	char *text = malloc(size);
	char *at = text;

	assert_non_null(text);
	at += snprintf(at, size, "%s", before);
	for (size_t i = 0; i < count; i++, at += strlen(what))
		memcpy(at, what, strlen(what));
	(void)snprintf(at, strlen(after) + 1, "%s", after);
	return text;
}

static void keeps_to_its_bounds(void **state)
{
	const struct {
		char *text;
		const char *error; /* NULL: taken */
		unsigned line;
	} cases[] = {
		{ repeat("", "[", 64, "]"), "did not find expected ',' or ']'",
		  2 },
		{ repeat("", "[", 65, "]"), "nested deeper than 64 levels", 1 },
		{ repeat("", "- ", 65, "a"), "nested deeper than 64 levels",
		  1 },
		{ repeat("", "[", 200000, ""), "nested deeper than 64 levels",
		  1 },
		{ repeat("[", "a,", 39990, "]"), NULL, 0 },
		{ repeat("[", "a,\n", 40000, "]"),
		  "more than 40000 values in one file", 39998 },
		{ repeat("", "- &a b\n", 64, ""), NULL, 0 },
		{ repeat("", "- &a b\n", 65, ""),
		  "more than 64 anchors in one document", 65 },
		{ repeat("- &a b\n", "- *a\n", 100, ""), NULL, 0 },
		{ repeat("- &a b\n", "- *a\n", 101, ""),
		  "more than 100 aliases in one file", 102 },
		{ repeat("", "%TAG !a! b\n", 17, "--- a\n"),
		  "more than 16 lines begin with '%'", 17 },
		{ repeat("a: &a [1,2,3,4,5,6,7,8]\n",
			 "b: &a [*a,*a,*a,*a,*a,*a,*a,*a]\n", 12, ""),
		  "more than 40000 values in one file", 5 },
		{ repeat("<<: {", "a: b,\n", 65, "}\n"),
		  "a merge (<<) of maps of more than 64 keys", 1 },
		{ repeat("{<<: {}", ",a: b\n", 65, "}\n"),
		  "a merge (<<) of maps of more than 64 keys", 1 },
		{ repeat("- &a [[1]]\n", "- &a [*a]\n", 62, ""),
		  "nested deeper than 64 levels", 63 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct parsed parsed;
		int r = parse(&parsed, cases[i].text, strlen(cases[i].text));

		assert_string_equal(parsed.err.text,
				    cases[i].error ? cases[i].error : "");
		assert_int_equal(parsed.line, cases[i].line);
		assert_int_equal(r, parsed.err.code);
		arena_done(&parsed.arena);
		free(cases[i].text);
	}
}

static void refuses_what_is_not_YAML_or_not_text(void **state)
{
	static const struct {
		const char *text;
		size_t length;
		const char *error;
		unsigned line;
	} cases[] = {
		{ "a: b\nc: d: e\n", 12,
		  "mapping values are not allowed in this context", 2 },
		{ "a\n\xff", 3, "invalid leading UTF-8 octet", 2 },
		{ "a\n\0", 3, "control characters are not allowed", 2 },
		{ "\"\\0\"", 4, "a NUL byte in a text", 1 },
		{ "a: *b", 5, "unknown alias 'b'", 1 },
		{ "&a [*a]", 7, "unknown alias 'a'", 1 },
		{ "{[a]: b}", 8, "a list where a key is wanted", 1 },
		{ "? {a: b}\n", 9, "a map where a key is wanted", 1 },
		{ "- &a [b]\n- {*a : c}\n", 20, "a list where a key is wanted",
		  2 },
		{ "a: &x [b]\nd:\n  <<: *x\n", 22,
		  "a merge (<<) of what is not a map", 1 },
		{ "a:\n  <<: b\n", 11, "a merge (<<) of what is not a map", 2 },
		{ "\xff\xfe"
		  "a\0",
		  4, "invalid leading UTF-8 octet", 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct parsed parsed;

		assert_int_equal(parse(&parsed, cases[i].text, cases[i].length),
				 -EINVAL);
		assert_string_equal(parsed.err.text, cases[i].error);
		assert_int_equal(parsed.line, cases[i].line);
		assert_null(parsed.first);
		arena_done(&parsed.arena);
	}
}

static void refuses_what_does_not_fit_into_the_arena(void **state)
{
	const struct ydoc_text text = { .bytes = "[a,b,c]", .length = 7 };
	const struct ydoc_node *first = NULL;
	unsigned line;

	(void)state;
	for (size_t limit = 0;; limit += 16) {
		struct arena arena;
		struct err err;
		int r;

		arena_init(&arena, limit);
		r = ydoc_parse(&text, &arena, &first, &line, &err);
		assert_true(arena.used <= limit);
		arena_done(&arena);
		if (r == 0)
			break;
		assert_int_equal(r, -E2BIG);
		assert_string_equal(err.text, "needs more memory than a class "
					      "file may take");
		assert_true(limit < 1024);
	}
}

static void reads_scalars_as_the_provider_does(void **state)
{
	static const struct {
		const char *written;
		const char *text; /* NULL: null */
	} cases[] = {
		{ "abc", "abc" },
		{ "", NULL },
		{ "~", NULL },
		{ "null", NULL },
		{ "Null", NULL },
		{ "nULL", "nULL" },
		{ "'~'", "~" },
		{ "''", "" },
		{ "yes", "true" },
		{ "On", "true" },
		{ "y", "true" },
		{ "off", "false" },
		{ "FALSE", "false" },
		{ "'yes'", "yes" },
		{ "!!str yes", "yes" },
		{ "3", "3" },
		{ "+3", "3" },
		{ "-3", "-3" },
		{ "-0", "0" },
		{ "0600", "384" },
		{ "'0600'", "0600" },
		{ "0o600", "384" },
		{ "0x1F", "31" },
		{ "0b101", "5" },
		{ "08", "8" },
		{ "0", "0" },
		{ "1_000", "1000" },
		{ "18446744073709551615", "18446744073709551615" },
		{ "18446744073709551616", "1.8446744073709552e+19" },
		{ "-9223372036854775808", "-9223372036854775808" },
		{ "1.50", "1.5" },
		{ "1.", "1" },
		{ ".5", "0.5" },
		{ "-1.25", "-1.25" },
		{ "1e3", "1000" },
		{ "1e6", "1e+06" },
		{ "0.0001", "0.0001" },
		{ "0.00001", "1e-05" },
		{ "1e999", "1e999" },
		{ "1.2.3", "1.2.3" },
		{ "2024-01-02", "2024-01-02" },
		{ "1e", "1e" },
		{ ".npmrc", ".npmrc" },
		{ "12ab", "12ab" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct ydoc_node *node;
		struct parsed parsed;
		char text[64];

		(void)snprintf(text, sizeof(text), "[a: %s]", cases[i].written);
		assert_int_equal(parse(&parsed, text, strlen(text)), 0);
		node = parsed.first->first->first;
		assert_int_equal(ydoc_is_null(node), !cases[i].text);
		if (cases[i].text)
			assert_string_equal(
				ydoc_scalar_text(node, &parsed.arena),
				cases[i].text);
		arena_done(&parsed.arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(makes_a_tree_with_lines),
		cmocka_unit_test(copies_what_an_alias_names),
		cmocka_unit_test(merges_maps),
		cmocka_unit_test(a_merge_key_in_quotes_is_a_key),
		cmocka_unit_test(keeps_to_its_bounds),
		cmocka_unit_test(refuses_what_is_not_YAML_or_not_text),
		cmocka_unit_test(refuses_what_does_not_fit_into_the_arena),
		cmocka_unit_test(reads_scalars_as_the_provider_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
