/* SPDX-License-Identifier: Apache-2.0 */
/* The way of a question between credentials.h and plain_call.h, which is the
 * same whoever is asked. */
#include "aws/plain_keys.h"
#include "aws/keys.h"
#include "base/err.h"
#include "base/macros.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

struct key_call {
	struct plain_keys *self;
	struct plain_call *plain_call;
	key_provider_on_keys *on_keys;
	void *owner;
};

static void end(struct key_call *call, struct keys *keys, const struct err *err)
{
	const struct key_call ended = *call;

	free(call);
	ended.on_keys(ended.owner, keys, err);
}

/* A reply that is too long is nobody's value here. */
static void wrap(const struct plain_keys *self, struct err *err)
{
	if (err->code == -EFBIG)
		err->code = -EIO;
	(void)self->wrap(self, err);
}

static void on_reply(void *owner, const struct aws_reply *reply,
		     const struct err *err)
{
	cleanup_keys struct keys *keys = NULL;
	struct key_call *call = owner;
	struct err failure;
	int r;

	if (reply) {
		r = call->self->read_keys(call->self, reply, &keys, &failure);
	} else {
		failure = *err;
		r = failure.code;
	}
	if (r < 0)
		wrap(call->self, &failure);
	end(call, keys, r < 0 ? &failure : NULL);
}

static int set_headers(void *owner, struct request *request, struct err *err)
{
	const struct key_call *call = owner;

	return call->self->set_headers(call->self, request, err);
}

struct key_call *plain_keys_start(struct key_provider *provider,
				  int64_t timeout_ms,
				  key_provider_on_keys *on_keys, void *owner,
				  struct err *err)
{
	struct plain_keys *self =
		CONTAINER_OF(provider, struct plain_keys, provider);
	struct key_call *call = calloc(1, sizeof(*call));
	struct plain_order order = self->order;

	if (!call) {
		(void)err_set(err, -ENOMEM, "no memory to ask for keys");
		return NULL;
	}
	order.timeout_ms = timeout_ms;
	order.set_headers = set_headers;
	order.on_reply = on_reply;
	order.owner = call;
	call->self = self;
	call->on_keys = on_keys;
	call->owner = owner;
	call->plain_call = plain_call_start(self->context.retry, &order, err);
	if (call->plain_call)
		return call;
	wrap(self, err);
	free(call);
	return NULL;
}

void plain_keys_cancel(struct key_call *call)
{
	if (!call)
		return;
	plain_call_cancel(call->plain_call);
	free(call);
}
