/* SPDX-License-Identifier: Apache-2.0 */
/* What expressions cannot do to the program: use up its stack, its time, or its
 * memory. Each limit is reached, then passed. */
#include "tests/jmespath_fixture.h"
#include "tests/test.h"

#include "base/jdoc.h"
#include "base/macros.h"

#include <errno.h>
#include <string.h>

/* before, then part so many times, then after. */
static void repeat(struct buf *out, const char *before, const char *part,
		   size_t count, const char *after)
{
	buf_init(out, 8U << 20);
	assert_int_equal(buf_append_text(out, before), 0);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(buf_append_text(out, part), 0);
	assert_int_equal(buf_append_text(out, after), 0);
}

static void assert_refused_repeat(const char *before, const char *part,
				  size_t count, const char *document,
				  const char *beginning)
{
	cleanup_buf struct buf expression = { 0 };

	repeat(&expression, before, part, count, "");
	assert_refused(buf_text(&expression), document, -E2BIG, beginning);
}

/* As assert_refused(), for a limit whose error gives this reason. */
static void assert_limit(const char *expression, const char *document,
			 const char *reason)
{
	struct answer answer;

	ask(expression, document, &answer);
	if (answer.r != -E2BIG || answer.err.code != -E2BIG ||
	    strncmp(answer.err.text, "limit at byte ", 14) != 0 ||
	    !strstr(answer.err.text, reason))
		fail_msg("%s: %d, \"%s\" instead of \"%s\"", expression,
			 answer.r, answer.err.text, reason);
	assert_int_equal(answer.out.length, 0);
	buf_done(&answer.out);
}

static void takes_expressions_up_to_their_length(void **state)
{
	cleanup_buf struct buf expression = { 0 };

	(void)state;
	repeat(&expression, "a", " ", JMESPATH_LENGTH_MAX - 1, "");
	assert_answer(buf_text(&expression), "{\"a\":1}", JMESPATH_JSON, "1");
	assert_refused_repeat("a", " ", JMESPATH_LENGTH_MAX, "{}", "limit at ");
}

/* "a.b" is two deep, so is "[b]". */
static void takes_expressions_up_to_their_depth(void **state)
{
	static const struct {
		const char *part;
		const char *after;
	} forms[] = {
		{ "a.", "a" },	    { "a|", "a" },   { "a||", "a" },
		{ "a[*].", "a" },   { "!", "a" },    { "a==", "a" },
		{ "a[?b].", "a" },  { "*.", "a" },   { "a[].", "a" },
		{ "a[0:1].", "a" }, { "(a)|", "a" }, { "a[0].", "a" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		cleanup_buf struct buf expression = { 0 };
		struct answer answer;

		repeat(&expression, "", forms[i].part, 60, forms[i].after);
		ask(buf_text(&expression), "{}", &answer);
		assert_int_equal(answer.r, 0);
		buf_done(&answer.out);
		buf_done(&expression);
		repeat(&expression, "", forms[i].part, JMESPATH_DEPTH_MAX,
		       forms[i].after);
		assert_refused(buf_text(&expression), "{}", -E2BIG, "limit ");
	}
}

static void takes_brackets_up_to_the_depth(void **state)
{
	static const char *const opens[] = { "(",   "[",   "[?",   "abs(",
					     "{a:", "a[?", "map(&" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(opens); i++) {
		assert_refused_repeat("", opens[i], JMESPATH_DEPTH_MAX + 1,
				      "{}", "limit at byte ");
		assert_refused_repeat("", opens[i], 2000, "{}",
				      "limit at byte ");
	}
}

static void takes_parentheses_up_to_exactly_the_depth(void **state)
{
	cleanup_buf struct buf left = { 0 };
	cleanup_buf struct buf both = { 0 };

	(void)state;
	repeat(&left, "", "(", JMESPATH_DEPTH_MAX - 1, "a");
	repeat(&both, buf_text(&left), ")", JMESPATH_DEPTH_MAX - 1, "");
	assert_answer(buf_text(&both), "{\"a\":1}", JMESPATH_JSON, "1");
	buf_done(&both);
	buf_done(&left);
	repeat(&left, "", "(", JMESPATH_DEPTH_MAX, "a");
	repeat(&both, buf_text(&left), ")", JMESPATH_DEPTH_MAX, "");
	assert_refused(buf_text(&both), "{\"a\":1}", -E2BIG, "limit ");
}

static void makes_values_up_to_their_depth(void **state)
{
	cleanup_buf struct buf expression = { 0 };
	cleanup_buf struct buf lists = { 0 };
	cleanup_buf struct buf expected = { 0 };

	(void)state;
	repeat(&expression, "@", "|[@]", JMESPATH_MADE_DEPTH_MAX, "");
	repeat(&lists, "", "[", JMESPATH_MADE_DEPTH_MAX, "1");
	repeat(&expected, buf_text(&lists), "]", JMESPATH_MADE_DEPTH_MAX, "");
	assert_answer(buf_text(&expression), "1", JMESPATH_JSON,
		      buf_text(&expected));
	assert_refused_repeat("@", "|[@]", JMESPATH_MADE_DEPTH_MAX + 1, "1",
			      "limit ");
	assert_refused_repeat("@", "|{a:@}", JMESPATH_MADE_DEPTH_MAX + 1, "1",
			      "limit ");
}

static void takes_literals_up_to_the_depth_of_documents(void **state)
{
	cleanup_buf struct buf expression = { 0 };

	(void)state;
	repeat(&expression, "`", "[", JDOC_DEPTH_MAX + 1, "`");
	assert_limit(buf_text(&expression), "1", "too deep");
}

/* Each level doubles what the one before holds, by reference: it takes no
 * memory, but comparing or writing it would take 2^40 steps. */
static void stops_at_values_that_hold_themselves_many_times(void **state)
{
	cleanup_buf struct buf doubled = { 0 };
	cleanup_buf struct buf compared = { 0 };
	cleanup_buf struct buf written = { 0 };

	(void)state;
	repeat(&doubled, "@", "|[@,@]", 40, "");
	repeat(&compared, buf_text(&doubled), "|@==@", 1, "");
	repeat(&written, buf_text(&doubled), "|to_string(@)", 1, "");
	assert_refused(buf_text(&doubled), "1", -EFBIG, "the result");
	assert_limit(buf_text(&compared), "1", "this takes too many steps");
	assert_limit(buf_text(&written), "1", "this makes too much text");
}

/* A document of so many numbers in an array. */
static void make_numbers(struct buf *out, size_t count)
{
	repeat(out, "[0", ",0", count - 1, "]");
}

static void stops_after_so_many_steps(void **state)
{
	cleanup_buf struct buf document = { 0 };
	cleanup_buf struct buf expression = { 0 };

	(void)state;
	make_numbers(&document, 10000);
	assert_answer("length([?@ == `0`])", buf_text(&document), JMESPATH_JSON,
		      "10000");
	assert_answer("length(sort(@))", buf_text(&document), JMESPATH_JSON,
		      "10000");
	repeat(&expression, "[", "contains(@, `1`), ", 120, "@] | length(@)");
	assert_limit(buf_text(&expression), buf_text(&document),
		     "this takes too many steps");
}

static void stops_when_so_much_memory_is_taken(void **state)
{
	cleanup_buf struct buf document = { 0 };
	cleanup_buf struct buf expression = { 0 };

	(void)state;
	make_numbers(&document, 10000);
	repeat(&expression, "[@[:],", "@[:],", 50, "@] | length(@)");
	assert_limit(buf_text(&expression), buf_text(&document),
		     "this makes too many values");
}

static void stops_when_so_much_text_is_made(void **state)
{
	cleanup_buf struct buf document = { 0 };

	(void)state;
	repeat(&document, "\"", "0123456789abcdef", 4096, "\"");
	assert_answer("length(join('', [@, @, @, @, @, @, @]))",
		      buf_text(&document), JMESPATH_JSON, "458752");
	assert_limit("[@,@,@,@,@,@,@,@,@,@,@,@,@,@,@,@,@] | join('', @)",
		     buf_text(&document), "this makes too much text");
	assert_limit("map(&reverse(@), [@,@,@,@,@,@,@,@,@,@,@,@,@,@,@,@,@])",
		     buf_text(&document), "this makes too much text");
}

static void reads_objects_with_many_names_at_once(void **state)
{
	cleanup_buf struct buf document = { 0 };

	(void)state;
	repeat(&document, "{\"a\":0", ",\"b\":1,\"\\u0062\":2", 10000, "}");
	assert_answer("keys(@)", buf_text(&document), JMESPATH_JSON,
		      "[\"a\",\"b\"]");
	assert_answer("@ == {a: `0`, b: `2`}", buf_text(&document),
		      JMESPATH_JSON, "true");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_expressions_up_to_their_length),
		cmocka_unit_test(takes_expressions_up_to_their_depth),
		cmocka_unit_test(takes_brackets_up_to_the_depth),
		cmocka_unit_test(takes_parentheses_up_to_exactly_the_depth),
		cmocka_unit_test(makes_values_up_to_their_depth),
		cmocka_unit_test(takes_literals_up_to_the_depth_of_documents),
		cmocka_unit_test(
			stops_at_values_that_hold_themselves_many_times),
		cmocka_unit_test(stops_after_so_many_steps),
		cmocka_unit_test(stops_when_so_much_memory_is_taken),
		cmocka_unit_test(stops_when_so_much_text_is_made),
		cmocka_unit_test(reads_objects_with_many_names_at_once),
	};

	return cmocka_run_group_tests_name("jmespath_limits", tests, NULL,
					   NULL);
}
