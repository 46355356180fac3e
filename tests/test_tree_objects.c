/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "base/err.h"
#include "base/macros.h"
#include "jmespath/jmespath.h"
#include "tests/tree_fixture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * A layout with something of everything:
 *
 *	db	expands in the root; its whole value is "db"
 *	api	lists two paths, "token" and "port", and its whole value "api"
 *	web	expands in the root, after db; has no file of its own
 *	tree	expands in "tree/", whose ".value" is its whole value
 */

enum { DB, API, WEB, TREE, OBJECTS };

struct files {
	struct jmespath *token;
	struct jmespath *port;
	struct layout_file db;
	struct layout_file api[3];
	struct layout_file tree;
};

static struct jmespath *compile(const char *text)
{
	struct jmespath *path;
	struct err err;

	assert_int_equal(jmespath_compile(text, strlen(text), &path, &err), 0);
	return path;
}

static struct layout_file whole_file(const char *name)
{
	return (struct layout_file){ .name = name,
				     .view = { .key = VIEW_WHOLE },
				     .rights = TREE_RIGHTS };
}

static struct layout_file path_file(const char *name, const char *text,
				    const struct jmespath *path)
{
	return (struct layout_file){
		.name = name,
		.view = { .key = VIEW_PATH, .path = path, .path_text = text },
		.rights = { .uid = 1, .gid = 2, .mode = 0404 },
	};
}

static void fill_objects(struct files *files, struct source *source,
			 struct layout_object *objects)
{
	files->token = compile("auth.token");
	files->port = compile("port");
	files->db = whole_file("db");
	files->api[0] = whole_file("api");
	files->api[1] = path_file("token", "auth.token", files->token);
	files->api[2] = path_file("port", "port", files->port);
	files->tree = whole_file("tree/.value");
	objects[DB] = (struct layout_object){ .name = "db",
					      .files = &files->db,
					      .file_count = 1,
					      .expands = true,
					      .folder = "" };
	objects[API] = (struct layout_object){ .name = "api",
					       .stage = "AWSPREVIOUS",
					       .files = files->api,
					       .file_count = 3,
					       .folder = "" };
	objects[WEB] = (struct layout_object){ .name = "web",
					       .expands = true,
					       .folder = "" };
	objects[TREE] = (struct layout_object){ .name = "tree",
						.files = &files->tree,
						.file_count = 1,
						.expands = true,
						.folder = "tree" };
	for (size_t i = 0; i < OBJECTS; i++)
		objects[i].source = source;
}

struct state {
	struct scene *scene;
	struct files files;
	struct layout_object objects[OBJECTS];
};

static int show_objects(void **state)
{
	struct state *made = calloc(1, sizeof(*made));

	assert_non_null(made);
	made->scene = scene_new();
	fill_objects(&made->files, &made->scene->source.base, made->objects);
	scene_show(made->scene, made->objects, OBJECTS);
	*state = made;
	return 0;
}

static int tear_down(void **state)
{
	struct state *made = *state;
	void *scene = made->scene;

	scene_free(&scene);
	jmespath_free(made->files.token);
	jmespath_free(made->files.port);
	free(made);
	return 0;
}

static struct scene *scene_of(void **state)
{
	const struct state *made = *state;

	return made->scene;
}

static void answer(struct scene *scene, const char *name, const char *json)
{
	fake_source_answer_for(&scene->source, name, "v1", json);
}

static void assert_shows(struct scene *scene, uint64_t parent, const char *name,
			 const char *text)
{
	struct request request = look_up(scene, parent, name);

	assert_int_equal(request.code, 0);
	assert_int_equal(request.absent_ms, -1);
	assert_int_equal(request.entry.attributes.st_size, strlen(text));
	request = read_node(scene, request.entry.node, 0, 200);
	assert_int_equal(request.length, strlen(text));
	assert_memory_equal(request.bytes, text, strlen(text));
}

static void a_given_name_asks_for_its_own_object_alone(void **state)
{
	struct scene *scene = scene_of(state);
	struct request request;

	start_lookup(scene, NODE_ROOT, "token", &request);
	assert_int_equal(scene->source.open_count, 1);
	assert_string_equal(scene->source.open[0]->name, "api");
	assert_string_equal(scene->source.open[0]->stage, "AWSPREVIOUS");
	answer(scene, "api",
	       "{\"auth\":{\"token\":\"t\\u00e9\"},\"port\":1.10}");
	assert_int_equal(request.entry.attributes.st_size, 3);
	assert_int_equal(request.entry.attributes.st_mode, S_IFREG | 0404);
	assert_int_equal(request.entry.attributes.st_uid, 1);
	assert_int_equal(request.entry.attributes.st_gid, 2);
	assert_shows(scene, NODE_ROOT, "token", "t\u00e9");
	assert_shows(scene, NODE_ROOT, "port", "1.10");
	assert_int_equal(scene->source.fetches, 1);
}

static void another_name_asks_all_that_expand_there_at_once(void **state)
{
	struct scene *scene = scene_of(state);
	struct request request;

	start_lookup(scene, NODE_ROOT, "user", &request);
	assert_int_equal(scene->source.open_count, 2);
	answer(scene, "web", "{\"user\":\"w\"}");
	/* db stands first and may have it too */
	assert_int_equal(request.answers, 0);
	answer(scene, "db", "{\"pass\":\"p\"}");
	assert_int_equal(request.answers, 1);
	assert_shows(scene, NODE_ROOT, "user", "w");
}

static void
the_first_object_that_has_the_key_waits_for_no_later_one(void **state)
{
	struct scene *scene = scene_of(state);
	struct request request;

	start_lookup(scene, NODE_ROOT, "user", &request);
	answer(scene, "db", "{\"user\":\"d\"}");
	assert_int_equal(request.answers, 1);
	assert_int_equal(request.entry.attributes.st_size, 1);
	answer(scene, "web", "{\"user\":\"w\"}");
	assert_shows(scene, NODE_ROOT, "user", "d");
}

static void a_key_is_served_though_an_earlier_object_fails(void **state)
{
	struct scene *scene = scene_of(state);
	struct request request;

	start_lookup(scene, NODE_ROOT, "user", &request);
	fake_source_fail_for(&scene->source, "db", -EIO);
	answer(scene, "web", "{\"user\":\"w\"}");
	assert_int_equal(request.code, 0);
	assert_int_equal(request.entry.attributes.st_size, 1);
	/* and asked for again soon: db may have it too */
	assert_int_equal(request.entry.entry_ms, 1000);
}

static void
the_first_error_is_the_readers_where_nobody_has_the_key(void **state)
{
	struct scene *scene = scene_of(state);
	struct request request;

	start_lookup(scene, NODE_ROOT, "user", &request);
	fake_source_fail_for(&scene->source, "db", -EACCES);
	fake_source_fail_for(&scene->source, "web", -EIO);
	assert_int_equal(request.code, -EACCES);
}

static void a_name_is_absent_only_if_all_are_known(void **state)
{
	struct scene *scene = scene_of(state);
	struct request request;

	start_lookup(scene, NODE_ROOT, "none", &request);
	answer(scene, "db", "{\"user\":\"d\"}");
	assert_int_equal(request.answers, 0);
	fake_source_fail_for(&scene->source, "web", -ENOENT);
	assert_int_equal(request.answers, 1);
	assert_int_equal(request.absent_ms, 5000);
}

static void keys_of_what_is_not_json_are_a_bad_message(void **state)
{
	struct scene *scene = scene_of(state);
	struct request request;

	start_lookup(scene, NODE_ROOT, "none", &request);
	answer(scene, "db", "plain");
	answer(scene, "web", "text");
	assert_int_equal(request.code, -EBADMSG);
	/* one that has keys decides: the name is none of them */
	clock_advance(&scene->clock, TTL_MS);
	start_lookup(scene, NODE_ROOT, "none", &request);
	fake_source_answer_for(&scene->source, "db", "v2", "{\"k\":1}");
	fake_source_answer_for(&scene->source, "web", "v2", "text");
	assert_int_equal(request.absent_ms, 5000);
}

static void a_path_to_nothing_is_absent(void **state)
{
	struct scene *scene = scene_of(state);
	struct request request;

	start_lookup(scene, NODE_ROOT, "token", &request);
	answer(scene, "api", "{\"port\":null}");
	assert_int_equal(request.absent_ms, 5000);
	assert_int_equal(look_up(scene, NODE_ROOT, "port").absent_ms, 5000);
	assert_shows(scene, NODE_ROOT, "api", "{\"port\":null}");
}

static void a_path_into_what_is_not_json_is_a_bad_message(void **state)
{
	struct scene *scene = scene_of(state);
	struct request request;

	start_lookup(scene, NODE_ROOT, "token", &request);
	answer(scene, "api", "plain");
	assert_int_equal(request.code, -EBADMSG);
}

static void a_directory_of_the_layout_asks_nobody(void **state)
{
	struct scene *scene = scene_of(state);
	struct request request = look_up(scene, NODE_ROOT, "tree");
	uint64_t directory = request.entry.node;

	assert_int_equal(request.entry.attributes.st_mode, S_IFDIR | 0550);
	assert_int_equal(request.entry.entry_ms, TTL_MS);
	assert_int_equal(scene->source.fetches, 0);
	start_lookup(scene, directory, "key", &request);
	assert_int_equal(scene->source.open_count, 1);
	answer(scene, "tree", "{\"key\":\"x\"}");
	assert_shows(scene, directory, "key", "x");
	assert_shows(scene, directory, ".value", "{\"key\":\"x\"}");
	assert_true(look_up(scene, directory, ".other").absent_ms > 0);
}

static void assert_names(const struct request *request,
			 const char *const *names, size_t count)
{
	assert_int_equal(request->name_count, count + 2);
	for (size_t i = 0; i < count; i++)
		assert_string_equal(request->names[i + 2], names[i]);
}

static void list_root(struct scene *scene, struct request *request)
{
	uint64_t handle = open_directory(scene, NODE_ROOT);

	fake_request_init(request);
	start_listing(scene, handle, 0, request);
}

static void ls_lists_given_names_then_keys_each_once(void **state)
{
	static const char *const names[] = { "db",   "api",  "token", "port",
					     "tree", "user", "a" };
	struct scene *scene = scene_of(state);
	struct request request;

	list_root(scene, &request);
	assert_int_equal(scene->source.open_count, 2); /* not api, not tree */
	answer(scene, "db", "{\"user\":1,\"token\":2}");
	answer(scene, "web", "{\"a\":1,\"user\":2}");
	assert_int_equal(request.answers, 1);
	assert_names(&request, names, ARRAY_SIZE(names));
	assert_int_equal(request.nodes[3], 0); /* api: not fetched */
	assert_int_equal(request.modes[6], S_IFDIR);
	assert_int_not_equal(request.nodes[2], 0);
	assert_int_equal(look_up(scene, NODE_ROOT, "user").entry.node,
			 request.nodes[7]);
}

static void ls_does_not_fail_because_of_one_object(void **state)
{
	static const char *const names[] = { "db",   "api",  "token",
					     "port", "tree", "a" };
	struct scene *scene = scene_of(state);
	struct request request;

	list_root(scene, &request);
	fake_source_fail_for(&scene->source, "db", -EACCES);
	answer(scene, "web", "{\"a\":1}");
	assert_int_equal(request.code, 0);
	assert_names(&request, names, ARRAY_SIZE(names));
}

static void ls_leaves_out_what_is_known_to_show_nothing(void **state)
{
	static const char *const names[] = { "api", "port", "tree" };
	struct scene *scene = scene_of(state);
	struct request request;

	start_lookup(scene, NODE_ROOT, "port", &request);
	answer(scene, "api", "{\"port\":1}");
	list_root(scene, &request);
	fake_source_fail_for(&scene->source, "db", -ENOENT);
	fake_source_fail_for(&scene->source, "web", -ENOENT);
	assert_names(&request, names, ARRAY_SIZE(names));
}

static void another_layout_keeps_the_nodes_of_files_that_stay(void **state)
{
	struct state *made = *state;
	struct scene *scene = made->scene;
	struct layout *layout;
	struct request request;
	uint64_t user;
	uint64_t token;

	start_lookup(scene, NODE_ROOT, "token", &request);
	answer(scene, "api", "{\"auth\":{\"token\":\"t\"}}");
	token = request.entry.node;
	start_lookup(scene, NODE_ROOT, "user", &request);
	answer(scene, "db", "{\"user\":\"d\"}");
	user = request.entry.node;
	answer(scene, "web", "{}");

	/* without db, and the token has another owner and no api beside it */
	made->files.api[1].rights.uid = 99;
	made->objects[API].files = &made->files.api[1];
	made->objects[API].file_count = 1;
	layout = scene_layout(&made->objects[API], OBJECTS - API);
	tree_set_layout(scene->tree, layout);
	layout_unref(layout);
	request = look_up(scene, NODE_ROOT, "token");
	assert_int_equal(request.entry.node, token);
	assert_int_equal(request.entry.attributes.st_uid, 99);
	assert_true(look_up(scene, NODE_ROOT, "user").absent_ms > 0);
	assert_true(look_up(scene, NODE_ROOT, "api").absent_ms > 0);
	/* who holds the file goes on reading it */
	assert_int_equal(read_node(scene, user, 0, 10).length, 1);
	assert_int_equal(scene->source.fetches, 3);
}

static void show_without_db(struct state *made)
{
	struct layout *layout =
		scene_layout(&made->objects[API], OBJECTS - API);

	tree_set_layout(made->scene->tree, layout);
	layout_unref(layout);
}

static void sweep(struct scene *scene)
{
	clock_advance(&scene->clock, 1000);
	assert_int_equal(loop_turn(scene->loop, 0), 0);
}

static void
a_node_that_is_forgotten_before_its_name_is_asked_for_stays(void **state)
{
	struct state *made = *state;
	struct scene *scene = made->scene;
	struct request request;
	uint64_t token;

	start_lookup(scene, NODE_ROOT, "token", &request);
	answer(scene, "api", "{\"auth\":{\"token\":\"t\"}}");
	token = request.entry.node;
	show_without_db(made);
	tree_forget(scene->tree, token, 1);
	assert_int_equal(look_up(scene, NODE_ROOT, "token").entry.node, token);
	/* once it was asked for it is forgotten as ever */
	tree_forget(scene->tree, token, 1);
	assert_true(look_up(scene, NODE_ROOT, "token").entry.node != token);
}

static void what_is_forgotten_and_not_asked_for_again_goes(void **state)
{
	struct state *made = *state;
	struct scene *scene = made->scene;
	struct request request;
	uint64_t value;
	uint64_t folder;

	folder = look_up(scene, NODE_ROOT, "tree").entry.node;
	start_lookup(scene, folder, ".value", &request);
	answer(scene, "tree", "{}");
	value = request.entry.node;
	show_without_db(made);
	tree_forget(scene->tree, value, 1);
	tree_forget(scene->tree, folder, 1);
	sweep(scene);
	assert_int_equal(read_node(scene, value, 0, 10).code, 0);
	sweep(scene);
	assert_int_equal(read_node(scene, value, 0, 10).code, -ESTALE);
	assert_true(look_up(scene, NODE_ROOT, "tree").entry.node != folder);
}

static void the_only_node_of_a_secret_may_be_replaced_by_one_of_it(void **state)
{
	struct state *made = *state;
	struct scene *scene = made->scene;
	struct layout *layout;
	struct request request;

	start_lookup(scene, NODE_ROOT, "token", &request);
	answer(scene, "api", "{\"auth\":{\"token\":\"t\"},\"port\":77}");
	made->files.api[1].view = made->files.api[2].view;
	layout = scene_layout(made->objects, OBJECTS);
	tree_set_layout(scene->tree, layout);
	layout_unref(layout);
	/* as the kernel does when all names are to be asked for again */
	tree_forget(scene->tree, request.entry.node, 1);
	assert_shows(scene, NODE_ROOT, "token", "77");
}

static void what_waits_goes_on_with_the_layout_it_began_with(void **state)
{
	struct state *made = *state;
	struct scene *scene = made->scene;
	struct layout *layout = scene_layout(&made->objects[TREE], 1);
	struct request request;

	start_lookup(scene, NODE_ROOT, "token", &request);
	tree_set_layout(scene->tree, layout);
	layout_unref(layout);
	answer(scene, "api", "{\"auth\":{\"token\":\"t\"}}");
	assert_int_equal(request.code, 0);
	assert_int_equal(request.entry.attributes.st_size, 1);
}

#define test(name)                                                             \
	cmocka_unit_test_setup_teardown(name, show_objects, tear_down)

static void a_name_leads_back_to_its_secret(void **state)
{
	static const struct {
		const char *name;
		const char *secret;
	} cases[] = {
		{ "db", "db" },
		{ "token", "api" },
		{ "tree/.value", "tree" },
		{ "web", "web" },
		{ "host", "db" },
		{ "tree/a%2Fb", "tree" },
		{ "a%2Fb", NULL },
		{ "tree/host", NULL },
		{ "tree/", NULL },
		{ "", NULL },
		{ "absent", NULL },
	};
	struct scene *scene = scene_of(state);
	struct request request;

	assert_null(tree_find_secret(scene->tree, "host"));
	start_lookup(scene, NODE_ROOT, "db", &request);
	answer(scene, "db", "{\"host\":\"h\"}");
	request = look_up(scene, NODE_ROOT, "tree");
	start_lookup(scene, request.entry.node, ".value", &request);
	answer(scene, "tree", "{\"a/b\":1}");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *found =
			tree_find_secret(scene->tree, cases[i].name);

		if (!cases[i].secret)
			assert_null(found);
		else
			assert_string_equal(found, cases[i].secret);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_given_name_asks_for_its_own_object_alone),
		test(another_name_asks_all_that_expand_there_at_once),
		test(the_first_object_that_has_the_key_waits_for_no_later_one),
		test(a_key_is_served_though_an_earlier_object_fails),
		test(the_first_error_is_the_readers_where_nobody_has_the_key),
		test(a_name_is_absent_only_if_all_are_known),
		test(keys_of_what_is_not_json_are_a_bad_message),
		test(a_path_to_nothing_is_absent),
		test(a_path_into_what_is_not_json_is_a_bad_message),
		test(a_directory_of_the_layout_asks_nobody),
		test(ls_lists_given_names_then_keys_each_once),
		test(ls_does_not_fail_because_of_one_object),
		test(ls_leaves_out_what_is_known_to_show_nothing),
		test(another_layout_keeps_the_nodes_of_files_that_stay),
		test(a_node_that_is_forgotten_before_its_name_is_asked_for_stays),
		test(what_is_forgotten_and_not_asked_for_again_goes),
		test(the_only_node_of_a_secret_may_be_replaced_by_one_of_it),
		test(what_waits_goes_on_with_the_layout_it_began_with),
		test(a_name_leads_back_to_its_secret),
	};

	return cmocka_run_group_tests_name("tree_objects", tests, NULL, NULL);
}
