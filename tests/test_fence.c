/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "base/err.h"
#include "fenced.h"
#include "keeper/fence.h"
#include "keeper/message.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

static int set_up(void **state)
{
	static struct fence fence;
	struct err err;

	fence_init(&fence);
	*state = &fence;
	return fence_make(&fence, &err);
}

static int tear_down(void **state)
{
	fence_done(*state);
	fence_done(*state);
	return 0;
}

/* What a worker of that number gets. */
static int adopt(struct fenced *fenced, const struct fence *fence,
		 uint64_t number)
{
	struct message message;

	message_fill(&message, MESSAGE_FENCE, MESSAGE_NO_MOUNT, &number,
		     sizeof(number));
	return fenced_adopt(fenced, &message, dup(fence->fd));
}

static void shuts_out_whoever_was_before(void **state)
{
	const struct fence *fence = *state;
	struct fenced first = { 0 };
	struct fenced second = { 0 };

	assert_int_equal(adopt(&first, fence, fence_next(fence)), 0);
	assert_false(fenced_is_out(&first));
	assert_int_equal(adopt(&second, fence, fence_next(fence)), 0);
	assert_true(fenced_is_out(&first));
	assert_false(fenced_is_out(&second));
	(void)fence_next(fence);
	assert_true(fenced_is_out(&second));
	fenced_done(&first);
	fenced_done(&second);
}

static void a_worker_without_a_fence_is_not_shut_out(void **state)
{
	struct fenced fenced = { 0 };

	(void)state;
	assert_false(fenced_is_out(&fenced));
	fenced_done(&fenced);
}

static void a_message_that_is_none_is_refused(void **state)
{
	const struct fence *fence = *state;
	struct fenced fenced = { 0 };
	struct message message;

	message_fill(&message, MESSAGE_FENCE, MESSAGE_NO_MOUNT, "short", 5);
	assert_int_equal(fenced_adopt(&fenced, &message, dup(fence->fd)),
			 -EPROTO);
	assert_int_equal(adopt(&fenced, &(struct fence){ .fd = -1 }, 1),
			 -EPROTO);
}

static void nobody_else_can_write_to_it(void **state)
{
	const struct fence *fence = *state;

	assert_ptr_equal(
		mmap(NULL, 8, PROT_READ | PROT_WRITE, MAP_SHARED, fence->fd, 0),
		MAP_FAILED);
	assert_int_equal(write(fence->fd, "12345678", 8), -1);
	assert_int_equal(ftruncate(fence->fd, 0), -1);
	assert_int_equal(fence_next(fence), 1);
	assert_int_equal(fence_next(fence), 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(shuts_out_whoever_was_before),
		TEST(a_worker_without_a_fence_is_not_shut_out),
		TEST(a_message_that_is_none_is_refused),
		TEST(nobody_else_can_write_to_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
