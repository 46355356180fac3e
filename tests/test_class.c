/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/class_fixture.h"

#include "base/macros.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CLASS(name, rest)                                                      \
	"apiVersion: secrets-store.csi.x-k8s.io/v1\n"                          \
	"kind: SecretProviderClass\n"                                          \
	"metadata: {name: " name "}\n"                                         \
	"spec:\n"                                                              \
	"  provider: aws\n" rest
#define SM "objectType: secretsmanager\n"
#define ONE "- objectName: a\n  " SM
#define ARN                                                                    \
	"arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-AbCdEf"

static struct class_list *read_ok(const char *parameters, const char *objects)
{
	struct class_list *list = NULL;
	struct err err = { 0 };
	int r = class_of(parameters, objects, &list, &err);

	assert_string_equal(err.text, "");
	assert_int_equal(r, 0);
	return list;
}

static struct class_list *read_file_ok(const char *text)
{
	struct class_list *list = NULL;
	struct err err = { 0 };
	int r = class_of_file(text, &list, &err);

	assert_string_equal(err.text, "");
	assert_int_equal(r, 0);
	return list;
}

static const struct class_object *object_of(const struct class_list *list)
{
	assert_int_equal(list->count, 1);
	assert_true(list->classes[0].object_count > 0);
	return &list->classes[0].objects[0];
}

static void reads_what_a_class_says_of_itself(void **state)
{
	struct class_list *list = read_ok(
		"region: eu-west-1\nttl: 90\nmaxStale: 1h\nverifyAccess: 1m\n"
		"owner: 7:8\nfilePermission: '0440'\nlayout: tree\n",
		ONE);
	const struct class *class = &list->classes[0];

	(void)state;
	assert_string_equal(class->name, "app");
	assert_null(class->namespace);
	assert_string_equal(class->region, "eu-west-1");
	assert_int_equal(class->ttl_ms, 90000);
	assert_int_equal(class->max_stale_ms, 3600000);
	assert_int_equal(class->verify_access_ms, 60000);
	assert_true(class->rights.has_owner && class->rights.has_group);
	assert_int_equal(class->rights.uid, 7);
	assert_int_equal(class->rights.gid, 8);
	assert_true(class->rights.has_mode);
	assert_int_equal(class->rights.mode, 0440);
	assert_int_equal(class->layout, CLASS_TREE);
	assert_int_equal(class->line, 1);
	class_list_free(list);
}

static void belongs_to_each_who_holds_it(void **state)
{
	struct class_list *list = read_ok("", ONE);
	struct class_list *other = class_list_ref(list);

	(void)state;
	assert_ptr_equal(other, list);
	class_list_free(list);
	assert_string_equal(other->classes[0].name, "app");
	class_list_free(other);
}

static void leaves_open_what_nobody_sets(void **state)
{
	struct class_list *list = read_ok("", ONE);
	const struct class *class = &list->classes[0];
	const struct class_object *object = object_of(list);

	(void)state;
	assert_null(class->region);
	assert_int_equal(class->ttl_ms, 0);
	assert_int_equal(class->max_stale_ms, 0);
	assert_int_equal(class->verify_access_ms, 0);
	assert_false(class->rights.has_owner || class->rights.has_mode);
	assert_int_equal(class->layout, CLASS_FLAT);
	assert_null(object->version);
	assert_null(object->stage);
	assert_null(object->arn_region);
	assert_false(object->optional || object->decode_base64);
	assert_false(object->rights.has_owner || object->rights.has_mode);
	class_list_free(list);
}

static void shows_an_object_raw_and_by_its_keys(void **state)
{
	struct class_list *list = read_ok("", "- objectName: /team/db\n  " SM);
	const struct class_object *object = object_of(list);

	(void)state;
	assert_string_equal(object->name, "/team/db");
	assert_string_equal(object->secret_name, "/team/db");
	assert_int_equal(object->line, 9);
	assert_true(object->expands);
	assert_string_equal(object->folder, "");
	assert_int_equal(object->file_count, 1);
	assert_string_equal(object->files[0].name, "_team_db");
	assert_null(object->files[0].path);
	class_list_free(list);
}

static void shows_entries_of_jmesPath_beside_the_raw_file(void **state)
{
	struct class_list *list = read_ok(
		"", "- objectName: db\n  " SM "  objectAlias: db/raw\n"
		    "  jmesPath:\n"
		    "  - Path: user.name\n    ObjectAlias: db/user\n"
		    "  - path: '\"pass-word\"'\n    objectAlias: .pass\n");
	const struct class_object *object = object_of(list);

	(void)state;
	assert_false(object->expands);
	assert_int_equal(object->file_count, 3);
	assert_string_equal(object->files[0].name, "db_raw");
	assert_string_equal(object->files[1].name, "db_user");
	assert_null(object->files[0].expression);
	assert_string_equal(object->files[1].path, "user.name");
	assert_non_null(object->files[1].expression);
	assert_int_equal(object->files[1].line, 13);
	assert_string_equal(object->files[2].name, ".pass");
	assert_string_equal(object->files[2].path, "\"pass-word\"");
	class_list_free(list);
}

static void leaves_out_the_raw_file_where_told(void **state)
{
	struct class_list *list = read_ok(
		"", "- objectName: db\n  " SM "  raw: false\n  jmesPath:\n"
		    "  - path: a\n    objectAlias: db\n");
	const struct class_object *object = object_of(list);

	(void)state;
	assert_int_equal(object->file_count, 1);
	assert_string_equal(object->files[0].name, "db");
	assert_string_equal(object->files[0].path, "a");
	class_list_free(list);
}

static void an_empty_jmesPath_shows_the_raw_file_only(void **state)
{
	struct class_list *list = read_ok("", ONE "  jmesPath: []\n");

	(void)state;
	assert_false(object_of(list)->expands);
	assert_int_equal(object_of(list)->file_count, 1);
	class_list_free(list);
}

static void translates_names_as_told(void **state)
{
	static const struct {
		const char *parameters;
		const char *name;
		const char *file;
	} cases[] = {
		{ "", "/a/b", "_a_b" },
		{ "pathTranslation: '-'\n", "/a/b", "-a-b" },
		{ "pathTranslation: 'fAlSe'\n", "//a/b", "a/b" },
		{ "", ARN,
		  "arn:aws:secretsmanager:eu-west-1:123456789012:"
		  "secret:prod_db-AbCdEf" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char objects[256];
		struct class_list *list;

		(void)snprintf(objects, sizeof(objects),
			       "- objectName: %s\n  " SM, cases[i].name);
		list = read_ok(cases[i].parameters, objects);
		assert_string_equal(object_of(list)->files[0].name,
				    cases[i].file);
		class_list_free(list);
	}
}

static void takes_an_ARN_without_a_type(void **state)
{
	struct class_list *list = read_ok("", "- objectName: " ARN "\n");
	const struct class_object *object = object_of(list);

	(void)state;
	assert_string_equal(object->name, ARN);
	assert_string_equal(object->secret_name, "prod/db");
	assert_string_equal(object->arn_region, "eu-west-1");
	class_list_free(list);
}

static void keeps_version_and_label(void **state)
{
	struct class_list *list =
		read_ok("", ONE "  objectVersion: 3\n"
				"  objectVersionLabel: AWSPREVIOUS\n"
				"  optional: yes\n");

	(void)state;
	assert_string_equal(object_of(list)->version, "3");
	assert_string_equal(object_of(list)->stage, "AWSPREVIOUS");
	assert_true(object_of(list)->optional);
	class_list_free(list);
}

static void gives_each_file_the_nearest_rights(void **state)
{
	struct class_list *list =
		read_ok("owner: 1:2\nfilePermission: '0400'\n", ONE
			"  filePermission: '4440'\n  jmesPath:\n"
			"  - {path: a, objectAlias: x}\n"
			"  - {path: b, objectAlias: y, filePermission: '0444',"
			" owner: 3}\n");
	const struct class_file *files = object_of(list)->files;

	(void)state;
	assert_int_equal(list->classes[0].rights.mode, 0400);
	assert_int_equal(object_of(list)->rights.mode, 0440);
	assert_int_equal(files[0].rights.mode, 0440);
	assert_int_equal(files[1].rights.mode, 0440);
	assert_int_equal(files[1].rights.uid, 1);
	assert_int_equal(files[1].rights.gid, 2);
	assert_int_equal(files[2].rights.mode, 0444);
	assert_int_equal(files[2].rights.uid, 3);
	assert_false(files[2].rights.has_group);
	class_list_free(list);
}

static void decodes_what_is_told_to_be_base64(void **state)
{
	struct class_list *list = read_ok(
		"", ONE "  decode: base64\n  jmesPath:\n"
			"  - {path: a, objectAlias: x}\n"
			"  - {path: b, objectAlias: y, decode: none}\n");
	const struct class_object *object = object_of(list);

	(void)state;
	assert_true(object->decode_base64);
	assert_true(object->files[0].decode_base64);
	assert_true(object->files[1].decode_base64);
	assert_false(object->files[2].decode_base64);
	class_list_free(list);
}

static void puts_objects_into_directories_with_layout_tree(void **state)
{
	struct class_list *list = read_ok(
		"layout: tree\n", ONE "- objectName: b/c\n  " SM "  jmesPath:\n"
				      "  - {path: p, objectAlias: x/y}\n");
	const struct class_object *objects = list->classes[0].objects;

	(void)state;
	assert_string_equal(objects[0].folder, "a");
	assert_string_equal(objects[0].files[0].name, "a/.value");
	assert_string_equal(objects[1].folder, "b_c");
	assert_string_equal(objects[1].files[0].name, "b_c/.value");
	assert_string_equal(objects[1].files[1].name, "b_c/x_y");
	class_list_free(list);
}

static void reads_several_documents_and_lists(void **state)
{
	struct class_list *list = read_file_ok("---\n" CLASS(
		"one", "") "---\nkind: ConfigMap\ndata: {a: b}\n"
			   "---\napiVersion: v1\nkind: List\nitems:\n"
			   "- apiVersion: secrets-store.csi.x-k8s.io/v1alpha1\n"
			   "  kind: SecretProviderClass\n"
			   "  metadata: {name: two, namespace: team}\n"
			   "  spec: {provider: aws}\n"
			   "- kind: Secret\n");

	(void)state;
	assert_int_equal(list->count, 2);
	assert_string_equal(list->classes[0].name, "one");
	assert_int_equal(list->classes[0].line, 2);
	assert_string_equal(list->classes[1].name, "two");
	assert_string_equal(list->classes[1].namespace, "team");
	assert_int_equal(list->classes[1].line, 14);
	class_list_free(list);
}

/* kubectl prints JSON, too, and editors of other systems end lines in two
 * bytes. */
static void reads_JSON_and_foreign_line_ends(void **state)
{
	static const char *const texts[] = {
		"{\n    \"apiVersion\": \"v1\", \"kind\": \"List\",\n"
		"    \"items\": [{\n"
		"\t\"apiVersion\": \"secrets-store.csi.x-k8s.io\\/v1\",\n"
		"\t\"kind\": \"SecretProviderClass\",\n"
		"\t\"metadata\": {\"name\": \"one\"},\n"
		"\t\"spec\": {\"provider\": \"aws\", \"parameters\": {\n"
		"\t\"objects\": \"- objectName: a\\n  objectType: "
		"secretsmanager\\n\"}}}]}\n",
		"\xef\xbb\xbf"
		"apiVersion: secrets-store.csi.x-k8s.io/v1\r\n"
		"kind: SecretProviderClass\r\n"
		"metadata: {name: one}\r\n"
		"spec:\r\n"
		"  provider: aws\r\n"
		"  parameters:\r\n"
		"    objects: |\r\n"
		"      - objectName: a\r\n"
		"        objectType: secretsmanager\r\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct class_list *list = read_file_ok(texts[i]);

		assert_int_equal(list->warning_count, 0);
		assert_string_equal(object_of(list)->files[0].name, "a");
		class_list_free(list);
	}
}

static void passes_over_other_providers_with_a_warning(void **state)
{
	struct class_list *list = read_file_ok(CLASS(
		"one", "") "---\napiVersion: secrets-store.csi.x-k8s.io/v1\n"
			   "kind: SecretProviderClass\nmetadata: {name: two}\n"
			   "spec:\n  provider: vault\n");

	(void)state;
	assert_int_equal(list->count, 1);
	assert_int_equal(list->warning_count, 2);
	assert_string_equal(list->warnings[1].text,
			    "a class for the provider 'vault' is passed over");
	class_list_free(list);
}

static void warns_of_secretObjects(void **state)
{
	struct class_list *list = read_file_ok(
		CLASS("one", "  secretObjects:\n  - secretName: a\n"
			     "  parameters:\n    objects: |\n"
			     "      - {objectName: a, objectType: "
			     "secretsmanager}\n"));

	(void)state;
	assert_int_equal(list->warning_count, 1);
	assert_string_equal(list->warnings[0].text,
			    "secretObjects: not served by a file mount");
	assert_int_equal(list->warnings[0].line, 7);
	class_list_free(list);
}

static void refuses_files_that_are_no_classes(void **state)
{
	static const struct {
		const char *text;
		const char *error;
	} cases[] = {
		{ "", "c.yaml: there is no SecretProviderClass of the provider "
		      "aws in it" },
		{ "kind: Secret\n",
		  "c.yaml: there is no SecretProviderClass of the provider aws "
		  "in it" },
		{ "- a\n- b\n",
		  "c.yaml: there is no SecretProviderClass of the provider aws "
		  "in it" },
		{ "\nkind: SecretProviderClass\napiVersion: v1\n",
		  "c.yaml:3: apiVersion of a SecretProviderClass is "
		  "secrets-store.csi.x-k8s.io/v1 or v1alpha1, not 'v1'" },
		{ "kind: SecretProviderClass\n",
		  "c.yaml:1: apiVersion of a SecretProviderClass is "
		  "secrets-store.csi.x-k8s.io/v1 or v1alpha1, not ''" },
		{ CLASS("", ""), "c.yaml:1: metadata.name is missing" },
		{ CLASS("a/b", ""),
		  "c.yaml:3: metadata.name 'a/b' has a slash" },
		{ CLASS("[a]", ""),
		  "c.yaml:3: Failed to load SecretProviderClass: "
		  "metadata.name: a list where text is wanted" },
		{ CLASS("..", ""),
		  "c.yaml:1: '..' cannot be a file name: names that begin with "
		  "'..' are reserved" },
		{ CLASS("one", "") "---\n" CLASS("one", ""),
		  "c.yaml:7: the class 'one' is already in use (see line "
		  "1)" },
		{ CLASS("one", "  parameters: [a]\n"),
		  "c.yaml:6: Failed to load SecretProviderClass: parameters: a "
		  "list where a map is wanted" },
		{ CLASS("one", "  parameters:\n    objects:\n    - a\n"),
		  "c.yaml:8: Failed to load SecretProviderClass: objects: a "
		  "list where text is wanted" },
		{ "a: b: c\n",
		  "c.yaml:1: Failed to load SecretProviderClass: mapping "
		  "values are not allowed in this context" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct class_list *list = NULL;
		struct err err = { 0 };

		assert_int_equal(class_of_file(cases[i].text, &list, &err),
				 -EINVAL);
		assert_string_equal(err.text, cases[i].error);
		assert_null(list);
	}
}

static void counts_warnings_past_those_that_it_keeps(void **state)
{
	char objects[8192] = ONE;
	struct class_list *list;

	(void)state;
	for (int i = 0; i < CLASS_WARNINGS_MAX + 5; i++)
		(void)snprintf(objects + strlen(objects),
			       sizeof(objects) - strlen(objects), "  x%d: y\n",
			       i);
	list = read_ok("", objects);
	assert_int_equal(list->warning_count, CLASS_WARNINGS_MAX);
	assert_int_equal(list->warnings_left_out, 5);
	class_list_free(list);
}

static void writes_objects(FILE *out, int count)
{
	(void)fputs(CLASS("big", "  parameters:\n    objects: |\n"), out);
	for (int i = 0; i < count; i++)
		(void)fprintf(out, "      - {objectName: o%d, " SM "       }\n",
			      i);
}

static void takes_a_thousand_objects(void **state)
{
	struct class_list *list;
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	assert_non_null(out);
	writes_objects(out, 1000);
	assert_int_equal(fclose(out), 0);
	list = read_file_ok(text);
	assert_int_equal(list->classes[0].object_count, 1000);
	assert_string_equal(list->classes[0].objects[999].files[0].name,
			    "o999");
	class_list_free(list);
	free(text);
}

/* Names that lie in so many folders that comparing them takes much memory. */
static void bounds_folders(void **state)
{
	struct class_list *list = NULL;
	struct err err = { 0 };
	char *objects = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&objects, &size);

	(void)state;
	assert_non_null(out);
	for (int i = 0; i < 1000; i++)
		(void)fprintf(out, "- objectName: %d/a/b/c/d/e\n  " SM, i);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(
		class_of("pathTranslation: 'False'\n", objects, &list, &err),
		-E2BIG);
	assert_non_null(strstr(err.text, ": more than 4096 folders in one "
					 "class"));
	free(objects);
	assert_int_equal(
		class_of(
			"pathTranslation: 'False'\n",
			"- objectName: 1/2/3/4/5/6/7/8/9/a/b/c/d/e/f/g/h/i\n  " SM,
			&list, &err),
		-E2BIG);
	assert_non_null(strstr(err.text, "' is in more than 16 folders"));
}

/* Each is short, and all of them would take 20 MiB. */
static void bounds_the_memory_of_paths(void **state)
{
	struct class_list *list = NULL;
	struct err err = { 0 };
	char *objects = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&objects, &size);

	(void)state;
	assert_non_null(out);
	(void)fputs(ONE "  jmesPath:\n", out);
	for (int i = 0; i < 1000; i++)
		(void)fprintf(out,
			      "  - {path: '`1`||`2`||`3`||`4`',"
			      " objectAlias: x%d}\n",
			      i);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(class_of("", objects, &list, &err), -E2BIG);
	assert_non_null(strstr(err.text, ": the JMES paths of this file need "
					 "too much memory"));
	free(objects);
}

static void bounds_the_length_of_a_file(void **state)
{
	struct class_list *list = NULL;
	struct err err = { 0 };
	char *text = calloc(1, CLASS_FILE_MAX + 2);

	(void)state;
	assert_non_null(text);
	memset(text, '\n', CLASS_FILE_MAX + 1);
	assert_int_equal(class_of_file(text, &list, &err), -E2BIG);
	assert_string_equal(err.text, "c.yaml: longer than the 262144 bytes "
				      "that a class file may have");
	text[CLASS_FILE_MAX] = '\0';
	assert_int_equal(class_of_file(text, &list, &err), -EINVAL);
	free(text);
}

static void write_path(const char *path, const char *text)
{
	FILE *out = fopen(path, "we");

	assert_non_null(out);
	assert_true(fputs(text, out) >= 0);
	assert_int_equal(fclose(out), 0);
}

static void reads_regular_files_only(void **state)
{
	char directory[] = "/tmp/secretsfs-test-XXXXXX";
	char path[64];
	char text[128];
	struct class_list *list = NULL;
	struct err err = { 0 };

	(void)state;
	assert_non_null(mkdtemp(directory));
	assert_int_equal(class_list_read(directory, &list, &err), -EISDIR);
	(void)snprintf(text, sizeof(text), "%s: not a regular file", directory);
	assert_string_equal(err.text, text);

	(void)snprintf(path, sizeof(path), "%s/c.yaml", directory);
	assert_int_equal(class_list_read(path, &list, &err), -ENOENT);
	(void)snprintf(text, sizeof(text), "%s: No such file or directory",
		       path);
	assert_string_equal(err.text, text);

	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(class_list_read(path, &list, &err), -EINVAL);
	assert_int_equal(unlink(path), 0);

	write_path(path, CLASS("one", ""));
	assert_int_equal(class_list_read(path, &list, &err), 0);
	assert_string_equal(list->classes[0].name, "one");
	class_list_free(list);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(directory), 0);
}

static void names_the_option_where_a_file_may_not_be_read(void **state)
{
	char path[] = "/tmp/secretsfs-test-XXXXXX";
	int fd = mkstemp(path);
	struct class_list *list = NULL;
	struct err err = { 0 };
	uid_t user = geteuid();
	int r;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(fchmod(fd, 0), 0);
	assert_int_equal(close(fd), 0);
	if (user == 0)
		assert_int_equal(seteuid(65534), 0);
	r = class_list_read(path, &list, &err);
	assert_int_equal(seteuid(user), 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(r, -EACCES);
	assert_non_null(strstr(err.text, "may not read it; a mount reads it as "
					 "the user of --worker-user"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_a_class_says_of_itself),
		cmocka_unit_test(belongs_to_each_who_holds_it),
		cmocka_unit_test(leaves_open_what_nobody_sets),
		cmocka_unit_test(shows_an_object_raw_and_by_its_keys),
		cmocka_unit_test(shows_entries_of_jmesPath_beside_the_raw_file),
		cmocka_unit_test(leaves_out_the_raw_file_where_told),
		cmocka_unit_test(an_empty_jmesPath_shows_the_raw_file_only),
		cmocka_unit_test(translates_names_as_told),
		cmocka_unit_test(takes_an_ARN_without_a_type),
		cmocka_unit_test(keeps_version_and_label),
		cmocka_unit_test(gives_each_file_the_nearest_rights),
		cmocka_unit_test(decodes_what_is_told_to_be_base64),
		cmocka_unit_test(
			puts_objects_into_directories_with_layout_tree),
		cmocka_unit_test(reads_several_documents_and_lists),
		cmocka_unit_test(reads_JSON_and_foreign_line_ends),
		cmocka_unit_test(passes_over_other_providers_with_a_warning),
		cmocka_unit_test(warns_of_secretObjects),
		cmocka_unit_test(refuses_files_that_are_no_classes),
		cmocka_unit_test(counts_warnings_past_those_that_it_keeps),
		cmocka_unit_test(takes_a_thousand_objects),
		cmocka_unit_test(bounds_folders),
		cmocka_unit_test(bounds_the_memory_of_paths),
		cmocka_unit_test(bounds_the_length_of_a_file),
		cmocka_unit_test(reads_regular_files_only),
		cmocka_unit_test(names_the_option_where_a_file_may_not_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
