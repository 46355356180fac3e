/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/jmespath_fixture.h"
#include "tests/test.h"

#include "base/jdoc.h"
#include "base/macros.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct example {
	const char *expression;
	const char *document;
	const char *expected; /* NULL: null */
};

static void assert_json(const struct example *examples, size_t count)
{
	for (size_t i = 0; i < count; i++)
		assert_answer(examples[i].expression, examples[i].document,
			      examples[i].expected ? JMESPATH_JSON
						   : JMESPATH_NULL,
			      examples[i].expected);
}

static void assert_strings(const struct example *examples, size_t count)
{
	for (size_t i = 0; i < count; i++)
		assert_answer(examples[i].expression, examples[i].document,
			      JMESPATH_STRING, examples[i].expected);
}

static void picks_strings_byte_for_byte(void **state)
{
	static const struct example examples[] = {
		{ "a", "{\"a\":\"x\"}", "x" },
		{ "a", "{\"a\":\"\"}", "" },
		{ "a", "{\"a\":\" x\\n\"}", " x\n" },
		{ "a", "{\"a\":\"\\u0041\\/\\\"\"}", "A/\"" },
		{ "a.b.c", "{\"a\":{\"b\":{\"c\":\"deep\"}}}", "deep" },
		{ "a[1]", "{\"a\":[\"x\",\"y\"]}", "y" },
		{ "a[-2]", "{\"a\":[\"x\",\"y\"]}", "x" },
		{ "\"a.b\"", "{\"a.b\":\"dot\"}", "dot" },
		{ "\"\\u00e9\"", "{\"\xc3\xa9\":\"e\"}", "e" },
		{ "a", "{\"a\":\"first\",\"\\u0061\":\"last\"}", "last" },
		{ "@", "\"root\"", "root" },
		{ "'it\\'s'", "0", "it's" },
		{ "'\\z\\\\'", "0", "\\z\\\\" },
		{ "`\"\\`\\u0041\"`", "0", "`A" },
	};

	(void)state;
	assert_strings(examples, ARRAY_SIZE(examples));
}

static void keeps_a_nul_inside_a_string(void **state)
{
	struct answer answer;

	(void)state;
	ask("a", "{\"a\":\"x\\u0000y\"}", &answer);
	assert_int_equal(answer.kind, JMESPATH_STRING);
	assert_int_equal(answer.out.length, 3);
	assert_memory_equal(answer.out.bytes, "x\0y", 3);
	buf_done(&answer.out);
	assert_answer("[a]", "{\"a\":\"x\\u0000y\"}", JMESPATH_JSON,
		      "[\"x\\u0000y\"]");
	assert_answer("[reverse(a)]", "{\"a\":\"x\\u0000y\"}", JMESPATH_JSON,
		      "[\"y\\u0000x\"]");
}

static void keeps_the_text_of_what_it_picks(void **state)
{
	static const struct example examples[] = {
		{ "a", "{\"a\": 12345678901234567890}",
		  "12345678901234567890" },
		{ "a", "{\"a\":1.10}", "1.10" },
		{ "a", "{\"a\":1E+400}", "1E+400" },
		{ "a", "{\"a\":-0}", "-0" },
		{ "a", "{\"a\":[ 1 , 2.0 ]}", "[ 1 , 2.0 ]" },
		{ "a", "{\"a\":{ \"z\" : 1, \"b\":\t2 }}",
		  "{ \"z\" : 1, \"b\":\t2 }" },
		{ "a", "{\"a\":true}", "true" },
		{ "a", "{\"a\":false}", "false" },
		{ "[a, b]", "{\"a\":1.10,\"b\":[ 1 ]}", "[1.10,[ 1 ]]" },
		{ "a[*]", "{\"a\":[ 1.0 , \"\\u0041\" ]}",
		  "[1.0,\"\\u0041\"]" },
		{ "{x: a}", "{\"a\":9007199254740993}",
		  "{\"x\":9007199254740993}" },
		{ "max([a, b])",
		  "{\"a\":9007199254740993,\"b\":9007199254740992}",
		  "9007199254740993" },
		{ "sort(a)", "{\"a\":[2.50, 2.5e0, 1.0]}", "[1.0,2.50,2.5e0]" },
		{ "abs(a)", "{\"a\":-12345678901234567890.10}",
		  "12345678901234567890.10" },
		{ "ceil(a)", "{\"a\":12345678901234567890}",
		  "12345678901234567890" },
		{ "to_number(a)", "{\"a\":\"1.10\"}", "1.10" },
	};

	(void)state;
	assert_json(examples, ARRAY_SIZE(examples));
	assert_answer("to_string(a)", "{\"a\":1.10}", JMESPATH_STRING, "1.10");
	assert_answer("to_string(a)", "{\"a\":12345678901234567890}",
		      JMESPATH_STRING, "12345678901234567890");
}

static void writes_what_it_makes_without_blanks(void **state)
{
	static const struct example examples[] = {
		{ "{a: x, \"b c\": 'y'}", "{\"x\": 1}",
		  "{\"a\":1,\"b c\":\"y\"}" },
		{ "{a: x, a: y}", "{\"x\":1,\"y\":2}", "{\"a\":2}" },
		{ "['\"']", "0", "[\"\\\"\"]" },
		{ "['\b\f\n\r\t\x01\x7f\xc3\xa9']", "0",
		  "[\"\\b\\f\\n\\r\\t\\u0001\x7f\xc3\xa9\"]" },
		{ "['\\\\']", "0", "[\"\\\\\\\\\"]" },
		{ "[]", "[[1],[],[2,[3]]]", "[1,2,[3]]" },
		{ "*", "{}", "[]" },
		{ "[`null`, `true`, `false`]", "0", "[null,true,false]" },
		{ "[nothing]", "{}", "[null]" },
		{ "merge(@, {b: '2'})", "{\"a\": 1}", "{\"a\":1,\"b\":\"2\"}" },
	};

	(void)state;
	assert_json(examples, ARRAY_SIZE(examples));
}

static void computes_in_shortest_doubles(void **state)
{
	static const struct example examples[] = {
		{ "sum(@)", "[]", "0" },
		{ "sum(@)", "[-0.0]", "0" },
		{ "sum(@)", "[1.5,2.5]", "4" },
		{ "sum(@)", "[0.1,0.2]", "0.30000000000000004" },
		{ "sum(@)", "[0.1]", "0.1" },
		{ "sum(@)", "[1e15,0.0]", "1000000000000000" },
		{ "sum(@)", "[1e21]", "1e+21" },
		{ "sum(@)", "[1e-7]", "1e-07" },
		{ "sum(@)", "[9007199254740991,1]", "9007199254740992" },
		{ "sum(@)", "[-1e300]", "-1e+300" },
		{ "avg(@)", "[1,2]", "1.5" },
		{ "avg(@)", "[]", NULL },
		{ "ceil(@)", "1.2", "2" },
		{ "ceil(@)", "-1.5", "-1" },
		{ "ceil(@)", "-0.5", "0" },
		{ "ceil(@)", "1.0", "1" },
		{ "ceil(@)", "12e-1", "2" },
		{ "floor(@)", "1.9", "1" },
		{ "floor(@)", "-1.1", "-2" },
		{ "floor(@)", "1e300", "1e+300" },
		{ "length(@)", "\"\xf0\x9d\x84\x9e\xc3\xa9x\"", "3" },
	};

	(void)state;
	assert_json(examples, ARRAY_SIZE(examples));
}

static void compares_numbers_by_value_and_exactly(void **state)
{
	static const struct example examples[] = {
		{ "[0] == [1]", "[1,1.0]", "true" },
		{ "[0] == [1]", "[100,1E2]", "true" },
		{ "[0] == [1]", "[0.010,1e-2]", "true" },
		{ "[0] == [1]", "[0,-0.0e5]", "true" },
		{ "[0] == [1]", "[1,-1]", "false" },
		{ "[0] == [1]", "[10,1]", "false" },
		{ "[0] == [1]", "[9007199254740993,9007199254740992]",
		  "false" },
		{ "[0] != [1]", "[1,1.0]", "false" },
		{ "[0] < [1]", "[9007199254740992,9007199254740993]", "true" },
		{ "[0] < [1]", "[-2,-1]", "true" },
		{ "[0] < [1]", "[0.09,0.1]", "true" },
		{ "[0] < [1]", "[9.99,10]", "true" },
		{ "[0] < [1]", "[-1,0]", "true" },
		{ "[0] < [1]", "[0,0.001]", "true" },
		{ "[0] < [1]", "[1e400,1e401]", "true" },
		{ "[0] < [1]", "[1e-401,1e-400]", "true" },
		{ "[0] <= [1]", "[1.0,1]", "true" },
		{ "[0] >= [1]", "[1.0,1]", "true" },
		{ "[0] > [1]", "[1.0,1]", "false" },
		{ "[0] > [1]", "[1.01,1]", "true" },
		{ "[0] > [1]", "[1,\"0\"]", NULL },
		{ "[0] < [1]", "[\"a\",\"b\"]", NULL },
		{ "[0] == [1]", "[[1,{\"a\":2}],[1.0,{\"a\":2e0}]]", "true" },
		{ "sum([0]) == [1]", "[[1,2],3.0]", "true" },
	};

	(void)state;
	assert_json(examples, ARRAY_SIZE(examples));
}

static void compares_the_other_values_by_what_they_are(void **state)
{
	static const struct example examples[] = {
		{ "[0] == [1]", "[\"A\",\"\\u0041\"]", "true" },
		{ "[0] == [1]", "[\"A\",\"a\"]", "false" },
		{ "[0] == [1]", "[\"1\",1]", "false" },
		{ "[0] == [1]", "[true,false]", "false" },
		{ "[0] == [1]", "[null,null]", "true" },
		{ "[0] == [1]", "[[],{}]", "false" },
		{ "[0] == [1]", "[[1,2],[2,1]]", "false" },
		{ "[0] == [1]", "[[1,2],[1]]", "false" },
		{ "[0] == [1]", "[{\"a\":1,\"b\":2},{\"b\":2,\"\\u0061\":1}]",
		  "true" },
		{ "[0] == [1]", "[{\"a\":1},{\"a\":1,\"b\":2}]", "false" },
		{ "[0] == [1]", "[{\"a\":1},{\"b\":1}]", "false" },
		{ "[0] == [1]", "[{\"a\":0,\"a\":1},{\"a\":1}]", "true" },
		{ "[0] == {a: 'x'}", "[{\"a\":\"x\"}]", "true" },
		{ "[0] == ['x']", "[[\"x\"]]", "true" },
	};

	(void)state;
	assert_json(examples, ARRAY_SIZE(examples));
}

static void holds_as_false_what_is_empty(void **state)
{
	static const char *const falses[] = { "null", "false", "\"\"", "[]",
					      "{}" };
	static const char *const trues[] = { "true",  "0",	"-0.0",
					     "\"0\"", "[null]", "{\"a\":1}" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(falses); i++) {
		assert_answer("!@", falses[i], JMESPATH_JSON, "true");
		assert_answer("@ || 'or'", falses[i], JMESPATH_STRING, "or");
	}
	for (size_t i = 0; i < ARRAY_SIZE(trues); i++) {
		assert_answer("!@", trues[i], JMESPATH_JSON, "false");
		assert_answer("@ && 'and'", trues[i], JMESPATH_STRING, "and");
	}
	assert_answer("!* && 'made'", "{}", JMESPATH_STRING, "made");
	assert_answer("!{a: 'x'}", "{}", JMESPATH_JSON, "false");
	assert_answer("!merge(@)", "{}", JMESPATH_JSON, "true");
	assert_answer("!reverse(@)", "\"\"", JMESPATH_JSON, "true");
}

static void projects_and_slices(void **state)
{
	static const struct example examples[] = {
		{ "[*].a", "[{\"a\":1},{},{\"a\":null},{\"a\":2}]", "[1,2]" },
		{ "*.a", "{\"x\":{\"a\":1},\"y\":3}", "[1]" },
		{ "*", "{\"x\":1,\"x\":2}", "[2]" },
		{ "*.a", "[]", NULL },
		{ "[*]", "{}", NULL },
		{ "[]", "{}", NULL },
		{ "[?a > `1`].a", "[{\"a\":1},{\"a\":2},{\"a\":3}]", "[2,3]" },
		{ "[?a]", "{}", NULL },
		{ "[::2]", "[0,1,2,3,4]", "[0,2,4]" },
		{ "[::-2]", "[0,1,2,3,4]", "[4,2,0]" },
		{ "[-2:]", "[0,1,2,3,4]", "[3,4]" },
		{ "[:99999999999999999999]", "[0,1]", "[0,1]" },
		{ "[99999999999999999999]", "[0,1]", NULL },
		{ "[-99999999999999999999:]", "[0,1]", "[0,1]" },
		{ "[2]", "[0,1]", NULL },
		{ "[-3]", "[0,1]", NULL },
		{ "[0]", "{}", NULL },
		{ "[:]", "\"abc\"", NULL },
		{ "[*][0]", "[[1],[2]]", "[1,2]" },
		{ "[*] | [0]", "[[1],[2]]", "[1]" },
		{ "[][0]", "[[1],[[2]]]", "[2]" },
		{ "[[*].a, [0]]", "[{\"a\":1}]", "[[1],{\"a\":1}]" },
		{ "!a.b", "{\"a\":{\"b\":1}}", NULL },
		{ "(*)[0]", "{\"a\":[1]}", "[1]" },
	};

	(void)state;
	assert_json(examples, ARRAY_SIZE(examples));
}

static void has_the_functions_that_give_json(void **state)
{
	static const struct example examples[] = {
		{ "abs(@)", "-1", "1" },
		{ "abs(@)", "1", "1" },
		{ "contains(@, 'b')", "\"abc\"", "true" },
		{ "contains(@, '')", "\"\"", "true" },
		{ "contains(@, `1`)", "\"1\"", "false" },
		{ "contains(@, `1`)", "[1.0]", "true" },
		{ "ends_with(@, 'c')", "\"abc\"", "true" },
		{ "ends_with(@, 'abcd')", "\"abc\"", "false" },
		{ "keys(@)", "{\"b\":1,\"\\u0061\":2,\"b\":3}",
		  "[\"a\",\"b\"]" },
		{ "length(@)", "{\"b\":1,\"a\":2,\"b\":3}", "2" },
		{ "length(@)", "[null,null]", "2" },
		{ "map(&a, @)", "[{\"a\":1},{}]", "[1,null]" },
		{ "max(@)", "[1,3,2]", "3" },
		{ "max(@)", "[]", NULL },
		{ "max_by(@, &a)", "[{\"a\":1},{\"a\":2},{\"a\":2.0}]",
		  "{\"a\":2}" },
		{ "merge(@, {b: a})", "{\"a\":1,\"b\":0}",
		  "{\"a\":1,\"b\":1}" },
		{ "min(@)", "[1,-3,2]", "-3" },
		{ "min_by(@, &a)", "[{\"a\":\"b\"},{\"a\":\"a\"}]",
		  "{\"a\":\"a\"}" },
		{ "not_null(a, b)", "{\"b\":1}", "1" },
		{ "not_null(a, b)", "{}", NULL },
		{ "reverse(@)", "[1,2,3]", "[3,2,1]" },
		{ "sort(@)", "[3,-1,2.5,-10]", "[-10,-1,2.5,3]" },
		{ "sort(@)",
		  "[\"b\",\"\xf0\x90\x80\x80\",\"\xef\xbf\xbf\",\"a\",\"aa\"]",
		  "[\"a\",\"aa\",\"b\",\"\xef\xbf\xbf\","
		  "\"\xf0\x90\x80\x80\"]" },
		{ "sort_by(@, &a)",
		  "[{\"a\":2},{\"a\":1,\"b\":1},{\"a\":1.0,\"b\":2}]",
		  "[{\"a\":1,\"b\":1},{\"a\":1.0,\"b\":2},{\"a\":2}]" },
		{ "starts_with(@, 'ab')", "\"abc\"", "true" },
		{ "starts_with(@, 'b')", "\"abc\"", "false" },
		{ "to_array(@)", "[1]", "[1]" },
		{ "to_array(@)", "1", "[1]" },
		{ "to_number(@)", "\"12\"", "12" },
		{ "to_number(@)", "\" 12\"", NULL },
		{ "to_number(@)", "\"012\"", NULL },
		{ "to_number(@)", "\"[1]\"", NULL },
		{ "to_number(@)", "\"\"", NULL },
		{ "to_number(@)", "7", "7" },
		{ "to_number(@)", "true", NULL },
		{ "values(@)", "{\"b\":1,\"a\":2}", "[1,2]" },
	};

	(void)state;
	assert_json(examples, ARRAY_SIZE(examples));
}

static void has_the_functions_that_give_strings(void **state)
{
	static const struct example examples[] = {
		{ "join('-', @)", "[\"a\",\"\\u0062\",\"c\"]", "a-b-c" },
		{ "join('-', @)", "[]", "" },
		{ "reverse(@)", "\"a\xc3\xa9\xf0\x9d\x84\x9e\"",
		  "\xf0\x9d\x84\x9e\xc3\xa9"
		  "a" },
		{ "to_string(@)", "\"x\"", "x" },
		{ "to_string(@)", "null", "null" },
		{ "to_string(@)", "[ 1.0 , { \"a\" : \"\\u0041\" } , [ ] ]",
		  "[1.0,{\"a\":\"\\u0041\"},[]]" },
		{ "to_string({a: @})", "[ 1 ]", "{\"a\":[1]}" },
		{ "type(@)", "null", "null" },
		{ "type(@)", "true", "boolean" },
		{ "type(@)", "1", "number" },
		{ "type(@)", "\"\"", "string" },
		{ "type(@)", "[]", "array" },
		{ "type(@)", "{}", "object" },
		{ "max(@)", "[\"a\",\"b\"]", "b" },
		{ "not_null(a, 'x')", "{}", "x" },
	};

	(void)state;
	assert_strings(examples, ARRAY_SIZE(examples));
}

static void says_where_an_expression_is_wrong_and_why(void **state)
{
	static const struct {
		const char *expression;
		const char *text;
	} cases[] = {
		{ "", "syntax error at byte 0: an expression is due here, "
		      "not the end" },
		{ "a.", "syntax error at byte 2: " },
		{ "a b", "syntax error at byte 2: the end is due here" },
		{ "a..b", "syntax error at byte 2: a name, *, [ or {" },
		{ "a[b]", "syntax error at byte 2: an index" },
		{ "a[0", "syntax error at byte 3: ] is due here" },
		{ "a[0:1:2:3]", "syntax error at byte 7: ] is due here" },
		{ "a[1 2:]", "syntax error at byte 4: ] is due here" },
		{ "a[::0]", "invalid-value at byte 1: the step" },
		{ "a = b", "syntax error at byte 2: no part" },
		{ "a[-]", "syntax error at byte 2: digits" },
		{ "'abc", "syntax error at byte 0: no ' ends" },
		{ "'abc\\", "syntax error at byte 0: no ' ends" },
		{ "`abc`", "syntax error at byte 0: byte 0 is not JSON" },
		{ "`1", "syntax error at byte 0: no ` ends" },
		{ "\"\\x\"", "syntax error at byte 0: byte 1 is not JSON" },
		{ "a || \xff", "syntax error at byte 5: this is not UTF-8" },
		{ "{a: b", "syntax error at byte 5: } is due here" },
		{ "{a b}", "syntax error at byte 3: : is due here" },
		{ "{'a': b}", "syntax error at byte 1: the name" },
		{ "[a,]", "syntax error at byte 3: an expression" },
		{ "(a", "syntax error at byte 2: ) is due here" },
		{ "&a", "syntax error at byte 0: an expression" },
		{ "a[?b", "syntax error at byte 4: ] is due here" },
		{ "abs(a,)", "syntax error at byte 6: an expression" },
		{ "abs(a b)", "syntax error at byte 6: ) is due here" },
		{ "a | nosuch(b)",
		  "unknown-function at byte 4: there is no function "
		  "nosuch()" },
		{ "a | abs()", "invalid-arity at byte 4: abs() wants 1 "
			       "argument, not 0" },
		{ "join('a')", "invalid-arity at byte 0: join() wants 2 "
			       "arguments, not 1" },
		{ "not_null()", "invalid-arity at byte 0: not_null() wants" },
		{ "sort_by(a, b)", "invalid-type at byte 11: sort_by() wants "
				   "an &expression as its argument 2" },
		{ "not_null(&a)", "invalid-type at byte 10: not_null() wants "
				  "any value as its argument 1" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_refused(cases[i].expression, "{}", -EINVAL,
			       cases[i].text);
}

static void says_which_value_does_not_fit(void **state)
{
	static const struct {
		const char *expression;
		const char *document;
		const char *text;
	} cases[] = {
		{ "a | abs(@)", "{\"a\":\"hunter2\"}",
		  "invalid-type at byte 8: abs() wants a number as its "
		  "argument 1, not string" },
		{ "sum(@)", "[1,\"hunter2\"]",
		  "invalid-type at byte 4: sum() wants an array of numbers as "
		  "its argument 1, not array" },
		{ "sort(@)", "[1,\"hunter2\"]", "invalid-type at byte 5: " },
		{ "sort(@)", "[null]", "invalid-type at byte 5: " },
		{ "keys(@)", "[]", "invalid-type at byte 5: " },
		{ "merge(@, a)", "{\"a\":[]}",
		  "invalid-type at byte 9: merge() wants an object as its "
		  "argument 2" },
		{ "sort_by(@, &a)", "[{\"a\":1},{\"a\":\"hunter2\"}]",
		  "invalid-type at byte 0: sort_by() wants keys that are all "
		  "numbers or all strings, and found string" },
		{ "max_by(@, &a)", "[{\"a\":true}]",
		  "invalid-type at byte 0: max_by() wants keys" },
		{ "sum(@)", "[1e308,1e308]",
		  "invalid-value at byte 0: sum() is too large" },
		{ "avg(@)", "[1e400]", "invalid-value at byte 0: avg()" },
		{ "floor(@)", "1e400", "invalid-value at byte 0: floor()" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct answer answer;

		assert_refused(cases[i].expression, cases[i].document, -EINVAL,
			       cases[i].text);
		ask(cases[i].expression, cases[i].document, &answer);
		assert_null(strstr(answer.err.text, "hunter2"));
		buf_done(&answer.out);
	}
}

static void needs_no_err(void **state)
{
	cleanup_jmespath struct jmespath *compiled = NULL;
	cleanup_jdoc struct jdoc *doc = NULL;
	cleanup_buf struct buf out = { .limit = 100 };
	enum jmespath_kind kind = JMESPATH_NULL;

	(void)state;
	assert_int_equal(jmespath_compile("a.", 2, &compiled, NULL), -EINVAL);
	assert_null(compiled);
	assert_int_equal(jmespath_compile("abs(@)", 6, &compiled, NULL), 0);
	assert_int_equal(jdoc_parse("\"a\"", 3, &doc, NULL), 0);
	assert_int_equal(jmespath_search(compiled, doc, &out, &kind, NULL),
			 -EINVAL);
	jmespath_free(NULL);
}

static void appends_all_of_a_result_or_nothing(void **state)
{
	cleanup_jmespath struct jmespath *compiled = NULL;
	cleanup_jdoc struct jdoc *doc = NULL;
	cleanup_buf struct buf out = { .limit = 8 };
	enum jmespath_kind kind = JMESPATH_NULL;
	struct err err;

	(void)state;
	assert_int_equal(jmespath_compile("[@]", 3, &compiled, &err), 0);
	assert_int_equal(jdoc_parse("12345", 5, &doc, &err), 0);
	assert_int_equal(buf_append(&out, "<<", 2), 0);
	assert_int_equal(jmespath_search(compiled, doc, &out, &kind, &err),
			 -EFBIG);
	assert_int_equal(err.code, -EFBIG);
	assert_string_equal(buf_text(&out), "<<");
	assert_int_equal(kind, JMESPATH_NULL);
	buf_truncate(&out, 1);
	assert_int_equal(jmespath_search(compiled, doc, &out, &kind, &err), 0);
	assert_string_equal(buf_text(&out), "<[12345]");
	assert_int_equal(kind, JMESPATH_JSON);
}

static void searches_again_with_what_is_compiled(void **state)
{
	static const char *const documents[] = { "{\"a\":\"x\"}", "{}",
						 "{\"a\":\"y\"}" };
	static const char *const results[] = { "x", "", "y" };
	cleanup_jmespath struct jmespath *compiled = NULL;

	(void)state;
	assert_int_equal(jmespath_compile("a", 1, &compiled, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(documents); i++) {
		cleanup_jdoc struct jdoc *doc = NULL;
		cleanup_buf struct buf out = { .limit = 100 };
		enum jmespath_kind kind;

		assert_int_equal(jdoc_parse(documents[i], strlen(documents[i]),
					    &doc, NULL),
				 0);
		assert_int_equal(
			jmespath_search(compiled, doc, &out, &kind, NULL), 0);
		assert_string_equal(buf_text(&out), results[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(picks_strings_byte_for_byte),
		cmocka_unit_test(keeps_a_nul_inside_a_string),
		cmocka_unit_test(keeps_the_text_of_what_it_picks),
		cmocka_unit_test(writes_what_it_makes_without_blanks),
		cmocka_unit_test(computes_in_shortest_doubles),
		cmocka_unit_test(compares_numbers_by_value_and_exactly),
		cmocka_unit_test(compares_the_other_values_by_what_they_are),
		cmocka_unit_test(holds_as_false_what_is_empty),
		cmocka_unit_test(projects_and_slices),
		cmocka_unit_test(has_the_functions_that_give_json),
		cmocka_unit_test(has_the_functions_that_give_strings),
		cmocka_unit_test(says_where_an_expression_is_wrong_and_why),
		cmocka_unit_test(says_which_value_does_not_fit),
		cmocka_unit_test(needs_no_err),
		cmocka_unit_test(appends_all_of_a_result_or_nothing),
		cmocka_unit_test(searches_again_with_what_is_compiled),
	};

	return cmocka_run_group_tests_name("jmespath", tests, NULL, NULL);
}
