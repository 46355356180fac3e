/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/needs.h"
#include "tests/test.h"

#include "base/macros.h"
#include "base/projected.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
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
	need_openat2();
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

/* As a container runtime does that does not know openat2(2). */
static int refuse_openat2(int code)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)code),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { ARRAY_SIZE(filter), filter };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0 ? -errno
									: 0;
}

static void opens_where_a_filter_is_older_than_the_call(void **state)
{
	static const int codes[] = { ENOSYS, EPERM };

	(void)state;
	need_call_filters();
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		int status = 0;
		pid_t pid = fork();

		if (pid == 0)
			_exit(refuse_openat2(codes[i]) < 0 ||
			      projected_open("/proc/version") < 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			links_lead_nowhere_outside_of_a_projected_volume),
		cmocka_unit_test(opens_where_a_filter_is_older_than_the_call),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
