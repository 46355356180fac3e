/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each question has a connection of its own: STS has been seen to repeat an
 * old refusal for minutes on one that was kept.
 */
#include "aws/sts_call.h"
#include "aws/endpoint.h"
#include "aws/keys.h"
#include "aws/refusal.h"
#include "aws/reply.h"
#include "aws/request.h"
#include "aws/skew.h"
#include "aws/sts.h"
#include "aws/verdict.h"
#include "base/err.h"
#include "base/macros.h"
#include "loop/loop.h"
#include "net/retry.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define STATUS_OK 200

struct sts_call {
	struct sts sts;
	struct keys *signer; /* or NULL */
	int64_t deadline_ms;
	bool is_second; /* asked once more already */
	struct request request;

	/* what is waited for: one of them */
	struct retry_call *retry_call;
	struct loop_timer *again;

	key_provider_on_keys *on_keys;
	void *owner;
};

static void call_free(struct sts_call *call)
{
	request_done(&call->request);
	keys_unref(call->signer);
	free(call);
}

/* Too large is what STS sent, or is sent: that is no word on the secret. */
static int wrap(const struct sts_call *call, struct err *err)
{
	if (err->code == -EFBIG)
		err->code = -EIO;
	return err_wrap(err, "%s '%.160s'", sts_action(call->sts.role),
			call->sts.role->arn);
}

static void end(struct sts_call *call, struct keys *keys, const struct err *err)
{
	key_provider_on_keys *on_keys = call->on_keys;
	void *owner = call->owner;

	call_free(call);
	on_keys(owner, keys, err);
}

/* Whether the file holds another token than the one that was sent. */
static bool has_newer_token(const struct sts_call *call)
{
	cleanup_buf struct buf form;

	buf_init(&form, REQUEST_BODY_MAX);
	return call->sts.role->token_file &&
	       sts_form(call->sts.role, &form, NULL) == 0 &&
	       strcmp(buf_text(&form), buf_text(&call->request.body)) != 0;
}

/* Whether what STS refused would not be refused again. */
static bool may_ask_again(const struct sts_call *call,
			  const struct aws_reply *reply)
{
	const struct key_context *context = call->sts.context;

	if (reply->status == STATUS_OK || call->is_second)
		return false;
	if (refusal_is(reply, "ExpiredTokenException") && has_newer_token(call))
		return true;
	return call->signer &&
	       skew_learn(context->skew, loop_clock(context->loop), reply);
}

static int start(struct sts_call *call, struct err *err);

/* Later: what the first request borrowed is free by then. */
static void on_again(void *owner)
{
	struct sts_call *call = owner;
	struct err failure;

	call->again = NULL;
	if (start(call, &failure) == 0)
		return;
	(void)wrap(call, &failure);
	end(call, NULL, &failure);
}

static void read_reply(struct sts_call *call, const struct aws_reply *reply)
{
	cleanup_keys struct keys *keys = NULL;
	struct err failure;
	int r;

	if (may_ask_again(call, reply)) {
		call->is_second = true;
		call->again =
			loop_soon(call->sts.context->loop, on_again, call);
		if (call->again)
			return;
	}
	r = sts_reply_read(reply, &keys, &failure);
	if (r < 0 && refusal_is(reply, "ExpiredTokenException"))
		failure.code = -ENOKEY; /* a newer file is all that it takes */
	if (r < 0)
		(void)wrap(call, &failure);
	end(call, keys, r < 0 ? &failure : NULL);
}

static void on_reply(void *owner, const struct http_reply *reply,
		     const struct err *err)
{
	struct sts_call *call = owner;
	struct aws_reply parts;
	struct err failure;

	call->retry_call = NULL;
	if (reply) {
		parts = aws_reply_of(reply);
		read_reply(call, &parts);
		return;
	}
	failure = *err;
	if (failure.code == -EACCES) /* the CA file's: nobody refused */
		failure.code = -ENOKEY;
	(void)wrap(call, &failure);
	end(call, NULL, &failure);
}

static int prepare(struct sts_call *call, struct err *err)
{
	static const struct sigv4_header headers[] = {
		{ "Content-Type", "application/x-www-form-urlencoded" },
		{ "Accept", "application/json" },
	};
	const struct key_context *context = call->sts.context;
	int r;

	buf_clear(&call->request.body);
	r = sts_form(call->sts.role, &call->request.body, err);
	if (r < 0)
		return r;
	if (call->signer)
		r = request_sign(
			&call->request, call->sts.endpoint, headers,
			ARRAY_SIZE(headers), call->signer,
			skew_now_s(context->skew, loop_clock(context->loop)));
	else
		r = request_set_headers(&call->request, call->sts.endpoint,
					headers, ARRAY_SIZE(headers));
	return r < 0 ? err_set(err, r, "no room for its headers") : 0;
}

static int make(void *owner, unsigned attempt, struct http_request *ret,
		struct err *err)
{
	struct sts_call *call = owner;
	int r = prepare(call, err);

	(void)attempt;
	if (r < 0)
		return r;
	request_fill(&call->request, call->sts.endpoint, ret);
	ret->reply_max = STS_REPLY_MAX;
	ret->fresh_connection = true;
	return 0;
}

static int start(struct sts_call *call, struct err *err)
{
	const struct key_context *context = call->sts.context;
	const struct retry_request request = {
		.url = call->sts.endpoint->url,
		.operation = sts_action(call->sts.role),
		.timeout_ms = call->deadline_ms - loop_now_ms(context->loop),
		.make = make,
		.judge = aws_judge,
		.on_reply = on_reply,
		.owner = call,
	};

	call->retry_call = retry_start(context->retry, &request, err);
	return call->retry_call ? 0 : err->code;
}

struct sts_call *sts_call_start(const struct sts *sts, struct keys *signer,
				int64_t timeout_ms,
				key_provider_on_keys *on_keys, void *owner,
				struct err *err)
{
	struct sts_call *call = calloc(1, sizeof(*call));

	if (!call) {
		(void)err_set(err, -ENOMEM, "no memory to ask STS");
		return NULL;
	}
	call->sts = *sts;
	call->signer = signer ? keys_ref(signer) : NULL;
	call->deadline_ms = loop_now_ms(sts->context->loop) + timeout_ms;
	call->on_keys = on_keys;
	call->owner = owner;
	request_init(&call->request);
	if (start(call, err) < 0) {
		(void)wrap(call, err);
		call_free(call);
		return NULL;
	}
	return call;
}

void sts_call_cancel(struct sts_call *call)
{
	if (!call)
		return;
	retry_cancel(call->retry_call);
	loop_timer_cancel(call->again);
	call_free(call);
}
