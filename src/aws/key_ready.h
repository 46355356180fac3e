/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AWS_KEY_READY_H
#define AWS_KEY_READY_H

#include "aws/key_provider.h"

/* Calls of providers that need not wait: what is at hand is told in the next
 * turn of the loop. */

/* keys is taken over; where it is NULL err is told, which is copied. NULL: no
 * memory. */
struct key_call *key_ready_start(struct loop *loop, struct keys *keys,
				 const struct err *err,
				 key_provider_on_keys *on_keys, void *owner);

/* NULL is allowed. */
void key_ready_cancel(struct key_call *call);

#endif
