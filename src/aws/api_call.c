/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A call is one struct that goes from callback to callback: keys, request,
 * reply. It waits for exactly one thing at a time, whose handle it holds, and
 * end() is the one way out besides being cancelled.
 */
#include "aws/api_call.h"
#include "aws/credentials.h"
#include "aws/endpoint.h"
#include "aws/keys.h"
#include "aws/refusal.h"
#include "aws/reply.h"
#include "aws/request.h"
#include "aws/secretsmanager.h"
#include "aws/verdict.h"
#include "base/err.h"
#include "base/macros.h"
#include "loop/loop.h"
#include "net/retry.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define STATUS_OK 200
#define ATTEMPTS_MAX 2 /* the second one with newer keys, or a right clock */

struct api_call {
	const struct api *api;
	const struct api_operation *operation;
	void *owner;
	int64_t deadline_ms;
	unsigned attempts;

	/* what is waited for: one of them */
	struct credentials_get *get;
	struct retry_call *retry_call;

	struct keys *keys; /* of this attempt */
	struct request request;
};

static void free_call(struct api_call *call)
{
	request_done(&call->request);
	keys_unref(call->keys);
	free(call);
}

static void end(struct api_call *call, const struct aws_reply *reply,
		const struct err *err)
{
	const struct api_operation *operation = call->operation;
	void *owner = call->owner;

	free_call(call);
	operation->on_reply(owner, reply, err);
}

static int ask_for_keys(struct api_call *call);

/* Whether other keys than those that were refused may be had, or another time
 * to sign for. */
static bool may_begin_again(const struct api_call *call,
			    const struct aws_reply *reply)
{
	struct credentials *credentials = call->api->credentials;

	if (call->attempts >= ATTEMPTS_MAX || reply->status == STATUS_OK)
		return false;
	if (refusal_is_of_keys(reply))
		return credentials_drop(credentials, call->keys);
	return credentials_learn_time(credentials, reply);
}

/* Want of memory is not AWS's refusal, which would end what is cached. */
static void begin_again(struct api_call *call)
{
	struct err err;

	if (ask_for_keys(call) == 0)
		return;
	(void)err_set(&err, -ENOMEM, "no memory to ask with newer keys");
	end(call, NULL, &err);
}

/* Of net's codes EACCES is a CA file that cannot be read: nobody refused. */
static void end_without_reply(struct api_call *call, const struct err *err)
{
	struct err failure = *err;

	if (failure.code == -EACCES)
		failure.code = -ENOKEY;
	end(call, NULL, &failure);
}

static void on_reply(void *owner, const struct http_reply *reply,
		     const struct err *err)
{
	struct api_call *call = owner;
	struct aws_reply parts;

	call->retry_call = NULL;
	if (err) {
		end_without_reply(call, err);
		return;
	}
	parts = aws_reply_of(reply);
	if (may_begin_again(call, &parts))
		begin_again(call);
	else
		end(call, &parts, NULL);
}

static int prepare(struct api_call *call)
{
	const struct sigv4_header headers[] = {
		{ "Content-Type", SECRETSMANAGER_CONTENT_TYPE },
		{ "X-Amz-Target", call->operation->target },
	};
	int r;

	buf_clear(&call->request.body);
	r = call->operation->form(call->owner, &call->request.body);
	if (r < 0)
		return r;
	return request_sign(&call->request, call->api->endpoint, headers,
			    ARRAY_SIZE(headers), call->keys,
			    credentials_now_s(call->api->credentials));
}

static int make(void *owner, unsigned attempt, struct http_request *ret,
		struct err *err)
{
	struct api_call *call = owner;
	int r = prepare(call);

	(void)attempt;
	if (r < 0)
		return err_set(err, r, "the request could not be made (%s)",
			       strerrordesc_np(-r));
	request_fill(&call->request, call->api->endpoint, ret);
	ret->reply_max = call->operation->reply_max;
	return 0;
}

/* "GetSecretValue" of "secretsmanager.GetSecretValue". */
static const char *name_of(const struct api_operation *operation)
{
	const char *dot = strrchr(operation->target, '.');

	return dot ? dot + 1 : operation->target;
}

static int send_request(struct api_call *call, struct err *err)
{
	const struct api *api = call->api;
	const struct retry_request request = {
		.url = api->endpoint->url,
		.operation = name_of(call->operation),
		.timeout_ms = call->deadline_ms - loop_now_ms(api->loop),
		.make = make,
		.judge = aws_judge,
		.on_reply = on_reply,
		.owner = call,
	};

	call->retry_call = retry_start(api->retry, &request, err);
	return call->retry_call ? 0 : err->code;
}

static void on_keys(void *owner, struct keys *keys, const struct err *err)
{
	struct api_call *call = owner;
	struct err failure;

	call->get = NULL;
	if (err) {
		end(call, NULL, err);
		return;
	}
	keys_unref(call->keys);
	call->keys = keys_ref(keys);
	if (send_request(call, &failure) < 0)
		end(call, NULL, &failure);
}

static int ask_for_keys(struct api_call *call)
{
	call->attempts++;
	call->get = credentials_get(call->api->credentials, call->deadline_ms,
				    on_keys, call);
	return call->get ? 0 : -ENOMEM;
}

struct api_call *api_call_start(const struct api *api,
				const struct api_operation *operation,
				int64_t deadline_ms, void *owner)
{
	struct api_call *call = calloc(1, sizeof(*call));

	if (!call)
		return NULL;
	call->api = api;
	call->operation = operation;
	call->deadline_ms = deadline_ms;
	call->owner = owner;
	request_init(&call->request);
	if (ask_for_keys(call) < 0) {
		free_call(call);
		return NULL;
	}
	return call;
}

void api_call_cancel(struct api_call *call)
{
	if (!call)
		return;
	credentials_cancel(call->get);
	retry_cancel(call->retry_call);
	free_call(call);
}
