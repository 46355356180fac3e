/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "fs/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define SLOT 512
#define SLOTS 3

/* Where things are, as another build of the same layout finds them. */
#define AT_LAYOUT_VERSION 8
#define AT_INLET 4096
#define AT_SLOTS (4096 + JOURNAL_READ_MAX + 16384)

/* A journal, and a kernel at the other end of a socket. */
struct scene {
	int memory; /* the keeper's */
	int kernel;
	int fd;
	struct journal *journal;
	uint64_t forgotten; /* a request that the kernel does not wait for */
	struct journal_left left;
};

static bool is_awaited(void *owner, uint64_t unique)
{
	const struct scene *scene = owner;

	return unique != scene->forgotten;
}

/* As if the worker was killed, and another one followed. */
static void follow(struct scene *scene)
{
	journal_close(scene->journal);
	scene->journal = NULL;
	assert_int_equal(journal_open(dup(scene->memory), &scene->journal), 0);
	journal_settle(scene->journal, is_awaited, scene, &scene->left);
}

static int set_up(void **state)
{
	static struct scene scene;
	int pair[2];

	scene = (struct scene){ .memory = memfd_create("requests", 0) };
	assert_int_equal(
		ftruncate(scene.memory, AT_SLOTS + (off_t)SLOT * SLOTS), 0);
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair),
		0);
	scene.kernel = pair[0];
	scene.fd = pair[1];
	follow(&scene);
	*state = &scene;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *scene = *state;

	journal_close(scene->journal);
	(void)close(scene->memory);
	(void)close(scene->kernel);
	(void)close(scene->fd);
	return 0;
}

struct lookup {
	struct fuse_in_header header;
	char name[9];
};

static void ask(const struct scene *scene, uint32_t opcode, uint64_t unique)
{
	const struct lookup lookup = {
		.header = { .len = sizeof(lookup),
			    .opcode = opcode,
			    .unique = unique,
			    .nodeid = 1 },
		.name = "password",
	};

	assert_int_equal(send(scene->kernel, &lookup, sizeof(lookup), 0),
			 sizeof(lookup));
}

static void read_one(struct scene *scene, uint32_t opcode, uint64_t unique)
{
	struct journal_request request;

	ask(scene, opcode, unique);
	assert_int_equal(journal_read(scene->journal, scene->fd, &request), 0);
	assert_int_equal(request.unique, unique);
	assert_int_equal(request.length, sizeof(struct lookup));
}

/* A request that is to be answered later. */
static void park(struct scene *scene, uint64_t unique)
{
	read_one(scene, FUSE_LOOKUP, unique);
	journal_handled(scene->journal);
}

static void answer(const struct scene *scene, uint64_t unique)
{
	struct fuse_out_header header = { .len = sizeof(header),
					  .unique = unique };
	struct iovec part = { .iov_base = &header, .iov_len = sizeof(header) };

	assert_int_equal(journal_write(scene->journal, scene->fd, &part, 1),
			 sizeof(header));
}

static void check_left(struct scene *scene, size_t unanswered, size_t awaited)
{
	follow(scene);
	assert_false(scene->left.is_lost);
	assert_int_equal(scene->left.unanswered, unanswered);
	assert_int_equal(scene->left.awaited, awaited);
}

static void check_next(struct scene *scene, uint64_t unique)
{
	struct journal_request request;
	struct lookup lookup;

	assert_true(journal_next_left(scene->journal, &request));
	assert_int_equal(request.unique, unique);
	assert_int_equal(request.length, sizeof(lookup));
	assert_int_equal(
		(uintptr_t)request.bytes % _Alignof(struct fuse_in_header), 0);
	memcpy(&lookup, request.bytes, sizeof(lookup));
	assert_int_equal(lookup.header.unique, unique);
	assert_string_equal(lookup.name, "password");
	journal_handled(scene->journal);
}

static void check_no_next(struct scene *scene)
{
	struct journal_request request;

	assert_false(journal_next_left(scene->journal, &request));
}

static void a_request_is_there_once_it_is_read(void **state)
{
	struct scene *scene = *state;

	read_one(scene, FUSE_LOOKUP, 2);
	check_left(scene, 1, 1);
	check_next(scene, 2);
	check_no_next(scene);
	check_left(scene, 1, 1);
}

static void what_is_answered_is_gone(void **state)
{
	struct scene *scene = *state;

	read_one(scene, FUSE_LOOKUP, 2);
	answer(scene, 2);
	journal_handled(scene->journal);
	park(scene, 4);
	answer(scene, 4);
	check_left(scene, 0, 0);
	check_no_next(scene);
}

static void what_waits_is_kept_while_others_are_read(void **state)
{
	struct scene *scene = *state;

	park(scene, 2);
	park(scene, 4);
	read_one(scene, FUSE_LOOKUP, 6);
	check_left(scene, 3, 3);
	check_next(scene, 2);
	check_next(scene, 4);
	check_next(scene, 6);
	check_no_next(scene);
	answer(scene, 4);
	check_left(scene, 2, 2);
}

static void what_the_kernel_does_not_wait_for_is_let_go(void **state)
{
	struct scene *scene = *state;

	park(scene, 2);
	park(scene, 4);
	scene->forgotten = 2;
	check_left(scene, 2, 1);
	check_next(scene, 4);
	check_no_next(scene);
	read_one(scene, FUSE_LOOKUP, 6);
	scene->forgotten = 6;
	check_left(scene, 2, 1);
}

/* It was killed between the two writes of a move. */
static void a_request_in_two_places_is_one(void **state)
{
	struct scene *scene = *state;
	const uint32_t length = sizeof(struct lookup);

	park(scene, 2);
	assert_int_equal(
		pwrite(scene->memory, &length, sizeof(length), AT_INLET),
		sizeof(length));
	check_left(scene, 1, 1);
	check_next(scene, 2);
	check_no_next(scene);
}

/* Or in the middle of the first. */
static void a_slot_without_its_last_word_is_free(void **state)
{
	struct scene *scene = *state;
	const uint64_t none = 0;
	const uint64_t other = 4711;

	park(scene, 2);
	park(scene, 4);
	assert_int_equal(pwrite(scene->memory, &none, sizeof(none), AT_SLOTS),
			 sizeof(none));
	assert_int_equal(
		pwrite(scene->memory, &other, sizeof(other), AT_SLOTS + SLOT),
		sizeof(other));
	check_left(scene, 0, 0);
}

static void nothing_is_read_that_finds_no_room(void **state)
{
	struct scene *scene = *state;

	for (uint64_t i = 1; i <= SLOTS; i++)
		park(scene, 2 * i);
	assert_false(journal_is_full(scene->journal));
	park(scene, 100);
	assert_true(journal_is_full(scene->journal));
	check_left(scene, SLOTS + 1, SLOTS + 1);
	for (uint64_t i = 1; i <= SLOTS; i++)
		check_next(scene, 2 * i);
	check_next(scene, 100);
	check_no_next(scene);
	assert_true(journal_is_full(scene->journal));
	answer(scene, 4);
	assert_false(journal_is_full(scene->journal));
	check_left(scene, SLOTS, SLOTS);
	check_next(scene, 2);
	check_next(scene, 100);
}

static void one_that_found_no_room_may_be_answered_first(void **state)
{
	struct scene *scene = *state;

	for (uint64_t i = 1; i <= SLOTS + 1; i++)
		park(scene, 2 * i);
	answer(scene, UINT64_C(2) * (SLOTS + 1));
	assert_false(journal_is_full(scene->journal));
	check_left(scene, SLOTS, SLOTS);
}

static void a_forget_is_there_until_it_is_counted(void **state)
{
	static const uint32_t opcodes[] = { FUSE_FORGET, FUSE_BATCH_FORGET };
	struct scene *scene = *state;

	scene->forgotten = 2;
	for (size_t i = 0; i < sizeof(opcodes) / sizeof(*opcodes); i++) {
		park(scene, 6);
		read_one(scene, opcodes[i], 2);
		check_left(scene, 1, 1);
		assert_true(scene->left.has_forget);
		/* before anything else is counted */
		check_next(scene, 2);
		check_next(scene, 6);
		check_no_next(scene);
		answer(scene, 6);
		check_left(scene, 0, 0);
		assert_false(scene->left.has_forget);
	}
}

static void an_interrupt_is_not_kept(void **state)
{
	struct scene *scene = *state;

	park(scene, 2);
	read_one(scene, FUSE_INTERRUPT, 3);
	check_left(scene, 1, 1);
	read_one(scene, FUSE_INTERRUPT, 3);
	journal_handled(scene->journal);
	assert_false(journal_is_full(scene->journal));
	/* nor is its answer one to the request */
	answer(scene, 3);
	check_left(scene, 1, 1);
}

static void a_read_that_fails_leaves_nothing(void **state)
{
	struct scene *scene = *state;
	struct journal_request request;

	assert_int_equal(journal_read(scene->journal, scene->fd, &request),
			 -EAGAIN);
	check_left(scene, 0, 0);
	park(scene, 2);
	check_left(scene, 1, 1);
}

static void another_layout_is_told_and_begun_anew(void **state)
{
	struct scene *scene = *state;
	const uint32_t version = 99;

	park(scene, 2);
	assert_int_equal(pwrite(scene->memory, &version, sizeof(version),
				AT_LAYOUT_VERSION),
			 sizeof(version));
	follow(scene);
	assert_true(scene->left.is_lost);
	assert_int_equal(scene->left.unanswered, 0);
	check_no_next(scene);
	park(scene, 4);
	check_left(scene, 1, 1);
}

static void memory_may_not_be_too_small(void **state)
{
	struct scene *scene = *state;

	journal_close(scene->journal);
	scene->journal = NULL;
	assert_int_equal(ftruncate(scene->memory, AT_SLOTS), 0);
	assert_int_equal(journal_open(dup(scene->memory), &scene->journal),
			 -EINVAL);
}

static off_t memory_taken(const struct scene *scene)
{
	struct stat status;

	assert_int_equal(fstat(scene->memory, &status), 0);
	return (off_t)status.st_blocks * 512;
}

static void slots_that_nobody_needed_take_no_memory(void **state)
{
	struct scene *scene = *state;

	journal_close(scene->journal);
	scene->journal = NULL;
	assert_int_equal(
		ftruncate(scene->memory, AT_SLOTS + (off_t)SLOT * 4096), 0);
	follow(scene);
	assert_true(memory_taken(scene) <= AT_SLOTS);
	park(scene, 4);
	check_left(scene, 1, 1);
	assert_true(memory_taken(scene) <= AT_SLOTS + 65536);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			slots_that_nobody_needed_take_no_memory, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			a_request_is_there_once_it_is_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_answered_is_gone,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			what_waits_is_kept_while_others_are_read, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			what_the_kernel_does_not_wait_for_is_let_go, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(a_request_in_two_places_is_one,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_slot_without_its_last_word_is_free, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			nothing_is_read_that_finds_no_room, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			one_that_found_no_room_may_be_answered_first, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			a_forget_is_there_until_it_is_counted, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(an_interrupt_is_not_kept,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_read_that_fails_leaves_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			another_layout_is_told_and_begun_anew, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(memory_may_not_be_too_small,
						set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
