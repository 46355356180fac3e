/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "base/jdoc.h"
#include "base/jwrite.h"
#include "base/macros.h"

#include <stdlib.h>
#include <string.h>

struct scene {
	char *text;
	size_t length;
	struct jwrite json;
};

static void begin(struct scene *scene)
{
	jwrite_init(&scene->json, open_memstream(&scene->text, &scene->length));
	assert_non_null(scene->json.out);
}

/* What was written is that, and JSON to our strict reader. */
static void check_written(struct scene *scene, const char *wanted)
{
	struct jdoc *doc = NULL;

	assert_int_equal(fclose(scene->json.out), 0);
	assert_string_equal(scene->text, wanted);
	assert_int_equal(jdoc_parse(scene->text, scene->length, &doc, NULL), 0);
	jdoc_free(doc);
	free(scene->text);
}

static void separates_members_and_elements_by_commas(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene);
	jwrite_object(&scene.json, NULL);
	jwrite_array(&scene.json, "empty");
	jwrite_array_end(&scene.json);
	jwrite_array(&scene.json, "list");
	jwrite_number(&scene.json, NULL, INT64_MIN);
	jwrite_object(&scene.json, NULL);
	jwrite_flag(&scene.json, "yes", true);
	jwrite_object_end(&scene.json);
	jwrite_flag(&scene.json, NULL, false);
	jwrite_array_end(&scene.json);
	jwrite_null(&scene.json, "nothing");
	jwrite_text(&scene.json, "no", NULL);
	jwrite_object_end(&scene.json);
	check_written(&scene, "{\"empty\":[],\"list\":[-9223372036854775808,"
			      "{\"yes\":true},false],\"nothing\":null,"
			      "\"no\":null}");
}

static void escapes_what_a_text_may_not_hold(void **state)
{
	static const struct {
		const char *text;
		const char *wanted;
	} cases[] = {
		{ "", "\"\"" },
		{ "plain / text", "\"plain / text\"" },
		{ "\"\\", "\"\\\"\\\\\"" },
		{ "a\nb\x1b[2J\x7f", "\"a\\u000ab\\u001b[2J\\u007f\"" },
		{ "\xc2\x9b"
		  "2J",
		  "\"\\u009b2J\"" },
		{ "\xc3\xa4\xe2\x82\xac", "\"\xc3\xa4\xe2\x82\xac\"" },
		{ "cut \xe2\x82", "\"cut \\ufffd\\ufffd\"" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct scene scene;

		begin(&scene);
		jwrite_text(&scene.json, NULL, cases[i].text);
		check_written(&scene, cases[i].wanted);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(separates_members_and_elements_by_commas),
		cmocka_unit_test(escapes_what_a_text_may_not_hold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
