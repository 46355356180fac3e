/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "base/macros.h"
#include "base/projected.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* As Kubernetes lays a volume out, and what somebody could add to it. */
static const struct entry {
	const char *name;
	const char *link; /* NULL: a directory, a pipe or a file */
	char kind;
} entries[] = {
	{ "outside", NULL, 'f' },
	{ "plain", NULL, 'd' },
	{ "plain/out", "../outside", 'l' },
	{ "volume", NULL, 'd' },
	{ "volume/..2026", NULL, 'd' },
	{ "volume/..2026/token", NULL, 'f' },
	{ "volume/..data", "..2026", 'l' },
	{ "volume/token", "..data/token", 'l' },
	{ "volume/out", "../outside", 'l' },
	{ "volume/root", "/etc/passwd", 'l' },
	{ "volume/magic", "/proc/self/fd/0", 'l' },
	{ "volume/pipe", NULL, 'p' },
	{ "volume/directory", NULL, 'd' },
};

static void make(const struct entry *entry)
{
	int fd;

	if (entry->kind == 'l') {
		assert_int_equal(symlink(entry->link, entry->name), 0);
	} else if (entry->kind == 'd') {
		assert_int_equal(mkdir(entry->name, 0700), 0);
	} else if (entry->kind == 'p') {
		assert_int_equal(mkfifo(entry->name, 0600), 0);
	} else {
		fd = open(entry->name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
		assert_true(fd >= 0);
		assert_int_equal(write(fd, "secret", 6), 6);
		(void)close(fd);
	}
}

static void unmake(const struct entry *entry)
{
	assert_int_equal(remove(entry->name), 0);
}

static int outcome(const char *path)
{
	char bytes[7] = { 0 };
	int fd = projected_open(path);

	if (fd < 0)
		return fd;
	assert_int_equal(read(fd, bytes, 6), 6);
	assert_string_equal(bytes, "secret");
	(void)close(fd);
	return 0;
}

static void links_lead_nowhere_outside_of_a_projected_volume(void **state)
{
	static const struct {
		const char *path;
		int code;
	} cases[] = {
		{ "outside", 0 },
		{ "./outside", 0 },
		{ "plain/out", 0 }, /* nobody's volume */
		{ "volume/token", 0 },
		{ "volume/out", -EXDEV },
		{ "volume/root", -EXDEV },
		{ "volume/magic", -EXDEV },
		{ "/proc/self/fd/0", -ELOOP },
		{ "volume/pipe", -EINVAL },
		{ "volume/directory", -EISDIR },
		{ "volume/nothing", -ENOENT },
		{ "nowhere/token", -ENOENT },
	};
	char directory[] = "/tmp/test_projected-XXXXXX";

	(void)state;
	assert_non_null(mkdtemp(directory));
	assert_int_equal(chdir(directory), 0);
	for (size_t i = 0; i < ARRAY_SIZE(entries); i++)
		make(&entries[i]);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (outcome(cases[i].path) != cases[i].code)
			fail_msg("%s: %d", cases[i].path,
				 outcome(cases[i].path));
	for (size_t i = ARRAY_SIZE(entries); i > 0; i--)
		unmake(&entries[i - 1]);
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(rmdir(directory), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			links_lead_nowhere_outside_of_a_projected_volume),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
