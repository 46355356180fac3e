/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/macros.h"
#include "loop/loop.h"
#include "ops/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* More than sockets of loopback take at once. */
#define LONG_LENGTH ((size_t)32 << 20)
#define REPLY_MAX 4096

/* Turns in which what the kernel delivers at once has been delivered. */
#define TURNS_MAX 1000

struct scene {
	struct clock clock;
	struct loop *loop;
	struct listener *listener;
	char *long_text;
	unsigned asked;
	char path[64];
};

static void answer(void *owner, const char *path, struct listener_reply *ret)
{
	struct scene *scene = owner;

	scene->asked++;
	(void)snprintf(scene->path, sizeof(scene->path), "%s", path);
	*ret = (struct listener_reply){ .status = 200,
					.type = "text/plain",
					.text = "hello",
					.length = 5 };
	if (strcmp(path, "/long") == 0) {
		ret->text = scene->long_text;
		ret->length = LONG_LENGTH;
	}
}

static struct sockaddr_storage loopback(unsigned port)
{
	struct sockaddr_in four = { .sin_family = AF_INET,
				    .sin_port = htons((uint16_t)port),
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_storage address = { 0 };

	memcpy(&address, &four, sizeof(four));
	return address;
}

static int listen_there(struct scene *scene,
			const struct sockaddr_storage *address,
			socklen_t length, struct listener **ret,
			struct err *err)
{
	return listener_new(&(struct listener_settings){ .loop = scene->loop,
							 .address = address,
							 .length = length,
							 .answer = answer,
							 .owner = scene },
			    ret, err);
}

static int listen_at(struct scene *scene, unsigned port, struct listener **ret,
		     struct err *err)
{
	const struct sockaddr_storage address = loopback(port);

	return listen_there(scene, &address, sizeof(struct sockaddr_in), ret,
			    err);
}

static bool lacks_six; /* the kernel, it seems */

int __real_socket(int family, int type, int protocol);
int __wrap_socket(int family, int type, int protocol);
int __wrap_socket(int family, int type, int protocol)
{
	if (lacks_six && family == AF_INET6) {
		errno = EAFNOSUPPORT;
		return -1;
	}
	return __real_socket(family, type, protocol);
}

/* In the place of the scene's listener, at an address of IPv6. */
static int listen_at_six(struct scene *scene, struct in6_addr host,
			 struct err *err)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6,
				    .sin6_addr = host };
	struct sockaddr_storage address = { 0 };

	memcpy(&address, &six, sizeof(six));
	listener_free(TAKE(scene->listener));
	return listen_there(scene, &address, sizeof(six), &scene->listener,
			    err);
}

static int set_up(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));
	struct err err;

	assert_non_null(scene);
	clock_set(&scene->clock, 1000, 1700000000);
	scene->loop = loop_new(&scene->clock);
	scene->long_text = malloc(LONG_LENGTH);
	assert_non_null(scene->loop);
	assert_non_null(scene->long_text);
	memset(scene->long_text, 'x', LONG_LENGTH);
	if (listen_at(scene, 0, &scene->listener, &err) < 0)
		fail_msg("%s", err.text);
	*state = scene;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *scene = *state;

	listener_free(scene->listener);
	loop_free(scene->loop);
	free(scene->long_text);
	free(scene);
	return 0;
}

static void turn(struct scene *scene)
{
	assert_int_equal(loop_turn(scene->loop, 1), 0);
}

/* From 127.0.0.1 and up. */
static int visit_from(const struct scene *scene, unsigned host,
		      const char *text)
{
	const struct sockaddr_storage address =
		loopback(listener_port(scene->listener));
	const struct sockaddr_in own = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK + host),
	};
	const void *any = &address;
	const void *from = &own;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, from, sizeof(own)), 0);
	assert_int_equal(connect(fd, any, sizeof(struct sockaddr_in)), 0);
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL),
			 strlen(text));
	return fd;
}

static int visit(const struct scene *scene, const char *text)
{
	return visit_from(scene, 0, text);
}

/* Whether the other end has closed; what came is behind what came before. */
static bool read_on(int fd, char reply[REPLY_MAX], size_t *length)
{
	char rest[REPLY_MAX];

	for (;;) {
		ssize_t got = recv(fd, rest, sizeof(rest), MSG_DONTWAIT);
		size_t room = REPLY_MAX - 1 - *length;

		if (got <= 0)
			return got == 0 || errno != EAGAIN;
		if ((size_t)got < room)
			room = (size_t)got;
		memcpy(reply + *length, rest, room);
		*length += room;
		reply[*length] = '\0';
	}
}

/* The whole reply to what was sent, until the other end closes. */
static void get_reply(struct scene *scene, int fd, char reply[REPLY_MAX])
{
	size_t length = 0;

	reply[0] = '\0';
	for (int i = 0; !read_on(fd, reply, &length); i++) {
		assert_true(i < TURNS_MAX);
		turn(scene);
	}
	close(fd);
}

static void ask(struct scene *scene, const char *text, char reply[REPLY_MAX])
{
	get_reply(scene, visit(scene, text), reply);
}

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text);
	size_t end_length = strlen(end);

	return length >= end_length &&
	       strcmp(text + length - end_length, end) == 0;
}

static void a_path_is_answered_and_the_connection_closed(void **state)
{
	struct scene *scene = *state;
	char reply[REPLY_MAX];

	ask(scene, "GET /metrics?a=b HTTP/1.1\r\nHost: a\r\n\r\n", reply);
	assert_true(strncmp(reply, "HTTP/1.1 200 ", 13) == 0);
	assert_non_null(strstr(reply, "Content-Type: text/plain\r\n"));
	assert_non_null(strstr(reply, "Connection: close\r\n"));
	assert_true(ends_with(reply, "\r\n\r\nhello"));
	assert_string_equal(scene->path, "/metrics");
}

static void HEAD_gets_the_head_alone(void **state)
{
	struct scene *scene = *state;
	char reply[REPLY_MAX];

	ask(scene, "HEAD /healthz HTTP/1.1\r\nHost: a\r\n\r\n", reply);
	assert_true(strncmp(reply, "HTTP/1.1 200 ", 13) == 0);
	assert_non_null(strstr(reply, "Content-Length: 5\r\n"));
	assert_true(ends_with(reply, "\r\n\r\n"));
}

static void other_methods_ask_nobody(void **state)
{
	static const char *const methods[] = { "POST", "PUT", "DELETE",
					       "OPTIONS", "get" };
	struct scene *scene = *state;
	char request[128];
	char reply[REPLY_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
		(void)snprintf(request, sizeof(request),
			       "%s / HTTP/1.1\r\nHost: a\r\n"
			       "Content-Length: 5\r\n\r\n",
			       methods[i]);
		ask(scene, request, reply);
		if (strncmp(reply, "HTTP/1.1 405 ", 13) != 0)
			fail_msg("%s: %s", methods[i], reply);
		assert_non_null(strstr(reply, "Allow: GET, HEAD\r\n"));
	}
	assert_int_equal(scene->asked, 0);
}

static void what_is_no_request_or_too_long_is_refused(void **state)
{
	struct scene *scene = *state;
	char request[LISTENER_REQUEST_MAX * 2];
	char reply[REPLY_MAX];
	int length = snprintf(request, sizeof(request),
			      "GET / HTTP/1.1\r\nHost: a\r\nX: ");

	memset(request + length, 'x', sizeof(request) - (size_t)length);
	request[sizeof(request) - 1] = '\0';
	ask(scene, request, reply);
	assert_true(!*reply || strncmp(reply, "HTTP/1.1 4", 10) == 0);
	ask(scene, "\x16\x03\x01 hello\r\n\r\n", reply);
	assert_true(!*reply || strncmp(reply, "HTTP/1.1 ", 9) == 0);
	assert_int_equal(scene->asked, 0);
}

static void
a_client_that_never_ends_its_request_goes_at_the_deadline(void **state)
{
	struct scene *scene = *state;
	char reply[REPLY_MAX];
	int fd = visit(scene, "GET / HTTP/1.1\r\n");

	for (int i = 0; i < 9; i++) {
		turn(scene);
		/* never idle */
		clock_advance(&scene->clock, LISTENER_TIMEOUT_MS / 10);
		assert_int_equal(send(fd, "A", 1, MSG_NOSIGNAL), 1);
	}
	ask(scene, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", reply);
	assert_true(ends_with(reply, "hello"));
	clock_advance(&scene->clock, LISTENER_TIMEOUT_MS / 10 + 1);
	get_reply(scene, fd, reply);
	assert_string_equal(reply, "");
}

static void a_client_that_does_not_read_goes_at_the_deadline(void **state)
{
	struct scene *scene = *state;
	char reply[REPLY_MAX];
	int fd = visit(scene, "GET /long HTTP/1.1\r\nHost: a\r\n\r\n");
	size_t length = 0;

	for (int i = 0; scene->asked == 0; i++) {
		assert_true(i < TURNS_MAX);
		turn(scene);
	}
	ask(scene, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", reply);
	assert_true(ends_with(reply, "hello"));
	clock_advance(&scene->clock, LISTENER_TIMEOUT_MS + 1);
	turn(scene);
	turn(scene);
	/* what was on its way comes, and then the end */
	while (!read_on(fd, reply, &length))
		turn(scene);
	close(fd);
}

static void what_is_beyond_the_connections_waits_for_one(void **state)
{
	struct scene *scene = *state;
	int idle[LISTENER_CONNECTIONS_MAX];
	char reply[REPLY_MAX];
	int fd;

	for (size_t i = 0; i < ARRAY_SIZE(idle); i++)
		idle[i] = visit_from(
			scene, (unsigned)(i / LISTENER_PER_ADDRESS_MAX), "GET");
	turn(scene);
	fd = visit_from(scene, ARRAY_SIZE(idle),
			"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
	for (int i = 0; i < 10; i++)
		turn(scene);
	assert_int_equal(scene->asked, 0);
	clock_advance(&scene->clock, LISTENER_TIMEOUT_MS + 1);
	get_reply(scene, fd, reply);
	assert_true(ends_with(reply, "hello"));
	for (size_t i = 0; i < ARRAY_SIZE(idle); i++)
		close(idle[i]);
}

static void one_address_leaves_room_for_others(void **state)
{
	struct scene *scene = *state;
	int held[LISTENER_PER_ADDRESS_MAX];
	char reply[REPLY_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(held); i++)
		held[i] = visit(scene, "GET");
	for (int i = 0; i < LISTENER_CONNECTIONS_MAX; i++) {
		ask(scene, "GET", reply);
		assert_string_equal(reply, "");
	}
	get_reply(scene,
		  visit_from(scene, 1, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
		  reply);
	assert_true(ends_with(reply, "hello"));
	close(held[0]);
	for (int i = 0; i < 10; i++)
		turn(scene);
	ask(scene, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", reply);
	assert_true(ends_with(reply, "hello"));
	for (size_t i = 1; i < ARRAY_SIZE(held); i++)
		close(held[i]);
}

static void what_is_everybodys_is_of_both_families(void **state)
{
	struct scene *scene = *state;
	char reply[REPLY_MAX];
	struct err err;

	for (int i = 0; i < 2; i++) {
		lacks_six = i == 1;
		if (listen_at_six(scene, in6addr_any, &err) < 0)
			fail_msg("%s", err.text);
		ask(scene, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", reply);
		assert_true(ends_with(reply, "hello"));
	}
	assert_int_equal(listen_at_six(scene, in6addr_loopback, &err),
			 -EAFNOSUPPORT);
	lacks_six = false;
}

static void an_address_that_is_taken_is_an_error(void **state)
{
	struct scene *scene = *state;
	struct listener *other = NULL;
	struct err err;

	assert_int_equal(
		listen_at(scene, listener_port(scene->listener), &other, &err),
		-EADDRINUSE);
	assert_null(other);
}

static void it_can_end_with_visitors(void **state)
{
	struct scene *scene = *state;
	int waiting = visit(scene, "GET");
	int reading = visit(scene, "GET /long HTTP/1.1\r\nHost: a\r\n\r\n");

	for (int i = 0; scene->asked == 0; i++) {
		assert_true(i < TURNS_MAX);
		turn(scene);
	}
	listener_free(TAKE(scene->listener));
	turn(scene);
	close(waiting);
	close(reading);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_path_is_answered_and_the_connection_closed),
		TEST(HEAD_gets_the_head_alone),
		TEST(other_methods_ask_nobody),
		TEST(what_is_no_request_or_too_long_is_refused),
		TEST(a_client_that_never_ends_its_request_goes_at_the_deadline),
		TEST(a_client_that_does_not_read_goes_at_the_deadline),
		TEST(what_is_beyond_the_connections_waits_for_one),
		TEST(one_address_leaves_room_for_others),
		TEST(what_is_everybodys_is_of_both_families),
		TEST(an_address_that_is_taken_is_an_error),
		TEST(it_can_end_with_visitors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
