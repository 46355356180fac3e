/* SPDX-License-Identifier: Apache-2.0 */
/* The server is a child on pipes: one line from it says that it is ready, the
 * end of its input ends it, also when the test dies. */
#include "tests/test.h"

#include "tests/http_fixture.h"

#include "base/macros.h"
#include "base/parse.h"
#include "loop/loop.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define WAIT_MAX_MS 60000

static int spawn_server(struct server *server, int input, int output)
{
	const char *source = getenv("SECRETSFS_SOURCE");
	char script[4096];
	char python[] = "python3";
	char *const arguments[] = { python, script, NULL };
	posix_spawn_file_actions_t actions;
	int r;

	(void)snprintf(script, sizeof(script), "%s/tests/https_server.py",
		       source ? source : ".");
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
	r = posix_spawnp(&server->pid, python, &actions, NULL, arguments,
			 environ);
	posix_spawn_file_actions_destroy(&actions);
	return r;
}

static int read_line(FILE *lines, char *out, int size)
{
	if (!fgets(out, size, lines))
		return -1;
	out[strcspn(out, "\n")] = '\0';
	return 0;
}

static int read_port(FILE *lines, unsigned *ret)
{
	char line[16];
	uint64_t port;

	if (read_line(lines, line, sizeof(line)) < 0 ||
	    parse_decimal(line, 65535, &port) < 0)
		return -1;
	*ret = (unsigned)port;
	return 0;
}

static int read_ready(struct server *server, int output)
{
	FILE *lines = fdopen(output, "r");
	int r = -1;

	if (!lines)
		return -1;
	if (read_port(lines, &server->port) == 0 &&
	    read_port(lines, &server->plain_port) == 0)
		r = read_line(lines, server->directory,
			      sizeof(server->directory));
	(void)fclose(lines);
	(void)snprintf(server->ca_file, sizeof(server->ca_file), "%s/ca.pem",
		       server->directory);
	(void)snprintf(server->other_ca_file, sizeof(server->other_ca_file),
		       "%s/other-ca.pem", server->directory);
	return r;
}

int server_start(struct server *server)
{
	int input[2];
	int output[2];
	int r;

	if (pipe2(input, O_CLOEXEC) < 0 || pipe2(output, O_CLOEXEC) < 0)
		return -1;
	r = spawn_server(server, input[0], output[1]);
	(void)close(input[0]);
	(void)close(output[1]);
	server->input = input[1];
	return r == 0 ? read_ready(server, output[0]) : -1;
}

int server_stop(struct server *server)
{
	int status = 0;

	(void)close(server->input);
	if (waitpid(server->pid, &status, 0) != server->pid)
		return -1;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

void client_open(struct client *client, const struct http_settings *settings)
{
	struct err err = { 0 };

	*client = (struct client){ 0 };
	client->loop = loop_new(&client->clock);
	assert_non_null(client->loop);
	client->http = http_new(client->loop, settings, &err);
	assert_string_equal(err.text, "");
	assert_non_null(client->http);
}

void client_close(struct client *client)
{
	http_free(client->http);
	loop_free(client->loop);
}

void answer_done(struct answer *answer)
{
	buf_done(&answer->body);
}

static void take_reply(struct answer *answer, const struct http_reply *reply)
{
	const char *request_id = http_reply_header(reply, "x-amzn-requestid");

	answer->status = reply->status;
	(void)snprintf(answer->request_id, sizeof(answer->request_id), "%s",
		       request_id ? request_id : "");
	assert_int_equal(buf_append(&answer->body, reply->body->bytes,
				    reply->body->length),
			 0);
}

static void on_reply(void *owner, const struct http_reply *reply,
		     const struct err *err)
{
	struct answer *answer = owner;

	answer->count++;
	answer->call = NULL;
	assert_true(!reply != !err);
	if (err)
		answer->err = *err;
	if (reply)
		take_reply(answer, reply);
}

void start(struct client *client, const struct http_request *request,
	   struct answer *answer)
{
	static const struct buf no_body;
	struct http_request whole = *request;

	if (!whole.body)
		whole.body = &no_body;
	if (!whole.timeout_ms)
		whole.timeout_ms = 60000;
	if (!whole.reply_max)
		whole.reply_max = 65536;
	*answer = (struct answer){ 0 };
	buf_init(&answer->body, whole.reply_max);
	answer->call = http_start(client->http, &whole, on_reply, answer);
	assert_non_null(answer->call);
	assert_int_equal(answer->count, 0);
}

void wait_for(struct client *client, const struct answer *answer)
{
	int64_t end_ms = loop_now_ms(client->loop) + WAIT_MAX_MS;

	while (answer->count == 0) {
		assert_true(loop_now_ms(client->loop) < end_ms);
		assert_int_equal(loop_turn(client->loop, 100), 0);
	}
}

void call(struct client *client, const struct http_request *request,
	  struct answer *answer)
{
	start(client, request, answer);
	wait_for(client, answer);
	assert_int_equal(answer->count, 1);
}

void make_url(char *out, size_t size, unsigned port, const char *path)
{
	(void)snprintf(out, size, "https://127.0.0.1:%u%s", port, path);
}

void get(struct client *client, const struct server *server, const char *path,
	 struct answer *answer)
{
	char url[128];

	make_url(url, sizeof(url), server->port, path);
	call(client, &(struct http_request){ .url = url }, answer);
}

unsigned get_number(struct client *client, const struct server *server,
		    const char *path)
{
	cleanup_answer struct answer answer;
	uint64_t number = 0;

	get(client, server, path, &answer);
	assert_int_equal(answer.status, 200);
	assert_int_equal(
		parse_decimal(buf_text(&answer.body), UINT32_MAX, &number), 0);
	return (unsigned)number;
}

int listen_silently(unsigned *ret_port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t length = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, length), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length),
			 0);
	*ret_port = ntohs(address.sin_port);
	return fd;
}

size_t count_fds(void)
{
	DIR *directory = opendir("/proc/self/fd");
	size_t count = 0;

	assert_non_null(directory);
	while (readdir(directory))
		count++;
	(void)closedir(directory);
	return count;
}

static size_t count_lines(const char *path, const char *start_of_line)
{
	FILE *file = fopen(path, "r");
	char line[256];
	size_t count = 0;

	while (file && fgets(line, sizeof(line), file))
		if (strncmp(line, start_of_line, strlen(start_of_line)) == 0)
			count++;
	if (file)
		(void)fclose(file);
	return count;
}

size_t count_watched(void)
{
	DIR *directory = opendir("/proc/self/fdinfo");
	const struct dirent *entry;
	char path[300];
	size_t count = 0;

	assert_non_null(directory);
	while ((entry = readdir(directory))) {
		(void)snprintf(path, sizeof(path), "/proc/self/fdinfo/%s",
			       entry->d_name);
		if (entry->d_name[0] != '.')
			count += count_lines(path, "tfd:");
	}
	(void)closedir(directory);
	return count;
}
