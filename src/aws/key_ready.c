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

struct key_call *key_ready_start(struct loop *loop, struct keys *keys,
				 key_provider_on_keys *on_keys, void *owner,
				 struct err *err)
{
	struct key_call *call = calloc(1, sizeof(*call));

	if (call)
		call->soon = loop_soon(loop, on_soon, call);
	if (!call || !call->soon) {
		keys_unref(keys);
		free(call);
		(void)err_set(err, -ENOMEM, "no memory for keys");
		return NULL;
	}
	call->keys = keys;
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
