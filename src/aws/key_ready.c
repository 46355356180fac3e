/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps the promise that no callback runs before the call that set it has
 * returned. */
#include "aws/key_ready.h"
#include "aws/keys.h"
#include "base/err.h"
#include "base/macros.h"
#include "loop/loop.h"

#include <errno.h>
#include <stdlib.h>

struct key_call {
	struct keys *keys;
	struct loop_timer *soon;
	key_provider_on_keys *on_keys;
	void *owner;
};

static void on_soon(void *owner)
{
	struct key_call *call = owner;
	const struct key_call ended = *call;
	cleanup_keys struct keys *keys = TAKE(call->keys);

	free(call);
	ended.on_keys(ended.owner, keys, NULL);
}

static int read_keys(const struct key_provider *provider, struct keys **ret,
		     struct err *err)
{
	const struct key_ready *self =
		(const struct key_ready *)(const void *)provider;
	int r = self->read_keys(self, ret, err);

	if (r < 0 && r != -ENOMEM)
		r = -ENOKEY;
	if (r < 0 && err)
		err->code = r;
	return r;
}

struct key_call *key_ready_start(struct key_provider *provider,
				 int64_t timeout_ms,
				 key_provider_on_keys *on_keys, void *owner,
				 struct err *err)
{
	const struct key_ready *self =
		(const struct key_ready *)(const void *)provider;
	cleanup_keys struct keys *keys = NULL;
	struct key_call *call;

	(void)timeout_ms;
	if (read_keys(provider, &keys, err) < 0)
		return NULL;
	call = calloc(1, sizeof(*call));
	if (call)
		call->soon = loop_soon(self->context.loop, on_soon, call);
	if (!call || !call->soon) {
		free(call);
		(void)err_set(err, -ENOMEM, "no memory for keys");
		return NULL;
	}
	call->keys = TAKE(keys);
	call->on_keys = on_keys;
	call->owner = owner;
	return call;
}

void key_ready_cancel(struct key_call *call)
{
	if (!call)
		return;
	loop_timer_cancel(call->soon);
	keys_unref(call->keys);
	free(call);
}

int key_ready_check(const struct key_provider *provider, struct err *err)
{
	cleanup_keys struct keys *keys = NULL;

	return read_keys(provider, &keys, err);
}
