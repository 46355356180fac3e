/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "base/err.h"
#include "base/secret.h"
#include "fs/nodes.h"
#include "store/value.h"

#include <string.h>

#define NOW_NS 5000

struct scene {
	struct nodes *nodes;
	struct node *root;
	struct value *v1;
	struct value *v2;
};

static struct value *make_value(const char *version, const char *text,
				int64_t created_ns)
{
	struct secret *secret = secret_new(text, strlen(text));
	struct value *value = value_new(
		secret, &(struct value_about){ .version = version,
					       .created_ns = created_ns });

	secret_unref(secret);
	return value;
}

static int set_up(void **state)
{
	static struct scene scene;

	scene.nodes = nodes_new(NOW_NS);
	scene.root = nodes_find(scene.nodes, NODE_ROOT);
	scene.v1 = make_value("v1", "{\"a\":\"one\",\"b\":2}", 6000);
	scene.v2 = make_value("v2", "{\"a\":\"other\"}", 7000);
	*state = &scene;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *scene = *state;

	nodes_free(scene->nodes);
	value_unref(scene->v1);
	value_unref(scene->v2);
	return 0;
}

static struct node *make_file(struct scene *scene, struct node *parent,
			      const char *name, const struct node_file *file)
{
	struct node *node = NULL;
	struct err err;

	assert_int_equal(
		nodes_file(scene->nodes, parent, name, file, &node, &err), 0);
	return node;
}

static struct node *look_up(struct scene *scene, const char *name,
			    struct value *value, size_t key)
{
	struct node *node = make_file(
		scene, scene->root, name,
		&(struct node_file){ .secret = "s",
				     .value = value,
				     .view.key = key,
				     .modified_ns = value_created_ns(value) });

	nodes_looked_up(node);
	return node;
}

static void the_same_version_is_the_same_node(void **state)
{
	struct scene *scene = *state;
	struct node *node = look_up(scene, "a", scene->v1, 0);

	assert_ptr_equal(look_up(scene, "a", scene->v1, 0), node);
	assert_int_equal(node->lookups, 2);
	assert_int_equal(node->size, 3);
	assert_int_equal(node->modified_ns, 6000);
	assert_ptr_equal(nodes_current(scene->nodes, scene->root, "a"), node);
}

static void a_new_version_is_a_new_node_and_the_old_one_stays(void **state)
{
	struct scene *scene = *state;
	struct node *old = look_up(scene, "a", scene->v1, 0);
	struct node *new = look_up(scene, "a", scene->v2, 0);

	assert_int_not_equal(old->id, new->id);
	assert_false(old->is_current);
	assert_true(new->is_current);
	assert_ptr_equal(nodes_find(scene->nodes, old->id), old);
	assert_string_equal(value_version(old->value), "v1");
	assert_int_equal(scene->root->changed_ns, 7000);
	assert_true(nodes_forget(scene->nodes, old->id, 1));
	assert_int_equal(nodes_count(scene->nodes), 2);
	assert_ptr_equal(nodes_current(scene->nodes, scene->root, "a"), new);
}

static void files_of_one_version_are_nodes_apart(void **state)
{
	struct scene *scene = *state;
	struct node *a = look_up(scene, "a", scene->v1, 0);
	struct node *b = look_up(scene, "b", scene->v1, 1);
	struct node *whole = look_up(scene, "s", scene->v1, VIEW_WHOLE);

	assert_int_not_equal(a->id, b->id);
	assert_int_equal(b->size, 1);
	assert_int_equal(whole->size, strlen("{\"a\":\"one\",\"b\":2}"));
}

static void a_node_goes_with_its_last_lookup(void **state)
{
	struct scene *scene = *state;
	struct node *node = look_up(scene, "a", scene->v1, 0);
	uint64_t id = node->id;

	look_up(scene, "a", scene->v1, 0);
	look_up(scene, "a", scene->v1, 0);
	assert_true(nodes_forget(scene->nodes, id, 2));
	assert_non_null(nodes_find(scene->nodes, id));
	assert_true(nodes_forget(scene->nodes, id, 1));
	assert_null(nodes_find(scene->nodes, id));
	assert_null(nodes_current(scene->nodes, scene->root, "a"));
	assert_int_equal(nodes_count(scene->nodes), 1);
}

static void an_id_is_never_used_again(void **state)
{
	struct scene *scene = *state;
	uint64_t last = NODE_ROOT;

	for (int i = 0; i < 100; i++) {
		struct node *node = look_up(scene, "a", scene->v1, 0);

		assert_true(node->id > last);
		last = node->id;
		assert_true(nodes_forget(scene->nodes, last, 1));
	}
}

static void forgetting_too_much_is_told_and_harmless(void **state)
{
	struct scene *scene = *state;
	struct node *node = look_up(scene, "a", scene->v1, 0);

	assert_false(nodes_forget(scene->nodes, node->id, 2));
	assert_false(nodes_forget(scene->nodes, 4711, 1));
	assert_ptr_equal(nodes_find(scene->nodes, node->id), node);
	assert_true(nodes_forget(scene->nodes, NODE_ROOT, 1));
	assert_ptr_equal(nodes_find(scene->nodes, NODE_ROOT), scene->root);
}

static void a_node_that_was_given_to_nobody_settles(void **state)
{
	struct scene *scene = *state;
	struct node *node = make_file(
		scene, scene->root, "a",
		&(struct node_file){ .secret = "s", .value = scene->v1 });

	nodes_settle(scene->nodes, node);
	assert_int_equal(nodes_count(scene->nodes), 1);
}

static void a_name_that_is_gone_keeps_its_node_for_who_holds_it(void **state)
{
	struct scene *scene = *state;
	struct node *node = look_up(scene, "a", scene->v1, 0);
	uint64_t id = node->id;

	nodes_unlink(scene->nodes, scene->root, "a", 9000);
	nodes_unlink(scene->nodes, scene->root, "never", 9000);
	assert_null(nodes_current(scene->nodes, scene->root, "a"));
	assert_ptr_equal(nodes_find(scene->nodes, id), node);
	assert_false(node->is_current);
	assert_int_equal(scene->root->changed_ns, 9000);
	assert_true(nodes_forget(scene->nodes, id, 1));
	assert_null(nodes_find(scene->nodes, id));
}

static void a_directory_lives_as_long_as_what_is_below(void **state)
{
	struct scene *scene = *state;
	struct node *directory =
		nodes_directory(scene->nodes, scene->root, "d", "d/");
	uint64_t id = directory->id;
	struct node *file;

	nodes_looked_up(directory);
	assert_ptr_equal(nodes_directory(scene->nodes, scene->root, "d", "d/"),
			 directory);
	file = make_file(scene, directory, "f",
			 &(struct node_file){ .secret = "s",
					      .value = scene->v1,
					      .view.key = VIEW_WHOLE });
	nodes_looked_up(file);
	assert_true(nodes_forget(scene->nodes, id, 1));
	assert_ptr_equal(nodes_find(scene->nodes, id), directory);
	assert_true(nodes_forget(scene->nodes, file->id, 1));
	assert_null(nodes_find(scene->nodes, id));
}

static void a_name_may_change_between_file_and_directory(void **state)
{
	struct scene *scene = *state;
	struct node *file = look_up(scene, "x", scene->v1, VIEW_WHOLE);
	struct node *directory =
		nodes_directory(scene->nodes, scene->root, "x", "x/");

	assert_ptr_not_equal(file, directory);
	assert_false(file->is_current);
	nodes_looked_up(directory);
	file = look_up(scene, "x", scene->v1, VIEW_WHOLE);
	assert_false(directory->is_current);
	assert_true(file->is_current);
}

static void the_same_version_of_another_secret_is_another_node(void **state)
{
	struct scene *scene = *state;
	struct node *node = look_up(scene, "a", scene->v1, 0);

	assert_ptr_not_equal(
		make_file(scene, scene->root, "a",
			  &(struct node_file){ .secret = "other",
					       .value = scene->v1 }),
		node);
	assert_false(node->is_current);
}

static void other_rights_are_no_other_node(void **state)
{
	struct scene *scene = *state;
	struct node *node = look_up(scene, "a", scene->v1, 0);

	assert_ptr_equal(make_file(scene, scene->root, "a",
				   &(struct node_file){ .secret = "s",
							.value = scene->v1,
							.rights.mode = 0444 }),
			 node);
	assert_int_equal(node->rights.mode, 0444);
}

static void decoded_bytes_are_kept_with_their_own_size(void **state)
{
	struct scene *scene = *state;
	struct value *value = make_value("v9", "{\"key\":\"aGVs\\nbG8=\"}", 1);
	struct node *node = make_file(
		scene, scene->root, "key",
		&(struct node_file){ .secret = "s",
				     .value = value,
				     .view = { .decode_base64 = true } });

	assert_int_equal(node->size, 5);
	assert_memory_equal(secret_bytes(node_bytes(node)), "hello", 5);
	nodes_settle(scene->nodes, node);
	value_unref(value);
}

#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(the_same_version_is_the_same_node),
		test(a_new_version_is_a_new_node_and_the_old_one_stays),
		test(files_of_one_version_are_nodes_apart),
		test(a_node_goes_with_its_last_lookup),
		test(an_id_is_never_used_again),
		test(forgetting_too_much_is_told_and_harmless),
		test(a_node_that_was_given_to_nobody_settles),
		test(a_name_that_is_gone_keeps_its_node_for_who_holds_it),
		test(a_directory_lives_as_long_as_what_is_below),
		test(a_name_may_change_between_file_and_directory),
		test(the_same_version_of_another_secret_is_another_node),
		test(other_rights_are_no_other_node),
		test(decoded_bytes_are_kept_with_their_own_size),
	};

	return cmocka_run_group_tests_name("nodes", tests, NULL, NULL);
}
