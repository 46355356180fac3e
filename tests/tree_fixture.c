/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "base/err.h"
#include "tests/tree_fixture.h"

#include <stdlib.h>

struct scene *scene_new(void)
{
	static const struct cache_limits limits = { .max_entries = 2000,
						    .negative_ms = 5000,
						    .linger_ms = 1000 };
	struct scene *scene = calloc(1, sizeof(*scene));

	assert_non_null(scene);
	clock_set(&scene->clock, 1000000, 1700000000);
	scene->loop = loop_new(&scene->clock);
	scene->cache = cache_new(scene->loop, &limits);
	fake_source_init(&scene->source, "me");
	return scene;
}

struct layout *scene_layout(const struct layout_object *objects, size_t count)
{
	struct layout *layout;
	struct err err;

	assert_int_equal(layout_new(
				 &(struct layout_settings){
					 .objects = objects,
					 .object_count = count,
					 .directory_rights = { .uid = 7,
							       .gid = 8,
							       .mode = 0550 },
					 .ttl_ms = TTL_MS,
					 .timeout_ms = 20000,
				 },
				 &layout, &err),
			 0);
	return layout;
}

static void make_tree(struct scene *scene, const struct tree_settings *settings)
{
	scene->tree = tree_new(settings);
	assert_non_null(scene->tree);
}

void scene_show(struct scene *scene, const struct layout_object *objects,
		size_t count)
{
	struct layout *layout = scene_layout(objects, count);

	make_tree(scene, &(struct tree_settings){ .loop = scene->loop,
						  .cache = scene->cache,
						  .layout = layout });
	layout_unref(layout);
}

void scene_show_prefix(struct scene *scene, const char *prefix)
{
	make_tree(scene, &(struct tree_settings){
				 .loop = scene->loop,
				 .cache = scene->cache,
				 .prefix = {
					 .source = &scene->source.base,
					 .name = prefix,
					 .ttl_ms = TTL_MS,
					 .timeout_ms = 20000,
					 .rights = TREE_RIGHTS,
					 .directory_rights = { .mode = 0550 },
				 } });
}

int scene_free(void **state)
{
	struct scene *scene = *state;

	tree_free(scene->tree);
	cache_free(scene->cache);
	loop_free(scene->loop);
	free(scene);
	return 0;
}

void start_lookup(struct scene *scene, uint64_t parent, const char *name,
		  struct request *request)
{
	fake_request_init(request);
	tree_lookup(scene->tree, request, parent, name);
}

struct request look_up(struct scene *scene, uint64_t parent, const char *name)
{
	struct request request;

	start_lookup(scene, parent, name, &request);
	assert_int_equal(request.answers, 1);
	return request;
}

struct request read_node(struct scene *scene, uint64_t node, off_t offset,
			 size_t size)
{
	struct request request;

	fake_request_init(&request);
	tree_read(scene->tree, &request, node, offset, size);
	assert_int_equal(request.answers, 1);
	return request;
}

uint64_t fill(struct scene *scene, const char *name, const char *version,
	      const char *json)
{
	struct request request;

	start_lookup(scene, NODE_ROOT, name, &request);
	assert_int_equal(request.answers, 0);
	fake_source_answer(&scene->source, version, json);
	assert_int_equal(request.answers, 1);
	return request.entry.node;
}

uint64_t open_directory(struct scene *scene, uint64_t node)
{
	struct request request;

	fake_request_init(&request);
	tree_open_directory(scene->tree, &request, node);
	assert_int_equal(request.answers, 1);
	assert_int_equal(request.code, 0);
	return request.handle;
}

void start_listing(struct scene *scene, uint64_t handle, off_t offset,
		   struct request *request)
{
	tree_read_directory(scene->tree, request,
			    &(struct tree_read_directory){ .node = NODE_ROOT,
							   .handle = handle,
							   .offset = offset,
							   .size = 4096,
							   .is_plus = true });
}
