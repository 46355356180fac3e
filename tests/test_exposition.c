/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "base/histogram.h"
#include "base/macros.h"
#include "ops/exposition.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct scene {
	char *text;
	size_t length;
	struct exposition exposition;
};

static void begin(struct scene *scene)
{
	*scene = (struct scene){ .text = NULL };
	scene->exposition.out = open_memstream(&scene->text, &scene->length);
	assert_non_null(scene->exposition.out);
	exposition_begin(&scene->exposition, METRIC_NODES);
}

/* The text without its HELP and TYPE. */
static const char *end(struct scene *scene)
{
	const char *samples;

	assert_int_equal(fclose(scene->exposition.out), 0);
	samples = strstr(scene->text, "# TYPE");
	assert_non_null(samples);
	samples = strchr(samples, '\n');
	assert_non_null(samples);
	return samples + 1;
}

static void a_metric_says_what_it_is_first(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene);
	exposition_put(&scene.exposition, NULL, 3);
	assert_string_equal(end(&scene), "secretsfs_nodes 3\n");
	assert_string_equal(scene.text,
			    "# HELP secretsfs_nodes Nodes the kernel may "
			    "know.\n"
			    "# TYPE secretsfs_nodes gauge\n"
			    "secretsfs_nodes 3\n");
	free(scene.text);
}

static void what_would_end_a_label_is_escaped(void **state)
{
	static const struct {
		const char *text;
		const char *shown;
	} cases[] = {
		{ "a", "{l=\"a\"}" },
		{ "", "{l=\"\"}" },
		{ NULL, "" },
		{ "a\"b\\c\nd", "{l=\"a\\\"b\\\\c\\nd\"}" },
		{ "\xc3\xa9\xff!", "{l=\"\xc3\xa9\xef\xbf\xbd!\"}" },
		{ "\xed\xa0\x80",
		  "{l=\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"}" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct exposition_label labels[] = {
			{ "l", cases[i].text }, { NULL, NULL }
		};
		char wanted[128];
		struct scene scene;

		begin(&scene);
		exposition_put(&scene.exposition, labels, 1);
		(void)snprintf(wanted, sizeof(wanted), "secretsfs_nodes%s 1\n",
			       cases[i].shown);
		assert_string_equal(end(&scene), wanted);
		free(scene.text);
	}
}

static void times_are_seconds(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene);
	exposition_put_ms(&scene.exposition, NULL, 61002);
	exposition_put_ms(&scene.exposition, NULL, 5);
	exposition_put_ms(&scene.exposition, NULL, -5);
	assert_string_equal(end(&scene), "secretsfs_nodes 61.002\n"
					 "secretsfs_nodes 0.005\n"
					 "secretsfs_nodes 0.000\n");
	free(scene.text);
}

static void a_histogram_ends_with_all_of_it(void **state)
{
	static const struct exposition_label label = { "o", "ok" };
	struct histogram histogram = { .sum_ms = 0 };
	struct scene scene;
	const char *text;

	(void)state;
	histogram_add(&histogram, 7);
	histogram_add(&histogram, 99000);
	begin(&scene);
	exposition_put_histogram(&scene.exposition, &label, &histogram);
	exposition_put_histogram(&scene.exposition, NULL, &histogram);
	text = end(&scene);
	assert_non_null(strstr(
		text, "secretsfs_nodes_bucket{o=\"ok\",le=\"0.005\"} 0\n"
		      "secretsfs_nodes_bucket{o=\"ok\",le=\"0.01\"} 1\n"));
	assert_non_null(
		strstr(text, "secretsfs_nodes_bucket{o=\"ok\",le=\"20\"} 1\n"
			     "secretsfs_nodes_bucket{o=\"ok\",le=\"+Inf\"} 2\n"
			     "secretsfs_nodes_sum{o=\"ok\"} 99.007\n"
			     "secretsfs_nodes_count{o=\"ok\"} 2\n"));
	assert_non_null(strstr(text, "secretsfs_nodes_bucket{le=\"+Inf\"} 2\n"
				     "secretsfs_nodes_sum 99.007\n"
				     "secretsfs_nodes_count 2\n"));
	free(scene.text);
}

/* As Prometheus's own rules have it. */
static bool is_well_named(const struct metric_about *about)
{
	size_t length = strlen(about->name);
	bool is_total =
		length > 6 && strcmp(about->name + length - 6, "_total") == 0;

	return strncmp(about->name, "secretsfs_", 10) == 0 &&
	       strspn(about->name, "abcdefghijklmnopqrstuvwxyz_") == length &&
	       is_total == (strcmp(about->type, "counter") == 0) &&
	       strlen(about->help) > 0 && !strpbrk(about->help, "\n\\");
}

static void every_metric_has_a_name_of_its_own(void **state)
{
	(void)state;
	for (int i = 0; i < METRIC_COUNT; i++) {
		const struct metric_about *about = metric_about((enum metric)i);

		if (!about->name || !is_well_named(about))
			fail_msg("metric %d: %s", i, about->name);
		for (int k = 0; k < i; k++)
			assert_string_not_equal(
				about->name,
				metric_about((enum metric)k)->name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_metric_says_what_it_is_first),
		cmocka_unit_test(what_would_end_a_label_is_escaped),
		cmocka_unit_test(times_are_seconds),
		cmocka_unit_test(a_histogram_ends_with_all_of_it),
		cmocka_unit_test(every_metric_has_a_name_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
