/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "base/clock.h"
#include "keeper/message.h"
#include "loop/loop.h"
#include "ops/client.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* More than any socket takes at once. */
#define LONG_LENGTH ((size_t)4 << 20)

struct scene {
	struct clock clock;
	struct loop *loop;
	struct clients *clients;
};

static int set_up(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	assert_non_null(scene);
	clock_set(&scene->clock, 1000, 1700000000);
	scene->loop = loop_new(&scene->clock);
	assert_non_null(scene->loop);
	scene->clients = clients_new(scene->loop);
	assert_non_null(scene->clients);
	*state = scene;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *scene = *state;

	clients_free(scene->clients);
	loop_free(scene->loop);
	free(scene);
	return 0;
}

static void turn(struct scene *scene)
{
	assert_int_equal(loop_turn(scene->loop, 0), 0);
}

/* Ours, without waiting; ret_theirs is for the answer, and may wait. */
static int connect_client(int *ret_theirs)
{
	int pair[2] = { -1, -1 };

	assert_int_equal(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	*ret_theirs = pair[1];
	return pair[0];
}

static char *long_text(void)
{
	char *text = malloc(LONG_LENGTH);

	assert_non_null(text);
	for (size_t i = 0; i < LONG_LENGTH; i++)
		text[i] = (char)('a' + i % 23);
	return text;
}

/* One that reads nothing yet. */
static int start_long(struct scene *scene)
{
	int theirs = -1;
	int ours = connect_client(&theirs);

	clients_answer(scene->clients, theirs, long_text(), LONG_LENGTH);
	turn(scene);
	return ours;
}

/* The next message of those that are there, or what stands for it. */
static int receive(int socket, struct message *ret)
{
	char peeked;
	int fd = -1;

	if (recv(socket, &peeked, 1, MSG_PEEK | MSG_DONTWAIT) < 0)
		return -errno;
	return message_receive(socket, ret, &fd);
}

/* Reads what is there, which has to go on with the long text at *length.
 * Whether DONE came. */
static bool read_on(int socket, size_t *length)
{
	struct message message = { 0 };

	while (receive(socket, &message) == 0) {
		if (message.type == MESSAGE_DONE)
			return true;
		assert_int_equal(message.type, MESSAGE_ANSWER);
		for (size_t i = 0; i < message.length; i++)
			if (message.body[i] != (char)('a' + *length % 23))
				fail_msg("another byte at %zu", *length);
			else
				++*length;
	}
	return false;
}

static void check_told(int socket, enum message_type type, const char *body)
{
	struct message message = { 0 };

	assert_int_equal(receive(socket, &message), 0);
	assert_int_equal(message.type, type);
	assert_string_equal(message.body, body);
	assert_int_equal(receive(socket, &message), -EPIPE);
}

static void a_text_comes_whole_and_then_its_end(void **state)
{
	struct scene *scene = *state;
	struct message message = { 0 };
	int theirs = -1;
	int ours = connect_client(&theirs);

	clients_answer(scene->clients, theirs, strdup("{}"), 2);
	/* not before the call has returned */
	assert_int_equal(receive(ours, &message), -EAGAIN);
	turn(scene);
	assert_int_equal(receive(ours, &message), 0);
	assert_int_equal(message.type, MESSAGE_ANSWER);
	assert_string_equal(message.body, "{}");
	check_told(ours, MESSAGE_DONE, "");
	close(ours);
}

static void a_slow_reader_gets_all_and_holds_up_nobody(void **state)
{
	struct scene *scene = *state;
	int ours = start_long(scene);
	size_t length = 0;
	int turns = 0;

	while (!read_on(ours, &length)) {
		assert_true(length < LONG_LENGTH || turns < 10000);
		turn(scene);
		turns++;
	}
	assert_int_equal(length, LONG_LENGTH);
	assert_true(turns > 1);
	close(ours);
}

static void a_reader_that_hangs_is_left_at_the_deadline(void **state)
{
	struct scene *scene = *state;
	int ours = start_long(scene);
	struct message message = { 0 };
	size_t length = 0;

	clock_advance(&scene->clock, CLIENT_TIMEOUT_MS - 1);
	turn(scene);
	assert_false(read_on(ours, &length));
	turn(scene);
	assert_int_equal(receive(ours, &message), 0);
	clock_advance(&scene->clock, 1);
	turn(scene);
	length += message.length;
	assert_false(read_on(ours, &length));
	assert_int_equal(receive(ours, &message), -EPIPE);
	assert_true(length < LONG_LENGTH);
	close(ours);
}

static void too_many_are_refused_until_one_leaves(void **state)
{
	struct scene *scene = *state;
	struct message message = { 0 };
	int readers[CLIENTS_MAX];
	int more;

	for (size_t i = 0; i < CLIENTS_MAX; i++)
		readers[i] = start_long(scene);
	more = start_long(scene);
	check_told(more, MESSAGE_FAILED, "too many ask at once");
	close(more);
	close(readers[0]);
	turn(scene);
	more = start_long(scene);
	assert_int_equal(receive(more, &message), 0);
	assert_int_equal(message.type, MESSAGE_ANSWER);
	close(more);
	for (size_t i = 1; i < CLIENTS_MAX; i++)
		close(readers[i]);
}

static void one_that_left_before_costs_nothing(void **state)
{
	struct scene *scene = *state;

	for (size_t i = 0; i < (size_t)CLIENTS_MAX * 2; i++) {
		int theirs = -1;
		int ours = connect_client(&theirs);

		close(ours);
		clients_answer(scene->clients, theirs, strdup("{}"), 2);
		turn(scene);
	}
	close(start_long(scene));
}

static void who_still_reads_at_the_end_is_turned_away(void **state)
{
	struct scene *scene = *state;
	int ours = start_long(scene);
	size_t length = 0;
	struct message message = { 0 };

	clients_free(scene->clients);
	scene->clients = NULL;
	assert_false(read_on(ours, &length));
	assert_int_equal(receive(ours, &message), -EPIPE);
	close(ours);
}

static void a_short_answer_is_one_message(void **state)
{
	struct message message = { 0 };
	int theirs = -1;
	int ours = connect_client(&theirs);

	(void)state;
	client_tell(theirs, 7);
	assert_int_equal(receive(ours, &message), 0);
	assert_int_equal(message.type, MESSAGE_DONE);
	assert_int_equal(message.number, 7);
	assert_int_equal(receive(ours, &message), -EPIPE);
	close(ours);
	ours = connect_client(&theirs);
	client_refuse(theirs, "no");
	check_told(ours, MESSAGE_FAILED, "no");
	close(ours);
}

#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_text_comes_whole_and_then_its_end),
		test(a_slow_reader_gets_all_and_holds_up_nobody),
		test(a_reader_that_hangs_is_left_at_the_deadline),
		test(too_many_are_refused_until_one_leaves),
		test(one_that_left_before_costs_nothing),
		test(who_still_reads_at_the_end_is_turned_away),
		cmocka_unit_test(a_short_answer_is_one_message),
	};

	return cmocka_run_group_tests_name("client", tests, NULL, NULL);
}
