/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each question has a connection of its own: STS has been seen to repeat an
 * old refusal for minutes on one that was kept.
 */
#include "aws/sts_call.h"
#include "aws/endpoint.h"
#include "aws/keys.h"
#include "aws/reply.h"
#include "aws/request.h"
#include "aws/sts.h"
#include "aws/verdict.h"
#include "base/err.h"
#include "base/macros.h"
#include "net/retry.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

struct sts_call {
	struct sts sts;
	struct request request;
	struct retry_call *retry_call;
	sts_on_keys *on_keys;
	void *owner;
};

static void call_free(struct sts_call *call)
{
	request_done(&call->request);
	free(call);
}

/* Too large is what STS sent, or is sent: that is no word on the secret. */
static int wrap(const struct sts_call *call, struct err *err)
{
	if (err->code == -EFBIG)
		err->code = -EIO;
	return err_wrap(err, "AssumeRoleWithWebIdentity '%.160s'",
			call->sts.role->arn);
}

static void end(struct sts_call *call, struct keys *keys, const struct err *err)
{
	sts_on_keys *on_keys = call->on_keys;
	void *owner = call->owner;

	call_free(call);
	on_keys(owner, keys, err);
}

static void on_reply(void *owner, const struct http_reply *reply,
		     const struct err *err)
{
	cleanup_keys struct keys *keys = NULL;
	struct sts_call *call = owner;
	struct err failure;
	int r;

	if (reply) {
		const struct aws_reply parts = aws_reply_of(reply);

		r = sts_reply_read(&parts, &keys, &failure);
	} else {
		failure = *err;
		if (failure.code == -EACCES) /* the CA file's: nobody refused */
			failure.code = -ENOKEY;
		r = failure.code;
	}
	if (r < 0)
		(void)wrap(call, &failure);
	end(call, keys, r < 0 ? &failure : NULL);
}

static int prepare(struct sts_call *call, struct err *err)
{
	static const struct sigv4_header headers[] = {
		{ "Content-Type", "application/x-www-form-urlencoded" },
		{ "Accept", "application/json" },
	};
	int r;

	buf_clear(&call->request.body);
	r = sts_form(call->sts.role, &call->request.body, err);
	if (r < 0)
		return r;
	r = request_set_headers(&call->request, call->sts.endpoint, headers,
				ARRAY_SIZE(headers));
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

static int start(struct sts_call *call, int64_t timeout_ms, struct err *err)
{
	const struct retry_request request = {
		.url = call->sts.endpoint->url,
		.operation = "AssumeRoleWithWebIdentity",
		.timeout_ms = timeout_ms,
		.make = make,
		.judge = aws_judge,
		.on_reply = on_reply,
		.owner = call,
	};

	call->retry_call = retry_start(call->sts.retry, &request, err);
	return call->retry_call ? 0 : err->code;
}

struct sts_call *sts_call_start(const struct sts *sts, int64_t timeout_ms,
				sts_on_keys *on_keys, void *owner,
				struct err *err)
{
	struct sts_call *call = calloc(1, sizeof(*call));

	if (!call) {
		(void)err_set(err, -ENOMEM, "no memory to ask STS");
		return NULL;
	}
	call->sts = *sts;
	call->on_keys = on_keys;
	call->owner = owner;
	request_init(&call->request);
	if (start(call, timeout_ms, err) < 0) {
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
	call_free(call);
}
