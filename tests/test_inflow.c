/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "tests/tree_fixture.h"

#include "base/macros.h"
#include "fs/inflow.h"
#include "fs/journal.h"

#include <errno.h>
#include <linux/fuse.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define SLOTS 3
#define JOURNAL_SIZE (4096 + JOURNAL_READ_MAX + 16384 + SLOTS * 512)
#define REQUESTS_MAX 16

/* A worker's way to the kernel, which is at the other end of a socket. */
struct stage {
	struct scene *scene;
	struct journal *journal;
	struct inflow *inflow;
	int memory;
	int kernel;
	int fd;

	/* what came, in this order */
	uint64_t requests[REQUESTS_MAX];
	size_t count;
	bool is_gone;

	int yes_left; /* how often it may still serve; -1: for ever */
};

static void on_request(void *owner, void *bytes, size_t length)
{
	struct stage *stage = owner;
	struct fuse_in_header header;

	assert_true(length >= sizeof(header));
	memcpy(&header, bytes, sizeof(header));
	assert_true(stage->count < REQUESTS_MAX);
	stage->requests[stage->count++] = header.unique;
}

static bool may_serve(void *owner)
{
	struct stage *stage = owner;

	if (stage->yes_left == 0)
		return false;
	if (stage->yes_left > 0)
		stage->yes_left--;
	return true;
}

static void on_gone(void *owner)
{
	struct stage *stage = owner;

	assert_false(stage->is_gone);
	stage->is_gone = true;
}

static void flow(struct stage *stage)
{
	stage->inflow = inflow_new(&(struct inflow_settings){
		.loop = stage->scene->loop,
		.tree = stage->scene->tree,
		.journal = stage->journal,
		.fd = stage->fd,
		.may_serve = may_serve,
		.on_request = on_request,
		.on_gone = on_gone,
		.owner = stage,
	});
	assert_non_null(stage->inflow);
}

static int set_up(void **state)
{
	static struct stage stage;
	int pair[2];

	stage = (struct stage){ .scene = scene_new(),
				.memory = memfd_create("requests", 0),
				.yes_left = -1 };
	scene_show_prefix(stage.scene, "");
	assert_int_equal(ftruncate(stage.memory, JOURNAL_SIZE), 0);
	assert_int_equal(journal_open(dup(stage.memory), &stage.journal), 0);
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair),
		0);
	stage.kernel = pair[0];
	stage.fd = pair[1];
	*state = &stage;
	return 0;
}

static int tear_down(void **state)
{
	struct stage *stage = *state;
	void *scene = stage->scene;

	inflow_free(stage->inflow);
	scene_free(&scene);
	journal_close(stage->journal);
	(void)close(stage->memory);
	(void)close(stage->kernel);
	(void)close(stage->fd);
	return 0;
}

static void ask(const struct stage *stage, uint64_t unique)
{
	const struct fuse_in_header header = { .len = sizeof(header),
					       .opcode = FUSE_GETATTR,
					       .unique = unique };

	assert_int_equal(send(stage->kernel, &header, sizeof(header), 0),
			 sizeof(header));
}

static void answer(const struct stage *stage, uint64_t unique)
{
	struct fuse_out_header header = { .len = sizeof(header),
					  .unique = unique };
	struct iovec part = { .iov_base = &header, .iov_len = sizeof(header) };

	assert_int_equal(inflow_answer(stage->inflow, &part, 1),
			 sizeof(header));
}

static void turn(const struct stage *stage)
{
	for (int i = 0; i < 3; i++)
		assert_int_equal(loop_turn(stage->scene->loop, 0), 0);
}

/* Another worker reads it, and dies. */
static void leave(struct stage *stage, uint64_t unique)
{
	struct journal_request request;

	ask(stage, unique);
	assert_int_equal(journal_read(stage->journal, stage->fd, &request), 0);
	journal_handled(stage->journal);
}

static void what_was_left_comes_before_what_is_new(void **state)
{
	struct stage *stage = *state;
	struct fuse_out_header asked;

	leave(stage, 2);
	leave(stage, 4);
	ask(stage, 6);
	flow(stage);
	assert_int_equal(stage->count, 0);
	/* whether they are waited for, and were interrupted */
	for (uint64_t unique = 2; unique <= 4; unique += 2) {
		assert_int_equal(recv(stage->kernel, &asked, sizeof(asked), 0),
				 sizeof(asked));
		assert_int_equal(asked.unique, unique | 1);
		assert_int_equal(asked.error, -EAGAIN);
		assert_int_equal(asked.len, sizeof(asked));
	}
	turn(stage);
	assert_int_equal(stage->count, 3);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(stage->requests[i], 2 * (i + 1));
}

static void nothing_is_read_while_the_journal_is_full(void **state)
{
	struct stage *stage = *state;

	flow(stage);
	for (uint64_t i = 1; i <= SLOTS + 3; i++)
		ask(stage, 2 * i);
	turn(stage);
	assert_int_equal(stage->count, SLOTS + 1);
	turn(stage);
	assert_int_equal(stage->count, SLOTS + 1);
	answer(stage, 4);
	turn(stage);
	assert_int_equal(stage->count, SLOTS + 2);
	answer(stage, 2);
	answer(stage, 6);
	turn(stage);
	assert_int_equal(stage->count, SLOTS + 3);
	assert_false(stage->is_gone);
}

static void what_fills_the_journal_may_be_what_was_left(void **state)
{
	struct stage *stage = *state;

	for (uint64_t i = 1; i <= SLOTS + 1; i++)
		leave(stage, 2 * i);
	ask(stage, 100);
	flow(stage);
	turn(stage);
	assert_int_equal(stage->count, SLOTS + 1);
	answer(stage, 2);
	turn(stage);
	assert_int_equal(stage->count, SLOTS + 2);
	assert_int_equal(stage->requests[SLOTS + 1], 100);
}

static void a_mount_that_goes_is_told_once(void **state)
{
	struct stage *stage = *state;

	flow(stage);
	turn(stage);
	(void)close(stage->kernel);
	stage->kernel = -1;
	turn(stage);
	assert_true(stage->is_gone);
}

static void also_while_the_journal_is_full(void **state)
{
	struct stage *stage = *state;

	flow(stage);
	for (uint64_t i = 1; i <= SLOTS + 1; i++)
		ask(stage, 2 * i);
	turn(stage);
	assert_int_equal(stage->count, SLOTS + 1);
	(void)close(stage->kernel);
	stage->kernel = -1;
	turn(stage);
	assert_true(stage->is_gone);
}

/* The next worker. */
static void follow(struct stage *stage)
{
	inflow_free(stage->inflow);
	journal_close(stage->journal);
	stage->yes_left = -1;
	assert_int_equal(journal_open(dup(stage->memory), &stage->journal), 0);
	flow(stage);
}

static void who_is_paused_leaves_all_to_the_next(void **state)
{
	struct stage *stage = *state;

	leave(stage, 2);
	ask(stage, 4);
	flow(stage);
	inflow_pause(stage->inflow);
	inflow_pause(stage->inflow);
	turn(stage);
	assert_int_equal(stage->count, 0);
	follow(stage);
	turn(stage);
	assert_int_equal(stage->count, 2);
	assert_int_equal(stage->requests[0], 2);
	assert_int_equal(stage->requests[1], 4);
}

/* At its look at what was left, before a read, after it, or later. */
static void who_is_shut_out_leaves_all_to_the_next(void **state)
{
	static const size_t handled[] = { 0, 1, 1, 1, 2 };
	struct stage *stage = *state;

	for (size_t i = 0; i < ARRAY_SIZE(handled); i++) {
		uint64_t unique = 100 * (i + 1);

		leave(stage, unique);
		ask(stage, unique + 2);
		stage->count = 0;
		follow(stage);
		stage->yes_left = (int)i;
		turn(stage);
		assert_int_equal(stage->count, handled[i]);
		stage->count = 0;
		follow(stage);
		turn(stage);
		assert_int_equal(stage->count, 2);
		assert_int_equal(stage->requests[0], unique);
		assert_int_equal(stage->requests[1], unique + 2);
		answer(stage, unique);
		answer(stage, unique + 2);
	}
}

#define STAGED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STAGED(what_was_left_comes_before_what_is_new),
		STAGED(nothing_is_read_while_the_journal_is_full),
		STAGED(what_fills_the_journal_may_be_what_was_left),
		STAGED(a_mount_that_goes_is_told_once),
		STAGED(also_while_the_journal_is_full),
		STAGED(who_is_paused_leaves_all_to_the_next),
		STAGED(who_is_shut_out_leaves_all_to_the_next),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
