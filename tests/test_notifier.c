/* SPDX-License-Identifier: Apache-2.0 */
/* What the notifier does and what it cannot do, on ordinary directories. */
#include "tests/needs.h"
#include "tests/test.h"

#include "base/err.h"
#include "base/macros.h"
#include "keeper/notifier_act.h"
#include "keeper/notifier_sandbox.h"
#include "keeper/notify_order.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct place {
	char path[64];
	int root;
};

static void write_at(int root, const char *name, const char *text)
{
	int fd = openat(root, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(close(fd), 0);
}

static bool shows(int root, const char *name, const char *text)
{
	char read_text[64] = "";
	int fd = openat(root, name, O_RDONLY);
	bool same;

	if (fd < 0)
		return false;
	assert_true(read(fd, read_text, sizeof(read_text) - 1) >= 0);
	same = strcmp(read_text, text) == 0;
	close(fd);
	return same;
}

static bool is_there(int root, const char *name)
{
	struct stat ignored;

	return fstatat(root, name, &ignored, AT_SYMLINK_NOFOLLOW) == 0;
}

/* A root with a file, a directory with two, and a link out of the root. */
static int open_place(void **state)
{
	static struct place place;

	(void)snprintf(place.path, sizeof(place.path),
		       "/tmp/secretsfs-notifier-XXXXXX");
	if (!mkdtemp(place.path))
		return -1;
	place.root = open(place.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (place.root < 0 || mkdirat(place.root, "in", 0700) < 0 ||
	    mkdirat(place.root, "in/a", 0700) < 0 ||
	    symlinkat("..", place.root, "in/out") < 0)
		return -1;
	write_at(place.root, "outside", "outside");
	write_at(place.root, "in/x", "old");
	write_at(place.root, "in/..new-1", "new");
	write_at(place.root, "in/a/x", "old below");
	write_at(place.root, "in/a/..new-1", "new below");
	*state = &place;
	return 0;
}

static int close_place(void **state)
{
	static const char *const names[] = {
		"in/x",	  "in/..new-1",	  "in/a/x",
		"in/out", "in/a/..new-1", "outside"
	};
	struct place *place = *state;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		(void)unlinkat(place->root, names[i], 0);
	(void)unlinkat(place->root, "in/a", AT_REMOVEDIR);
	(void)unlinkat(place->root, "in", AT_REMOVEDIR);
	close(place->root);
	return rmdir(place->path);
}

static int open_in(const struct place *place)
{
	return openat(place->root, "in", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static int act(const struct place *place, const struct notify_wish *wish)
{
	struct notify_order order;
	int root = open_in(place);
	int r;

	assert_true(root >= 0);
	assert_int_equal(notify_order_fill(&order, wish), 0);
	r = notifier_act(root, &order);
	close(root);
	return r;
}

static void replaces_a_name_that_is_there_or_not(void **state)
{
	const struct notify_wish wish = { .kind = NOTIFY_REPLACE,
					  .name = "x",
					  .source_name = "..new-1" };
	const struct place *place = *state;

	assert_int_equal(act(place, &wish), 0);
	assert_true(shows(place->root, "in/x", "new"));
	assert_false(is_there(place->root, "in/..new-1"));
	assert_int_equal(act(place, &wish), -ENOENT);
	assert_true(shows(place->root, "in/x", "new"));
	assert_int_equal(unlinkat(place->root, "in/x", 0), 0);
	write_at(place->root, "in/..new-1", "newer");
	assert_int_equal(act(place, &wish), 0);
	assert_true(shows(place->root, "in/x", "newer"));
}

static void replaces_below_a_directory(void **state)
{
	const struct notify_wish wish = { .kind = NOTIFY_REPLACE,
					  .directory = "a",
					  .name = "x",
					  .source_name = "..new-1" };
	const struct place *place = *state;

	need_openat2();
	assert_int_equal(act(place, &wish), 0);
	assert_true(shows(place->root, "in/a/x", "new below"));
	assert_true(shows(place->root, "in/x", "old"));
}

static void removes_a_name(void **state)
{
	const struct notify_wish wish = { .kind = NOTIFY_REMOVE, .name = "x" };
	const struct place *place = *state;

	assert_int_equal(act(place, &wish), 0);
	assert_false(is_there(place->root, "in/x"));
	assert_int_equal(act(place, &wish), -ENOENT);
}

static void drops_pages_and_unlinks_when_asked(void **state)
{
	struct notify_wish wish = { .kind = NOTIFY_DROP, .name = "x" };
	const struct place *place = *state;

	need_openat2();
	assert_int_equal(act(place, &wish), 0);
	assert_true(shows(place->root, "in/x", "old"));
	wish.flags = NOTIFY_UNLINK;
	assert_int_equal(act(place, &wish), 0);
	assert_false(is_there(place->root, "in/x"));
	assert_int_equal(act(place, &wish), -ENOENT);
}

static void follows_no_link(void **state)
{
	struct notify_wish wish = { .kind = NOTIFY_REMOVE,
				    .directory = "out",
				    .name = "outside" };
	const struct place *place = *state;

	need_openat2();
	/* What was found is a link, and no directory. */
	assert_int_equal(act(place, &wish), -ENOTDIR);
	wish.directory = "out/in";
	wish.name = "x";
	assert_int_equal(act(place, &wish), -ELOOP);
	wish.directory = "x";
	assert_int_equal(act(place, &wish), -ENOTDIR);
	assert_true(shows(place->root, "outside", "outside"));
	assert_true(shows(place->root, "in/x", "old"));
}

static void drops_the_pages_of_the_link_itself_at_most(void **state)
{
	const struct notify_wish wish = { .kind = NOTIFY_DROP, .name = "out" };

	need_openat2();
	assert_int_equal(act(*state, &wish), -ELOOP);
}

/* Runs a step in a child, which the sandbox then cannot leave. */
static int run_fenced(const struct place *place,
		      int (*step)(const struct place *place, int root))
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		int root = open_in(place);

		(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		/* As the notifier ends: see there. */
		(void)syscall(SYS_exit_group,
			      root < 0 ? 99 : step(place, root));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static int expect(bool condition, int step)
{
	return condition ? 0 : step;
}

static int try_files(const struct place *place, int root)
{
	int r = notifier_sandbox_files(root);
	int bad = 0;

	bad += expect(r == 0, 1);
	bad += expect(shows(root, "x", "old"), 2);
	bad += expect(renameat(root, "..new-1", root, "x") == 0, 4);
	bad += expect(unlinkat(root, "x", 0) == 0, 8);
	bad += expect(unlinkat(place->root, "outside", 0) < 0, 16);
	bad += expect(!shows(place->root, "outside", "outside"), 32);
	bad += expect(openat(root, "a/x", O_WRONLY) < 0, 64);
	return bad;
}

static void landlock_leaves_what_an_order_needs(void **state)
{
	need_landlock();
	assert_int_equal(run_fenced(*state, try_files), 0);
}

static int try_orders(const struct place *place, int root)
{
	static const struct notify_wish wishes[] = {
		{ .kind = NOTIFY_REPLACE,
		  .name = "x",
		  .source_name = "..new-1" },
		{ .kind = NOTIFY_DROP, .directory = "a", .name = "x" },
		{ .kind = NOTIFY_REMOVE, .directory = "a", .name = "x" },
	};
	struct notify_order order;
	struct pollfd none = { .fd = -1 };
	const struct timespec at_once = { 0, 0 };

	(void)place;
	if (notifier_sandbox_files(root) < 0 || notifier_sandbox_calls() < 0)
		return 1;
	for (size_t i = 0; i < ARRAY_SIZE(wishes); i++)
		if (notify_order_fill(&order, &wishes[i]) < 0 ||
		    notifier_act(root, &order) < 0)
			return 2;
	return ppoll(&none, 1, &at_once, NULL) == 0 ? 0 : 3;
}

static void all_orders_pass_the_fences(void **state)
{
	const struct place *place = *state;

	need_landlock();
	need_call_filters();
	assert_int_equal(run_fenced(place, try_orders), 0);
	assert_true(shows(place->root, "in/x", "new"));
	assert_false(is_there(place->root, "in/a/x"));
}

static int try_chmod(const struct place *place, int root)
{
	if (notifier_sandbox_calls() < 0)
		return 3;
	(void)root;
	return fchmodat(place->root, "outside", 0666, 0) < 0 ? 1 : 2;
}

static void another_call_ends_the_process(void **state)
{
	const struct place *place = *state;
	struct stat found;
	int status;

	need_call_filters();
	status = run_fenced(place, try_chmod);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
	assert_int_equal(fstatat(place->root, "outside", &found, 0), 0);
	assert_int_equal(found.st_mode & 0777, 0600);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define IN_PLACE(test)                                                         \
	cmocka_unit_test_setup_teardown(test, open_place, close_place)
		IN_PLACE(replaces_a_name_that_is_there_or_not),
		IN_PLACE(replaces_below_a_directory),
		IN_PLACE(removes_a_name),
		IN_PLACE(drops_pages_and_unlinks_when_asked),
		IN_PLACE(follows_no_link),
		IN_PLACE(drops_the_pages_of_the_link_itself_at_most),
		IN_PLACE(landlock_leaves_what_an_order_needs),
		IN_PLACE(all_orders_pass_the_fences),
		IN_PLACE(another_call_ends_the_process),
	};

	return cmocka_run_group_tests_name("notifier", tests, NULL, NULL);
}
