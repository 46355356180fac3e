/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "base/err.h"
#include "fs/layout.h"
#include "tests/fake_source.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define FILES_MAX 4

/* A layout of one object with these files. */
static int make(const char *const *names, size_t count, struct layout **ret,
		struct err *err)
{
	static struct fake_source source;
	struct layout_file files[FILES_MAX] = { 0 };
	struct layout_object object = { .source = &source.base,
					.name = "s",
					.files = files,
					.file_count = count,
					.folder = "" };

	fake_source_init(&source, "me");
	for (size_t i = 0; i < count; i++)
		files[i].name = names[i];
	return layout_new(&(struct layout_settings){ .objects = &object,
						     .object_count = 1,
						     .ttl_ms = 5000 },
			  ret, err);
}

static void names_with_slashes_are_files_in_directories(void **state)
{
	static const char *const names[] = { "a/b/c", "d", "a/e" };
	const struct layout_directory *directory;
	struct layout *layout;
	struct err err;

	(void)state;
	assert_int_equal(make(names, 3, &layout, &err), 0);
	directory = layout_directory(layout, "");
	assert_int_equal(layout_name_count(directory), 2);
	assert_string_equal(layout_name_at(directory, 0)->name, "a");
	assert_true(layout_name_at(directory, 0)->is_directory);
	assert_string_equal(layout_name_at(directory, 1)->name, "d");
	assert_null(layout_find(directory, "e"));
	directory = layout_directory(layout, "a/");
	assert_string_equal(layout_name_at(directory, 0)->name, "b");
	assert_string_equal(layout_find(directory, "e")->file->name, "a/e");
	directory = layout_directory(layout, "a/b/");
	assert_string_equal(layout_find(directory, "c")->object->name, "s");
	assert_null(layout_directory(layout, "a/b"));
	layout_unref(layout);
}

static void a_name_that_is_taken_is_refused(void **state)
{
	static const char *const cases[][2] = {
		{ "a", "a" },
		{ "a", "a/b" },
		{ "a/b", "a" },
		{ "a/b/c", "a/b" },
	};
	struct layout *layout = NULL;
	struct err err;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(make(cases[i], 2, &layout, &err), -EEXIST);
		assert_non_null(strstr(err.text, cases[i][1]));
		assert_null(layout);
	}
}

static void a_path_without_a_name_is_refused(void **state)
{
	static const char *const cases[] = { "", "a/", "/a", "a//b" };
	struct layout *layout;
	struct err err;

	(void)state;
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(make(&cases[i], 1, &layout, &err), -EINVAL);
}

static void count_free(void *owner)
{
	++*(int *)owner;
}

static void the_owner_goes_with_the_last_reference(void **state)
{
	struct layout *layout;
	struct err err;
	int freed = 0;

	(void)state;
	assert_int_equal(
		layout_new(&(struct layout_settings){ .free_owner = count_free,
						      .owner = &freed },
			   &layout, &err),
		0);
	layout_ref(layout);
	layout_unref(layout);
	assert_int_equal(freed, 0);
	layout_unref(layout);
	assert_int_equal(freed, 1);
	layout_unref(NULL);
}

static void a_source_bounds_how_long_a_name_is_true(void **state)
{
	struct fake_source source;
	struct layout_object object = { .source = &source.base,
					.name = "s",
					.folder = "" };
	struct layout *layout;
	struct err err;

	(void)state;
	fake_source_init(&source, "me");
	source.base.max_ttl_ms = 1000;
	assert_int_equal(
		layout_new(&(struct layout_settings){ .objects = &object,
						      .object_count = 1,
						      .ttl_ms = 5000 },
			   &layout, &err),
		0);
	assert_int_equal(layout_ttl_ms(layout), 1000);
	layout_unref(layout);
}

static void a_secret_is_needed_unless_all_its_objects_are_optional(void **state)
{
	struct fake_source source;
	struct layout_object objects[] = {
		{ .source = &source.base,
		  .name = "may",
		  .folder = "",
		  .is_optional = true },
		{ .source = &source.base, .name = "must", .folder = "" },
	};
	struct layout *layout;
	struct err err;

	(void)state;
	fake_source_init(&source, "me");
	assert_int_equal(
		layout_new(&(struct layout_settings){ .objects = objects,
						      .object_count = 2 },
			   &layout, &err),
		0);
	assert_false(layout_needs(layout, "may"));
	assert_true(layout_needs(layout, "must"));
	layout_unref(layout);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_with_slashes_are_files_in_directories),
		cmocka_unit_test(a_name_that_is_taken_is_refused),
		cmocka_unit_test(a_path_without_a_name_is_refused),
		cmocka_unit_test(the_owner_goes_with_the_last_reference),
		cmocka_unit_test(a_source_bounds_how_long_a_name_is_true),
		cmocka_unit_test(
			a_secret_is_needed_unless_all_its_objects_are_optional),
	};

	return cmocka_run_group_tests_name("layout", tests, NULL, NULL);
}
