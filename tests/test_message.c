/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "base/macros.h"
#include "keeper/message.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define HEAD offsetof(struct message, body)

struct pair {
	int a;
	int b;
};

static int open_pair(void **state)
{
	static struct pair pair;
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
		       0, fds) < 0)
		return -1;
	pair = (struct pair){ fds[0], fds[1] };
	*state = &pair;
	return 0;
}

static int close_pair(void **state)
{
	struct pair *pair = *state;

	close(pair->a);
	close(pair->b);
	return 0;
}

static unsigned count_descriptors(void)
{
	unsigned count = 0;

	for (int fd = 0; fd < 1024; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static void carries_every_field_and_a_body_of_any_length(void **state)
{
	static const size_t lengths[] = { 0, 1, 40, MESSAGE_BODY_MAX };
	const struct pair *pair = *state;
	char body[MESSAGE_BODY_MAX];

	memset(body, 'x', sizeof(body));
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		struct message sent;
		struct message received;
		int fd = 99;

		message_fill(&sent, MESSAGE_READY, 3, body, lengths[i]);
		sent.number = -7;
		assert_int_equal(message_send(pair->a, &sent, -1), 0);
		assert_int_equal(message_receive(pair->b, &received, &fd), 0);
		assert_int_equal(fd, -1);
		assert_int_equal(received.type, MESSAGE_READY);
		assert_int_equal(received.mount, 3);
		assert_int_equal(received.number, -7);
		assert_int_equal(received.length, lengths[i]);
		assert_memory_equal(received.body, body, lengths[i]);
		assert_int_equal(received.body[lengths[i]], 0);
	}
}

static void cuts_a_body_that_is_too_long(void **state)
{
	char body[MESSAGE_BODY_MAX + 10];
	struct message message;

	(void)state;
	memset(body, 'x', sizeof(body));
	message_fill(&message, MESSAGE_FAILED, 0, body, sizeof(body));
	assert_int_equal(message.length, MESSAGE_BODY_MAX);
	assert_int_equal(message.body[MESSAGE_BODY_MAX], 0);
}

static void refuses_to_send_a_length_that_lies(void **state)
{
	const struct pair *pair = *state;
	struct message message;

	message_fill(&message, MESSAGE_STOP, 0, NULL, 0);
	message.length = MESSAGE_BODY_MAX + 1;
	assert_int_equal(message_send(pair->a, &message, -1), -EINVAL);
}

static void passes_a_descriptor_that_closes_on_exec(void **state)
{
	const struct pair *pair = *state;
	struct message message;
	int tube[2];
	int fd = -1;
	char byte = 0;

	assert_int_equal(pipe(tube), 0);
	message_fill(&message, MESSAGE_MOUNT, 0, "init", 4);
	assert_int_equal(message_send(pair->a, &message, tube[1]), 0);
	assert_int_equal(message_receive(pair->b, &message, &fd), 0);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(write(fd, "!", 1), 1);
	assert_int_equal(read(tube[0], &byte, 1), 1);
	assert_int_equal(byte, '!');
	close(fd);
	close(tube[0]);
	close(tube[1]);
}

static void a_peer_that_died_has_had_its_say(void **state)
{
	struct message message;
	int pair[2];
	int fd = -1;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	message_fill(&message, MESSAGE_STOP, 0, NULL, 0);
	assert_int_equal(message_send(pair[0], &message, -1), 0);
	message_fill(&message, MESSAGE_FAILED, 0, "why", 3);
	assert_int_equal(message_send(pair[1], &message, -1), 0);
	/* with our message unread */
	close(pair[1]);
	assert_int_equal(message_receive(pair[0], &message, &fd), 0);
	assert_string_equal(message.body, "why");
	assert_int_equal(message_receive(pair[0], &message, &fd), -EPIPE);
	close(pair[0]);
}

static void tells_an_empty_socket_from_the_end_of_the_stream(void **state)
{
	const struct pair *pair = *state;
	struct message message;
	int fd;

	assert_int_equal(message_receive(pair->b, &message, &fd), -EAGAIN);
	assert_int_equal(shutdown(pair->a, SHUT_WR), 0);
	assert_int_equal(message_receive(pair->b, &message, &fd), -EPIPE);
}

static void ends_where_a_peer_died_without_reading(void **state)
{
	struct message message;
	int fds[2];
	int fd;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	message_fill(&message, MESSAGE_STOP, 0, NULL, 0);
	assert_int_equal(message_send(fds[0], &message, -1), 0);
	close(fds[1]);
	assert_int_equal(message_receive(fds[0], &message, &fd), -EPIPE);
	/* And no SIGPIPE: the test would end here. */
	assert_int_equal(message_send(fds[0], &message, -1), -EPIPE);
	close(fds[0]);
}

static void refuses_what_is_no_message(void **state)
{
	const struct pair *pair = *state;
	struct message good;
	struct message bad;
	struct message received = { .type = 77 };
	int fd = 99;
	char large[sizeof(struct message) + 100] = { 0 };

	message_fill(&good, MESSAGE_READY, 0, "name", 4);
	const struct {
		const char *what;
		size_t cut; /* bytes that are left away */
		uint32_t magic;
		uint32_t length;
	} cases[] = {
		{ "another format", 0, MESSAGE_MAGIC + 1, 4 },
		{ "shorter than its length", 1, MESSAGE_MAGIC, 4 },
		{ "longer than its length", 0, MESSAGE_MAGIC, 3 },
		{ "a length past the maximum", 0, MESSAGE_MAGIC, UINT32_MAX },
		{ "a head that is cut", 4 + 1, MESSAGE_MAGIC, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		bad = good;
		bad.magic = cases[i].magic;
		bad.length = cases[i].length;
		assert_int_equal(
			send(pair->a, &bad, HEAD + 4 - cases[i].cut, 0),
			(int)(HEAD + 4 - cases[i].cut));
		assert_int_equal(message_receive(pair->b, &received, &fd),
				 -EPROTO);
	}
	memcpy(large, &good, HEAD);
	assert_true(send(pair->a, large, sizeof(large), 0) > 0);
	assert_int_equal(message_receive(pair->b, &received, &fd), -EPROTO);
	/* Outputs are set on success only. */
	assert_int_equal(received.type, 77);
	assert_int_equal(fd, 99);
}

/* Sends bytes with as many copies of one descriptor as asked for. */
static void send_descriptors(int socket, const void *bytes, size_t length,
			     unsigned count)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * 8)];
	} control = { 0 };
	char copy[sizeof(struct message)];
	struct iovec piece = { copy, length };
	struct msghdr header = {
		.msg_iov = &piece,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = CMSG_SPACE(sizeof(int) * count),
	};
	struct cmsghdr *part = CMSG_FIRSTHDR(&header);
	int fds[8];

	memcpy(copy, bytes, length);
	for (unsigned i = 0; i < count; i++)
		fds[i] = STDIN_FILENO;
	part->cmsg_level = SOL_SOCKET;
	part->cmsg_type = SCM_RIGHTS;
	part->cmsg_len = CMSG_LEN(sizeof(int) * count);
	memcpy(CMSG_DATA(part), fds, sizeof(int) * count);
	assert_true(sendmsg(socket, &header, 0) > 0);
}

static void close_all(struct msghdr *header)
{
	const struct cmsghdr *part = CMSG_FIRSTHDR(header);
	size_t length = part ? part->cmsg_len - CMSG_LEN(0) : 0;
	int fd;

	for (size_t at = 0; at < length; at += sizeof(fd)) {
		memcpy(&fd, CMSG_DATA(part) + at, sizeof(fd));
		(void)close(fd);
	}
}

/* An emulator that receives with more room than it was given keeps what does
 * not fit into that. */
static void need_what_does_not_fit_closed(const struct pair *pair)
{
	unsigned before = count_descriptors();
	_Alignas(struct cmsghdr) char room[CMSG_SPACE(sizeof(int))];
	char byte;
	struct iovec bytes = { &byte, 1 };
	struct msghdr header = { .msg_iov = &bytes,
				 .msg_iovlen = 1,
				 .msg_control = room,
				 .msg_controllen = sizeof(room) };

	send_descriptors(pair->a, "x", 1, 8);
	assert_int_equal(recvmsg(pair->b, &header, MSG_CMSG_CLOEXEC), 1);
	close_all(&header);
	if (count_descriptors() != before)
		skip_because("recvmsg(2) keeps descriptors that do not fit");
}

static void keeps_no_descriptor_of_a_refused_message(void **state)
{
	const struct pair *pair = *state;
	unsigned before = count_descriptors();
	struct message message;
	int fd;

	need_what_does_not_fit_closed(pair);
	/* Two fit into the room for one, eight do not. */
	for (unsigned count = 2; count <= 8; count++) {
		message_fill(&message, MESSAGE_MOUNT, 0, NULL, 0);
		send_descriptors(pair->a, &message, HEAD, count);
		assert_int_equal(message_receive(pair->b, &message, &fd),
				 -EPROTO);
	}
	send_descriptors(pair->a, "nonsense", 8, 1);
	assert_int_equal(message_receive(pair->b, &message, &fd), -EPROTO);
	assert_int_equal(count_descriptors(), before);
}

/* One that was never ours is not closed by us either. */
static void takes_no_descriptor_where_none_is_to_come(void **state)
{
	const struct pair *pair = *state;
	unsigned before = count_descriptors();
	struct message received = { .type = 77 };
	struct message message;

	message_fill(&message, MESSAGE_DONE, 0, NULL, 0);
	for (unsigned count = 1; count <= 8; count++) {
		send_descriptors(pair->a, &message, HEAD, count);
		assert_int_equal(message_receive(pair->b, &received, NULL),
				 -EPROTO);
		assert_int_equal(received.type, 77);
		assert_int_equal(count_descriptors(), before);
	}
	assert_int_equal(message_send(pair->a, &message, -1), 0);
	assert_int_equal(message_receive(pair->b, &received, NULL), 0);
	assert_int_equal(received.type, MESSAGE_DONE);
}

#define with_pair(test)                                                        \
	cmocka_unit_test_setup_teardown(test, open_pair, close_pair)

static void what_a_client_asked_is_read_if_it_is_whole(void **state)
{
	struct message_client asked = { .asked = MESSAGE_REFRESH,
					.keeper_pid = 7,
					.mount_id = UINT64_MAX,
					.name = "app" };
	struct message_client read = { 0 };
	struct message message;

	(void)state;
	message_fill(&message, MESSAGE_CLIENT, 0, &asked, sizeof(asked));
	assert_true(message_client_read(&message, &read));
	assert_memory_equal(&read, &asked, sizeof(asked));
	message_fill(&message, MESSAGE_CLIENT, 0, &asked, sizeof(asked) - 1);
	assert_false(message_client_read(&message, &read));
	memset(asked.name, 'x', sizeof(asked.name));
	message_fill(&message, MESSAGE_CLIENT, 0, &asked, sizeof(asked));
	assert_false(message_client_read(&message, &read));
	assert_string_equal(read.name, "app");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_pair(carries_every_field_and_a_body_of_any_length),
		cmocka_unit_test(cuts_a_body_that_is_too_long),
		with_pair(refuses_to_send_a_length_that_lies),
		with_pair(passes_a_descriptor_that_closes_on_exec),
		with_pair(tells_an_empty_socket_from_the_end_of_the_stream),
		cmocka_unit_test(ends_where_a_peer_died_without_reading),
		cmocka_unit_test(a_peer_that_died_has_had_its_say),
		with_pair(refuses_what_is_no_message),
		with_pair(keeps_no_descriptor_of_a_refused_message),
		with_pair(takes_no_descriptor_where_none_is_to_come),
		cmocka_unit_test(what_a_client_asked_is_read_if_it_is_whole),
	};

	return cmocka_run_group_tests_name("message", tests, NULL, NULL);
}
