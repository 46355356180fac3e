/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "fs/announce.h"
#include "keeper/notify_order.h"
#include "store/value.h"
#include "tests/played_notifier.h"
#include "tests/tree_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct layout_file app_files[] = {
	{ .name = "app", .view = { .key = VIEW_WHOLE }, .rights = TREE_RIGHTS },
};
static struct layout_file slow_files[] = {
	{ .name = "slow",
	  .view = { .key = VIEW_WHOLE },
	  .rights = TREE_RIGHTS },
};

struct stage {
	struct played played;
	struct layout_object objects[2];
	unsigned expired;
	int version;
};

static void expire_names(void *owner)
{
	struct stage *stage = owner;

	stage->expired++;
}

/* Two secrets with a file each; the first one's keys are names, too. */
static int set_up(void **state)
{
	static struct stage stage;
	struct tree_reach reach = { .expire_names = expire_names,
				    .owner = &stage };

	stage = (struct stage){ .played.scene = scene_new() };
	stage.objects[0] = (struct layout_object){
		.source = &stage.played.scene->source.base,
		.name = "app",
		.files = app_files,
		.file_count = 1,
		.expands = true,
		.folder = "",
		.rights = TREE_RIGHTS,
	};
	stage.objects[1] = (struct layout_object){
		.source = &stage.played.scene->source.base,
		.name = "slow",
		.files = slow_files,
		.file_count = 1,
		.rights = TREE_RIGHTS,
	};
	scene_show(stage.played.scene, stage.objects, 2);
	tree_set_reach(stage.played.scene->tree, &reach);
	played_start(&stage.played);
	*state = &stage;
	return 0;
}

static int tear_down(void **state)
{
	struct stage *stage = *state;
	void *scene = stage->played.scene;

	if (stage->played.fd >= 0)
		close(stage->played.fd);
	return scene_free(&scene);
}

/* "app" becomes another version. */
static void rotate(struct stage *stage, const char *json)
{
	char version[16];

	(void)snprintf(version, sizeof(version), "v%d", ++stage->version);
	cache_refresh(stage->played.scene->cache, "app");
	turn(&stage->played);
	fake_source_answer_for(&stage->played.scene->source, "app", version,
			       json);
	turn(&stage->played);
}

/* Makes a name known: its node. */
static uint64_t see(struct stage *stage, const char *name, const char *json)
{
	struct request request;
	char version[16];

	start_lookup(stage->played.scene, NODE_ROOT, name, &request);
	if (request.answers == 0) {
		(void)snprintf(version, sizeof(version), "v%d",
			       ++stage->version);
		fake_source_answer_for(&stage->played.scene->source, "app",
				       version, json);
	}
	assert_int_equal(request.answers, 1);
	assert_int_equal(request.code, 0);
	return request.entry.node;
}

static void a_rotation_is_a_rename_of_a_fresh_node(void **state)
{
	struct stage *stage = *state;
	uint64_t old = see(stage, "app", "old");
	struct notify_order order;
	uint64_t new;

	rotate(stage, "newer");
	order = take_order(&stage->played, NOTIFY_REPLACE, "app");
	assert_string_equal(order.directory, "");
	assert_int_equal(
		look_up_as(&stage->played, NOTIFIER_PID, "app").entry.node,
		old);
	new = obey_rename(&stage->played, &order);
	assert_int_not_equal(new, old);
	assert_int_equal(see(stage, "app", NULL), new);
	assert_memory_equal(read_node(stage->played.scene, old, 0, 9).bytes,
			    "old", 3);
	assert_memory_equal(read_node(stage->played.scene, new, 0, 9).bytes,
			    "newer", 5);
	assert_no_order(&stage->played);
	assert_int_equal(stage->expired, 0);
}

/* Dates that two versions share are told apart for as long as the secret is
 * remembered, not only while the kernel holds a node of it. */
static void a_version_keeps_its_date_when_its_nodes_go(void **state)
{
	struct stage *stage = *state;
	struct tree *tree = stage->played.scene->tree;
	uint64_t old = see(stage, "app", "old");
	struct notify_order order;
	struct request request;
	uint64_t new;

	rotate(stage, "newer");
	order = take_order(&stage->played, NOTIFY_REPLACE, "app");
	new = obey_rename(&stage->played, &order);
	request = look_up(stage->played.scene, NODE_ROOT, "app");
	assert_int_equal(request.entry.attributes.st_mtim.tv_nsec, 1);
	tree_forget(tree, old, 1);
	tree_forget(tree, new, 2);
	assert_int_equal(tree_node_count(tree), 1);
	request = look_up(stage->played.scene, NODE_ROOT, "app");
	assert_int_not_equal(request.entry.node, new);
	assert_int_equal(request.entry.attributes.st_mtim.tv_nsec, 1);
}

static void a_reader_that_is_first_still_leaves_an_event(void **state)
{
	struct stage *stage = *state;
	uint64_t old = see(stage, "app", "old");
	struct notify_order order;
	struct notify_order drop;
	char name[32];
	uint64_t read;
	uint64_t new;

	rotate(stage, "newer");
	read = see(stage, "app", NULL);
	assert_int_not_equal(read, old);
	order = take_order(&stage->played, NOTIFY_REPLACE, "app");
	new = obey_rename(&stage->played, &order);
	assert_int_not_equal(new, read);
	/* and who watches the old file hears of its end */
	(void)snprintf(name, sizeof(name), ANNOUNCE_PREFIX "%llu",
		       (unsigned long long)old);
	drop = take_order(&stage->played, NOTIFY_DROP, name);
	assert_int_equal(drop.flags, NOTIFY_UNLINK);
	assert_int_equal(
		look_up_as(&stage->played, NOTIFIER_PID, drop.name).entry.node,
		old);
	assert_int_equal(unlink_as(&stage->played, NOTIFIER_PID, drop.name), 0);
	answer(&stage->played, &drop, 0);
	assert_no_order(&stage->played);
}

static void nothing_is_ordered_while_a_new_name_waits(void **state)
{
	struct stage *stage = *state;
	struct notify_order order;
	struct request waiting;

	(void)see(stage, "app", "old");
	start_lookup(stage->played.scene, NODE_ROOT, "slow", &waiting);
	assert_int_equal(waiting.answers, 0);
	rotate(stage, "second");
	assert_no_order(&stage->played);
	rotate(stage, "third");
	rotate(stage, "fourth");
	assert_no_order(&stage->played);
	/* root, app; what was prepared twice is gone again */
	assert_int_equal(tree_node_count(stage->played.scene->tree), 3);
	fake_source_answer_for(&stage->played.scene->source, "slow", "s1",
			       "slow");
	assert_int_equal(waiting.answers, 1);
	order = take_order(&stage->played, NOTIFY_REPLACE, "app");
	assert_no_order(&stage->played);
	assert_memory_equal(read_node(stage->played.scene,
				      obey_rename(&stage->played, &order), 0, 9)
				    .bytes,
			    "fourth", 6);
}

static void what_was_overtaken_is_not_looked_up(void **state)
{
	struct stage *stage = *state;
	struct notify_order order;
	struct request request;

	(void)see(stage, "app", "old");
	rotate(stage, "second");
	order = take_order(&stage->played, NOTIFY_REPLACE, "app");
	rotate(stage, "third");
	request = look_up_as(&stage->played, NOTIFIER_PID, order.source_name);
	assert_absent(&request);
	answer(&stage->played, &order, -ENOENT);
	order = take_order(&stage->played, NOTIFY_REPLACE, "app");
	assert_memory_equal(read_node(stage->played.scene,
				      obey_rename(&stage->played, &order), 0, 9)
				    .bytes,
			    "third", 5);
	assert_no_order(&stage->played);
	/* its own order follows: no name need be asked for */
	assert_int_equal(stage->expired, 0);
}

static void an_older_version_is_never_put_over_a_newer(void **state)
{
	struct stage *stage = *state;
	struct tree *tree = stage->played.scene->tree;
	struct notify_order first;
	struct notify_order second;
	struct notify_order drop;
	uint64_t prepared;
	uint64_t new;

	(void)see(stage, "app", "old");
	rotate(stage, "second");
	first = take_order(&stage->played, NOTIFY_REPLACE, "app");
	prepared = look_up_as(&stage->played, NOTIFIER_PID, first.source_name)
			   .entry.node;
	rotate(stage, "third");
	assert_int_equal(rename_as(&stage->played, NOTIFIER_PID,
				   first.source_name, "app"),
			 -ENOENT);
	answer(&stage->played, &first, -ENOENT);
	second = take_order(&stage->played, NOTIFY_REPLACE, "app");
	new = obey_rename(&stage->played, &second);
	assert_int_equal(see(stage, "app", NULL), new);
	/* the kernel's entry of the node that was not installed goes, too */
	drop = take_order(&stage->played, NOTIFY_DROP, first.source_name);
	assert_int_equal(drop.flags, NOTIFY_UNLINK);
	assert_int_equal(
		look_up_as(&stage->played, NOTIFIER_PID, drop.name).entry.node,
		prepared);
	assert_int_equal(unlink_as(&stage->played, NOTIFIER_PID, drop.name), 0);
	answer(&stage->played, &drop, 0);
	assert_int_equal(tree_node_count(tree), 4);
	tree_forget(tree, prepared, 2);
	assert_int_equal(tree_node_count(tree), 3);
}

static void a_rename_that_fails_is_told_otherwise(void **state)
{
	struct stage *stage = *state;
	struct notify_order order;

	(void)see(stage, "app", "old");
	rotate(stage, "second");
	order = take_order(&stage->played, NOTIFY_REPLACE, "app");
	assert_int_equal(tree_node_count(stage->played.scene->tree), 3);
	answer(&stage->played, &order, -EACCES);
	assert_int_equal(stage->expired, 1);
	assert_int_equal(tree_node_count(stage->played.scene->tree), 2);
	assert_no_order(&stage->played);
}

static void the_notifiers_death_expires_all_names(void **state)
{
	struct stage *stage = *state;
	struct tree *tree = stage->played.scene->tree;

	(void)see(stage, "app", "old");
	rotate(stage, "second");
	(void)take_order(&stage->played, NOTIFY_REPLACE, "app");
	close(stage->played.fd);
	stage->played.fd = -1;
	turn(&stage->played);
	assert_int_equal(stage->expired, 1);
	assert_int_equal(tree_node_count(tree), 2);
	/* until the keeper says so, and after it */
	rotate(stage, "third");
	assert_int_equal(stage->expired, 2);
	tree_set_notifier(tree, -1, 0);
	assert_false(tree_has_notifier(tree));
	rotate(stage, "fourth");
	assert_int_equal(stage->expired, 3);
	assert_int_equal(tree_node_count(tree), 2);
}

static void the_next_notifier_tidies_up(void **state)
{
	struct stage *stage = *state;
	struct tree *tree = stage->played.scene->tree;
	struct notify_order order;
	struct notify_order drop;

	(void)see(stage, "app", "old");
	rotate(stage, "second");
	order = take_order(&stage->played, NOTIFY_REPLACE, "app");
	(void)look_up_as(&stage->played, NOTIFIER_PID, order.source_name);
	close(stage->played.fd);
	turn(&stage->played);
	tree_set_notifier(tree, -1, 0);
	played_start(&stage->played);
	drop = take_order(&stage->played, NOTIFY_DROP, order.source_name);
	assert_int_equal(unlink_as(&stage->played, NOTIFIER_PID, drop.name), 0);
	answer(&stage->played, &drop, 0);
	assert_no_order(&stage->played);
}

static void strangers_find_and_change_nothing(void **state)
{
	struct stage *stage = *state;
	uint64_t old = see(stage, "app", "old");
	struct notify_order order;
	struct request request;

	rotate(stage, "second");
	order = take_order(&stage->played, NOTIFY_REPLACE, "app");
	request = look_up_as(&stage->played, STRANGER_PID, order.source_name);
	assert_absent(&request);
	assert_int_equal(rename_as(&stage->played, STRANGER_PID,
				   order.source_name, "app"),
			 -EROFS);
	assert_int_equal(unlink_as(&stage->played, STRANGER_PID, "app"),
			 -EROFS);
	assert_int_equal(
		unlink_as(&stage->played, STRANGER_PID, order.source_name),
		-EROFS);
	/* the notifier itself does only what was ordered */
	assert_int_equal(unlink_as(&stage->played, NOTIFIER_PID, "app"),
			 -ESTALE);
	assert_int_equal(rename_as(&stage->played, NOTIFIER_PID,
				   order.source_name, "other"),
			 -ENOENT);
	assert_int_equal(
		rename_as(&stage->played, NOTIFIER_PID, "..new-99", "app"),
		-ENOENT);
	assert_int_equal(rename_as(&stage->played, NOTIFIER_PID, "app", "app"),
			 -ENOENT);
	assert_int_not_equal(obey_rename(&stage->played, &order), old);
}

/* The worker that did it was killed before it could say so; the one that is
 * asked again does not know that notifier. */
static void what_is_done_already_is_no_strangers_change(void **state)
{
	struct stage *stage = *state;
	struct notify_order order;
	uint64_t new;

	(void)see(stage, "app", "old");
	rotate(stage, "second");
	order = take_order(&stage->played, NOTIFY_REPLACE, "app");
	new = obey_rename(&stage->played, &order);
	assert_int_equal(rename_as(&stage->played, STRANGER_PID,
				   order.source_name, "app"),
			 0);
	assert_int_equal(rename_as(&stage->played, STRANGER_PID,
				   order.source_name, "other"),
			 -EROFS);
	assert_int_equal(unlink_as(&stage->played, STRANGER_PID, "nothing"), 0);
	assert_int_equal(see(stage, "app", NULL), new);
}

static void a_key_that_is_gone_is_left_to_the_notifier(void **state)
{
	struct stage *stage = *state;
	uint64_t node = see(stage, "key", "{\"key\":\"x\"}");
	struct notify_order order;
	struct request request;

	rotate(stage, "{\"other\":\"x\"}");
	request = look_up_as(&stage->played, STRANGER_PID, "key");
	assert_absent(&request);
	order = take_order(&stage->played, NOTIFY_REMOVE, "key");
	assert_int_equal(
		look_up_as(&stage->played, NOTIFIER_PID, "key").entry.node,
		node);
	assert_int_equal(unlink_as(&stage->played, NOTIFIER_PID, "key"), 0);
	answer(&stage->played, &order, 0);
	order = take_order(&stage->played, NOTIFY_REPLACE, "other");
	(void)obey_rename(&stage->played, &order);
	assert_no_order(&stage->played);
	request = look_up_as(&stage->played, STRANGER_PID, "key");
	assert_true(request.absent_ms > 0);
}

static void a_key_that_appears_is_told_though_it_was_overtaken(void **state)
{
	struct stage *stage = *state;
	struct notify_order order;

	(void)see(stage, "key", "{\"key\":\"x\"}");
	rotate(stage, "{\"key\":\"x\",\"more\":\"1\"}");
	order = take_order(&stage->played, NOTIFY_REPLACE, "key");
	(void)obey_rename(&stage->played, &order);
	order = take_order(&stage->played, NOTIFY_REPLACE, "more");
	rotate(stage, "{\"key\":\"x\",\"more\":\"2\"}");
	answer(&stage->played, &order, -ENOENT);
	order = take_order(&stage->played, NOTIFY_REPLACE, "key");
	(void)obey_rename(&stage->played, &order);
	order = take_order(&stage->played, NOTIFY_REPLACE, "more");
	assert_memory_equal(read_node(stage->played.scene,
				      obey_rename(&stage->played, &order), 0, 9)
				    .bytes,
			    "2", 1);
	assert_no_order(&stage->played);
}

static void names_that_a_reload_takes_away_are_told(void **state)
{
	struct stage *stage = *state;
	struct layout *layout;
	struct notify_order order;
	uint64_t app = see(stage, "app", "{\"key\":\"x\"}");

	(void)see(stage, "key", NULL);
	stage->objects[0].expands = false;
	app_files[0].rights.mode = 0444;
	layout = scene_layout(stage->objects, 2);
	tree_set_layout(stage->played.scene->tree, layout);
	layout_unref(layout);
	app_files[0].rights.mode = 0440;
	order = take_order(&stage->played, NOTIFY_REMOVE, "key");
	assert_int_equal(unlink_as(&stage->played, NOTIFIER_PID, "key"), 0);
	answer(&stage->played, &order, 0);
	assert_no_order(&stage->played);
	/* a file that has other rights stays what it was */
	assert_int_equal(see(stage, "app", NULL), app);
}

#define STAGED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STAGED(a_rotation_is_a_rename_of_a_fresh_node),
		STAGED(a_version_keeps_its_date_when_its_nodes_go),
		STAGED(a_reader_that_is_first_still_leaves_an_event),
		STAGED(nothing_is_ordered_while_a_new_name_waits),
		STAGED(what_was_overtaken_is_not_looked_up),
		STAGED(an_older_version_is_never_put_over_a_newer),
		STAGED(a_rename_that_fails_is_told_otherwise),
		STAGED(the_notifiers_death_expires_all_names),
		STAGED(the_next_notifier_tidies_up),
		STAGED(strangers_find_and_change_nothing),
		STAGED(what_is_done_already_is_no_strangers_change),
		STAGED(a_key_that_is_gone_is_left_to_the_notifier),
		STAGED(a_key_that_appears_is_told_though_it_was_overtaken),
		STAGED(names_that_a_reload_takes_away_are_told),
	};

	return cmocka_run_group_tests_name("announce", tests, NULL, NULL);
}
