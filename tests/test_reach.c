/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "base/macros.h"
#include "guard/reach.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct place {
	char top[64];
	struct reach reach;
};

static const char *const directories[] = {
	"etc",	      "run", "run/resolve", "volume", "volume/..1",
	"volume/..2", "app", "app/5",	    "app/6",  "other",
};

static const char *const files[] = {
	"etc/hosts",	    "run/resolve/stub", "volume/..1/token",
	"volume/..2/token", "app/5/ca.pem",	"app/6/ca.pem",
	"other/file",
};

static const struct {
	const char *name;
	const char *target;
} links[] = {
	{ "etc/resolv.conf", "../run/resolve/stub" },
	{ "volume/..data", "..1" },
	{ "volume/token", "..data/token" },
	{ "app/current", "5" },
	{ "other/way", "../run" },
	{ "etc/loop", "loop" },
};

static const char *path_of(const struct place *place, const char *name,
			   char path[PATH_MAX])
{
	(void)snprintf(path, PATH_MAX, "%s/%s", place->top, name);
	return path;
}

static int open_place(void **state)
{
	static struct place place;
	char path[PATH_MAX];

	place = (struct place){ .top = "/tmp/secretsfs-reach-XXXXXX" };
	if (!mkdtemp(place.top))
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(directories); i++)
		if (mkdir(path_of(&place, directories[i], path), 0700) < 0)
			return -1;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		int fd = creat(path_of(&place, files[i], path), 0600);

		if (fd < 0 || close(fd) < 0)
			return -1;
	}
	for (size_t i = 0; i < ARRAY_SIZE(links); i++)
		if (symlink(links[i].target,
			    path_of(&place, links[i].name, path)) < 0)
			return -1;
	*state = &place;
	return 0;
}

static int close_place(void **state)
{
	struct place *place = *state;
	char path[PATH_MAX];

	reach_close(&place->reach);
	for (size_t i = 0; i < ARRAY_SIZE(links); i++)
		(void)unlink(path_of(place, links[i].name, path));
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		(void)unlink(path_of(place, files[i], path));
	for (size_t i = ARRAY_SIZE(directories); i > 0; i--)
		(void)rmdir(path_of(place, directories[i - 1], path));
	return rmdir(place->top);
}

/* Whether exactly these directories are granted: names with blanks between. */
static bool grants(const struct place *place, const char *names)
{
	size_t count = 0;
	char copy[256];
	char *name = copy;
	char *rest;

	(void)snprintf(copy, sizeof(copy), "%s", names);
	while ((name = strtok_r(name, " ", &rest))) {
		char path[PATH_MAX];
		struct stat about;
		bool is_there = false;

		assert_int_equal(stat(path_of(place, name, path), &about), 0);
		for (size_t i = 0; i < place->reach.directory_count; i++)
			is_there |= place->reach.directories[i].inode ==
				    about.st_ino;
		if (!is_there)
			return false;
		count++;
		name = NULL;
	}
	return count == place->reach.directory_count;
}

static void a_file_is_reached_by_its_directories(void **state)
{
	static const struct {
		const char *file;
		const char *directories;
	} cases[] = {
		{ "etc/hosts", "etc" },
		{ "etc/not-yet", "etc" },
		{ "etc/resolv.conf", "etc run/resolve" },
		/* within: what the link leads to later is there as well */
		{ "volume/token", "volume volume/..1" },
		{ "volume/..data/token", "volume volume/..1" },
		{ "app/current/ca.pem", "app app/5" },
		/* not within: what it leads to alone */
		{ "other/way/resolve/stub", "run/resolve" },
		/* to come: the nearest that is there */
		{ "etc/not/yet/token", "etc" },
		{ "other/way/not/yet", "" },
		{ "etc/loop", "etc" },
		{ "etc/hosts/file", "" },
	};
	struct place *place = *state;
	char path[PATH_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(
			reach_file(&place->reach,
				   path_of(place, cases[i].file, path)),
			0);
		if (!grants(place, cases[i].directories))
			fail_msg("%s grants %zu other directories",
				 cases[i].file, place->reach.directory_count);
		reach_close(&place->reach);
		place->reach = (struct reach){ 0 };
	}
}

static void the_root_directory_is_never_granted(void **state)
{
	struct place *place = *state;

	assert_int_equal(reach_file(&place->reach, "/not-there-yet"), 0);
	assert_int_equal(reach_file(&place->reach, "/not/there/yet"), 0);
	assert_int_equal(reach_file(&place->reach, "/"), 0);
	assert_int_equal(place->reach.directory_count, 0);
}

static void a_device_is_granted_alone(void **state)
{
	struct place *place = *state;
	struct stat about;

	assert_int_equal(stat("/dev/null", &about), 0);
	assert_int_equal(reach_file(&place->reach, "/dev/null"), 0);
	assert_int_equal(place->reach.directory_count, 1);
	assert_int_equal(place->reach.directories[0].inode, about.st_ino);
	assert_true(place->reach.directories[0].is_file);
}

static void what_is_granted_twice_is_granted_once(void **state)
{
	struct place *place = *state;
	char path[PATH_MAX];

	for (unsigned i = 0; i < 2 * REACH_DIRECTORIES_MAX; i++)
		assert_int_equal(reach_file(&place->reach,
					    path_of(place, "etc/hosts", path)),
				 0);
	assert_int_equal(
		reach_directory(&place->reach, path_of(place, "etc", path)), 0);
	assert_true(grants(place, "etc"));
	assert_int_equal(
		reach_directory(&place->reach, path_of(place, "no-such", path)),
		0);
	assert_true(grants(place, "etc"));
}

static void what_is_held_can_be_asked_when_it_is_closed(void **state)
{
	static const struct {
		const char *path;
		bool is_held;
	} cases[] = {
		{ "app", true },
		{ "app/5/ca.pem", true },
		{ "app/6", true },
		{ "app/current/ca.pem", true },
		{ "other/file", false },
		{ "other", false },
		{ "etc/resolv.conf", false },
		{ ".", false },
		{ "no-such-file", true },
	};
	struct place *place = *state;
	char path[PATH_MAX];

	assert_int_equal(
		reach_directory(&place->reach, path_of(place, "app", path)), 0);
	reach_close(&place->reach);
	reach_close(&place->reach);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(
			reach_holds(&place->reach,
				    path_of(place, cases[i].path, path)),
			cases[i].is_held);
	assert_false(reach_holds(&place->reach, "/bin/sh"));
	assert_false(reach_holds(&place->reach, "/"));
}

static void ports_are_those_of_urls(void **state)
{
	static const struct {
		const char *url;
		uint16_t otherwise;
		int r;
		uint16_t port;
	} cases[] = {
		{ "https://host", 0, 0, 443 },
		{ "https://host/", 0, 0, 443 },
		{ "http://host/path:1", 0, 0, 80 },
		{ "HTTP://host", 0, 0, 80 },
		{ "https://host:8443/x", 0, 0, 8443 },
		{ "http://user:1@host:3128", 1080, 0, 3128 },
		{ "http://user:1@host", 1080, 0, 1080 },
		{ "host:3128", 1080, 0, 3128 },
		{ "host", 1080, 0, 1080 },
		{ "http://[::1]:81/", 0, 0, 81 },
		{ "http://[::1]", 0, 0, 80 },
		{ "https://host:70000", 0, -ERANGE, 0 },
		{ "https://host:1x", 0, -EINVAL, 0 },
		{ "https://host:", 0, -EINVAL, 0 },
		{ "https://[::1", 0, -EINVAL, 0 },
	};
	struct reach reach;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		reach = (struct reach){ 0 };
		assert_int_equal(
			reach_url(&reach, cases[i].url, cases[i].otherwise),
			cases[i].r);
		assert_int_equal(reach.port_count, cases[i].r == 0);
		assert_int_equal(reach.ports[0], cases[i].port);
	}
}

static void more_ports_than_fit_are_refused(void **state)
{
	struct reach reach = { 0 };

	(void)state;
	for (uint16_t i = 0; i < REACH_PORTS_MAX; i++)
		assert_int_equal(reach_port(&reach, i + 1), 0);
	assert_int_equal(reach_port(&reach, 1), 0);
	assert_int_equal(reach_port(&reach, 999), -E2BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define IN_PLACE(test)                                                         \
	cmocka_unit_test_setup_teardown(test, open_place, close_place)
		IN_PLACE(a_file_is_reached_by_its_directories),
		IN_PLACE(the_root_directory_is_never_granted),
		IN_PLACE(a_device_is_granted_alone),
		IN_PLACE(what_is_granted_twice_is_granted_once),
		IN_PLACE(what_is_held_can_be_asked_when_it_is_closed),
		cmocka_unit_test(ports_are_those_of_urls),
		cmocka_unit_test(more_ports_than_fit_are_refused),
	};

	return cmocka_run_group_tests_name("reach", tests, NULL, NULL);
}
