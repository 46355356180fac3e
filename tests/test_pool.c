/* SPDX-License-Identifier: Apache-2.0 */
/* A process has one pool, so each case has a process of its own. */
#include "tests/test.h"

#include "base/bounce.h"
#include "base/macros.h"
#include "base/pool.h"
#include "base/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECRETS 120
#define LENGTH ((size_t)20000)
#define NOBODY 65534
#define NO_LIMIT 77 /* exit code */

static const enum pool_kind kinds[] = { POOL_SECRET, POOL_LOCKED,
					POOL_UNLOCKED };

static bool has_secret_memory(void)
{
	int fd = (int)syscall(447 /* memfd_secret */, O_CLOEXEC);

	if (fd >= 0)
		(void)close(fd);
	return fd >= 0;
}

#define REQUIRE(what)                                                          \
	do {                                                                   \
		if (!(what)) {                                                 \
			(void)fprintf(stderr, "not so: %s\n", #what);          \
			_exit(1);                                              \
		}                                                              \
	} while (0)

/* Runs it for each kind that this machine has. */
static void in_children(void (*run)(void), size_t size_max)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		const struct pool_settings settings = { kinds[i], size_max };
		struct pool_about about;
		int status;
		pid_t pid;

		if (kinds[i] == POOL_SECRET && !has_secret_memory()) {
			print_message("no memfd_secret here\n");
			continue;
		}
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			REQUIRE(pool_open(&settings) == 0);
			pool_describe(&about);
			REQUIRE(about.kind == kinds[i]);
			run();
			_exit(0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
	}
}

static void wipe_one(void)
{
	char *bytes = pool_alloc(100);
	char *again;

	REQUIRE(bytes);
	memcpy(bytes, "hunter2", 7);
	pool_free(bytes, 100);
	again = pool_alloc(100);
	REQUIRE(again == bytes);
	REQUIRE(again[0] == 0 && memcmp(again, again + 1, 99) == 0);
	pool_free(again, 100);
}

static void pieces_are_wiped_in_every_kind(void **state)
{
	(void)state;
	in_children(wipe_one, 0);
}

static void read_own_memory(void)
{
	struct pool_about about;
	int fd = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	char *bytes = pool_alloc(8);
	char seen[8] = { 0 };

	REQUIRE(fd >= 0 && bytes);
	memcpy(bytes, "hunter2", 8);
	pool_describe(&about);
	if (about.kind == POOL_SECRET)
		REQUIRE(pread(fd, seen, 8, (off_t)(uintptr_t)bytes) < 0);
	else
		REQUIRE(pread(fd, seen, 8, (off_t)(uintptr_t)bytes) == 8 &&
			memcmp(seen, "hunter2", 8) == 0);
}

static void nobody_reads_secret_memory_as_a_file(void **state)
{
	(void)state;
	in_children(read_own_memory, 0);
}

static bool note(void *owner)
{
	++*(int *)owner;
	return true;
}

static bool note_in_vain(void *owner)
{
	++*(int *)owner;
	return false;
}

static void fail_to_promise(void)
{
	int told = 0;

	pool_set_on_low(note_in_vain, &told);
	while (told == 0)
		REQUIRE(pool_alloc(LENGTH));
	REQUIRE(!pool_is_low());
	REQUIRE(pool_alloc(LENGTH) && told == 2);
	pool_set_on_low(note, &told);
	REQUIRE(pool_alloc(LENGTH) && told == 3 && pool_is_low());
	REQUIRE(pool_alloc(LENGTH) && told == 3);
	pool_set_on_low(NULL, NULL);
	REQUIRE(!pool_is_low());
}

static void nobody_waits_for_room_that_was_not_promised(void **state)
{
	(void)state;
	in_children(fail_to_promise, 0);
}

static void fill_up(void)
{
	struct pool_about about;
	int told = 0;
	size_t count = 0;

	pool_set_on_low(note, &told);
	while (pool_alloc(LENGTH))
		count++;
	REQUIRE(errno == ENOMEM);
	pool_describe(&about);
	REQUIRE(about.maximum == 2 * POOL_SIZE_MIN);
	REQUIRE(about.mapped == about.maximum);
	REQUIRE(about.used >= count * LENGTH);
	REQUIRE(count == about.maximum / (LENGTH + 64));
	REQUIRE(told == 1);
	REQUIRE(!pool_grow());
	REQUIRE(!pool_alloc(LENGTH) && told == 2);
}

static void a_pool_grows_to_its_maximum_and_tells_when_room_is_short(void **s)
{
	(void)s;
	in_children(fill_up, 2 * POOL_SIZE_MIN);
}

static void grow_ahead(void)
{
	struct pool_about about;
	struct pool_about later;
	int told = 0;

	pool_set_on_low(note, &told);
	while (told == 0)
		REQUIRE(pool_alloc(LENGTH));
	pool_describe(&about);
	REQUIRE(pool_grow());
	pool_describe(&later);
	REQUIRE(later.mapped > about.mapped);
	REQUIRE(pool_alloc(LENGTH) && told == 1);
	pool_describe(&about);
	REQUIRE(about.mapped == later.mapped);
}

static void a_range_is_there_ahead_of_need(void **state)
{
	(void)state;
	in_children(grow_ahead, 0);
}

/* Of an ordinary user, who may lock no more than that. False: the machine does
 * not let us have as much. */
static bool become_limited(size_t limit)
{
	const struct rlimit locked = { limit, limit };

	return setrlimit(RLIMIT_MEMLOCK, &locked) == 0 &&
	       (geteuid() != 0 || setresuid(NOBODY, NOBODY, NOBODY) == 0);
}

/* As a process that follows has it beside the pool that it maps. */
static void need_room_for_follower(void)
{
	size_t size = POOL_MAPPED_FIRST + POOL_RANGE + BOUNCE_SIZE;
	void *own = mmap(NULL, size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	REQUIRE(own != MAP_FAILED && mlock(own, size) == 0);
}

static void fill_under_limit(size_t limit)
{
	const struct pool_settings best = { 0 };
	struct pool_about about;

	REQUIRE(pool_open(&best) == 0);
	pool_describe(&about);
	if (limit < POOL_LOCKED_MIN + POOL_SPARE) {
		REQUIRE(about.kind == POOL_UNLOCKED);
		REQUIRE(about.maximum == POOL_SIZE_MAX);
		REQUIRE(pool_alloc(LENGTH));
		return;
	}
	REQUIRE(about.kind != POOL_UNLOCKED);
	REQUIRE(about.maximum >= POOL_LOCKED_MIN);
	while (pool_alloc(LENGTH))
		pool_describe(&about);
	REQUIRE(about.mapped == about.maximum);
	need_room_for_follower();
}

static void a_full_pool_leaves_what_who_follows_needs_beside_it(void **state)
{
	static const size_t limits[] = {
		64 << 10,
		2 << 20,
		POOL_LOCKED_MIN + POOL_SPARE - 1,
		POOL_LOCKED_MIN + POOL_SPARE,
		8 << 20,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		int status;
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0) {
			if (!become_limited(limits[i]))
				_exit(NO_LIMIT);
			fill_under_limit(limits[i]);
			_exit(0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (WIFEXITED(status) && WEXITSTATUS(status) == NO_LIMIT)
			skip_because("%zu bytes cannot be locked", limits[i]);
		assert_int_equal(status, 0);
	}
}

static struct secret *new_secret(unsigned number)
{
	char bytes[LENGTH];

	for (size_t i = 0; i < LENGTH; i++)
		bytes[i] = (char)(number + i);
	return secret_new(bytes, LENGTH - number);
}

static bool is_secret(struct secret *secret, unsigned number)
{
	const unsigned char *bytes = secret_bytes(secret);

	if (!bytes || secret_length(secret) != LENGTH - number)
		return false;
	for (size_t i = 0; i < LENGTH - number; i++)
		if (bytes[i] != (unsigned char)(number + i))
			return false;
	return true;
}

/* More than twice of what there is room for. */
static void seal_most(void)
{
	struct secret *secrets[SECRETS];
	struct pool_about about;

	for (unsigned i = 0; i < SECRETS; i++) {
		secrets[i] = new_secret(i);
		REQUIRE(secrets[i]);
		if (i % 2)
			REQUIRE(secrets_make_room());
	}
	REQUIRE(secrets_sealed() > SECRETS / 2);
	for (unsigned round = 0; round < 2; round++)
		for (unsigned i = 0; i < SECRETS; i++) {
			REQUIRE(secrets_make_room());
			REQUIRE(is_secret(secrets[i], i));
		}
	for (unsigned i = 0; i < SECRETS; i++)
		secret_unref(secrets[i]);
	REQUIRE(secrets_sealed() == 0);
	pool_describe(&about);
	REQUIRE(about.used < 200); /* the key of the sealed */
}

static void secrets_that_do_not_fit_are_sealed_and_opened(void **state)
{
	(void)state;
	in_children(seal_most, POOL_SIZE_MIN);
}

static void send_through_bounce(void)
{
	char *bytes = pool_alloc(8);
	struct iovec parts[] = { { bytes, 4 }, { bytes + 4, 4 } };
	struct iovec large = { bytes, BOUNCE_SIZE + 1 };
	char seen[9] = { 0 };
	int pair[2];

	memcpy(bytes, "hunter2", 8);
	REQUIRE(pipe(pair) == 0);
	REQUIRE(bounce_writev(pair[1], parts, 2) == 8);
	REQUIRE(read(pair[0], seen, 9) == 8 && memcmp(seen, bytes, 8) == 0);
	REQUIRE(bounce_writev(pair[1], &large, 1) == -1 && errno == E2BIG);
}

static void a_reply_leaves_from_every_kind_of_pool(void **state)
{
	(void)state;
	in_children(send_through_bounce, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_are_wiped_in_every_kind),
		cmocka_unit_test(nobody_reads_secret_memory_as_a_file),
		cmocka_unit_test(
			a_pool_grows_to_its_maximum_and_tells_when_room_is_short),
		cmocka_unit_test(a_range_is_there_ahead_of_need),
		cmocka_unit_test(nobody_waits_for_room_that_was_not_promised),
		cmocka_unit_test(
			a_full_pool_leaves_what_who_follows_needs_beside_it),
		cmocka_unit_test(secrets_that_do_not_fit_are_sealed_and_opened),
		cmocka_unit_test(a_reply_leaves_from_every_kind_of_pool),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
