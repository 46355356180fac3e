/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/needs.h"
#include "tests/test.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/secret.h"
#include "loop/loop.h"
#include "store/file_source.h"
#include "store/listing.h"
#include "store/source.h"
#include "store/value.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct scene {
	struct clock clock;
	struct loop *loop;
	struct source *source;
	char directory[64];
	int directory_fd;

	/* what the last call was told */
	unsigned times;
	int code;
	char text[512];
	char version[VALUE_VERSION_MAX + 1];
	bool has_keys;
	struct listing *listing;

	char changed[256]; /* names that changed, each with a blank */
};

static int set_up(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));
	struct err err;

	(void)snprintf(scene->directory, sizeof(scene->directory),
		       "/tmp/secretsfs-test-XXXXXX");
	assert_non_null(mkdtemp(scene->directory));
	scene->directory_fd = open(scene->directory, O_RDONLY | O_DIRECTORY);
	clock_set(&scene->clock, 1000, 0);
	scene->loop = loop_new(&scene->clock);
	assert_int_equal(file_source_new(scene->loop, scene->directory,
					 &scene->source, &err),
			 0);
	*state = scene;
	return 0;
}

static int remove_one(const char *path, const struct stat *about, int type,
		      struct FTW *where)
{
	(void)about, (void)type, (void)where;
	return remove(path);
}

static int tear_down(void **state)
{
	struct scene *scene = *state;

	listing_unref(scene->listing);
	scene->source->operations->free(scene->source);
	loop_turn(scene->loop, 0);
	loop_free(scene->loop);
	close(scene->directory_fd);
	nftw(scene->directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(scene);
	return 0;
}

static void put(struct scene *scene, const char *name, const char *content)
{
	int fd = openat(scene->directory_fd, name,
			O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, strlen(content)), strlen(content));
	close(fd);
}

static void put_link(struct scene *scene, const char *target, const char *name)
{
	assert_int_equal(symlinkat(target, scene->directory_fd, name), 0);
}

static void on_value(void *owner, struct value *value, const struct err *err)
{
	struct scene *scene = owner;

	scene->times++;
	scene->code = err ? err->code : 0;
	scene->text[0] = '\0';
	if (err) {
		(void)snprintf(scene->text, sizeof(scene->text), "%s",
			       err->text);
		return;
	}
	memcpy(scene->text, secret_bytes(value_bytes(value)),
	       secret_length(value_bytes(value)));
	scene->text[secret_length(value_bytes(value))] = '\0';
	(void)snprintf(scene->version, sizeof(scene->version), "%s",
		       value_version(value));
	scene->has_keys = value_has_keys(value);
}

static void fetch_version(struct scene *scene, const char *name,
			  const char *version, const char *stage)
{
	struct source_want want = { name, version, stage };

	need_openat2();
	scene->times = 0;
	assert_non_null(scene->source->operations->fetch(scene->source, &want,
							 on_value, scene));
	assert_int_equal(scene->times, 0);
	assert_int_equal(loop_turn(scene->loop, 0), 0);
	assert_int_equal(scene->times, 1);
}

static void fetch(struct scene *scene, const char *name)
{
	fetch_version(scene, name, NULL, NULL);
}

static void on_listing(void *owner, struct listing *listing,
		       const struct err *err)
{
	struct scene *scene = owner;

	scene->times++;
	scene->code = err ? err->code : 0;
	listing_unref(scene->listing);
	scene->listing = err ? NULL : listing_ref(listing);
}

static void list(struct scene *scene, const char *prefix)
{
	need_openat2();
	scene->times = 0;
	assert_non_null(scene->source->operations->list(scene->source, prefix,
							on_listing, scene));
	assert_int_equal(loop_turn(scene->loop, 0), 0);
	assert_int_equal(scene->times, 1);
}

static void reads_json_files_without_their_suffix(void **state)
{
	struct scene *scene = *state;

	put(scene, "db.json", "{\"password\":\"x\"}");
	fetch(scene, "db");
	assert_int_equal(scene->code, 0);
	assert_string_equal(scene->text, "{\"password\":\"x\"}");
	assert_true(scene->has_keys);
}

static void reads_other_files_raw(void **state)
{
	struct scene *scene = *state;

	put(scene, "cert", "{\"looks\":\"like JSON\"}");
	fetch(scene, "cert");
	assert_int_equal(scene->code, 0);
	assert_false(scene->has_keys);
	put(scene, "cert.json", "{}");
	fetch(scene, "cert");
	assert_string_equal(scene->text, "{}");
}

static void reads_an_empty_file(void **state)
{
	struct scene *scene = *state;

	put(scene, "empty", "");
	fetch(scene, "empty");
	assert_int_equal(scene->code, 0);
	assert_string_equal(scene->text, "");
}

static void reads_below_subdirectories(void **state)
{
	struct scene *scene = *state;

	mkdirat(scene->directory_fd, "prod", 0755);
	put(scene, "prod/db.json", "{}");
	fetch(scene, "prod/db");
	assert_int_equal(scene->code, 0);
}

static void refuses_what_is_no_secret(void **state)
{
	static const struct {
		const char *name;
		int code;
	} cases[] = {
		{ "missing", -ENOENT },
		{ "../etc/passwd", -ENOENT },
		{ "/etc/passwd", -ENOENT },
		{ "a//b", -ENOENT },
		{ "", -ENOENT },
		{ ".hidden", -ENOENT },
		{ "dir", -ENOENT },
		{ "fifo", -ENOENT },
		{ "outside", -EACCES },
		{ "file/below", -ENOENT },
	};
	struct scene *scene = *state;

	put(scene, ".hidden", "x");
	put(scene, "file", "x");
	mkdirat(scene->directory_fd, "dir", 0755);
	mkfifoat(scene->directory_fd, "fifo", 0644);
	put_link(scene, "/etc/passwd", "outside");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fetch(scene, cases[i].name);
		assert_int_equal(scene->code, cases[i].code);
	}
}

static void other_versions_are_files_beside_it(void **state)
{
	static const struct {
		const char *name;
		const char *version;
		const char *stage;
		const char *text;
	} cases[] = {
		{ "a/db", NULL, NULL, "{}" },
		{ "a/db", NULL, "AWSCURRENT", "{}" },
		{ "a/db", NULL, "AWSPREVIOUS", "{\"previous\":1}" },
		{ "a/db", NULL, "mine", "raw" },
		{ "a/db", "v-1", NULL, "{\"version\":1}" },
		{ "a/db", "v-1", "AWSCURRENT", "{\"version\":1}" },
		{ "a/db", "v-1", "AWSPREVIOUS", "{\"version\":1}" },
		{ "a/db@AWSPREVIOUS", NULL, NULL, "{\"previous\":1}" },
	};
	struct scene *scene = *state;

	mkdirat(scene->directory_fd, "a", 0755);
	put(scene, "a/db.json", "{}");
	put(scene, "a/db@AWSPREVIOUS.json", "{\"previous\":1}");
	put(scene, "a/db@mine", "raw");
	put(scene, "a/db@v-1.json", "{\"version\":1}");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fetch_version(scene, cases[i].name, cases[i].version,
			      cases[i].stage);
		assert_string_equal(scene->text, cases[i].text);
		assert_int_equal(scene->code, 0);
	}
	list(scene, "a/");
	assert_int_equal(listing_count(scene->listing), 4);
	assert_true(listing_find(scene->listing, "db@AWSPREVIOUS")->is_secret);
}

static void a_version_without_a_file_is_named(void **state)
{
	static const struct {
		const char *version;
		const char *stage;
		const char *text;
	} cases[] = {
		{ NULL, "AWSPREVIOUS",
		  "there is no file for 'db@AWSPREVIOUS'" },
		{ "v-1", NULL, "there is no file for 'db@v-1'" },
		{ "v-1", "AWSPREVIOUS", "there is no file for 'db@v-1'" },
		{ NULL, "", "there is no file for 'db@'" },
		{ NULL, "x/y", "there is no file for 'db@x/y'" },
		{ NULL, "/../db", "there is no file for 'db@/../db'" },
	};
	struct scene *scene = *state;

	put(scene, "db.json", "{}");
	mkdirat(scene->directory_fd, "db@x", 0755);
	put(scene, "db@x/y", "what no stage leads to");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fetch_version(scene, "db", cases[i].version, cases[i].stage);
		assert_int_equal(scene->code, -ENOENT);
		assert_string_equal(scene->text, cases[i].text);
	}
}

static void follows_links_inside(void **state)
{
	struct scene *scene = *state;

	mkdirat(scene->directory_fd, "..2026", 0755);
	put(scene, "..2026/token", "first");
	put_link(scene, "..2026", "..data");
	put_link(scene, "..data/token", "token");
	fetch(scene, "token");
	assert_string_equal(scene->text, "first");
	list(scene, "");
	assert_int_equal(listing_count(scene->listing), 1);
	assert_true(listing_at(scene->listing, 0)->is_secret);
}

static void refuses_more_than_a_secret_holds(void **state)
{
	struct scene *scene = *state;
	char *content = malloc(SECRET_LENGTH_MAX + 2);

	memset(content, 'x', SECRET_LENGTH_MAX + 1);
	content[SECRET_LENGTH_MAX + 1] = '\0';
	put(scene, "big", content);
	fetch(scene, "big");
	assert_int_equal(scene->code, -EFBIG);
	assert_null(strstr(scene->text, "xxxx"));
	free(content);
}

static void lists_secrets_and_folders(void **state)
{
	struct scene *scene = *state;

	put(scene, "a.json", "{}");
	put(scene, "a", "raw as well");
	put(scene, "b", "x");
	put(scene, ".hidden", "x");
	mkdirat(scene->directory_fd, "b.d", 0755);
	put(scene, "b.d/c.json", "{}");
	list(scene, "");
	assert_int_equal(scene->code, 0);
	assert_int_equal(listing_count(scene->listing), 3);
	assert_true(listing_find(scene->listing, "a")->is_secret);
	assert_true(listing_find(scene->listing, "b.d")->is_folder);
	assert_null(listing_find(scene->listing, ".hidden"));
	list(scene, "b.d/");
	assert_int_equal(listing_count(scene->listing), 1);
	list(scene, "none/");
	assert_int_equal(scene->code, -ENOENT);
	list(scene, "../");
	assert_int_equal(scene->code, -ENOENT);
}

static void another_content_is_another_version(void **state)
{
	struct scene *scene = *state;
	char first[VALUE_VERSION_MAX + 1];

	put(scene, "a", "one");
	fetch(scene, "a");
	memcpy(first, scene->version, sizeof(first));
	fetch(scene, "a");
	assert_string_equal(scene->version, first);
	put(scene, "new", "two");
	renameat(scene->directory_fd, "new", scene->directory_fd, "a");
	fetch(scene, "a");
	assert_string_equal(scene->text, "two");
	assert_string_not_equal(scene->version, first);
}

static void on_change(void *owner, struct source *source, const char *name)
{
	struct scene *scene = owner;
	size_t used = strlen(scene->changed);

	(void)source;
	(void)snprintf(scene->changed + used, sizeof(scene->changed) - used,
		       "%s ", name ? name : "(all)");
}

static void tells_of_changes(void **state)
{
	struct scene *scene = *state;

	scene->source->on_change = on_change;
	scene->source->on_change_owner = scene;
	put(scene, "a.json", "{}");
	fetch(scene, "a"); /* the directory is watched from here on */
	assert_string_equal(scene->changed, "");
	put(scene, "a.json", "{\"b\":1}");
	assert_int_equal(loop_turn(scene->loop, 1000), 0);
	assert_non_null(strstr(scene->changed, "a "));
	scene->changed[0] = '\0';
	unlinkat(scene->directory_fd, "a.json", 0);
	assert_int_equal(loop_turn(scene->loop, 1000), 0);
	assert_non_null(strstr(scene->changed, "a "));
	scene->changed[0] = '\0';
	put_link(scene, "x", "..data");
	assert_int_equal(loop_turn(scene->loop, 1000), 0);
	assert_string_equal(scene->changed, "(all) ");
}

/* A new version must reach what was cached of it, under the secret's name. */
static void tells_a_version_as_its_name(void **state)
{
	struct scene *scene = *state;

	scene->source->on_change = on_change;
	scene->source->on_change_owner = scene;
	mkdirat(scene->directory_fd, "x@y", 0755);
	fetch_version(scene, "x@y/a@b", NULL, "AWSPREVIOUS");
	assert_int_equal(scene->code, -ENOENT);
	put(scene, "new", "{}");
	assert_int_equal(renameat(scene->directory_fd, "new",
				  scene->directory_fd,
				  "x@y/a@b@AWSPREVIOUS.json"),
			 0);
	assert_int_equal(loop_turn(scene->loop, 1000), 0);
	assert_string_equal(scene->changed,
			    "x@y/ x@y/a@b@AWSPREVIOUS.json "
			    "x@y/a@b@AWSPREVIOUS x@y/a@b x@y/a ");
}

static void a_cancelled_call_hears_nothing(void **state)
{
	struct scene *scene = *state;
	struct source_want want = { .name = "a" };
	struct source_call *call = scene->source->operations->fetch(
		scene->source, &want, on_value, scene);

	scene->source->operations->cancel(call);
	assert_int_equal(loop_turn(scene->loop, 0), 0);
	assert_int_equal(scene->times, 0);
}

static void a_directory_that_cannot_be_opened_is_named(void **state)
{
	struct scene *scene = *state;
	struct source *source = NULL;
	struct err err;

	assert_int_equal(
		file_source_new(scene->loop, "/nowhere/at-all", &source, &err),
		-ENOENT);
	assert_null(source);
	assert_non_null(strstr(err.text, "/nowhere/at-all"));
}

#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(reads_json_files_without_their_suffix),
		test(reads_other_files_raw),
		test(reads_an_empty_file),
		test(reads_below_subdirectories),
		test(refuses_what_is_no_secret),
		test(other_versions_are_files_beside_it),
		test(a_version_without_a_file_is_named),
		test(follows_links_inside),
		test(refuses_more_than_a_secret_holds),
		test(lists_secrets_and_folders),
		test(another_content_is_another_version),
		test(tells_of_changes),
		test(tells_a_version_as_its_name),
		test(a_cancelled_call_hears_nothing),
		test(a_directory_that_cannot_be_opened_is_named),
	};

	return cmocka_run_group_tests_name("file_source", tests, NULL, NULL);
}
