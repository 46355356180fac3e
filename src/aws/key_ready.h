/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AWS_KEY_READY_H
#define AWS_KEY_READY_H

#include "aws/key_provider.h"

/* Calls of providers that need not wait: what is at hand is told in the next
 * turn of the loop. */

/* keys is taken over. NULL, with err filled: no memory. */
struct key_call *key_ready_start(struct loop *loop, struct keys *keys,
				 key_provider_on_keys *on_keys, void *owner,
				 struct err *err);

/* NULL is allowed. */
void key_ready_cancel(struct key_call *call);

#endif
