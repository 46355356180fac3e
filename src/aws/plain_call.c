/* SPDX-License-Identifier: Apache-2.0 */
/* The status alone decides about another attempt: what these services write of
 * an error is text for people, in as many forms as there are services. */
#include "aws/plain_call.h"
#include "aws/reply.h"
#include "base/err.h"
#include "net/retry.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define STATUS_REFUSAL_FIRST 400
#define STATUS_UNAUTHORIZED 401
#define STATUS_FORBIDDEN 403
#define STATUS_THROTTLED 429
#define STATUS_FAULT 500
#define TEXT_SIZE 161

struct plain_call {
	struct plain_order order;
	struct request request;
	struct retry_call *retry_call;
};

static void free_call(struct plain_call *call)
{
	request_done(&call->request);
	free(call);
}

static void on_reply(void *owner, const struct http_reply *reply,
		     const struct err *err)
{
	struct plain_call *call = owner;
	const struct plain_order order = call->order;
	struct aws_reply parts;

	free_call(call);
	if (err) {
		order.on_reply(order.owner, NULL, err);
		return;
	}
	parts = aws_reply_of(reply);
	order.on_reply(order.owner, &parts, NULL);
}

static void judge(void *owner, const struct http_reply *reply,
		  struct retry_verdict *ret)
{
	(void)owner;
	ret->kind = RETRY_DONE;
	if (reply->status >= STATUS_FAULT)
		ret->kind = RETRY_TRANSIENT;
	if (reply->status == STATUS_THROTTLED)
		ret->kind = RETRY_THROTTLED;
}

static int make(void *owner, unsigned attempt, struct http_request *ret,
		struct err *err)
{
	struct plain_call *call = owner;
	const struct plain_order *order = &call->order;
	int r = order->set_headers
			? order->set_headers(order->owner, &call->request, err)
			: 0;

	(void)attempt;
	if (r < 0)
		return r;
	*ret = (struct http_request){
		.method = order->method,
		.url = order->url,
		.headers = call->request.headers,
		.header_count = call->request.header_count,
		.body = &call->request.body,
		.reply_max = PLAIN_REPLY_MAX,
		.is_metadata = order->is_metadata,
	};
	return 0;
}

struct plain_call *plain_call_start(struct retry *retry,
				    const struct plain_order *order,
				    struct err *err)
{
	struct plain_call *call = calloc(1, sizeof(*call));
	const struct retry_request request = {
		.url = order->place,
		.operation = order->operation,
		.timeout_ms = order->timeout_ms,
		.attempt_ms = order->attempt_ms,
		.make = make,
		.judge = judge,
		.on_reply = on_reply,
		.owner = call,
	};

	if (!call) {
		(void)err_set(err, -ENOMEM, "no memory to ask for keys");
		return NULL;
	}
	call->order = *order;
	request_init(&call->request);
	call->retry_call = retry_start(retry, &request, err);
	if (call->retry_call)
		return call;
	free_call(call);
	return NULL;
}

void plain_call_cancel(struct plain_call *call)
{
	if (!call)
		return;
	retry_cancel(call->retry_call);
	free_call(call);
}

/* The first line, where it is a text, and of a refusal: any other reply may be
 * one with keys. "eyJ" starts every JWT, which a container may be asked with: a
 * line that quotes one is not passed on. */
static void quote(const struct aws_reply *reply, char text[TEXT_SIZE])
{
	const char *from = buf_text(reply->body);
	size_t length = 0;

	if (reply->status < STATUS_REFUSAL_FIRST)
		from = "";
	else if (strstr(from, "eyJ"))
		from = "(its message quotes a token)";
	while (length < TEXT_SIZE - 1 && from[length] >= ' ' &&
	       from[length] <= '~')
		length++;
	memcpy(text, from, length);
	text[length] = '\0';
}

static int code_of(int status)
{
	if (status == STATUS_UNAUTHORIZED || status == STATUS_FORBIDDEN)
		return -EACCES;
	return status >= STATUS_FAULT || status == STATUS_THROTTLED ? -EIO
								    : -ENOKEY;
}

int plain_refusal(const struct aws_reply *reply, struct err *err)
{
	char text[TEXT_SIZE];

	quote(reply, text);
	return err_set(err, code_of(reply->status), "status %d%s%s",
		       reply->status, text[0] ? ": " : "", text);
}
