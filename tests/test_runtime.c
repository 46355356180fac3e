/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "base/err.h"
#include "keeper/runtime.h"

#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* Root's sockets are in one place for all: these are of somebody else. */
#define SOMEBODY 65534
#define MOUNT_ID 1234

static char base[64];

static int set_up(void **state)
{
	struct err err;

	(void)state;
	(void)snprintf(base, sizeof(base), "/tmp/test_runtime-XXXXXX");
	if (!mkdtemp(base) || setenv("XDG_RUNTIME_DIR", base, 1) < 0)
		return -1;
	if (geteuid() == 0 &&
	    (chown(base, SOMEBODY, SOMEBODY) < 0 || seteuid(SOMEBODY) < 0))
		return -1;
	return runtime_prepare(&err);
}

static int remove_one(const char *path, const struct stat *status, int type,
		      struct FTW *where)
{
	(void)status;
	(void)type;
	(void)where;
	return remove(path);
}

static int tear_down(void **state)
{
	(void)state;
	if (getuid() == 0 && seteuid(0) < 0)
		return -1;
	return nftw(base, remove_one, 4, FTW_DEPTH | FTW_PHYS);
}

/* 0: somebody listens. */
static int knock(void)
{
	int fd = runtime_connect(MOUNT_ID);

	if (fd < 0)
		return fd;
	(void)close(fd);
	return 0;
}

/* Another process that listens at the same name, until it is ended. */
static pid_t start_another(void)
{
	int told[2];
	pid_t pid;
	char byte;

	assert_int_equal(pipe(told), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct err err;

		if (runtime_listen(MOUNT_ID, &err) < 0 ||
		    write(told[1], "", 1) != 1)
			_exit(EXIT_FAILURE);
		for (;;)
			(void)pause();
	}
	(void)close(told[1]);
	assert_int_equal(read(told[0], &byte, 1), 1);
	(void)close(told[0]);
	return pid;
}

static void end(pid_t pid)
{
	(void)kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* A keeper listens before it goes to the background. */
static void one_of_its_own_is_removed_by_a_child_too(void **state)
{
	struct err err;
	int fd = runtime_listen(MOUNT_ID, &err);
	pid_t pid = fork();

	(void)state;
	assert_true(fd >= 0 && pid >= 0);
	if (pid == 0) {
		runtime_remove(MOUNT_ID, fd);
		_exit(EXIT_SUCCESS);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(knock(), -ENOENT);
	(void)close(fd);
}

static void a_socket_of_its_own_is_removed(void **state)
{
	struct err err;
	int fd = runtime_listen(MOUNT_ID, &err);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(knock(), 0);
	runtime_remove(MOUNT_ID, fd);
	assert_int_equal(knock(), -ENOENT);
	(void)close(fd);
}

static void one_that_another_process_has_put_there_stays(void **state)
{
	struct err err;
	int fd = runtime_listen(MOUNT_ID, &err);
	pid_t another = start_another();

	(void)state;
	assert_true(fd >= 0);
	runtime_remove(MOUNT_ID, fd);
	assert_int_equal(knock(), 0);
	runtime_remove(MOUNT_ID, -1);
	assert_int_equal(knock(), 0);
	end(another);
	assert_int_equal(knock(), -ECONNREFUSED);
	(void)close(fd);
}

static void one_whose_process_has_died_is_removed(void **state)
{
	(void)state;
	end(start_another());
	assert_int_equal(knock(), -ECONNREFUSED);
	runtime_remove(MOUNT_ID, -1);
	assert_int_equal(knock(), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_socket_of_its_own_is_removed),
		cmocka_unit_test(one_of_its_own_is_removed_by_a_child_too),
		cmocka_unit_test(one_that_another_process_has_put_there_stays),
		cmocka_unit_test(one_whose_process_has_died_is_removed),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
