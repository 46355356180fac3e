/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/needs.h"
#include "tests/test.h"

#include "base/err.h"
#include "base/macros.h"
#include "keeper/descriptor.h"
#include "keeper/mountinfo.h"
#include "keeper/place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TAIL " ro,nosuid - fuse.secretsfs secretsfs:app rw,user_id=0\n"

/* A text in a file without a name, and the path to it. */
struct table {
	int fd;
	char path[64];
};

static void write_table(struct table *table, const char *text)
{
	table->fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	assert_true(table->fd >= 0);
	assert_int_equal(write(table->fd, text, strlen(text)),
			 (int)strlen(text));
	(void)snprintf(table->path, sizeof(table->path), "/proc/self/fd/%d",
		       table->fd);
}

static void reads_a_line_with_any_number_of_tags(void **state)
{
	static const char *const lines[] = {
		"42 27 0:39 / /mnt/app" TAIL,
		"42 27 0:39 / /mnt/app ro shared:7 master:3 - fuse.secretsfs "
		"x rw",
	};
	struct mountinfo entry;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		assert_int_equal(mountinfo_parse(lines[i], &entry), 0);
		assert_int_equal(entry.id, 42);
		assert_int_equal(entry.parent_id, 27);
		assert_string_equal(entry.mount_point, "/mnt/app");
		assert_string_equal(entry.fstype, "fuse.secretsfs");
	}
}

static void reads_who_has_mounted(void **state)
{
	static const struct {
		const char *options;
		uid_t user;
	} cases[] = {
		{ "rw,user_id=1000,group_id=7,default_permissions", 1000 },
		{ "user_id=0", 0 },
		{ "rw,user_id=4294967294\n", UINT32_MAX - 1 },
		{ "rw", MOUNTINFO_NO_USER },
		{ "rw,user_id=", MOUNTINFO_NO_USER },
		{ "rw,user_id=x,user_id=5", MOUNTINFO_NO_USER },
		{ "rw,user_id=99999999999", MOUNTINFO_NO_USER },
		{ "rw,user_id=99999999999999999", MOUNTINFO_NO_USER },
		{ "rw,xuser_id=5", MOUNTINFO_NO_USER },
		{ "", MOUNTINFO_NO_USER },
	};
	struct mountinfo entry;
	char line[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		(void)snprintf(line, sizeof(line),
			       "1 2 0:1 / /m,user_id=3 rw,user_id=4 - fuse.x "
			       "a,user_id=6 %s",
			       cases[i].options);
		assert_int_equal(mountinfo_parse(line, &entry), 0);
		assert_int_equal(entry.user_id, cases[i].user);
	}
	assert_int_equal(mountinfo_parse("1 2 0:1 / /m rw - fuse.x", &entry),
			 0);
	assert_int_equal(entry.user_id, MOUNTINFO_NO_USER);
}

static void decodes_octal_escapes_and_nothing_else(void **state)
{
	static const struct {
		const char *written;
		const char *meant;
	} cases[] = {
		{ "/a\\040b", "/a b" },	     { "/a\\011b", "/a\tb" },
		{ "/a\\012b", "/a\nb" },     { "/a\\134b", "/a\\b" },
		{ "/a\\134040", "/a\\040" }, { "/a\\4", "/a\\4" },
		{ "/a\\9990", "/a\\9990" },  { "/\303\244", "/\303\244" },
		{ "/a\\040\\040", "/a  " },
	};
	struct mountinfo entry;
	char line[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		(void)snprintf(line, sizeof(line), "1 2 0:1 / %s" TAIL,
			       cases[i].written);
		assert_int_equal(mountinfo_parse(line, &entry), 0);
		assert_string_equal(entry.mount_point, cases[i].meant);
	}
}

static void refuses_a_line_of_another_form(void **state)
{
	static const char *const lines[] = {
		"",
		"\n",
		"42",
		"42 27 0:39 / /mnt/app",
		"42 27 0:39 / /mnt/app ro nothing here",
		"x 27 0:39 / /mnt/app" TAIL,
		"42 -1 0:39 / /mnt/app" TAIL,
		"99999999999999999999 27 0:39 / /mnt/app" TAIL,
	};
	struct mountinfo entry;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		assert_int_equal(mountinfo_parse(lines[i], &entry), -EINVAL);
}

static void refuses_a_path_that_does_not_fit(void **state)
{
	char line[PATH_MAX + 256] = "1 2 0:1 / /";
	size_t length = strlen(line);
	struct mountinfo entry;

	(void)state;
	memset(line + length, 'x', PATH_MAX);
	(void)snprintf(line + length + PATH_MAX, 200, "%s", TAIL);
	assert_int_equal(mountinfo_parse(line, &entry), -EINVAL);
}

static void finds_what_stands_on_top_whatever_the_order(void **state)
{
	static const struct {
		const char *table;
		uint64_t top; /* 0: none */
	} cases[] = {
		{ "10 1 0:1 / / rw - ext4 a rw\n", 0 },
		{ "20 10 0:2 / /m" TAIL, 20 },
		{ "20 10 0:2 / /m" TAIL "21 20 0:3 / /m" TAIL, 21 },
		{ "21 20 0:3 / /m" TAIL "20 10 0:2 / /m" TAIL, 21 },
		{ "22 21 0:4 / /m" TAIL "20 10 0:2 / /m" TAIL
		  "21 20 0:3 / /m" TAIL,
		  22 },
		/* The first is hidden: its directory was mounted upon. */
		{ "20 10 0:2 / /m" TAIL "30 31 0:3 / /m" TAIL, 30 },
		{ "20 10 0:2 / /m/below" TAIL, 0 },
		{ "broken\n20 10 0:2 / /m" TAIL "broken", 20 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct mountinfo entry;
		struct table table;
		int r;

		write_table(&table, cases[i].table);
		r = mountinfo_find(table.path, "/m", &entry);
		close(table.fd);
		assert_int_equal(r, cases[i].top ? 0 : -ENOENT);
		if (r == 0)
			assert_int_equal(entry.id, cases[i].top);
	}
}

static void comes_to_an_end_in_a_table_with_a_circle(void **state)
{
	struct mountinfo entry;
	struct table table;

	(void)state;
	write_table(&table, "20 21 0:2 / /m" TAIL "21 20 0:3 / /m" TAIL);
	assert_int_equal(mountinfo_find(table.path, "/m", &entry), 0);
	close(table.fd);
}

static void says_whether_an_id_is_in_the_table(void **state)
{
	struct table table;

	(void)state;
	write_table(&table, "20 10 0:2 / /m" TAIL);
	assert_int_equal(mountinfo_has(table.path, 20), 1);
	assert_int_equal(mountinfo_has(table.path, 10), 0);
	close(table.fd);
	assert_int_equal(mountinfo_has("/nonexistent", 20), -ENOENT);
}

static void reads_the_table_of_this_process(void **state)
{
	int fd = open("/", O_PATH | O_CLOEXEC);
	struct mountinfo entry;
	uint64_t id = 0;

	(void)state;
	assert_int_equal(descriptor_mount_id(fd, &id), 0);
	close(fd);
	assert_int_equal(mountinfo_find(MOUNTINFO_SELF, "/", &entry), 0);
	assert_int_equal(entry.id, id);
	assert_int_equal(mountinfo_has(MOUNTINFO_SELF, id), 1);
}

static void resolves_what_is_above_a_mount_point_only(void **state)
{
	char directory[] = "/tmp/secretsfs-place-XXXXXX";
	char link[64];
	char given[128];
	char expected[64];
	char path[PATH_MAX];
	struct err err;

	(void)state;
	assert_non_null(mkdtemp(directory));
	(void)snprintf(link, sizeof(link), "%s/link", directory);
	assert_int_equal(symlink(".", link), 0);
	(void)snprintf(expected, sizeof(expected), "%s/missing", directory);
	(void)snprintf(given, sizeof(given), "%s/link/../link/missing//",
		       directory);
	/* ".." of a link to "." is the parent, so this names no such place. */
	assert_int_not_equal(place_resolve(given, path, &err), 0);
	(void)snprintf(given, sizeof(given), "%s/link/./missing//", directory);
	assert_int_equal(place_resolve(given, path, &err), 0);
	assert_string_equal(path, expected);
	assert_int_equal(place_resolve(link, path, &err), 0);
	assert_string_equal(path, link);
	assert_int_equal(unlink(link), 0);
	assert_int_equal(rmdir(directory), 0);
}

static void follows_a_link_at_the_end_where_asked(void **state)
{
	char directory[] = "/tmp/secretsfs-place-XXXXXX";
	static const struct {
		const char *target;
		int result;
		const char *end; /* of the path that comes out */
	} cases[] = {
		{ "mnt", 0, "/mnt" },
		{ "./mnt/", 0, "/mnt" },
		{ "/tmp/elsewhere", 0, "/tmp/elsewhere" },
		{ "link", -ELOOP, "" },
		{ "missing/mnt", -ENOENT, "" },
	};
	char link[64];
	char path[PATH_MAX];
	struct err err;

	(void)state;
	assert_non_null(mkdtemp(directory));
	(void)snprintf(link, sizeof(link), "%s/link", directory);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(symlink(cases[i].target, link), 0);
		assert_int_equal(place_follow(link, path, &err),
				 cases[i].result);
		assert_string_equal(path + strlen(path) - strlen(cases[i].end),
				    cases[i].end);
		assert_int_equal(unlink(link), 0);
	}
	assert_int_equal(rmdir(directory), 0);
}

static void refuses_a_mount_point_without_a_name(void **state)
{
	static const char *const paths[] = { "",   "/",	  "//",	  ".",
					     "..", "a/.", "a/..", "/tmp/../" };
	struct place place;
	char path[PATH_MAX];
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		assert_int_equal(place_resolve(paths[i], path, &err), -EINVAL);
		assert_int_equal(place_open(paths[i], &place, &err), -EINVAL);
	}
}

static void unmounting_what_is_not_mounted_is_done_already(void **state)
{
	struct place place;
	struct err err;

	(void)state;
	need_openat2();
	assert_int_equal(place_open("/tmp/x", &place, &err), 0);
	assert_int_equal(place_unmount(&place, UINT64_MAX), 0);
	place_done(&place);
	place_done(&place);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_a_line_with_any_number_of_tags),
		cmocka_unit_test(reads_who_has_mounted),
		cmocka_unit_test(decodes_octal_escapes_and_nothing_else),
		cmocka_unit_test(refuses_a_line_of_another_form),
		cmocka_unit_test(refuses_a_path_that_does_not_fit),
		cmocka_unit_test(finds_what_stands_on_top_whatever_the_order),
		cmocka_unit_test(comes_to_an_end_in_a_table_with_a_circle),
		cmocka_unit_test(says_whether_an_id_is_in_the_table),
		cmocka_unit_test(reads_the_table_of_this_process),
		cmocka_unit_test(resolves_what_is_above_a_mount_point_only),
		cmocka_unit_test(follows_a_link_at_the_end_where_asked),
		cmocka_unit_test(refuses_a_mount_point_without_a_name),
		cmocka_unit_test(
			unmounting_what_is_not_mounted_is_done_already),
	};

	return cmocka_run_group_tests_name("mountinfo", tests, NULL, NULL);
}
