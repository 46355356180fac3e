/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "tests/http_fixture.h"

#include "base/macros.h"
#include "loop/loop.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LONG_LABEL                                                             \
	"a123456789b123456789c123456789d123456789e123456789f123456789g123"

static struct server server;

static void open_client(struct client *client)
{
	client_open(client, &(struct http_settings){
				    .ca_file = server.ca_file,
				    .user_agent = "secretsfs/test",
			    });
}

static void assert_contains(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("'%s' does not contain '%s'", text, part);
}

/* The call ends with this code, and the text has both parts. */
static void assert_fails(struct client *client,
			 const struct http_request *request, int code,
			 const char *first, const char *second)
{
	cleanup_answer struct answer answer;

	call(client, request, &answer);
	if (answer.err.code != code)
		fail_msg("%d instead of %d: '%s'", answer.err.code, code,
			 answer.err.text);
	assert_contains(answer.err.text, first);
	assert_contains(answer.err.text, second);
}

static void sends_headers_and_body_as_they_are(void **state)
{
	static const char sent[] = "{\"a\":\0\"b\"}\r\n\xff";
	static const char *const headers[] = {
		"Content-Type: application/x-amz-json-1.1",
		"X-Amz-Target: secretsmanager.GetSecretValue",
		"Authorization: AWS4-HMAC-SHA256 Credential=x",
	};
	cleanup_answer struct answer answer;
	CLEANUP(buf_done) struct buf body;
	struct client client;
	char url[128];
	const char *echoed;

	(void)state;
	open_client(&client);
	buf_init(&body, sizeof(sent));
	assert_int_equal(buf_append(&body, sent, sizeof(sent)), 0);
	make_url(url, sizeof(url), server.port, "/echo?x=1");
	call(&client,
	     &(struct http_request){
		     .url = url,
		     .headers = headers,
		     .header_count = ARRAY_SIZE(headers),
		     .body = &body,
	     },
	     &answer);
	assert_string_equal(answer.err.text, "");
	assert_int_equal(answer.status, 200);
	echoed = buf_text(&answer.body);
	assert_contains(echoed, "POST /echo?x=1 HTTP/1.1\n");
	assert_contains(echoed, "\ncontent-type: application/x-amz-json-1.1\n");
	assert_contains(echoed,
			"\nx-amz-target: secretsmanager.GetSecretValue\n");
	assert_contains(echoed,
			"\nauthorization: AWS4-HMAC-SHA256 Credential=x\n");
	assert_contains(echoed, "\nuser-agent: secretsfs/test\n");
	assert_null(strstr(echoed, "accept-encoding"));
	assert_null(strstr(echoed, "expect"));
	assert_true(answer.body.length > sizeof(sent));
	assert_memory_equal(answer.body.bytes + answer.body.length -
				    sizeof(sent),
			    sent, sizeof(sent));
	client_close(&client);
}

static void sends_an_empty_body_as_a_post(void **state)
{
	cleanup_answer struct answer answer;
	struct client client;

	(void)state;
	open_client(&client);
	get(&client, &server, "/echo", &answer);
	assert_contains(buf_text(&answer.body), "POST /echo HTTP/1.1\n");
	assert_contains(buf_text(&answer.body), "\ncontent-length: 0\n");
	client_close(&client);
}

static void asks_with_other_methods_without_a_body(void **state)
{
	static const struct {
		enum http_method method;
		const char *line;
	} cases[] = {
		{ HTTP_GET, "GET /echo HTTP/1.1\n" },
		{ HTTP_PUT, "PUT /echo HTTP/1.1\n" },
	};
	struct client client;
	char url[128];

	(void)state;
	open_client(&client);
	make_url(url, sizeof(url), server.port, "/echo");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_answer struct answer answer;

		call(&client,
		     &(struct http_request){ .method = cases[i].method,
					     .url = url },
		     &answer);
		assert_string_equal(answer.err.text, "");
		assert_contains(buf_text(&answer.body), cases[i].line);
		assert_null(strstr(buf_text(&answer.body), "content-type"));
	}
	client_close(&client);
}

/* "0" is a name to whoever reads the URL, and 0.0.0.0 to who connects. */
static void sees_where_a_name_leads_before_it_asks_in_plain(void **state)
{
	struct client client;
	char url[64];

	(void)state;
	open_client(&client);
	(void)snprintf(url, sizeof(url), "http://0:%u/", server.plain_port);
	assert_fails(&client,
		     &(struct http_request){ .url = url, .is_metadata = true },
		     -EINVAL, "plain http to 0:", "metadata services only");
	assert_fails(&client, &(struct http_request){ .url = url }, -EINVAL,
		     "plain http to 0", "this machine only");
	client_close(&client);
}

static void reads_a_chunked_reply(void **state)
{
	cleanup_answer struct answer answer;
	CLEANUP(buf_done) struct buf body;
	struct client client;
	char url[128];

	(void)state;
	open_client(&client);
	buf_init(&body, 100);
	assert_int_equal(buf_append_text(&body, "in five pieces"), 0);
	make_url(url, sizeof(url), server.port, "/chunked");
	call(&client, &(struct http_request){ .url = url, .body = &body },
	     &answer);
	assert_string_equal(buf_text(&answer.body), "in five pieces");
	client_close(&client);
}

static void hands_over_any_status_and_follows_no_redirect(void **state)
{
	static const int statuses[] = { 200, 302, 307, 400, 404, 500, 503 };
	struct client client;

	(void)state;
	open_client(&client);
	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++) {
		cleanup_answer struct answer answer;
		char path[32];

		(void)snprintf(path, sizeof(path), "/status/%d", statuses[i]);
		get(&client, &server, path, &answer);
		assert_int_equal(answer.status, statuses[i]);
		assert_string_equal(buf_text(&answer.body), "{}");
		assert_string_equal(answer.request_id, "request-7");
	}
	client_close(&client);
}

static void reuses_one_connection(void **state)
{
	struct client client;
	unsigned before;

	(void)state;
	open_client(&client);
	before = get_number(&client, &server, "/connections");
	for (unsigned i = 0; i < 5; i++) {
		cleanup_answer struct answer answer;

		get(&client, &server, "/echo", &answer);
		assert_int_equal(answer.status, 200);
	}
	assert_int_equal(get_number(&client, &server, "/connections"), before);
	client_close(&client);
}

static void a_fresh_connection_is_neither_reused_nor_left(void **state)
{
	static const struct {
		bool is_fresh;
		unsigned new_connections;
	} steps[] = {
		{ true, 1 }, { true, 1 },  { false, 1 },
		{ true, 1 }, { false, 0 },
	};
	struct client observer;
	struct client client;
	char url[128];

	(void)state;
	open_client(&client);
	open_client(&observer);
	make_url(url, sizeof(url), server.port, "/echo");
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		unsigned before =
			get_number(&observer, &server, "/connections");
		cleanup_answer struct answer answer;

		call(&client,
		     &(struct http_request){
			     .url = url,
			     .fresh_connection = steps[i].is_fresh,
		     },
		     &answer);
		assert_int_equal(answer.status, 200);
		assert_int_equal(get_number(&observer, &server, "/connections"),
				 before + steps[i].new_connections);
	}
	client_close(&observer);
	client_close(&client);
}

static void a_kept_connection_that_died_is_no_failure(void **state)
{
	static const char *const paths[] = { "/close", "/drop-next" };
	struct client client;

	(void)state;
	open_client(&client);
	for (size_t i = 0; i < 10; i++) {
		cleanup_answer struct answer first;
		cleanup_answer struct answer second;

		get(&client, &server, paths[i % 2], &first);
		assert_int_equal(first.status, 200);
		get(&client, &server, "/echo", &second);
		assert_int_equal(second.status, 200);
	}
	client_close(&client);
}

static void refuses_a_stranger(void **state)
{
	const struct {
		const char *host;
		const char *ca_file;
		const char *says;
	} cases[] = {
		{ "127.0.0.1", server.other_ca_file, "is not trusted" },
		{ "127.0.0.1", NULL, "is not trusted" },
		{ "127.0.0.2", server.ca_file, "is not trusted" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct client client;
		char url[128];
		char says[128];

		client_open(&client, &(struct http_settings){
					     .ca_file = cases[i].ca_file });
		(void)snprintf(url, sizeof(url), "https://%s:%u/echo",
			       cases[i].host, server.port);
		(void)snprintf(says, sizeof(says), "certificate of %s:%u",
			       cases[i].host, server.port);
		assert_fails(&client, &(struct http_request){ .url = url },
			     -EIO, says, cases[i].says);
		client_close(&client);
	}
}

static void trusts_a_name_of_the_certificate(void **state)
{
	cleanup_answer struct answer answer;
	struct client client;
	char url[128];

	(void)state;
	open_client(&client);
	(void)snprintf(url, sizeof(url), "https://localhost:%u/echo",
		       server.port);
	call(&client, &(struct http_request){ .url = url }, &answer);
	assert_string_equal(answer.err.text, "");
	assert_int_equal(answer.status, 200);
	client_close(&client);
}

static void names_a_ca_file_that_cannot_be_used(void **state)
{
	char key_file[300];
	const char *const files[] = { "/nonexistent/ca.pem", key_file };

	(void)state;
	(void)snprintf(key_file, sizeof(key_file), "%s/ca.key",
		       server.directory);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		struct client client;
		char url[128];

		client_open(&client,
			    &(struct http_settings){ .ca_file = files[i] });
		make_url(url, sizeof(url), server.port, "/echo");
		assert_fails(&client, &(struct http_request){ .url = url },
			     -EACCES, files[i], "");
		client_close(&client);
	}
}

static void tells_why_it_cannot_connect(void **state)
{
	struct client client;
	unsigned port;
	char url[128];
	char says[64];

	(void)state;
	open_client(&client);
	(void)close(listen_silently(&port));
	make_url(url, sizeof(url), port, "/");
	(void)snprintf(says, sizeof(says), "cannot connect to 127.0.0.1:%u",
		       port);
	assert_fails(&client, &(struct http_request){ .url = url }, -EIO, says,
		     ": Connection refused");
	/* A server that does not speak TLS. */
	make_url(url, sizeof(url), server.plain_port, "/");
	assert_fails(&client, &(struct http_request){ .url = url }, -EIO,
		     "TLS with 127.0.0.1", "failed");
	/* Longer than a label may be (RFC 1035, 2.3.4), so nobody is asked. */
	assert_fails(&client,
		     &(struct http_request){ .url = "https://" LONG_LABEL "/" },
		     -EIO, "no address for " LONG_LABEL ":443", "");
	client_close(&client);
}

/* Which failure it is to curl depends on its version. */
static void refuses_a_reply_that_is_not_whole_or_not_http(void **state)
{
	static const char *const paths[] = { "/cut", "/garbage" };
	struct client client;

	(void)state;
	open_client(&client);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		cleanup_answer struct answer answer;

		get(&client, &server, paths[i], &answer);
		assert_int_equal(answer.err.code, -EIO);
		assert_contains(answer.err.text, "127.0.0.1:");
		assert_null(strstr(answer.err.text, "hunter2"));
	}
	client_close(&client);
}

static void stops_a_reply_that_is_too_large(void **state)
{
	static const struct {
		const char *path;
		size_t reply_max;
		int status;
		int code;
	} cases[] = {
		{ "/bytes/65536", 65536, 200, 0 },
		{ "/bytes/65537", 65536, 0, -EFBIG },
		{ "/bytes/40000000", 65536, 0, -EFBIG },
		{ "/bytes/1000000", 1000000, 200, 0 },
		{ "/headers", 65536, 0, -EFBIG },
	};
	struct client client;

	(void)state;
	open_client(&client);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_answer struct answer answer;
		char url[128];

		make_url(url, sizeof(url), server.port, cases[i].path);
		call(&client,
		     &(struct http_request){ .url = url,
					     .reply_max = cases[i].reply_max },
		     &answer);
		assert_int_equal(answer.status, cases[i].status);
		assert_int_equal(answer.err.code, cases[i].code);
	}
	client_close(&client);
}

static void plain_http_stays_on_this_machine(void **state)
{
	cleanup_answer struct answer answer;
	struct client client;
	char url[128];

	(void)state;
	open_client(&client);
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/echo",
		       server.plain_port);
	call(&client, &(struct http_request){ .url = url }, &answer);
	assert_int_equal(answer.status, 200);
	assert_fails(
		&client,
		&(struct http_request){ .url = "http://secrets.example/x" },
		-EINVAL, "plain http to secrets.example", "");
	client_close(&client);
}

static void refuses_a_header_that_would_become_two(void **state)
{
	static const char *const texts[] = {
		"X-Token: hunter2\r\nX-Other: 1",
		"X-Token: hunter2\n",
		"\rX-Token: hunter2",
	};
	struct client client;

	(void)state;
	open_client(&client);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		cleanup_answer struct answer answer;
		char url[128];

		make_url(url, sizeof(url), server.port, "/echo");
		call(&client,
		     &(struct http_request){ .url = url,
					     .headers = &texts[i],
					     .header_count = 1 },
		     &answer);
		assert_int_equal(answer.err.code, -EINVAL);
		assert_null(strstr(answer.err.text, "hunter2"));
	}
	client_close(&client);
}

static void uses_a_proxy_only_where_it_is_allowed(void **state)
{
	cleanup_answer struct answer plain;
	cleanup_answer struct answer direct;
	struct client client;
	unsigned port;
	char proxy[64];
	char url[128];

	(void)state;
	(void)close(listen_silently(&port));
	(void)snprintf(proxy, sizeof(proxy), "http://user:hunter2@127.0.0.1:%u",
		       port);
	assert_int_equal(setenv("https_proxy", proxy, 1), 0);
	assert_int_equal(setenv("http_proxy", proxy, 1), 0);
	assert_int_equal(setenv("all_proxy", proxy, 1), 0);
	open_client(&client);
	get(&client, &server, "/echo", &direct);
	assert_int_equal(direct.status, 200);
	client_close(&client);

	client_open(&client, &(struct http_settings){ .ca_file = server.ca_file,
						      .proxy_from_env = true });
	make_url(url, sizeof(url), server.port, "/echo");
	assert_fails(&client, &(struct http_request){ .url = url }, -EIO,
		     "or its proxy: Connection refused", "cannot connect to");
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/echo",
		       server.plain_port);
	call(&client, &(struct http_request){ .url = url }, &plain);
	assert_int_equal(plain.status, 200);
	assert_int_equal(setenv("https_proxy", "what://u:hunter2@x/", 1), 0);
	make_url(url, sizeof(url), server.port, "/echo");
	answer_done(&direct);
	call(&client, &(struct http_request){ .url = url }, &direct);
	assert_int_equal(direct.err.code, -EIO);
	assert_null(strstr(direct.err.text, "hunter2"));
	assert_null(strstr(direct.err.text, "Success"));
	client_close(&client);
	assert_int_equal(unsetenv("https_proxy"), 0);
	assert_int_equal(unsetenv("http_proxy"), 0);
	assert_int_equal(unsetenv("all_proxy"), 0);
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
		cmocka_unit_test(sends_headers_and_body_as_they_are),
		cmocka_unit_test(sends_an_empty_body_as_a_post),
		cmocka_unit_test(asks_with_other_methods_without_a_body),
		cmocka_unit_test(
			sees_where_a_name_leads_before_it_asks_in_plain),
		cmocka_unit_test(reads_a_chunked_reply),
		cmocka_unit_test(hands_over_any_status_and_follows_no_redirect),
		cmocka_unit_test(reuses_one_connection),
		cmocka_unit_test(a_fresh_connection_is_neither_reused_nor_left),
		cmocka_unit_test(a_kept_connection_that_died_is_no_failure),
		cmocka_unit_test(refuses_a_stranger),
		cmocka_unit_test(trusts_a_name_of_the_certificate),
		cmocka_unit_test(names_a_ca_file_that_cannot_be_used),
		cmocka_unit_test(tells_why_it_cannot_connect),
		cmocka_unit_test(refuses_a_reply_that_is_not_whole_or_not_http),
		cmocka_unit_test(stops_a_reply_that_is_too_large),
		cmocka_unit_test(plain_http_stays_on_this_machine),
		cmocka_unit_test(refuses_a_header_that_would_become_two),
		cmocka_unit_test(uses_a_proxy_only_where_it_is_allowed),
	};

	return cmocka_run_group_tests(tests, start_server, stop_server);
}
