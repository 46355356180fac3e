/* SPDX-License-Identifier: Apache-2.0 */
/* Each case closes the sandbox in a process of its own, as somebody who is not
 * root, and answers by its exit code. */
#include "tests/needs.h"
#include "tests/test.h"

#include "base/err.h"
#include "base/macros.h"
#include "guard/call_filter.h"
#include "guard/reach.h"
#include "guard/sandbox.h"
#include "guard/worker_calls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY 65534
#define IS_MISSING 77 /* of the kernel: the case cannot be seen here */

struct place {
	char inside[64];
	char outside[64];
	int near; /* listening */
	int far;
	uint16_t near_port;
};

static int write_file(const char *directory, const char *name, const char *text)
{
	char path[128];
	int fd;
	bool is_done;

	(void)snprintf(path, sizeof(path), "%s/%s", directory, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return -1;
	is_done = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	(void)close(fd);
	return is_done ? 0 : -1;
}

/* The first byte; -1: it cannot be read. */
static int first_byte(const char *directory, const char *name)
{
	unsigned char byte = 0;
	char path[128];
	ssize_t length;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", directory, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	length = read(fd, &byte, 1);
	(void)close(fd);
	return length == 1 ? byte : -1;
}

static int listen_anywhere(uint16_t *ret_port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr =
					       htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) < 0 ||
	    listen(fd, 8) < 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &size) < 0)
		return -1;
	*ret_port = ntohs(address.sin_port);
	return fd;
}

static int connect_to(int listening)
{
	struct sockaddr_in address;
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int code = 0;

	if (fd < 0 ||
	    getsockname(listening, (struct sockaddr *)&address, &size) < 0)
		return -1;
	if (connect(fd, (struct sockaddr *)&address, size) < 0)
		code = -errno;
	(void)close(fd);
	return code;
}

static int open_place(void **state)
{
	static struct place place;
	uint16_t far_port;

	place = (struct place){ .inside = "/tmp/secretsfs-inside-XXXXXX",
				.outside = "/tmp/secretsfs-outside-XXXXXX" };
	if (!mkdtemp(place.inside) || !mkdtemp(place.outside) ||
	    chmod(place.inside, 0755) < 0 || chmod(place.outside, 0755) < 0 ||
	    write_file(place.inside, "file", "1") < 0 ||
	    write_file(place.outside, "file", "1") < 0)
		return -1;
	place.near = listen_anywhere(&place.near_port);
	place.far = listen_anywhere(&far_port);
	*state = &place;
	return place.near < 0 || place.far < 0 ? -1 : 0;
}

static int close_place(void **state)
{
	const struct place *place = *state;
	char path[128];

	(void)close(place->near);
	(void)close(place->far);
	(void)snprintf(path, sizeof(path), "%s/file", place->inside);
	(void)unlink(path);
	(void)snprintf(path, sizeof(path), "%s/file", place->outside);
	(void)unlink(path);
	return rmdir(place->inside) + rmdir(place->outside);
}

static int close_sandbox(const struct place *place, struct sandbox *sandbox)
{
	const struct call_policy calls = worker_calls();
	struct reach reach = { .directory_count = 0 };
	struct err err;
	int r = reach_directory(&reach, place->inside);

	if (r == 0)
		r = reach_port(&reach, place->near_port);
	if (r == 0)
		r = sandbox_close(&reach, &calls, false, sandbox, &err);
	reach_close(&reach);
	return r;
}

/* What the step answers within the sandbox. */
static int run_within(const struct place *place,
		      int (*step)(const struct place *place,
				  const struct sandbox *sandbox))
{
	struct sandbox sandbox = { .missing = { 0 } };
	int status = 0;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		if (getuid() == 0 && (setgid(NOBODY) < 0 || setuid(NOBODY) < 0))
			_exit(100);
		if (close_sandbox(place, &sandbox) < 0)
			_exit(101);
		(void)syscall(SYS_exit_group, step(place, &sandbox));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void check_within(const struct place *place,
			 int (*step)(const struct place *place,
				     const struct sandbox *sandbox))
{
	int status;

	need_landlock();
	need_call_filters();
	status = run_within(place, step);
	if (WIFEXITED(status) && WEXITSTATUS(status) == IS_MISSING)
		skip_because("this kernel bounds no ports");
	assert_int_equal(status, 0);
}

static int expect(bool condition, int step)
{
	return condition ? 0 : step;
}

static int read_files(const struct place *place, const struct sandbox *sandbox)
{
	(void)sandbox;
	return expect(first_byte(place->inside, "file") == '1', 1) +
	       expect(first_byte(place->outside, "file") == -1, 2) +
	       expect(first_byte("/etc", "passwd") == -1, 4) +
	       expect(write_file(place->inside, "new", "2") < 0, 8) +
	       expect(write_file(place->inside, "file", "2") < 0, 16);
}

static void files_are_read_in_what_was_granted_alone(void **state)
{
	check_within(*state, read_files);
}

static int make_connections(const struct place *place,
			    const struct sandbox *sandbox)
{
	if (sandbox->missing[SANDBOX_PORTS])
		return IS_MISSING;
	return expect(connect_to(place->near) == 0, 1) +
	       expect(connect_to(place->far) == -EACCES, 2) +
	       expect(listen_anywhere(&(uint16_t){ 0 }) < 0, 4);
}

static void connections_go_to_granted_ports_alone(void **state)
{
	check_within(*state, make_connections);
}

static void *add_one(void *count)
{
	++*(int *)count;
	return NULL;
}

static int run_thread(const struct place *place, const struct sandbox *sandbox)
{
	int count = 0;
	pthread_t thread;

	(void)place;
	(void)sandbox;
	if (pthread_create(&thread, NULL, add_one, &count) ||
	    pthread_join(thread, NULL))
		return 1;
	return expect(count == 1, 2);
}

static void threads_can_be_made(void **state)
{
	check_within(*state, run_thread);
}

static int look_at_limits(const struct place *place,
			  const struct sandbox *sandbox)
{
	struct rlimit core;
	struct rlimit files;
	struct rlimit more = { 8192, 8192 };

	(void)place;
	(void)sandbox;
	return expect(getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_max == 0,
		      1) +
	       expect(getrlimit(RLIMIT_NOFILE, &files) == 0 &&
			      files.rlim_max <= 4096,
		      2) +
	       expect(setrlimit(RLIMIT_NOFILE, &more) < 0, 4);
}

static void limits_are_low_and_stay_so(void **state)
{
	check_within(*state, look_at_limits);
}

static int execute(const struct place *place, const struct sandbox *sandbox)
{
	char name[] = "true";
	char *arguments[] = { name, NULL };

	(void)place;
	(void)sandbox;
	return execv("/bin/true", arguments) < 0 ? 1 : 2;
}

static void executing_ends_the_process(void **state)
{
	int status;

	need_landlock();
	need_call_filters();
	status = run_within(*state, execute);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
}

/* Of the same user, and open to it. Lives until the pipe is closed. */
static pid_t start_neighbour(int ends[2])
{
	char byte;
	pid_t pid;

	if (pipe(ends) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		(void)close(ends[1]);
		_exit(read(ends[0], &byte, 1) == 0 ? 0 : 1);
	}
	return pid;
}

/* What is asked for is longer than that. */
static bool can_read_of(pid_t pid, const char *what)
{
	char path[64];
	char bytes[16];
	ssize_t length;
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, what);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	length = read(fd, bytes, sizeof(bytes));
	(void)close(fd);
	return length == sizeof(bytes);
}

static int look_at_neighbour(void)
{
	const struct call_policy calls = worker_calls();
	struct reach reach = { .directory_count = 0 };
	struct sandbox sandbox;
	int ends[2] = { -1, -1 };
	pid_t pid;

	/* a change of user takes that away */
	(void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	pid = start_neighbour(ends);
	if (pid < 0 || !can_read_of(pid, "environ"))
		return 102;
	if (reach_directory(&reach, "/proc") < 0 ||
	    sandbox_close(&reach, &calls, false, &sandbox, NULL) < 0)
		return 103;
	return expect(can_read_of(pid, "status"), 1) +
	       expect(!can_read_of(pid, "environ"), 2) +
	       expect(!can_read_of(pid, "maps"), 4) +
	       expect(can_read_of(getpid(), "maps"), 8);
}

static void a_neighbour_shows_its_status_and_nothing_secret(void **state)
{
	int status = 0;
	pid_t pid;

	(void)state;
	need_landlock();
	need_call_filters();
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (getuid() == 0 && (setgid(NOBODY) < 0 || setuid(NOBODY) < 0))
			_exit(100);
		(void)syscall(SYS_exit_group, look_at_neighbour());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* As root, which is what is missing. */
static int close_as_root(const struct place *place, bool insecure)
{
	const struct call_policy calls = worker_calls();
	struct reach reach = { .directory_count = 0 };
	char text[SANDBOX_TEXT_MAX];
	struct sandbox sandbox;
	struct err err = { .code = 0 };
	int r = reach_directory(&reach, place->inside);

	if (r == 0)
		r = sandbox_close(&reach, &calls, insecure, &sandbox, &err);
	if (!strstr(sandbox_describe(&sandbox, text, sizeof(text)),
		    "a user other than root"))
		return 1;
	if (insecure)
		return expect(r == 0, 2) +
		       expect(first_byte(place->outside, "file") == -1, 4);
	return expect(r == -EPERM, 8) +
	       expect(strstr(err.text, "a user other than root"), 16) +
	       expect(strstr(err.text, "--insecure-no-sandbox"), 32);
}

static void what_is_missing_is_named_and_refused_unless_insecure(void **state)
{
	if (getuid() != 0)
		skip_because("not root");
	need_landlock();
	need_call_filters();
	for (int insecure = 0; insecure < 2; insecure++) {
		int status;
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0)
			(void)syscall(SYS_exit_group,
				      close_as_root(*state, insecure));
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
	}
}

static void nothing_missing_has_no_names(void **state)
{
	char text[SANDBOX_TEXT_MAX];
	struct sandbox sandbox = { .missing = { 0 } };

	(void)state;
	assert_string_equal(sandbox_describe(&sandbox, text, sizeof(text)), "");
	for (size_t i = 0; i < SANDBOX_PARTS; i++)
		sandbox.missing[i] = -EPERM;
	assert_true(strlen(sandbox_describe(&sandbox, text, sizeof(text))) <
		    SANDBOX_TEXT_MAX - 1);
	assert_non_null(strstr(text, "seccomp, "));
	assert_non_null(strstr(text, "(Linux 6.12)"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define IN_PLACE(test)                                                         \
	cmocka_unit_test_setup_teardown(test, open_place, close_place)
		IN_PLACE(files_are_read_in_what_was_granted_alone),
		IN_PLACE(connections_go_to_granted_ports_alone),
		IN_PLACE(threads_can_be_made),
		IN_PLACE(limits_are_low_and_stay_so),
		IN_PLACE(executing_ends_the_process),
		cmocka_unit_test(
			a_neighbour_shows_its_status_and_nothing_secret),
		IN_PLACE(what_is_missing_is_named_and_refused_unless_insecure),
		cmocka_unit_test(nothing_missing_has_no_names),
	};

	return cmocka_run_group_tests_name("sandbox", tests, NULL, NULL);
}
