/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What callers are promised: a call ends once, in time, and not before
 * http_start() has returned. The exchange itself is transfer.c's.
 *
 * The deadline is our own, beside the one that curl is given: it counts on the
 * loop's clock, which goes on while the machine sleeps, and it holds whatever
 * curl waits for.
 */
#include "net/http.h"
#include "base/err.h"
#include "loop/loop.h"
#include "net/connections.h"
#include "net/intake.h"
#include "net/transfer.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct http {
	struct loop *loop;
	struct connections *connections;
	struct http_settings settings;
	char *ca_file;
	char *user_agent;
	size_t call_count;
};

struct http_call {
	struct http *http;
	struct http_request request;
	http_on_reply *on_reply;
	void *owner;
	bool is_ending; /* its callback runs */
	bool has_broken_header;
	struct transfer *transfer;
	struct loop_timer *start;
	struct loop_timer *deadline;
	struct intake intake;
};

static int copy_text(char **ret, const char *text)
{
	char *copy = text ? strdup(text) : NULL;

	if (text && !copy)
		return -ENOMEM;
	*ret = copy;
	return 0;
}

static int copy_settings(struct http *http, const struct http_settings *from)
{
	if (copy_text(&http->ca_file, from->ca_file) < 0 ||
	    copy_text(&http->user_agent, from->user_agent) < 0)
		return -ENOMEM;
	http->settings = (struct http_settings){
		.ca_file = http->ca_file,
		.proxy_from_env = from->proxy_from_env,
		.user_agent = http->user_agent,
	};
	return 0;
}

struct http *http_new(struct loop *loop, const struct http_settings *settings,
		      struct err *err)
{
	struct http *http = calloc(1, sizeof(*http));

	if (!http || copy_settings(http, settings) < 0) {
		err_set(err, -ENOMEM, "no memory for HTTP");
		http_free(http);
		return NULL;
	}
	http->loop = loop;
	http->connections = connections_new(err);
	if (!http->connections) {
		http_free(http);
		return NULL;
	}
	return http;
}

void http_free(struct http *http)
{
	if (!http)
		return;
	assert(http->call_count == 0);
	connections_free(http->connections);
	free(http->ca_file);
	free(http->user_agent);
	free(http);
}

static void free_call(struct http_call *call)
{
	loop_timer_cancel(call->start);
	loop_timer_cancel(call->deadline);
	transfer_free(call->transfer);
	intake_done(&call->intake);
	call->http->call_count--;
	free(call);
}

static void end(struct http_call *call, const struct http_reply *reply,
		const struct err *err)
{
	call->is_ending = true;
	call->on_reply(call->owner, reply, err);
	free_call(call);
}

static void on_transfer_end(void *owner, int status, const struct err *err)
{
	struct http_call *call = owner;
	const struct http_reply reply = {
		.status = status,
		.body = &call->intake.body,
		.call = call,
	};

	end(call, err ? NULL : &reply, err);
}

/* It comes after on_start, so there is a started transfer. */
static void on_deadline(void *owner)
{
	struct http_call *call = owner;
	struct err err;

	call->deadline = NULL;
	transfer_expire(call->transfer, &err);
	end(call, NULL, &err);
}

/* curl would name neither the file nor the reason. */
static int check_ca_file(const char *path, struct err *err)
{
	int fd;

	if (!path)
		return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return err_set(err, -EACCES, "cannot read CA file '%s': %s",
			       path, strerrordesc_np(errno));
	(void)close(fd);
	return 0;
}

int http_check(const struct http *http, struct err *err)
{
	return check_ca_file(http->settings.ca_file, err);
}

static void on_start(void *owner)
{
	struct http_call *call = owner;
	struct err err;

	call->start = NULL;
	if (call->has_broken_header)
		err_set(&err, -EINVAL, "a request header has a line break");
	if (call->has_broken_header || http_check(call->http, &err) < 0 ||
	    transfer_start(call->transfer, &err) < 0)
		end(call, NULL, &err);
}

/* A line break would make one header two, and tokens come from files. */
static bool has_line_break(const struct http_request *request)
{
	for (size_t i = 0; i < request->header_count; i++)
		if (strpbrk(request->headers[i], "\r\n"))
			return true;
	return false;
}

static struct transfer *new_transfer(struct http_call *call)
{
	const struct transfer_order order = {
		.loop = call->http->loop,
		.connections = call->http->connections,
		.settings = &call->http->settings,
		.request = &call->request,
		.intake = &call->intake,
	};

	return transfer_new(&order, on_transfer_end, call);
}

struct http_call *http_start(struct http *http,
			     const struct http_request *request,
			     http_on_reply *on_reply, void *owner)
{
	int64_t now_ms = loop_now_ms(http->loop);
	struct http_call *call = calloc(1, sizeof(*call));

	assert(request->timeout_ms > 0 && request->body);
	if (!call)
		return NULL;
	call->http = http;
	call->request = *request;
	call->on_reply = on_reply;
	call->owner = owner;
	call->has_broken_header = has_line_break(request);
	intake_init(&call->intake, request->reply_max);
	http->call_count++;
	call->transfer = new_transfer(call);
	call->start = loop_soon(http->loop, on_start, call);
	call->deadline = loop_timer(http->loop, now_ms + request->timeout_ms,
				    on_deadline, call);
	if (!call->transfer || !call->start || !call->deadline) {
		free_call(call);
		return NULL;
	}
	return call;
}

void http_cancel(struct http_call *call)
{
	if (call && !call->is_ending)
		free_call(call);
}

const char *http_reply_header(const struct http_reply *reply, const char *name)
{
	return transfer_header(reply->call->transfer, name);
}
