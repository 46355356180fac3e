/* SPDX-License-Identifier: Apache-2.0 */
/* What of the keeper needs neither root nor a mount. */
#include "tests/test.h"

#include "base/err.h"
#include "base/macros.h"
#include "keeper/arguments.h"
#include "keeper/child.h"
#include "keeper/environment.h"
#include "keeper/folder.h"
#include "keeper/memory.h"
#include "keeper/privileges.h"
#include "keeper/report.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int parse(char *words, struct arguments *ret, struct err *err)
{
	char *argv[32] = { NULL };
	int argc = 0;

	for (char *at = words; at; argc++) {
		argv[argc] = at;
		at = strchr(at, ' ');
		if (at)
			*at++ = '\0';
	}
	return arguments_parse(argc, argv, ret, err);
}

static void reads_its_command_line(void **state)
{
	char words[] = "k --mount-point /m --worker-uid 65534 --worker-gid 0 "
		       "--allow-other --log-json --log-level "
		       "warning --log-file /l --";
	struct arguments arguments;

	(void)state;
	assert_int_equal(parse(words, &arguments, NULL), 0);
	assert_string_equal(arguments.mount_point, "/m");
	assert_int_equal(arguments.worker_uid, 65534);
	assert_int_equal(arguments.worker_gid, 0);
	assert_true(arguments.allow_other);
	assert_false(arguments.foreground);
	assert_true(arguments.log_json);
	assert_int_equal(arguments.log_level, LOG_LEVEL_WARNING);
	assert_string_equal(arguments.log_file, "/l");
	assert_non_null(arguments.worker);
}

static void reads_that_workers_may_come(void **state)
{
	char words[] = "k --mount-point /m --worker-uid 1 --worker-gid 1 "
		       "--heartbeat-ms 100 --foreground --attach-socket /s "
		       "--await-worker";
	struct arguments arguments;

	(void)state;
	assert_int_equal(parse(words, &arguments, NULL), 0);
	assert_int_equal(arguments.heartbeat_ms, 100);
	assert_string_equal(arguments.attach_socket, "/s");
	assert_true(arguments.await_worker);
	assert_null(arguments.worker);
}

static void refuses_a_command_line_that_is_not_whole(void **state)
{
	static const char *const lines[] = {
		"k",
		"k --",
		"k --mount-point /m --worker-gid 1 -- w",
		"k --mount-point /m --worker-uid 0 --worker-gid 1 -- w",
		"k --mount-point m --worker-uid 1 --worker-gid 1 -- w",
		"k --mount-point /m --worker-uid x --worker-gid 1 -- w",
		"k --mount-point /m --worker-uid 4294967295 --worker-gid 1 -- w",
		"k --mount-point /m --worker-uid 1 -- w",
		"k --mount-point /m --worker-uid 1 --worker-gid 1",
		"k --mount-point /m --worker-uid 1 --worker-gid 1 --log-level loud -- w",
		"k --mount-point /m --worker-uid 1 --worker-gid 1 --more -- w",
		"k --mount-point",
		"k --mount-point /m --worker-uid 1 --worker-gid 1 --take-over /s --succeed -- w",
		"k --mount-point /m --worker-uid 1 --worker-gid 1 --on-stop never -- w",
		"k --mount-point /m --worker-uid 1 --worker-gid 1 --heartbeat-ms 99 -- w",
		"k --mount-point /m --worker-uid 1 --worker-gid 1 --heartbeat-ms 3600001 -- w",
		"k --mount-point /m --worker-uid 1 --worker-gid 1 --attach-socket s -- w",
		"k --mount-point /m --worker-uid 1 --worker-gid 1 --foreground --await-worker",
		"k --mount-point /m --worker-uid 1 --worker-gid 1 --attach-socket /s --await-worker",
		"k --mount-point /m --worker-uid 1 --worker-gid 1 --foreground --attach-socket /s --await-worker -- w",
	};
	struct arguments arguments;
	struct err err;
	char words[128];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		(void)snprintf(words, sizeof(words), "%s", lines[i]);
		assert_int_equal(parse(words, &arguments, &err), -EINVAL);
	}
}

static void takes_plain_names_for_mounts_of_a_folder(void **state)
{
	static const char *const good[] = { "a", "a-b.c_D9", "a/b", "a../b.." };
	static const char *const bad[] = {
		"",    "/",	   "a/",   "/a",   "a//b",   "a/b/c",
		".",   "..",	   "a/..", "../a", ".a",     "a b",
		"a\n", "\xc3\xa4", "a/.",  "a%2f", "a\tb/c", "a\\b",
	};
	char longest[FOLDER_NAME_MAX + 2];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_true(folder_is_name(good[i]));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(folder_is_name(bad[i]));
	(void)memset(longest, 'a', sizeof(longest));
	longest[FOLDER_PART_MAX] = '/';
	longest[FOLDER_NAME_MAX] = '\0';
	assert_true(folder_is_name(longest));
	longest[FOLDER_NAME_MAX] = 'a';
	longest[FOLDER_NAME_MAX + 1] = '\0';
	assert_false(folder_is_name(longest));
	longest[FOLDER_PART_MAX] = 'a';
	assert_false(folder_is_name(longest));
}

static bool has(char *const *list, const char *name)
{
	for (; *list; list++)
		if (strncmp(*list, name, strlen(name)) == 0)
			return true;
	return false;
}

static void cuts_the_environment_to_what_is_allowed(void **state)
{
	static const struct {
		const char *variable;
		bool is_kept;
	} cases[] = {
		{ "AWS_REGION=eu-west-1", true },
		{ "AWS_CONTAINER_CREDENTIALS_FULL_URI=x", true },
		{ "HOME=/root", true },
		{ "TZ=UTC", true },
		{ "NODE_NAME=n", true },
		{ "http_proxy=p", true },
		{ "HTTPS_PROXY=p", true },
		{ "no_proxy=p", true },
		{ "HOMEBREW=x", false },
		{ "PATH=/bin", false },
		{ "LD_PRELOAD=x.so", false },
		{ "NOTIFY_SOCKET=/s", false },
		{ "XAWS_X=1", false },
		{ "ftp_proxy=p", false },
		{ "GLIBC_TUNABLES=x", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[64];
		char *environment[] = { text, NULL };
		char **kept;

		(void)snprintf(text, sizeof(text), "%s", cases[i].variable);
		kept = environment_for_worker(environment);
		assert_int_equal(has(kept, text), cases[i].is_kept);
		free(kept);
	}
}

static void describes_how_a_child_ended(void **state)
{
	char text[32];

	(void)state;
	assert_string_equal(child_describe(SIGKILL, text, sizeof(text)),
			    "signal KILL");
	assert_string_equal(child_describe(3 << 8, text, sizeof(text)),
			    "exit status 3");
}

static void never_becomes_root_again(void **state)
{
	(void)state;
	assert_int_equal(privileges_become(0, 0), -EINVAL);
}

static void tells_the_service_manager_that_it_is_ready(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	socklen_t length = sizeof(sa_family_t);
	char name[sizeof(address.sun_path) + 1];
	char text[128] = "";
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	(void)state;
	assert_true(fd >= 0);
	/* The kernel chooses an abstract name for an empty one. */
	assert_int_equal(bind(fd, (struct sockaddr *)&address, length), 0);
	length = sizeof(address);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length),
			 0);
	(void)snprintf(name, sizeof(name), "@%.*s",
		       (int)(length - sizeof(sa_family_t) - 1),
		       address.sun_path + 1);
	report_to_manager(name);
	assert_true(recv(fd, text, sizeof(text) - 1, 0) > 0);
	assert_int_equal(strncmp(text, "READY=1\nMAINPID=", 16), 0);
	close(fd);
	/* Nobody listens, or there is no such thing: nothing happens. */
	report_to_manager(name);
	report_to_manager("/nonexistent/socket");
	report_to_manager(NULL);
}

static void copies_memory_and_leaves_its_holes(void **state)
{
	static const off_t places[] = { 0, 5000, 1 << 20, (2 << 20) - 4 };
	struct err err;
	struct stat status;
	char found[4];
	int copy;
	int fd;

	(void)state;
	fd = memory_open("a", 2 << 20, &err);
	assert_true(fd >= 0);
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		assert_int_equal(pwrite(fd, "abcd", 4, places[i]), 4);
	copy = memory_copy("b", fd, &err);
	assert_true(copy >= 0);
	assert_int_equal(pwrite(fd, "efgh", 4, 0), 4);
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		assert_int_equal(pread(copy, found, 4, places[i]), 4);
		assert_memory_equal(found, "abcd", 4);
	}
	assert_int_equal(fstat(copy, &status), 0);
	assert_int_equal(status.st_size, 2 << 20);
	assert_true(status.st_blocks < 1024);
	assert_true(ftruncate(copy, 0) < 0);
	(void)close(copy);
	(void)close(fd);
}

static void refuses_what_is_no_memory(void **state)
{
	struct err err;

	(void)state;
	assert_int_equal(memory_copy("b", -1, &err), -EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_plain_names_for_mounts_of_a_folder),
		cmocka_unit_test(reads_its_command_line),
		cmocka_unit_test(reads_that_workers_may_come),
		cmocka_unit_test(refuses_a_command_line_that_is_not_whole),
		cmocka_unit_test(cuts_the_environment_to_what_is_allowed),
		cmocka_unit_test(copies_memory_and_leaves_its_holes),
		cmocka_unit_test(refuses_what_is_no_memory),
		cmocka_unit_test(describes_how_a_child_ended),
		cmocka_unit_test(never_becomes_root_again),
		cmocka_unit_test(tells_the_service_manager_that_it_is_ready),
	};

	return cmocka_run_group_tests_name("keeper", tests, NULL, NULL);
}
