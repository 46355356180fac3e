/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "tests/tree_fixture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define JSON "{\"password\":\"secret\",\"user\":\"ada\"}"

/* Two workers, one after the other, over the same memory. */
struct stage {
	int fd;
	struct scene *scene;
	bool is_lost;
};

static struct layout_object objects[] = {
	{ .name = "app",
	  .expands = true,
	  .folder = "",
	  .rights = { .uid = 7, .gid = 8, .mode = 0440 } },
};

static void begin(struct stage *stage, const char *identity)
{
	stage->scene = scene_new();
	stage->scene->source.base.identity = identity;
	objects[0].source = &stage->scene->source.base;
	scene_show(stage->scene, objects, 1);
	assert_int_equal(tree_keep_nodes(stage->scene->tree, dup(stage->fd),
					 &stage->is_lost),
			 0);
}

/* As if it were killed: what the tree does at its end is not done to the
 * memory. */
static void follow_worker(struct stage *stage, const char *identity)
{
	static char copy[1 << 16];
	void *left = stage->scene;

	assert_true(pread(stage->fd, copy, sizeof(copy), 0) > 0);
	assert_int_equal(scene_free(&left), 0);
	assert_int_equal(pwrite(stage->fd, copy, sizeof(copy), 0),
			 sizeof(copy));
	begin(stage, identity);
}

static int set_up(void **state)
{
	static struct stage stage;

	stage.fd = memfd_create("nodes", 0);
	assert_int_equal(ftruncate(stage.fd, 1 << 16), 0);
	begin(&stage, "me");
	*state = &stage;
	return 0;
}

static int tear_down(void **state)
{
	struct stage *stage = *state;
	void *left = stage->scene;

	(void)close(stage->fd);
	return scene_free(&left);
}

static void start_read(struct stage *stage, uint64_t node,
		       struct request *request)
{
	fake_request_init(request);
	tree_read(stage->scene->tree, request, node, 0, 100);
}

static void check_bytes(const struct request *request, const char *bytes)
{
	assert_int_equal(request->answers, 1);
	assert_int_equal(request->code, 0);
	assert_int_equal(request->length, strlen(bytes));
	assert_memory_equal(request->bytes, bytes, strlen(bytes));
}

static struct request attributes_of(struct stage *stage, uint64_t node)
{
	struct request request;

	fake_request_init(&request);
	tree_get_attributes(stage->scene->tree, &request, node);
	assert_int_equal(request.answers, 1);
	return request;
}

static void attributes_need_no_fetch(void **state)
{
	struct stage *stage = *state;
	uint64_t node = fill(stage->scene, "password", "v1", JSON);
	struct request before = attributes_of(stage, node);
	struct request after;

	follow_worker(stage, "me");
	assert_false(stage->is_lost);
	after = attributes_of(stage, node);
	assert_int_equal(after.code, 0);
	assert_memory_equal(&after.attributes, &before.attributes,
			    sizeof(after.attributes));
	assert_int_equal(stage->scene->source.fetches, 0);
}

static void a_read_waits_for_the_value_and_is_served(void **state)
{
	struct stage *stage = *state;
	uint64_t node = fill(stage->scene, "password", "v1", JSON);
	struct request first;
	struct request second;

	follow_worker(stage, "me");
	start_read(stage, node, &first);
	start_read(stage, node, &second);
	assert_int_equal(first.answers, 0);
	assert_int_equal(stage->scene->source.fetches, 1);
	fake_source_answer(&stage->scene->source, "v1", JSON);
	check_bytes(&first, "secret");
	check_bytes(&second, "secret");
	start_read(stage, node, &first);
	check_bytes(&first, "secret");
	assert_int_equal(stage->scene->source.fetches, 1);
}

static void an_older_version_is_asked_for_by_its_name(void **state)
{
	struct stage *stage = *state;
	uint64_t node = fill(stage->scene, "password", "v1", JSON);
	struct request request;

	follow_worker(stage, "me");
	start_read(stage, node, &request);
	fake_source_answer(&stage->scene->source, "v2",
			   "{\"password\":\"newer\"}");
	assert_int_equal(request.answers, 0);
	assert_int_equal(stage->scene->source.open_count, 1);
	assert_string_equal(stage->scene->source.open[0]->version, "v1");
	fake_source_answer(&stage->scene->source, "v1", JSON);
	check_bytes(&request, "secret");
}

static void what_cannot_be_had_is_stale_for_that_node_only(void **state)
{
	struct stage *stage = *state;
	uint64_t node = fill(stage->scene, "password", "v1", JSON);
	struct request request;

	follow_worker(stage, "me");
	start_read(stage, node, &request);
	fake_source_answer(&stage->scene->source, "v2",
			   "{\"password\":\"newer\"}");
	fake_source_fail(&stage->scene->source, -ENOENT);
	assert_int_equal(request.answers, 1);
	assert_int_equal(request.code, -ESTALE);
	request = look_up(stage->scene, NODE_ROOT, "password");
	assert_true(request.entry.node > node);
	request = read_node(stage->scene, request.entry.node, 0, 100);
	check_bytes(&request, "newer");
}

static void an_outage_is_no_reason_to_give_up(void **state)
{
	struct stage *stage = *state;
	uint64_t node = fill(stage->scene, "password", "v1", JSON);
	struct request request;

	follow_worker(stage, "me");
	start_read(stage, node, &request);
	fake_source_fail(&stage->scene->source, -EIO);
	assert_int_equal(request.code, -EIO);
	start_read(stage, node, &request);
	fake_source_answer(&stage->scene->source, "v1", JSON);
	check_bytes(&request, "secret");
}

static void a_name_leads_to_the_node_that_it_led_to(void **state)
{
	struct stage *stage = *state;
	uint64_t node = fill(stage->scene, "password", "v1", JSON);
	struct request request;

	follow_worker(stage, "me");
	assert_int_equal(fill(stage->scene, "password", "v1", JSON), node);
	request = read_node(stage->scene, node, 0, 100);
	check_bytes(&request, "secret");
}

static void bytes_of_another_length_are_never_served(void **state)
{
	struct stage *stage = *state;
	uint64_t node = fill(stage->scene, "password", "v1", JSON);
	struct request request;

	follow_worker(stage, "me");
	start_read(stage, node, &request);
	fake_source_answer(&stage->scene->source, "v1",
			   "{\"password\":\"something else\"}");
	assert_int_equal(request.code, -ESTALE);
}

static void another_identity_gets_nothing_of_it(void **state)
{
	struct stage *stage = *state;
	uint64_t node = fill(stage->scene, "password", "v1", JSON);
	struct request request;

	follow_worker(stage, "someone else");
	start_read(stage, node, &request);
	assert_int_equal(request.code, -ESTALE);
	assert_int_equal(stage->scene->source.fetches, 0);
}

static void what_was_forgotten_does_not_come_back(void **state)
{
	struct stage *stage = *state;
	uint64_t node = fill(stage->scene, "password", "v1", JSON);

	tree_forget(stage->scene->tree, node, 1);
	follow_worker(stage, "me");
	assert_int_equal(attributes_of(stage, node).code, -ESTALE);
	assert_int_equal(tree_node_count(stage->scene->tree), 1);
}

static void lookups_are_counted_over_workers(void **state)
{
	struct stage *stage = *state;
	uint64_t node = fill(stage->scene, "password", "v1", JSON);

	(void)look_up(stage->scene, NODE_ROOT, "password");
	follow_worker(stage, "me");
	tree_forget(stage->scene->tree, node, 1);
	assert_int_equal(attributes_of(stage, node).code, 0);
	tree_forget(stage->scene->tree, node, 1);
	assert_int_equal(attributes_of(stage, node).code, -ESTALE);
}

static void a_number_is_never_given_twice(void **state)
{
	struct stage *stage = *state;
	uint64_t node = fill(stage->scene, "password", "v1", JSON);

	tree_forget(stage->scene->tree, node, 1);
	follow_worker(stage, "me");
	assert_true(fill(stage->scene, "password", "v1", JSON) > node);
}

static void a_table_that_cannot_be_read_is_told_of(void **state)
{
	struct stage *stage = *state;
	uint64_t node = fill(stage->scene, "password", "v1", JSON);
	const char other = 9;

	assert_int_equal(pwrite(stage->fd, &other, 1, 16), 1);
	follow_worker(stage, "me");
	assert_true(stage->is_lost);
	assert_int_equal(attributes_of(stage, node).code, -ESTALE);
	assert_true(fill(stage->scene, "password", "v1", JSON) > node);
}

static void a_directory_that_was_open_is_listed(void **state)
{
	struct stage *stage = *state;
	uint64_t handle = open_directory(stage->scene, NODE_ROOT);
	struct request request;

	follow_worker(stage, "me");
	assert_true(open_directory(stage->scene, NODE_ROOT) != handle);
	fake_request_init(&request);
	start_listing(stage->scene, handle, 0, &request);
	fake_source_answer(&stage->scene->source, "v1", JSON);
	assert_int_equal(request.code, 0);
	assert_true(request.name_count >= 2);
	fake_request_init(&request);
	start_listing(stage->scene, handle + 1000, 0, &request);
	assert_int_equal(request.answers, 1);
}

struct dropped {
	uint64_t node;
	size_t count;
};

static void note_dropped(void *owner, const uint64_t *nodes, size_t count)
{
	struct dropped *dropped = owner;

	dropped->node = nodes[0];
	dropped->count += count;
}

/* The word of the worker before may have been lost with it. */
static void what_was_revoked_is_dropped_once_more(void **state)
{
	struct stage *stage = *state;
	uint64_t node = fill(stage->scene, "password", "v1", JSON);
	struct dropped dropped = { 0 };

	(void)cache_refresh(stage->scene->cache, NULL);
	assert_int_equal(loop_turn(stage->scene->loop, 0), 0);
	fake_source_fail(&stage->scene->source, -EACCES);
	follow_worker(stage, "me");
	tree_set_reach(stage->scene->tree,
		       &(struct tree_reach){ .drop_pages = note_dropped,
					     .owner = &dropped });
	clock_advance(&stage->scene->clock, 60000);
	assert_int_equal(loop_turn(stage->scene->loop, 0), 0);
	assert_int_equal(dropped.count, 1);
	assert_int_equal(dropped.node, node);
	clock_advance(&stage->scene->clock, 60000);
	assert_int_equal(loop_turn(stage->scene->loop, 0), 0);
	assert_int_equal(dropped.count, 1);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(attributes_need_no_fetch),
		CASE(a_read_waits_for_the_value_and_is_served),
		CASE(an_older_version_is_asked_for_by_its_name),
		CASE(what_cannot_be_had_is_stale_for_that_node_only),
		CASE(an_outage_is_no_reason_to_give_up),
		CASE(a_name_leads_to_the_node_that_it_led_to),
		CASE(bytes_of_another_length_are_never_served),
		CASE(another_identity_gets_nothing_of_it),
		CASE(what_was_forgotten_does_not_come_back),
		CASE(what_was_revoked_is_dropped_once_more),
		CASE(lookups_are_counted_over_workers),
		CASE(a_number_is_never_given_twice),
		CASE(a_table_that_cannot_be_read_is_told_of),
		CASE(a_directory_that_was_open_is_listed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
