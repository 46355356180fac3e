/* SPDX-License-Identifier: Apache-2.0 */
/* A worker that reads in its own time, and a keeper that hands mounts over. */
#include "tests/test.h"

#include "keeper/handover.h"
#include "keeper/moment.h"
#include "keeper/session.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#define MOUNTS 40
#define MESSAGES (1 + 3 * MOUNTS)
#define FAR_MS 60000
#define AT_ONCE 4

struct reader {
	int socket;
	int pause_ms; /* between two times that it reads a few */
	atomic_uint count;
	pthread_t thread;
};

/* No more, though others may have come meanwhile. */
static void read_some(struct reader *reader, int most)
{
	char bytes[sizeof(struct message)];

	while (most-- > 0 &&
	       recv(reader->socket, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		atomic_fetch_add(&reader->count, 1);
}

static void *read_on(void *owner)
{
	struct reader *reader = owner;
	struct pollfd more = { .fd = reader->socket, .events = POLLIN };

	do {
		(void)poll(NULL, 0, reader->pause_ms);
		read_some(reader, AT_ONCE);
		(void)poll(&more, 1, -1);
	} while (!(more.revents & POLLHUP));
	read_some(reader, MESSAGES);
	return NULL;
}

static struct session *begin(struct reader *reader, int pause_ms)
{
	struct session *session = session_new();
	int smallest = 1; /* as the kernel has it */
	int pair[2];

	assert_non_null(session);
	assert_int_equal(
		socketpair(AF_UNIX,
			   SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
			   pair),
		0);
	assert_int_equal(setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &smallest,
				    sizeof(smallest)),
			 0);
	session->worker.socket = pair[0];
	assert_int_equal(fence_make(&session->fence, NULL), 0);
	for (; session->mount_count < MOUNTS; session->mount_count++) {
		struct session_mount *mount =
			&session->mounts[session->mount_count];

		mount_init(&mount->mount);
		notifier_child_init(&mount->notifier);
		mount->listening = -1;
	}
	*reader = (struct reader){ .socket = pair[1], .pause_ms = pause_ms };
	assert_int_equal(pthread_create(&reader->thread, NULL, read_on, reader),
			 0);
	return session;
}

/* The first failure, or 0. */
static int hand_over(struct session *session, int64_t deadline_ms)
{
	int r = handover_begin(session, deadline_ms);

	for (uint32_t i = 0; r == 0 && i < session->mount_count; i++)
		r = handover_mount(session, i, deadline_ms);
	return r;
}

/* How many messages have arrived. */
static unsigned end(struct session *session, struct reader *reader)
{
	session_free(session);
	assert_int_equal(pthread_join(reader->thread, NULL), 0);
	close(reader->socket);
	return atomic_load(&reader->count);
}

static void waits_for_one_that_reads_slowly(void **state)
{
	struct reader reader;
	struct session *session = begin(&reader, 5);

	(void)state;
	assert_int_equal(hand_over(session, moment_ms() + FAR_MS), 0);
	assert_int_equal(end(session, &reader), MESSAGES);
}

/* Each message fits into the time, and all together do not. */
static void has_one_deadline_for_all_mounts(void **state)
{
	struct reader reader;
	struct session *session = begin(&reader, 300);

	(void)state;
	assert_int_equal(hand_over(session, moment_ms() + 1000), -EAGAIN);
	assert_true(end(session, &reader) < MESSAGES);
}

static void waits_for_none_whose_time_is_over(void **state)
{
	struct reader reader;
	struct session *session = begin(&reader, 300);

	(void)state;
	assert_int_equal(hand_over(session, moment_ms()), -EAGAIN);
	assert_true(end(session, &reader) < MESSAGES);
}

static void tells_of_one_that_has_gone(void **state)
{
	struct reader reader;
	struct session *session = begin(&reader, 0);

	(void)state;
	assert_int_equal(shutdown(reader.socket, SHUT_RDWR), 0);
	assert_int_equal(hand_over(session, moment_ms() + FAR_MS), -EPIPE);
	(void)end(session, &reader);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(waits_for_one_that_reads_slowly),
		cmocka_unit_test(has_one_deadline_for_all_mounts),
		cmocka_unit_test(waits_for_none_whose_time_is_over),
		cmocka_unit_test(tells_of_one_that_has_gone),
	};

	return cmocka_run_group_tests_name("handover", tests, NULL, NULL);
}
