/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "base/secret.h"
#include "store/file_value.h"
#include "store/value.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define READS 3000

struct scene {
	char directory[64];
	char path[96];
	char fresh[96];
	pid_t replacer;
};

static int set_up(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	(void)snprintf(scene->directory, sizeof(scene->directory),
		       "/tmp/secretsfs-test-XXXXXX");
	assert_non_null(mkdtemp(scene->directory));
	(void)snprintf(scene->path, sizeof(scene->path), "%s/app",
		       scene->directory);
	(void)snprintf(scene->fresh, sizeof(scene->fresh), "%s/fresh",
		       scene->directory);
	*state = scene;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *scene = *state;

	if (scene->replacer > 0) {
		kill(scene->replacer, SIGKILL);
		waitpid(scene->replacer, NULL, 0);
	}
	unlink(scene->fresh);
	unlink(scene->path);
	rmdir(scene->directory);
	free(scene);
	return 0;
}

/* 0, or negative errno: also for the process that only replaces. */
static int replace(const struct scene *scene, unsigned number)
{
	char content[16];
	int length = snprintf(content, sizeof(content), "%08u", number);
	int fd = open(scene->fresh, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0)
		return -errno;
	if (write(fd, content, (size_t)length) != length || close(fd) < 0 ||
	    rename(scene->fresh, scene->path) < 0)
		return -errno;
	return 0;
}

static int open_it(const struct scene *scene)
{
	int fd = open(scene->path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static void a_file_without_a_name_is_to_be_opened_again(void **state)
{
	struct scene *scene = *state;
	struct value *value = NULL;
	int fd;

	assert_int_equal(replace(scene, 1), 0);
	fd = open_it(scene);
	assert_int_equal(file_value_read(fd, true, &value), 0);
	value_unref(value);
	assert_int_equal(replace(scene, 2), 0);
	assert_int_equal(file_value_read(fd, true, &value), -ESTALE);
	close(fd);
}

static void replace_for_ever(const struct scene *scene)
{
	for (unsigned number = 1; replace(scene, number) == 0; number++)
		continue;
	_exit(1);
}

struct seen {
	char content[16];
	char version[VALUE_VERSION_MAX + 1];
};

static void see(const struct value *value, struct seen *ret)
{
	struct secret *raw = value_bytes(value);

	memset(ret, 0, sizeof(*ret));
	assert_int_equal(secret_length(raw), 8);
	memcpy(ret->content, secret_bytes(raw), 8);
	(void)snprintf(ret->version, sizeof(ret->version), "%s",
		       value_version(value));
}

static void a_content_has_one_version_while_it_is_replaced(void **state)
{
	struct scene *scene = *state;
	struct seen last = { 0 };

	assert_int_equal(replace(scene, 0), 0);
	scene->replacer = fork();
	assert_true(scene->replacer >= 0);
	if (scene->replacer == 0)
		replace_for_ever(scene);
	for (int i = 0; i < READS; i++) {
		struct value *value = NULL;
		int fd = open_it(scene);
		int r = file_value_read(fd, true, &value);
		struct seen now;

		close(fd);
		if (r == -ESTALE)
			continue;
		assert_int_equal(r, 0);
		see(value, &now);
		value_unref(value);
		if (strcmp(now.content, last.content) == 0)
			assert_string_equal(now.version, last.version);
		last = now;
	}
}

#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_file_without_a_name_is_to_be_opened_again),
		test(a_content_has_one_version_while_it_is_replaced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
