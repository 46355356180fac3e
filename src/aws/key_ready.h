/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AWS_KEY_READY_H
#define AWS_KEY_READY_H

#include "aws/key_provider.h"

/* A provider that need not wait, since its keys are at hand or in a file: they
 * are read when they are asked for, and told in the next turn of the loop. */

struct key_ready {
	struct key_provider provider;
	struct key_context context;

	/* The provider's own. 0, or negative errno with err filled: any but
	 * -ENOMEM is told as -ENOKEY. */
	int (*read_keys)(const struct key_ready *self, struct keys **ret,
			 struct err *err);
};

/* For the operations of a provider that is in a key_ready. */
struct key_call *key_ready_start(struct key_provider *provider,
				 int64_t timeout_ms,
				 key_provider_on_keys *on_keys, void *owner,
				 struct err *err);
void key_ready_cancel(struct key_call *call);
int key_ready_check(const struct key_provider *provider, struct err *err);

#endif
