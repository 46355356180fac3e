/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AWS_STS_CALL_H
#define AWS_STS_CALL_H

#include <stdint.h>

#include "aws/key_provider.h"

struct endpoint;
struct err;
struct keys;
struct retry;
struct sts_role;

/* One question to STS, over the network. */

struct sts_call;

/* What a call borrows until it ends. */
struct sts {
	const struct key_context *context;
	const struct endpoint *endpoint;
	const struct sts_role *role;
};

/*
 * Asks for keys; timeout_ms is for the whole call, with its retries: each reads
 * the token file anew. signer's keys sign, and are kept as long as the call; it
 * is NULL for a role with a token. Where the clock was wrong, or the token had
 * just been replaced, it asks once more.
 *
 * Ends exactly once: in on_keys, never before this returns, or in
 * sts_call_cancel(). NULL with err filled where it could not begin, as when the
 * token file is missing.
 */
struct sts_call *sts_call_start(const struct sts *sts, struct keys *signer,
				int64_t timeout_ms,
				key_provider_on_keys *on_keys, void *owner,
				struct err *err);

/* NULL is allowed. */
void sts_call_cancel(struct sts_call *call);

#endif
