/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_HTTP_FIXTURE_H
#define TESTS_HTTP_FIXTURE_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "net/http.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What tests of HTTP share: the server of https_server.py as a child, and
 * calls to it on a loop with the real clock. All fail the test by themselves.
 */

struct server {
	pid_t pid;
	int input; /* closing it ends the server */
	unsigned port;
	unsigned plain_port;
	char directory[256];
	char ca_file[300];
	char other_ca_file[300];
};

/* 0 or -1, as cmocka's group fixtures want. */
int server_start(struct server *server);
int server_stop(struct server *server);

struct client {
	struct clock clock;
	struct loop *loop;
	struct http *http;
};

void client_open(struct client *client, const struct http_settings *settings);
void client_close(struct client *client);

/* The outcome of a call. */
struct answer {
	unsigned count; /* of callbacks */
	int status;	/* 0: an error */
	struct err err;
	struct buf body;
	char request_id[32]; /* the reply's X-Amzn-RequestId */
	struct http_call *call;
};

#define cleanup_answer CLEANUP(answer_done)
void answer_done(struct answer *answer);

/* Fills what the request leaves open: an empty body, a minute, 64 KiB. Checks
 * that no callback runs before it returns. */
void start(struct client *client, const struct http_request *request,
	   struct answer *answer);

/* Turns the loop until the answer has come; at most a minute. */
void wait_for(struct client *client, const struct answer *answer);

/* Both, and checks that the callback ran once. */
void call(struct client *client, const struct http_request *request,
	  struct answer *answer);

/* Calls https://127.0.0.1:PORT/path without more ado. */
void get(struct client *client, const struct server *server, const char *path,
	 struct answer *answer);

/* The number that the server answers there. */
unsigned get_number(struct client *client, const struct server *server,
		    const char *path);

void make_url(char *out, size_t size, unsigned port, const char *path);

/* A TCP port of 127.0.0.1 that accepts and says nothing, or, once closed, one
 * that refuses. */
int listen_silently(unsigned *ret_port);

size_t count_fds(void);

/* Descriptors in the epoll sets of this process. */
size_t count_watched(void);

#endif
