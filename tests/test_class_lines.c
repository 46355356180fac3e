/* SPDX-License-Identifier: Apache-2.0 */
/* `objects` is a text inside the file, written in one of many ways: what is
 * wrong in it is still found by the line of the file. */
#include "tests/class_fixture.h"

#include "base/macros.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define HEAD                                                                   \
	"apiVersion: secrets-store.csi.x-k8s.io/v1\n"                          \
	"kind: SecretProviderClass\n"                                          \
	"metadata: {name: a}\n"                                                \
	"spec:\n"                                                              \
	"  provider: aws\n"                                                    \
	"  parameters:\n"

/* The fault is always the same one. */
static const struct {
	const char *name;
	const char *objects;
	unsigned line;
} cases[] = {
	{ "a literal block",
	  "    objects: |\n"
	  "      - objectName: a\n"
	  "        objectType: x\n",
	  9 },
	{ "a literal block without its last line end",
	  "    objects: |-\n"
	  "      - objectName: a\n"
	  "        objectType: x",
	  9 },
	{ "a literal block with an indentation and empty lines",
	  "    objects: |2+\n"
	  "\n"
	  "\n"
	  "      - objectName: a\n"
	  "\n"
	  "        objectType: x\n",
	  12 },
	{ "a folded block, where deeper lines stay lines",
	  "    objects: >\n"
	  "      - objectName: a\n"
	  "        objectType: secretsmanager\n"
	  "\n"
	  "      - objectName: a\n"
	  "        objectType: x\n",
	  12 },
	{ "a folded block in flow style",
	  "    objects: >-\n"
	  "      [{objectName: a,\n"
	  "      objectType: x}]\n",
	  8 },
	{ "quotes over several lines, in flow style",
	  "    objects: '[{objectName: a, objectType: secretsmanager},\n"
	  "\n"
	  "      {objectName: a, objectType: x}]'\n",
	  9 },
	{ "quotes with escaped line ends",
	  "    objects: \"- objectName: a\\n  objectType: x\\n\"\n", 7 },
	{ "quotes with escaped line ends over several lines",
	  "    objects: \"- objectName: a\\n  objectType: secretsmanager\\n\\\n"
	  "      - objectName: a\\n\\\n"
	  "      \\  objectType: x\\n\"\n",
	  9 },
	{ "plain text in flow style", "    objects: [{objectName: a}]\n", 0 },
	{ "an alias of a text that stands before",
	  "    # &a is not the text\n"
	  "    objects: &a |\n"
	  "      - objectName: a\n"
	  "        objectType: x\n"
	  "    other: *a\n",
	  10 },
};

static void finds_the_line(void **state)
{
	size_t index = *(const size_t *)*state;
	struct class_list *list = NULL;
	struct err err = { 0 };
	char text[1024];
	char wanted[128];

	(void)snprintf(text, sizeof(text), HEAD "%s", cases[index].objects);
	assert_int_equal(class_of_file(text, &list, &err), -EINVAL);
	if (cases[index].line == 0) {
		assert_non_null(strstr(err.text, "a list where text is "
						 "wanted"));
		return;
	}
	(void)snprintf(wanted, sizeof(wanted),
		       "c.yaml:%u: Invalid objectType: x", cases[index].line);
	assert_string_equal(err.text, wanted);
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_SIZE(cases)];
	size_t indexes[ARRAY_SIZE(cases)];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		indexes[i] = i;
		tests[i] = (struct CMUnitTest){
			.name = cases[i].name,
			.test_func = finds_the_line,
			.initial_state = &indexes[i],
		};
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
