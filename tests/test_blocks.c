/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "base/blocks.h"
#include "base/macros.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define SPACE ((size_t)256 << 10)
#define PIECES 200
#define STEPS 20000

struct piece {
	unsigned char *bytes;
	size_t size;
	unsigned char mark;
};

static _Alignas(BLOCKS_ALIGNMENT) char space[SPACE];

static void begin(struct blocks *blocks, size_t size)
{
	explicit_bzero(space, sizeof(space));
	blocks_init(blocks, space);
	blocks_grow(blocks, size);
}

/* The same numbers in every run. */
static size_t draw(uint64_t *state, size_t below)
{
	*state = *state * 6364136223846793005U + 1442695040888963407U;
	return (size_t)(*state >> 33) % below;
}

static void fill(struct piece *piece)
{
	for (size_t i = 0; i < piece->size; i++)
		piece->bytes[i] = piece->mark;
}

static bool is_all(const unsigned char *bytes, size_t size, unsigned char mark)
{
	for (size_t i = 0; i < size; i++)
		if (bytes[i] != mark)
			return false;
	return true;
}

static void give(struct blocks *blocks, struct piece *piece)
{
	assert_true(is_all(piece->bytes, piece->size, piece->mark));
	blocks_give(blocks, piece->bytes);
	piece->bytes = NULL;
}

static void pieces_never_overlap_and_come_zeroed(void **state)
{
	struct piece pieces[PIECES] = { 0 };
	struct blocks blocks;
	uint64_t random = 7;

	(void)state;
	begin(&blocks, SPACE);
	for (unsigned step = 0; step < STEPS; step++) {
		struct piece *piece = &pieces[draw(&random, PIECES)];

		if (piece->bytes) {
			give(&blocks, piece);
			continue;
		}
		piece->size = draw(&random, 4000);
		piece->mark = (unsigned char)(step | 1);
		piece->bytes = blocks_take(&blocks, piece->size);
		if (!piece->bytes)
			continue;
		assert_true(is_all(piece->bytes, piece->size, 0));
		fill(piece);
	}
	for (size_t i = 0; i < PIECES; i++)
		if (pieces[i].bytes)
			give(&blocks, &pieces[i]);
	assert_int_equal(blocks.used, 0);
	assert_int_equal(blocks.used_count, 0);
	/* All of it is one block again. */
	assert_true(blocks_has(&blocks, SPACE - 64));
}

static void what_is_given_back_is_wiped(void **state)
{
	struct blocks blocks;
	unsigned char *bytes;

	(void)state;
	begin(&blocks, SPACE);
	bytes = blocks_take(&blocks, 5000);
	assert_non_null(bytes);
	memcpy(bytes + 4000, "hunter2", 7);
	blocks_give(&blocks, bytes);
	bytes = blocks_take(&blocks, SPACE - 64);
	assert_non_null(bytes);
	assert_true(is_all(bytes, SPACE - 64, 0));
	assert_null(memmem(space, SPACE, "hunter2", 7));
	blocks_give(&blocks, bytes);
}

static void a_full_space_has_nothing_until_it_grows(void **state)
{
	struct blocks blocks;
	void *first;
	void *second;

	(void)state;
	begin(&blocks, SPACE / 2);
	first = blocks_take(&blocks, SPACE / 2 - 64);
	assert_non_null(first);
	assert_false(blocks_has(&blocks, 1024));
	assert_null(blocks_take(&blocks, 1024));
	assert_null(blocks_take(&blocks, SIZE_MAX));
	blocks_grow(&blocks, SPACE / 2);
	second = blocks_take(&blocks, SPACE / 2 - 64);
	assert_non_null(second);
	blocks_give(&blocks, first);
	blocks_give(&blocks, second);
	assert_true(blocks_has(&blocks, SPACE - 64));
}

static void a_piece_grows_in_place_while_there_is_room_behind_it(void **state)
{
	struct blocks blocks;
	unsigned char *bytes;
	void *behind;

	(void)state;
	begin(&blocks, SPACE / 2);
	bytes = blocks_take(&blocks, 100);
	memcpy(bytes, "hunter2", 8);
	assert_true(blocks_extend(&blocks, bytes, 5000));
	assert_string_equal((char *)bytes, "hunter2");
	assert_true(is_all(bytes + 8, 5000 - 8, 0));
	assert_true(blocks_is_last(bytes));
	assert_false(blocks_extend(&blocks, bytes, SPACE / 2));
	blocks_grow(&blocks, SPACE / 2);
	assert_true(blocks_extend(&blocks, bytes, SPACE / 2));
	behind = blocks_take(&blocks, 100);
	assert_false(blocks_is_last(bytes));
	assert_false(blocks_extend(&blocks, bytes, SPACE / 2 + 100));
	blocks_give(&blocks, bytes);
	blocks_give(&blocks, behind);
	assert_int_equal(blocks.used, 0);
	assert_true(blocks_has(&blocks, SPACE - 64));
}

static void overwrite(void)
{
	const struct rlimit no_core = { 0, 0 };
	struct blocks blocks;
	unsigned char *bytes;

	(void)setrlimit(RLIMIT_CORE, &no_core);
	(void)close(STDERR_FILENO);
	begin(&blocks, SPACE);
	bytes = blocks_take(&blocks, 64);
	explicit_bzero(bytes, 64 + 8);
	blocks_give(&blocks, bytes);
	_exit(0);
}

static void writing_past_a_piece_ends_the_process(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		overwrite();
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_never_overlap_and_come_zeroed),
		cmocka_unit_test(what_is_given_back_is_wiped),
		cmocka_unit_test(a_full_space_has_nothing_until_it_grows),
		cmocka_unit_test(
			a_piece_grows_in_place_while_there_is_room_behind_it),
		cmocka_unit_test(writing_past_a_piece_ends_the_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
