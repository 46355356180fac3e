/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "base/macros.h"
#include "base/secret.h"
#include "fs/follow.h"
#include "fs/nodes.h"
#include "store/cache.h"
#include "store/value.h"
#include "tests/tree_fixture.h"

#include <string.h>

struct followed {
	struct scene *scene;
	struct follows *follows;
	unsigned changes;
};

static void on_change(void *owner, struct follow *follow,
		      const struct cache_result *result)
{
	struct followed *followed = owner;

	(void)follow;
	(void)result;
	followed->changes++;
}

static int set_up(void **state)
{
	static struct followed followed;

	followed = (struct followed){ .scene = scene_new() };
	followed.follows =
		follows_new(followed.scene->cache, on_change, &followed);
	*state = &followed;
	return followed.follows ? 0 : -1;
}

static int tear_down(void **state)
{
	struct followed *followed = *state;
	void *scene = followed->scene;

	follows_free(followed->follows);
	return scene_free(&scene);
}

static struct follow *need(struct followed *followed, const char *version,
			   const char *stage)
{
	return follows_need(
		followed->follows,
		&(struct cache_want){ .source = &followed->scene->source.base,
				      .name = "app",
				      .version = version,
				      .stage = stage,
				      .ttl_ms = TTL_MS,
				      .timeout_ms = 20000 });
}

/* The modification time of the files of a version with this name and date. */
static int64_t see(struct follow *follow, const char *version,
		   int64_t created_ns)
{
	struct value_about about = { .version = version,
				     .created_ns = created_ns };
	struct secret *secret = secret_new("x", 1);
	struct value *value = value_new(secret, &about);
	int64_t modified_ns = follow_see(follow, value);

	secret_unref(secret);
	value_unref(value);
	return modified_ns;
}

static void no_two_versions_share_a_modification_time(void **state)
{
	static const struct {
		const char *version;
		int64_t created_ns;
		int64_t modified_ns;
	} seen[] = {
		{ "a", 1000, 1000 }, /* its own date */
		{ "a", 1000, 1000 }, /* again: the same */
		{ "b", 1000, 1001 }, /* shares the date */
		{ "b", 1000, 1001 }, /* again */
		{ "c", 1000, 1002 }, /* and another one */
		{ "d", 1001, 1003 }, /* its date was given away */
		{ "a", 1000, 1004 }, /* back again is another change */
		{ "e", 500, 1005 },  /* an older date is a later version */
		{ "f", 0, 1006 },    /* no date at all */
		{ "g", 9000, 9000 }, /* its own date again */
	};
	struct follow *follow = need(*state, NULL, NULL);

	for (size_t i = 0; i < ARRAY_SIZE(seen); i++)
		assert_int_equal(
			see(follow, seen[i].version, seen[i].created_ns),
			seen[i].modified_ns);
	follow_settle(follow);
}

static void wants_that_differ_are_followed_apart(void **state)
{
	struct follow *plain = need(*state, NULL, NULL);
	struct follow *version = need(*state, "x", NULL);
	struct follow *stage = need(*state, NULL, "x");

	assert_ptr_equal(need(*state, NULL, NULL), plain);
	assert_ptr_equal(need(*state, "x", NULL), version);
	assert_ptr_not_equal(version, plain);
	assert_ptr_not_equal(stage, plain);
	assert_ptr_not_equal(stage, version);
	assert_string_equal(stage->stage, "x");
	assert_null(stage->version);
	follow_settle(plain);
	follow_settle(version);
	follow_settle(stage);
}

static bool is_in_use(const struct followed *followed)
{
	struct cache_want want = { .source = &followed->scene->source.base,
				   .name = "app",
				   .ttl_ms = TTL_MS };
	struct cache_about about;

	cache_tell(followed->scene->cache, &want, &about);
	return about.is_in_use;
}

static void a_secret_is_in_use_until_its_last_node_goes(void **state)
{
	struct followed *followed = *state;
	struct follow *follow = need(followed, NULL, NULL);
	struct node first = { .id = 1 };
	struct node second = { .id = 2 };

	follow_add(follow, &first);
	follow_add(follow, &second);
	follow_add(follow, &second);
	follow_settle(follow);
	assert_true(is_in_use(followed));
	follow_drop(&second);
	assert_true(is_in_use(followed));
	follow_drop(&first);
	assert_false(is_in_use(followed));
	follow_drop(&first);
}

static void a_change_may_take_the_last_node(void **state)
{
	struct followed *followed = *state;
	struct scene *scene = followed->scene;
	struct follow *follow = need(followed, NULL, NULL);
	struct node node = { .id = 1 };

	follow_add(follow, &node);
	/* an unknown secret in use is asked for at once */
	clock_advance(&scene->clock, TTL_MS);
	assert_int_equal(loop_turn(scene->loop, 0), 0);
	fake_source_answer(&scene->source, "v1", "x");
	assert_int_equal(followed->changes, 1);
	assert_string_equal(value_version(follow->value), "v1");
	follow_drop(&node);
	assert_false(is_in_use(followed));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			no_two_versions_share_a_modification_time, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			wants_that_differ_are_followed_apart, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			a_secret_is_in_use_until_its_last_node_goes, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(a_change_may_take_the_last_node,
						set_up, tear_down),
	};

	return cmocka_run_group_tests_name("follow", tests, NULL, NULL);
}
