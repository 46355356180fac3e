/* SPDX-License-Identifier: Apache-2.0 */
/* A call that nobody answers, with each of our requests for memory refused in
 * turn, also those that curl makes us make: it ends once, and in time. */
#include "tests/test.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/macros.h"
#include "loop/loop.h"
#include "net/http.h"
#include "tests/fail_alloc.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct seen {
	unsigned count;
	int code;
};

static void on_reply(void *owner, const struct http_reply *reply,
		     const struct err *err)
{
	struct seen *seen = owner;

	assert_null(reply);
	assert_true(err->text[0] != '\0');
	seen->count++;
	seen->code = err->code;
}

/* 0: the call was made, and refused by the network. */
static int call(struct loop *loop, struct http *http, const char *url)
{
	static const char *const headers[] = { "X-One: 1", "X-Two: 2" };
	struct seen seen = { 0 };
	struct http_call *handle;
	struct buf body;

	buf_init(&body, 16);
	handle = http_start(
		http,
		&(struct http_request){ .url = url,
					.headers = headers,
					.header_count = ARRAY_SIZE(headers),
					.body = &body,
					.timeout_ms = 5000,
					.reply_max = 1000 },
		on_reply, &seen);
	for (int64_t end_ms = loop_now_ms(loop) + 6000;
	     handle && seen.count == 0;) {
		assert_true(loop_now_ms(loop) < end_ms);
		assert_int_equal(loop_turn(loop, 100), 0);
	}
	if (!handle)
		return -ENOMEM;
	assert_int_equal(seen.count, 1);
	return seen.code == -EIO ? 0 : seen.code;
}

static int use_http(void *owner)
{
	static const struct http_settings settings = { .user_agent = "test" };
	struct clock clock = { 0 };
	struct loop *loop = loop_new(&clock);
	struct http *http;
	struct err err = { 0 };
	int r;

	if (!loop)
		return -errno;
	http = http_new(loop, &settings, &err);
	r = http ? call(loop, http, owner) : err.code;
	/* what has ended is let go of when the turn is over */
	assert_int_equal(loop_turn(loop, 0), 0);
	http_free(http);
	loop_free(loop);
	return r;
}

/* A port of this machine that was free a moment ago. */
static void find_silent_url(char *ret, size_t size)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t length = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, length), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length),
			 0);
	(void)snprintf(ret, size, "https://127.0.0.1:%u/",
		       (unsigned)ntohs(address.sin_port));
	(void)close(fd);
}

static void a_call_ends_once_without_memory_too(void **state)
{
	char url[64];

	(void)state;
	find_silent_url(url, sizeof(url));
	assert_true(fail_each_alloc(use_http, url) > 12);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_ends_once_without_memory_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
