/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/class_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char head[] = "apiVersion: secrets-store.csi.x-k8s.io/v1\n"
			   "kind: SecretProviderClass\n"
			   "metadata:\n"
			   "  name: app\n"
			   "spec:\n"
			   "  provider: aws\n"
			   "  parameters:\n";

static void write_indented(FILE *out, const char *indentation, const char *text)
{
	while (*text) {
		size_t length = strcspn(text, "\n") + 1;

		(void)fprintf(out, "%s%.*s", indentation, (int)length, text);
		text += length;
	}
}

int class_of(const char *parameters, const char *objects,
	     struct class_list **ret, struct err *err)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	int r;

	assert_non_null(out);
	(void)fputs(head, out);
	write_indented(out, "    ", parameters);
	(void)fputs("    objects: |\n", out);
	write_indented(out, "      ", objects);
	assert_int_equal(fclose(out), 0);
	r = class_of_file(text, ret, err);
	free(text);
	return r;
}

int class_of_file(const char *text, struct class_list **ret, struct err *err)
{
	return class_list_parse("c.yaml", text, strlen(text), ret, err);
}

static void check_refusal(const struct class_case *row,
			  const struct class_list *list, const struct err *err)
{
	char text[ERR_TEXT_MAX];

	(void)snprintf(text, sizeof(text), "c.yaml:%s", row->text);
	assert_null(list);
	assert_string_equal(err->text, text);
}

static void check_warning(const struct class_case *row,
			  const struct class_list *list)
{
	const struct class_warning *warning = list->warnings;
	char text[ERR_TEXT_MAX];

	assert_int_equal(list->warning_count, row->text ? 1 : 0);
	if (!row->text)
		return;
	(void)snprintf(text, sizeof(text), "%u: %s", warning->line,
		       warning->text);
	assert_string_equal(text, row->text);
}

static void run_case(void **state)
{
	const struct class_case *row = *state;
	struct class_list *list = NULL;
	struct err err = { 0 };
	int r = class_of(row->parameters ? row->parameters : "", row->objects,
			 &list, &err);

	if (row->text && !row->is_warning) {
		assert_int_not_equal(r, 0);
		assert_int_equal(r, err.code);
		check_refusal(row, list, &err);
		return;
	}
	assert_string_equal(err.text, "");
	assert_int_equal(r, 0);
	check_warning(row, list);
	class_list_free(list);
}

int class_cases_run(const char *group, const struct class_case *cases,
		    size_t count)
{
	struct CMUnitTest *tests = calloc(count, sizeof(*tests));
	int failed;

	if (!tests)
		return 1;
	for (size_t i = 0; i < count; i++)
		tests[i] = (struct CMUnitTest){
			.name = cases[i].name,
			.test_func = run_case,
			.initial_state = (void *)(uintptr_t)&cases[i],
		};
	failed = _cmocka_run_group_tests(group, tests, count, NULL, NULL);
	free(tests);
	return failed;
}
