/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fake_http.h"

#include "base/buf.h"
#include "base/err.h"
#include "loop/loop.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SCRIPT_MAX 256
#define TEXT_MAX (1U << 20)

struct http {
	struct loop *loop;
	const struct fake_reply *script[SCRIPT_MAX];
	size_t script_count;
	size_t script_used;
	struct fake_request requests[SCRIPT_MAX];
	size_t request_count;
	size_t live;
};

struct http_call {
	struct http *http;
	const struct fake_reply *reply; /* NULL: it will time out */
	struct loop_timer *timer;
	struct buf body;
	http_on_reply *on_reply;
	void *owner;
};

struct http *http_new(struct loop *loop, const struct http_settings *settings,
		      struct err *err)
{
	struct http *http = calloc(1, sizeof(*http));

	(void)settings;
	(void)err;
	assert(http);
	http->loop = loop;
	return http;
}

void http_free(struct http *http)
{
	if (!http)
		return;
	assert(http->live == 0);
	for (size_t i = 0; i < http->request_count; i++) {
		free(http->requests[i].url);
		free(http->requests[i].headers);
		free(http->requests[i].body);
	}
	free(http);
}

static void free_call(struct http_call *call)
{
	call->http->live--;
	buf_done(&call->body);
	free(call);
}

static void fail(struct http_call *call)
{
	struct err err;

	(void)err_set(&err, call->reply ? call->reply->failure : -ETIMEDOUT,
		      "the fake host does not answer");
	call->on_reply(call->owner, NULL, &err);
}

static void succeed(struct http_call *call)
{
	const struct http_reply reply = {
		.status = call->reply->status,
		.body = &call->body,
		.call = call,
	};

	struct err err;
	int r;

	buf_init(&call->body, TEXT_MAX);
	r = buf_append_text(&call->body, call->reply->body);
	if (r < 0)
		(void)err_set(&err, r, "the fake has no memory for the body");
	call->on_reply(call->owner, r < 0 ? NULL : &reply, r < 0 ? &err : NULL);
}

static void on_time(void *owner)
{
	struct http_call *call = owner;

	call->timer = NULL;
	if (!call->reply || call->reply->failure != 0)
		fail(call);
	else
		succeed(call);
	free_call(call);
}

/* NULL: no memory; nobody looks at the request then. */
static char *join_headers(const struct http_request *request)
{
	size_t length = 0;
	char *text;
	char *end;

	for (size_t i = 0; i < request->header_count; i++)
		length += strlen(request->headers[i]) + 1;
	text = end = malloc(length + 1);
	if (!text)
		return NULL;
	*end = '\0';
	for (size_t i = 0; i < request->header_count; i++) {
		end = stpcpy(end, request->headers[i]);
		end = stpcpy(end, "\n");
	}
	return text;
}

static void remember(struct http *http, const struct http_request *request)
{
	assert(http->request_count < SCRIPT_MAX);
	http->requests[http->request_count++] = (struct fake_request){
		.method = request->method,
		.is_metadata = request->is_metadata,
		.url = strdup(request->url),
		.headers = join_headers(request),
		.body = strdup(buf_text(request->body)),
		.timeout_ms = request->timeout_ms,
		.reply_max = request->reply_max,
		.fresh_connection = request->fresh_connection,
	};
}

struct http_call *http_start(struct http *http,
			     const struct http_request *request,
			     http_on_reply *on_reply, void *owner)
{
	struct http_call *call = calloc(1, sizeof(*call));

	assert(request->timeout_ms > 0);
	if (!call)
		return NULL;
	remember(http, request);
	call->http = http;
	call->on_reply = on_reply;
	call->owner = owner;
	if (http->script_used < http->script_count) {
		call->reply = http->script[http->script_used++];
		call->timer = loop_soon(http->loop, on_time, call);
	} else {
		call->timer = loop_timer(http->loop,
					 loop_now_ms(http->loop) +
						 request->timeout_ms,
					 on_time, call);
	}
	http->live++;
	if (call->timer)
		return call;
	free_call(call);
	return NULL;
}

void http_cancel(struct http_call *call)
{
	if (!call)
		return;
	loop_timer_cancel(call->timer);
	free_call(call);
}

const char *http_reply_header(const struct http_reply *reply, const char *name)
{
	const struct fake_reply *script = reply->call->reply;

	if (strcasecmp(name, "x-amzn-ErrorType") == 0)
		return script->error_type;
	if (strcasecmp(name, "x-amzn-RequestId") == 0)
		return script->request_id;
	if (strcasecmp(name, "Date") == 0)
		return script->date;
	if (strcasecmp(name, "x-amz-retry-after") == 0)
		return script->retry_after;
	return NULL;
}

void fake_http_add(struct http *http, const struct fake_reply *reply)
{
	assert(http->script_count < SCRIPT_MAX);
	http->script[http->script_count++] = reply;
}

size_t fake_http_count(const struct http *http)
{
	return http->request_count;
}

size_t fake_http_live(const struct http *http)
{
	return http->live;
}

const struct fake_request *fake_http_request(const struct http *http,
					     size_t number)
{
	assert(number < http->request_count);
	return &http->requests[number];
}
