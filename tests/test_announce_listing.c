/* SPDX-License-Identifier: Apache-2.0 */
/* What watchers hear of names below a prefix, when somebody lists them. */
#include "tests/test.h"

#include "store/listing.h"
#include "tests/played_notifier.h"
#include "tests/tree_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FOLDER "/"

static int set_up(void **state)
{
	static struct played played;

	played = (struct played){ .scene = scene_new() };
	scene_show_prefix(played.scene, "");
	played_start(&played);
	*state = &played;
	return 0;
}

static int tear_down(void **state)
{
	struct played *played = *state;
	void *scene = played->scene;

	(void)close(played->fd);
	return scene_free(&scene);
}

/* Names with a FOLDER behind them are folders. NULL ends them. */
static struct listing *make_listing(const char *const *names)
{
	struct listing *listing = listing_new();

	assert_non_null(listing);
	for (; *names; names++) {
		size_t length = strcspn(*names, FOLDER);
		char name[64];

		(void)snprintf(name, sizeof(name), "%.*s", (int)length, *names);
		assert_int_equal(
			listing_add(listing,
				    &(struct listing_name){
					    .name = name,
					    .is_folder = (*names)[length] != 0,
					    .is_secret = (*names)[length] == 0,
				    }),
			0);
	}
	return listing;
}

/* ls, when what was listed before is outdated; of its reply nothing but that it
 * is one. */
static void list(struct played *played, struct listing *listing)
{
	struct scene *scene = played->scene;
	uint64_t handle = open_directory(scene, NODE_ROOT);
	struct request request;

	fake_request_init(&request);
	request.name_room = 2;
	(void)cache_refresh(scene->cache, NULL);
	turn(played);
	while (scene->source.open_count > 0) /* what is in use */
		fake_source_answer(&scene->source, "v1", "x");
	start_listing(scene, handle, 0, &request);
	fake_source_answer_names(&scene->source, listing);
	assert_int_equal(request.answers, 1);
	assert_int_equal(request.code, 0);
	listing_unref(listing);
	fake_request_init(&request);
	tree_close_directory(scene->tree, &request, handle);
	turn(played);
}

#define LIST(played, ...)                                                      \
	list(played, make_listing((const char *const[]){ __VA_ARGS__, NULL }))

/* The secret's node under that name, which a look-up fetches. */
static uint64_t look_up_secret(struct played *played, const char *name)
{
	struct request request;

	start_lookup(played->scene, NODE_ROOT, name, &request);
	assert_int_equal(request.answers, 0);
	fake_source_answer_for(&played->scene->source, name, "v1", "x");
	assert_int_equal(request.answers, 1);
	assert_int_not_equal(request.entry.node, 0);
	return request.entry.node;
}

static void what_is_listed_first_is_no_news(void **state)
{
	struct played *played = *state;

	LIST(played, "old", "folder/");
	assert_no_order(played);
	LIST(played, "folder/", "old");
	assert_no_order(played);
}

static void a_name_that_is_new_appears_and_is_not_fetched(void **state)
{
	struct played *played = *state;
	struct notify_order order;
	struct request request;
	unsigned fetches;
	uint64_t shown;

	LIST(played, "old");
	LIST(played, "old", "new");
	fetches = played->scene->source.fetches;
	order = take_order(played, NOTIFY_REPLACE, "new");
	request = look_up_as(played, NOTIFIER_PID, order.source_name);
	shown = request.entry.node;
	assert_int_not_equal(shown, 0);
	/* the kernel asks again for what it gets so */
	assert_int_equal(request.entry.entry_ms, 0);
	request = look_up_as(played, NOTIFIER_PID, "new");
	assert_absent(&request);
	assert_int_equal(
		rename_as(played, NOTIFIER_PID, order.source_name, "new"), 0);
	answer(played, &order, 0);
	assert_no_order(played);
	assert_int_equal(played->scene->source.fetches, fetches);
	/* what stood in has no bytes, and makes room for the secret */
	request = read_node(played->scene, shown, 0, 10);
	assert_int_equal(request.code, -ESTALE);
	assert_int_not_equal(look_up_secret(played, "new"), shown);
	assert_int_equal(tree_node_count(played->scene->tree), 3);
	tree_forget(played->scene->tree, shown, 1);
	assert_int_equal(tree_node_count(played->scene->tree), 2);
	LIST(played, "old", "new");
	assert_no_order(played);
}

static void
a_name_that_is_gone_vanishes_though_nobody_looked_it_up(void **state)
{
	struct played *played = *state;
	struct notify_order order;
	struct request request;
	uint64_t shown;

	LIST(played, "old", "gone");
	LIST(played, "old");
	order = take_order(played, NOTIFY_REMOVE, "gone");
	/* nobody else finds it */
	assert_int_equal(look_up_as(played, STRANGER_PID, "gone").entry.node,
			 0);
	shown = look_up_as(played, NOTIFIER_PID, "gone").entry.node;
	assert_int_not_equal(shown, 0);
	assert_int_equal(unlink_as(played, STRANGER_PID, "gone"), -EROFS);
	assert_int_equal(unlink_as(played, NOTIFIER_PID, "gone"), 0);
	answer(played, &order, 0);
	assert_no_order(played);
	tree_forget(played->scene->tree, shown, 1);
	assert_int_equal(tree_node_count(played->scene->tree), 1);
	request = look_up_as(played, NOTIFIER_PID, "gone");
	assert_absent(&request);
}

static void a_name_that_was_looked_up_vanishes_with_its_node(void **state)
{
	struct played *played = *state;
	struct notify_order order;
	uint64_t node;

	LIST(played, "old", "other");
	node = look_up_secret(played, "old");
	LIST(played, "other");
	order = take_order(played, NOTIFY_REMOVE, "old");
	assert_int_equal(look_up_as(played, NOTIFIER_PID, "old").entry.node,
			 node);
	assert_int_equal(unlink_as(played, NOTIFIER_PID, "old"), 0);
	answer(played, &order, 0);
	assert_no_order(played);
}

/* Its look-up holds the directory, and is answered first. */
static void who_looks_it_up_first_does_not_take_the_event_away(void **state)
{
	struct played *played = *state;
	struct notify_order first;
	struct notify_order order;
	uint64_t shown;
	uint64_t node;

	LIST(played, "old");
	LIST(played, "old", "new");
	first = take_order(played, NOTIFY_REPLACE, "new");
	shown = look_up_as(played, NOTIFIER_PID, first.source_name).entry.node;
	node = look_up_secret(played, "new");
	assert_int_equal(
		rename_as(played, NOTIFIER_PID, first.source_name, "new"),
		-EEXIST);
	answer(played, &first, -EEXIST);
	/* a node of the same version instead, and no trace of the other */
	order = take_order(played, NOTIFY_REPLACE, "new");
	assert_int_not_equal(obey_rename(played, &order), node);
	order = take_order(played, NOTIFY_DROP, first.source_name);
	answer(played, &order, 0);
	assert_no_order(played);
	tree_forget(played->scene->tree, shown, 1);
	assert_int_equal(read_node(played->scene, node, 0, 10).code, 0);
}

static void of_folders_nothing_is_told(void **state)
{
	struct played *played = *state;

	LIST(played, "old", "a/", "b");
	LIST(played, "old", "b/", "c/");
	assert_no_order(played);
}

static void a_crowd_of_names_is_bounded(void **state)
{
	const char *names[601] = { 0 };
	char texts[600][8];
	struct played *played = *state;
	struct notify_order order;
	unsigned count = 0;

	for (size_t i = 0; i < 600; i++) {
		(void)snprintf(texts[i], sizeof(texts[i]), "n%zu", i);
		names[i] = texts[i];
	}
	LIST(played, "n0");
	list(played, make_listing(names));
	while (next_order(played, &order)) {
		count++;
		answer(played, &order, -EIO);
	}
	assert_int_equal(count, 256);
	assert_int_equal(tree_node_count(played->scene->tree), 1);
}

static void without_a_notifier_nothing_is_left_of_it(void **state)
{
	struct played *played = *state;

	tree_set_notifier(played->scene->tree, -1, 0);
	LIST(played, "old", "gone");
	LIST(played, "old", "new");
	assert_int_equal(tree_node_count(played->scene->tree), 1);
}

static void a_notifier_that_dies_leaves_nothing_behind(void **state)
{
	struct played *played = *state;

	LIST(played, "old", "gone");
	LIST(played, "old", "new");
	(void)take_order(played, NOTIFY_REPLACE, "new");
	(void)take_order(played, NOTIFY_REMOVE, "gone");
	tree_set_notifier(played->scene->tree, -1, 0);
	assert_int_equal(tree_node_count(played->scene->tree), 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(what_is_listed_first_is_no_news),
		TEST(a_name_that_is_new_appears_and_is_not_fetched),
		TEST(a_name_that_is_gone_vanishes_though_nobody_looked_it_up),
		TEST(a_name_that_was_looked_up_vanishes_with_its_node),
		TEST(who_looks_it_up_first_does_not_take_the_event_away),
		TEST(of_folders_nothing_is_told),
		TEST(a_crowd_of_names_is_bounded),
		TEST(without_a_notifier_nothing_is_left_of_it),
		TEST(a_notifier_that_dies_leaves_nothing_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
