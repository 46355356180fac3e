/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "tests/http_fixture.h"

#include "base/macros.h"
#include "loop/loop.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#define TURNS_MAX 2000

static struct server server;

static void open_client(struct client *client)
{
	client_open(client,
		    &(struct http_settings){ .ca_file = server.ca_file });
}

/* Where a call stands when it is cancelled. */
enum phase {
	PHASE_NEW,
	PHASE_STARTED,
	PHASE_CONNECTING,
	PHASE_HANDSHAKE,
	PHASE_ANSWERING,
};

static void turn(struct client *client)
{
	assert_int_equal(loop_turn(client->loop, 10), 0);
}

static void turn_until_watched(struct client *client)
{
	for (unsigned i = 0; count_watched() == 0; i++) {
		assert_true(i < TURNS_MAX);
		turn(client);
	}
}

static void turn_until_accepted(struct client *client, int listener)
{
	struct pollfd accepted = { .fd = listener, .events = POLLIN };

	for (unsigned i = 0; poll(&accepted, 1, 0) == 0; i++) {
		assert_true(i < TURNS_MAX);
		turn(client);
	}
	turn(client);
}

/* Until the server has so many requests that it leaves without an end. */
static void turn_until_waiting(struct client *client, struct client *observer,
			       unsigned count)
{
	for (unsigned i = 0; get_number(observer, &server, "/waiting") != count;
	     i++) {
		assert_true(i < TURNS_MAX);
		turn(client);
	}
}

static void reach(enum phase phase, struct client *client,
		  struct client *observer, int silent)
{
	switch (phase) {
	case PHASE_NEW:
		break;
	case PHASE_STARTED:
		turn(client);
		break;
	case PHASE_CONNECTING:
		turn_until_watched(client);
		break;
	case PHASE_HANDSHAKE:
		turn_until_accepted(client, silent);
		break;
	case PHASE_ANSWERING:
		turn_until_waiting(client, observer, 1);
		break;
	}
}

static void can_be_cancelled_in_every_phase(void **state)
{
	unsigned silent_port;
	int silent = listen_silently(&silent_port);
	const struct {
		enum phase phase;
		unsigned port;
		const char *path;
	} cases[] = {
		{ PHASE_NEW, server.port, "/slow" },
		{ PHASE_STARTED, server.port, "/slow" },
		{ PHASE_CONNECTING, server.port, "/slow" },
		{ PHASE_HANDSHAKE, silent_port, "/" },
		{ PHASE_ANSWERING, server.port, "/slow" },
		{ PHASE_ANSWERING, server.port, "/drip" },
	};
	struct client observer;

	(void)state;
	open_client(&observer);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_answer struct answer answer;
		struct client client;
		char url[128];
		size_t fds;

		turn_until_waiting(&observer, &observer, 0);
		fds = count_fds();
		open_client(&client);
		make_url(url, sizeof(url), cases[i].port, cases[i].path);
		start(&client, &(struct http_request){ .url = url }, &answer);
		reach(cases[i].phase, &client, &observer, silent);
		http_cancel(answer.call);
		assert_int_equal(count_watched(), 0);
		turn(&client);
		turn(&client);
		assert_int_equal(answer.count, 0);
		client_close(&client);
		assert_int_equal(count_fds(), fds);
	}
	client_close(&observer);
	(void)close(silent);
}

static void cancelling_nothing_is_allowed(void **state)
{
	(void)state;
	http_cancel(NULL);
	http_free(NULL);
}

static void ends_at_the_deadline_whatever_the_server_does(void **state)
{
	unsigned silent_port;
	int silent = listen_silently(&silent_port);
	const struct {
		unsigned port;
		const char *path;
		int64_t timeout_ms;
		int64_t ends_ms;
		const char *says;
	} cases[] = {
		{ server.port, "/slow", 200, 200, "no answer from" },
		{ server.port, "/drip", 200, 200, "no answer from" },
		{ silent_port, "/", 200, 200, "no connection to" },
		/* to connect has a limit of its own */
		{ silent_port, "/", 9000, 3000, "no connection to" },
	};
	struct client client;

	(void)state;
	open_client(&client);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int64_t start_ms = loop_now_ms(client.loop);
		cleanup_answer struct answer answer;
		char says[128];
		char url[128];

		make_url(url, sizeof(url), cases[i].port, cases[i].path);
		(void)snprintf(says, sizeof(says),
			       "%s 127.0.0.1:%u within %.1f s", cases[i].says,
			       cases[i].port, (double)cases[i].ends_ms / 1000);
		call(&client,
		     &(struct http_request){
			     .url = url,
			     .timeout_ms = cases[i].timeout_ms,
		     },
		     &answer);
		assert_int_equal(answer.err.code, -ETIMEDOUT);
		assert_string_equal(answer.err.text, says);
		assert_in_range(loop_now_ms(client.loop) - start_ms,
				cases[i].ends_ms, cases[i].ends_ms + 5000);
	}
	client_close(&client);
	(void)close(silent);
}

/* A callback that does what callers do: end others, start again. */
struct meddler {
	struct client *client;
	struct http_call *own;
	struct http_call *other;
	struct answer *next;
	unsigned count;
};

static void meddle(void *owner, const struct http_reply *reply,
		   const struct err *err)
{
	struct meddler *meddler = owner;
	static char url[128];

	(void)reply;
	(void)err;
	meddler->count++;
	http_cancel(meddler->other);
	http_cancel(meddler->own);
	make_url(url, sizeof(url), server.port, "/echo");
	start(meddler->client, &(struct http_request){ .url = url },
	      meddler->next);
}

static void a_callback_may_cancel_and_start_calls(void **state)
{
	static const struct buf no_body;
	cleanup_answer struct answer other;
	cleanup_answer struct answer next = { 0 };
	struct client client;
	struct meddler meddler = { .client = &client, .next = &next };
	char slow_url[128];
	char url[128];

	(void)state;
	open_client(&client);
	make_url(slow_url, sizeof(slow_url), server.port, "/slow");
	make_url(url, sizeof(url), server.port, "/echo");
	start(&client, &(struct http_request){ .url = slow_url }, &other);
	meddler.other = other.call;
	meddler.own = http_start(client.http,
				 &(struct http_request){
					 .url = url,
					 .body = &no_body,
					 .timeout_ms = 10000,
					 .reply_max = 65536,
				 },
				 meddle, &meddler);
	assert_non_null(meddler.own);
	wait_for(&client, &next);
	assert_int_equal(meddler.count, 1);
	assert_int_equal(next.status, 200);
	assert_int_equal(other.count, 0);
	client_close(&client);
}

static void calls_at_once_do_not_wait_for_each_other(void **state)
{
	cleanup_answer struct answer slow;
	cleanup_answer struct answer fast;
	struct client client;
	char slow_url[128];

	(void)state;
	open_client(&client);
	make_url(slow_url, sizeof(slow_url), server.port, "/slow");
	start(&client,
	      &(struct http_request){ .url = slow_url, .timeout_ms = 1000 },
	      &slow);
	get(&client, &server, "/echo", &fast);
	assert_int_equal(fast.status, 200);
	assert_int_equal(slow.count, 0);
	wait_for(&client, &slow);
	assert_int_equal(slow.err.code, -ETIMEDOUT);
	client_close(&client);
}

static void calls_at_once_keep_a_connection_each(void **state)
{
	struct answer answers[12];
	struct client observer;
	struct client client;
	unsigned before;
	char url[128];

	(void)state;
	open_client(&client);
	open_client(&observer);
	make_url(url, sizeof(url), server.port, "/echo");
	before = get_number(&observer, &server, "/connections");
	for (unsigned round = 0; round < 3; round++) {
		for (size_t i = 0; i < ARRAY_SIZE(answers); i++)
			start(&client, &(struct http_request){ .url = url },
			      &answers[i]);
		for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
			wait_for(&client, &answers[i]);
			assert_int_equal(answers[i].count, 1);
			assert_int_equal(answers[i].status, 200);
			answer_done(&answers[i]);
		}
	}
	assert_in_range(get_number(&observer, &server, "/connections") - before,
			1, ARRAY_SIZE(answers));
	client_close(&observer);
	client_close(&client);
}

static void many_calls_leave_nothing_behind(void **state)
{
	size_t fds = count_fds();
	struct client client;
	size_t open_fds;
	size_t watched;

	(void)state;
	open_client(&client);
	(void)get_number(&client, &server, "/connections");
	open_fds = count_fds();
	watched = count_watched();
	assert_int_equal(watched, 0);
	for (unsigned i = 0; i < 100; i++) {
		cleanup_answer struct answer answer;

		get(&client, &server, i % 5 ? "/echo" : "/close", &answer);
		assert_int_equal(answer.status, 200);
		assert_int_equal(count_watched(), 0);
	}
	assert_true(count_fds() <= open_fds + 1);
	client_close(&client);
	assert_int_equal(count_fds(), fds);
}

static int start_server(void **state)
{
	(void)state;
	return server_start(&server);
}

static int stop_server(void **state)
{
	(void)state;
	return server_stop(&server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(can_be_cancelled_in_every_phase),
		cmocka_unit_test(cancelling_nothing_is_allowed),
		cmocka_unit_test(ends_at_the_deadline_whatever_the_server_does),
		cmocka_unit_test(a_callback_may_cancel_and_start_calls),
		cmocka_unit_test(calls_at_once_do_not_wait_for_each_other),
		cmocka_unit_test(calls_at_once_keep_a_connection_each),
		cmocka_unit_test(many_calls_leave_nothing_behind),
	};

	return cmocka_run_group_tests(tests, start_server, stop_server);
}
