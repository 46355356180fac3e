/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "store/listing.h"
#include "tests/tree_fixture.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define JSON "{\"password\":\"x\\u0000y\",\"a/b\":[1, 2],\".dot\":1.10}"

static int show_secret(void **state)
{
	static const struct layout_file whole = {
		.name = "app_db",
		.view = { .key = VIEW_WHOLE },
		.rights = TREE_RIGHTS,
	};
	static struct layout_object object;
	struct scene *scene = scene_new();

	object = (struct layout_object){
		.source = &scene->source.base,
		.name = "app/db",
		.files = &whole,
		.file_count = 1,
		.expands = true,
		.folder = "",
		.rights = TREE_RIGHTS,
	};

	scene_show(scene, &object, 1);
	*state = scene;
	return 0;
}

static int show_prefix(void **state)
{
	struct scene *scene = scene_new();

	scene_show_prefix(scene, "");
	*state = scene;
	return 0;
}

static void a_key_is_a_file_with_exact_size_and_rest_of_ttl(void **state)
{
	struct scene *scene = *state;
	uint64_t first = fill(scene, "password", "v1", JSON);
	struct request request;

	clock_advance(&scene->clock, 100000);
	request = look_up(scene, NODE_ROOT, "password");
	assert_int_equal(request.entry.node, first);
	assert_int_equal(request.entry.entry_ms, TTL_MS - 100000);
	assert_true(request.entry.attributes_ms > TTL_MS);
	assert_int_equal(request.entry.attributes.st_size, 3);
	assert_int_equal(request.entry.attributes.st_mode, S_IFREG | 0440);
	assert_int_equal(request.entry.attributes.st_nlink, 1);
	assert_int_equal(request.entry.attributes.st_uid, 7);
	assert_int_equal(request.entry.attributes.st_gid, 8);
	assert_int_equal(request.entry.attributes.st_mtim.tv_sec, 1);
	assert_int_equal(scene->source.fetches, 1);
}

static void bytes_come_as_they_are_stored(void **state)
{
	struct scene *scene = *state;
	uint64_t node = fill(scene, "password", "v1", JSON);
	struct request request = read_node(scene, node, 0, 100);

	assert_int_equal(request.length, 3);
	assert_memory_equal(request.bytes, "x\0y", 3);
	request = read_node(scene, node, 2, 100);
	assert_int_equal(request.length, 1);
	request = read_node(scene, node, 3, 100);
	assert_int_equal(request.length, 0);
	request = read_node(scene, node, 999, 100);
	assert_int_equal(request.length, 0);
	node = look_up(scene, NODE_ROOT, "a%2Fb").entry.node;
	request = read_node(scene, node, 0, 100);
	assert_memory_equal(request.bytes, "[1, 2]", 6);
	node = look_up(scene, NODE_ROOT, "%2Edot").entry.node;
	request = read_node(scene, node, 0, 2);
	assert_int_equal(request.length, 2);
	assert_memory_equal(request.bytes, "1.", 2);
}

static void the_whole_value_has_the_name_of_the_secret(void **state)
{
	struct scene *scene = *state;
	uint64_t node = fill(scene, "app_db", "v1", JSON);
	struct request request = read_node(scene, node, 0, 200);

	assert_int_equal(request.length, strlen(JSON));
	assert_memory_equal(request.bytes, JSON, strlen(JSON));
}

static void an_old_node_keeps_its_bytes_after_a_rotation(void **state)
{
	struct scene *scene = *state;
	uint64_t old = fill(scene, "password", "v1", "{\"password\":\"old\"}");
	struct request request;
	uint64_t new;

	clock_advance(&scene->clock, TTL_MS);
	new = fill(scene, "password", "v2", "{\"password\":\"newer\"}");
	assert_int_not_equal(old, new);
	request = read_node(scene, old, 0, 100);
	assert_memory_equal(request.bytes, "old", 3);
	request = read_node(scene, new, 0, 100);
	assert_memory_equal(request.bytes, "newer", 5);
	fake_request_init(&request);
	tree_get_attributes(scene->tree, &request, old);
	assert_int_equal(request.attributes.st_nlink, 0);
	assert_int_equal(request.attributes.st_size, 3);
	tree_forget(scene->tree, old, 1);
	request = read_node(scene, old, 0, 100);
	assert_int_equal(request.code, -ESTALE);
}

static void an_unchanged_secret_keeps_its_node_after_the_ttl(void **state)
{
	struct scene *scene = *state;
	uint64_t before = fill(scene, "password", "v1", JSON);

	clock_advance(&scene->clock, TTL_MS);
	assert_int_equal(fill(scene, "password", "v1", JSON), before);
	assert_int_equal(scene->source.fetches, 2);
}

static void a_missing_key_is_absent_for_five_seconds_at_most(void **state)
{
	struct scene *scene = *state;

	fill(scene, "password", "v1", JSON);
	assert_int_equal(look_up(scene, NODE_ROOT, "none").absent_ms, 5000);
	clock_advance(&scene->clock, TTL_MS - 200);
	assert_int_equal(look_up(scene, NODE_ROOT, "none").absent_ms, 200);
}

static void a_dot_name_asks_nobody(void **state)
{
	struct scene *scene = *state;

	assert_int_equal(look_up(scene, NODE_ROOT, ".bashrc").absent_ms, 5000);
	assert_int_equal(scene->source.fetches, 0);
}

static void failures_reach_the_reader(void **state)
{
	static const int codes[] = { -EACCES, -EIO, -EBADMSG, -EFBIG };
	struct scene *scene = *state;

	for (size_t i = 0; i < 4; i++) {
		struct request request;

		start_lookup(scene, NODE_ROOT, "password", &request);
		fake_source_fail(&scene->source, codes[i]);
		assert_int_equal(request.answers, 1);
		assert_int_equal(request.code, codes[i]);
		clock_advance(&scene->clock, 5000);
	}
}

static void an_open_directory_lets_a_value_go_that_is_gone(void **state)
{
	struct scene *scene = *state;
	uint64_t handle = open_directory(scene, NODE_ROOT);
	struct request request;

	fill(scene, "password", "v1", JSON);
	fake_request_init(&request);
	request.name_room = 3;
	start_listing(scene, handle, 0, &request);
	clock_advance(&scene->clock, TTL_MS);
	start_lookup(scene, NODE_ROOT, "password", &request);
	fake_source_fail(&scene->source, -ENOENT);
	/* its names are still listed, but lead nowhere */
	fake_request_init(&request);
	start_listing(scene, handle, 3, &request);
	assert_string_equal(request.names[0], "password");
	assert_int_equal(request.nodes[0], 0);
}

static void a_secret_that_is_gone_takes_its_names_along(void **state)
{
	struct scene *scene = *state;
	uint64_t node = fill(scene, "password", "v1", JSON);
	struct request request;

	clock_advance(&scene->clock, TTL_MS);
	start_lookup(scene, NODE_ROOT, "password", &request);
	fake_source_fail(&scene->source, -ENOENT);
	assert_int_equal(request.absent_ms, 5000);
	fake_request_init(&request);
	tree_get_attributes(scene->tree, &request, node);
	assert_int_equal(request.attributes.st_nlink, 0);
}

static void a_reply_that_the_kernel_refuses_counts_no_lookup(void **state)
{
	struct scene *scene = *state;
	uint64_t kept = fill(scene, "app_db", "v1", JSON);
	struct request request;

	fake_request_init(&request);
	request.kernel_refuses = true;
	tree_lookup(scene->tree, &request, NODE_ROOT, "password");
	assert_int_equal(request.answers, 1);
	request = read_node(scene, request.entry.node, 0, 10);
	assert_int_equal(request.code, -ESTALE);
	request = read_node(scene, kept, 0, 1);
	assert_int_equal(request.code, 0);
}

static void ls_shows_the_value_and_its_keys_with_their_nodes(void **state)
{
	struct scene *scene = *state;
	uint64_t handle = open_directory(scene, NODE_ROOT);
	struct request request;

	fake_request_init(&request);
	start_listing(scene, handle, 0, &request);
	assert_int_equal(request.answers, 0);
	fake_source_answer(&scene->source, "v1", JSON);
	assert_int_equal(request.answers, 1);
	assert_int_equal(request.name_count, 6);
	assert_string_equal(request.names[0], ".");
	assert_string_equal(request.names[1], "..");
	assert_string_equal(request.names[2], "app_db");
	assert_string_equal(request.names[3], "password");
	assert_string_equal(request.names[4], "a%2Fb");
	assert_string_equal(request.names[5], "%2Edot");
	assert_int_equal(request.nodes[0], 0);
	assert_int_equal(look_up(scene, NODE_ROOT, "password").entry.node,
			 request.nodes[3]);
	/* one lookup by the listing, one by name */
	tree_forget(scene->tree, request.nodes[3], 1);
	assert_int_equal(read_node(scene, request.nodes[3], 0, 9).code, 0);
	tree_forget(scene->tree, request.nodes[3], 1);
	assert_int_equal(read_node(scene, request.nodes[3], 0, 9).code,
			 -ESTALE);
}

static void a_listing_goes_on_where_it_was_cut(void **state)
{
	struct scene *scene = *state;
	uint64_t handle = open_directory(scene, NODE_ROOT);
	struct request request;

	fill(scene, "password", "v1", JSON);
	fake_request_init(&request);
	request.name_room = 4;
	start_listing(scene, handle, 0, &request);
	assert_int_equal(request.name_count, 4);
	fake_request_init(&request);
	start_listing(scene, handle, 4, &request);
	assert_int_equal(request.name_count, 2);
	assert_string_equal(request.names[0], "a%2Fb");
	fake_request_init(&request);
	start_listing(scene, handle, 6, &request);
	assert_int_equal(request.answers, 1);
	assert_int_equal(request.name_count, 0);
	fake_request_init(&request);
	tree_close_directory(scene->tree, &request, handle);
	fake_request_init(&request);
	start_listing(scene, handle, 6, &request);
	assert_int_equal(request.code, -EBADF);
}

static void a_rotation_between_two_parts_of_ls_gives_no_wrong_node(void **state)
{
	struct scene *scene = *state;
	uint64_t handle = open_directory(scene, NODE_ROOT);
	struct request request;

	fill(scene, "password", "v1", JSON);
	fake_request_init(&request);
	request.name_room = 3;
	start_listing(scene, handle, 0, &request);
	clock_advance(&scene->clock, TTL_MS);
	fill(scene, "password", "v2", "{\"other\":1,\"password\":\"new\"}");
	fake_request_init(&request);
	start_listing(scene, handle, 3, &request);
	assert_string_equal(request.names[0], "password");
	assert_int_equal(request.nodes[0], 0);
}

static void a_refused_listing_counts_no_lookup(void **state)
{
	struct scene *scene = *state;
	uint64_t handle = open_directory(scene, NODE_ROOT);
	struct request request;

	fill(scene, "app_db", "v1", JSON);
	fake_request_init(&request);
	request.kernel_refuses = true;
	start_listing(scene, handle, 0, &request);
	assert_int_equal(request.answers, 1);
	assert_int_not_equal(request.nodes[3], 0);
	assert_int_equal(read_node(scene, request.nodes[3], 0, 9).code,
			 -ESTALE);
}

static void ls_of_a_secret_out_of_reach_shows_its_name(void **state)
{
	struct scene *scene = *state;
	uint64_t handle = open_directory(scene, NODE_ROOT);
	struct request request;

	fake_request_init(&request);
	start_listing(scene, handle, 0, &request);
	fake_source_fail(&scene->source, -EACCES);
	assert_int_equal(request.code, 0);
	assert_int_equal(request.name_count, 3);
	assert_string_equal(request.names[2], "app_db");
	assert_int_equal(request.nodes[2], 0);
}

static void ls_lists_what_is_known_when_its_patience_is_over(void **state)
{
	struct scene *scene = *state;
	uint64_t handle = open_directory(scene, NODE_ROOT);
	struct request waits;
	struct request request;

	start_lookup(scene, NODE_ROOT, "password", &waits);
	fake_request_init(&request);
	start_listing(scene, handle, 0, &request);
	clock_advance(&scene->clock, 1999);
	assert_int_equal(loop_turn(scene->loop, 0), 0);
	assert_int_equal(request.answers, 0);
	clock_advance(&scene->clock, 1);
	assert_int_equal(loop_turn(scene->loop, 0), 0);
	assert_int_equal(request.answers, 1);
	assert_int_equal(request.name_count, 3);
	fake_source_answer(&scene->source, "v1", JSON);
	assert_int_equal(waits.answers, 1);
	assert_int_equal(waits.code, 0);
}

static void
a_killed_reader_is_answered_and_a_handled_signal_is_not(void **state)
{
	struct scene *scene = *state;
	struct request lives;
	struct request unseen;

	start_lookup(scene, NODE_ROOT, "password", &lives);
	lives.pid = getpid(); /* has no SIGKILL pending */
	start_lookup(scene, NODE_ROOT, "password", &unseen);
	fake_request_interrupt(&lives);
	fake_request_interrupt(&unseen);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(loop_turn(scene->loop, 0), 0);
		assert_int_equal(lives.answers, 0);
		assert_int_equal(unseen.answers, 0);
		clock_advance(&scene->clock, 250);
	}
	assert_int_equal(loop_turn(scene->loop, 0), 0);
	assert_int_equal(unseen.answers, 1);
	assert_int_equal(unseen.code, -EINTR);
	assert_int_equal(lives.answers, 0);
	fake_source_answer(&scene->source, "v1", JSON);
	assert_int_equal(lives.answers, 1);
	assert_int_equal(lives.code, 0);
	assert_null(lives.on_interrupt);
}

static void a_reader_that_is_gone_ends_at_once(void **state)
{
	struct scene *scene = *state;
	struct request request;
	pid_t child = fork();

	if (child == 0)
		_exit(0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	start_lookup(scene, NODE_ROOT, "password", &request);
	request.pid = child;
	fake_request_interrupt(&request);
	assert_int_equal(loop_turn(scene->loop, 0), 0);
	assert_int_equal(request.code, -EINTR);
	/* and the fetch that nobody awaits is given up a second later */
	clock_advance(&scene->clock, 1000);
	assert_int_equal(loop_turn(scene->loop, 0), 0);
	assert_int_equal(scene->source.cancels, 1);
}

static void freeing_the_tree_answers_who_waits(void **state)
{
	struct scene *scene = *state;
	struct request request;

	start_lookup(scene, NODE_ROOT, "password", &request);
	tree_free(scene->tree);
	scene->tree = NULL;
	assert_int_equal(request.answers, 1);
	assert_int_equal(request.code, -EIO);
}

static void unknown_nodes_are_stale(void **state)
{
	struct scene *scene = *state;
	struct request request;

	fake_request_init(&request);
	tree_get_attributes(scene->tree, &request, 99);
	assert_int_equal(request.code, -ESTALE);
	assert_int_equal(look_up(scene, 99, "x").code, -ESTALE);
	fake_request_init(&request);
	tree_open_directory(scene->tree, &request, 99);
	assert_int_equal(request.code, -ESTALE);
	assert_int_equal(read_node(scene, NODE_ROOT, 0, 1).code, -EISDIR);
}

/* a is a folder and a secret, b a secret. */
static void answer_listing(struct scene *scene)
{
	struct listing *listing = listing_new();

	assert_int_equal(
		listing_add(listing,
			    &(struct listing_name){ .name = "a",
						    .is_folder = true,
						    .is_secret = true }),
		0);
	assert_int_equal(listing_add(listing,
				     &(struct listing_name){
					     .name = "b", .is_secret = true }),
			 0);
	fake_source_answer_names(&scene->source, listing);
	listing_unref(listing);
}

static void a_prefix_shows_folders_and_whole_secrets(void **state)
{
	struct scene *scene = *state;
	struct request folder;
	struct request secret;

	start_lookup(scene, NODE_ROOT, "a", &folder);
	assert_string_equal(scene->source.open[0]->name, "");
	answer_listing(scene);
	assert_int_equal(folder.entry.attributes.st_mode, S_IFDIR | 0550);
	start_lookup(scene, NODE_ROOT, "b", &secret);
	assert_string_equal(scene->source.open[0]->name, "b");
	fake_source_answer(&scene->source, "v1", JSON);
	assert_int_equal(secret.entry.attributes.st_size, strlen(JSON));
	assert_true(look_up(scene, NODE_ROOT, "c").absent_ms > 0);
	assert_true(look_up(scene, NODE_ROOT, ".value").absent_ms > 0);
}

static void a_secret_with_the_name_of_its_folder_is_in_it(void **state)
{
	struct scene *scene = *state;
	struct request request;
	uint64_t folder;
	uint64_t handle;

	start_lookup(scene, NODE_ROOT, "a", &request);
	answer_listing(scene);
	folder = request.entry.node;
	start_lookup(scene, folder, ".value", &request);
	assert_string_equal(scene->source.open[0]->name, "a");
	fake_source_answer(&scene->source, "v1", "x");
	assert_int_equal(request.entry.attributes.st_size, 1);
	handle = open_directory(scene, folder);
	fake_request_init(&request);
	tree_read_directory(scene->tree, &request,
			    &(struct tree_read_directory){ .node = folder,
							   .handle = handle,
							   .size = 4096 });
	assert_string_equal(scene->source.open[0]->name, "a/");
	answer_listing(scene);
	assert_int_equal(request.name_count, 5);
	assert_string_equal(request.names[2], ".value");
	assert_int_equal(request.modes[3], S_IFDIR);
	assert_int_equal(request.modes[4], S_IFREG);
}

#define secret_test(name)                                                      \
	cmocka_unit_test_setup_teardown(name, show_secret, scene_free)
#define prefix_test(name)                                                      \
	cmocka_unit_test_setup_teardown(name, show_prefix, scene_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		secret_test(a_key_is_a_file_with_exact_size_and_rest_of_ttl),
		secret_test(bytes_come_as_they_are_stored),
		secret_test(the_whole_value_has_the_name_of_the_secret),
		secret_test(an_old_node_keeps_its_bytes_after_a_rotation),
		secret_test(an_unchanged_secret_keeps_its_node_after_the_ttl),
		secret_test(a_missing_key_is_absent_for_five_seconds_at_most),
		secret_test(a_dot_name_asks_nobody),
		secret_test(failures_reach_the_reader),
		secret_test(a_secret_that_is_gone_takes_its_names_along),
		secret_test(an_open_directory_lets_a_value_go_that_is_gone),
		secret_test(a_reply_that_the_kernel_refuses_counts_no_lookup),
		secret_test(ls_shows_the_value_and_its_keys_with_their_nodes),
		secret_test(a_listing_goes_on_where_it_was_cut),
		secret_test(
			a_rotation_between_two_parts_of_ls_gives_no_wrong_node),
		secret_test(a_refused_listing_counts_no_lookup),
		secret_test(ls_of_a_secret_out_of_reach_shows_its_name),
		secret_test(ls_lists_what_is_known_when_its_patience_is_over),
		secret_test(
			a_killed_reader_is_answered_and_a_handled_signal_is_not),
		secret_test(a_reader_that_is_gone_ends_at_once),
		secret_test(freeing_the_tree_answers_who_waits),
		secret_test(unknown_nodes_are_stale),
		prefix_test(a_prefix_shows_folders_and_whole_secrets),
		prefix_test(a_secret_with_the_name_of_its_folder_is_in_it),
	};

	return cmocka_run_group_tests_name("tree", tests, NULL, NULL);
}
