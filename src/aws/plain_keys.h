/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AWS_PLAIN_KEYS_H
#define AWS_PLAIN_KEYS_H

#include "aws/key_provider.h"
#include "aws/plain_call.h"

struct aws_reply;
struct err;
struct keys;
struct request;

/* A provider whose keys come as the reply to one plain request: its own part of
 * the work, and the calls. */

struct plain_keys {
	struct key_provider provider;
	struct key_context context;

	/* what to ask; its time, callbacks and owner are filled here */
	struct plain_order order;

	/* The three are the provider's. As in plain_call.h: */
	int (*set_headers)(const struct plain_keys *self,
			   struct request *request, struct err *err);

	/* Whatever came. 0, or negative errno with err filled. */
	int (*read_keys)(struct plain_keys *self, const struct aws_reply *reply,
			 struct keys **ret, struct err *err);

	/* Says in front of an error whose it is; returns its code. */
	int (*wrap)(const struct plain_keys *self, struct err *err);
};

/* For the provider's operations, which is in a plain_keys. */
struct key_call *plain_keys_start(struct key_provider *provider,
				  int64_t timeout_ms,
				  key_provider_on_keys *on_keys, void *owner,
				  struct err *err);
void plain_keys_cancel(struct key_call *call);

#endif
