/* SPDX-License-Identifier: Apache-2.0 */
/* What a file's extended attributes say, of whichever secret and node. */
#include "tests/test.h"

#include "base/buf.h"
#include "tests/tree_fixture.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define ARN "arn:aws:secretsmanager:eu-west-1:1:secret:app-a1B2c3"
#define NAMED "arn:aws:secretsmanager:eu-west-1:1:secret:named-a1B2c3"
#define PREFIX "user.secretsfs."

static struct layout_file file = { .name = "file",
				   .view = { .key = VIEW_WHOLE },
				   .rights = TREE_RIGHTS };
static struct layout_object object = { .files = &file, .file_count = 1 };

static void show(struct scene *scene, const char *secret)
{
	object.name = secret;
	object.source = &scene->source.base;
	scene_show(scene, &object, 1);
}

static int set_up(void **state)
{
	*state = scene_new();
	return 0;
}

/* The attribute's text; NULL: there is none. In a room of its own. */
static const char *get(const struct scene *scene, uint64_t node,
		       const char *name)
{
	static char text[TREE_EXTENDED_MAX + 1];
	cleanup_buf struct buf out;
	int r;

	buf_init(&out, TREE_EXTENDED_MAX);
	r = tree_get_extended(scene->tree, node, name, &out);
	if (r == -ENODATA)
		return NULL;
	assert_int_equal(r, 0);
	memcpy(text, buf_text(&out), out.length + 1);
	return text;
}

static bool is_listed(const struct scene *scene, uint64_t node,
		      const char *name)
{
	cleanup_buf struct buf out;
	const char *at;
	const char *end;

	buf_init(&out, TREE_EXTENDED_MAX);
	assert_int_equal(tree_list_extended(scene->tree, node, &out), 0);
	at = buf_text(&out);
	for (end = at + out.length; at < end; at += strlen(at) + 1)
		if (strcmp(at, name) == 0)
			return true;
	return false;
}

static void the_arn_is_what_the_source_told_with_the_value(void **state)
{
	struct scene *scene = *state;
	uint64_t node;

	show(scene, "app");
	scene->source.arn = ARN;
	node = fill(scene, "file", "v1", "x");
	assert_string_equal(get(scene, node, PREFIX "arn"), ARN);
	assert_true(is_listed(scene, node, PREFIX "arn"));
}

static void a_source_without_arns_gives_no_attribute(void **state)
{
	struct scene *scene = *state;
	uint64_t node;

	show(scene, "app");
	node = fill(scene, "file", "v1", "x");
	assert_null(get(scene, node, PREFIX "arn"));
	assert_false(is_listed(scene, node, PREFIX "arn"));
	assert_string_equal(get(scene, node, PREFIX "version"), "v1");
	assert_true(is_listed(scene, node, PREFIX "version"));
}

static void a_secret_that_is_named_by_its_arn_has_that(void **state)
{
	struct scene *scene = *state;
	uint64_t node;

	show(scene, NAMED);
	node = fill(scene, "file", "v1", "x");
	assert_string_equal(get(scene, node, PREFIX "arn"), NAMED);
}

static void a_file_that_was_revoked_has_no_version(void **state)
{
	struct scene *scene = *state;
	uint64_t node;

	show(scene, "app");
	scene->source.arn = ARN;
	node = fill(scene, "file", "v1", "x");
	(void)cache_refresh(scene->cache, NULL);
	assert_int_equal(loop_turn(scene->loop, 0), 0);
	/* without a grace it is wiped at once */
	fake_source_fail(&scene->source, -EACCES);
	assert_null(get(scene, node, PREFIX "version"));
	assert_null(get(scene, node, PREFIX "arn"));
	assert_false(is_listed(scene, node, PREFIX "version"));
	assert_string_equal(get(scene, node, PREFIX "error"),
			    "the fake says -13");
}

/* What the first worker made, in another over the same memory. */
static void a_file_of_another_worker_has_its_version(void **state)
{
	struct scene *first = *state;
	struct scene *second = scene_new();
	int fd = memfd_create("nodes", 0);
	bool is_lost;
	uint64_t node;

	assert_int_equal(ftruncate(fd, 1 << 16), 0);
	show(first, "app");
	assert_int_equal(tree_keep_nodes(first->tree, dup(fd), &is_lost), 0);
	node = fill(first, "file", "v1", "x");
	show(second, "app");
	second->source.arn = ARN;
	assert_int_equal(tree_keep_nodes(second->tree, dup(fd), &is_lost), 0);
	assert_false(is_lost);
	assert_string_equal(get(second, node, PREFIX "version"), "v1");
	assert_null(get(second, node, PREFIX "arn"));
	/* the secret is followed, and so fetched, at once */
	assert_int_equal(loop_turn(second->loop, 0), 0);
	fake_source_answer(&second->source, "v1", "x");
	assert_string_equal(get(second, node, PREFIX "arn"), ARN);
	(void)close(fd);
	(void)scene_free((void **)&second);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, scene_free)
	const struct CMUnitTest tests[] = {
		TEST(the_arn_is_what_the_source_told_with_the_value),
		TEST(a_source_without_arns_gives_no_attribute),
		TEST(a_secret_that_is_named_by_its_arn_has_that),
		TEST(a_file_that_was_revoked_has_no_version),
		TEST(a_file_of_another_worker_has_its_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
