/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AWS_STS_CALL_H
#define AWS_STS_CALL_H

#include <stdint.h>

struct endpoint;
struct err;
struct keys;
struct retry;
struct sts_role;

/* One question to STS, over the network. */

struct sts_call;

/* keys is borrowed (ref it to keep it), and NULL exactly where err is not. */
typedef void sts_on_keys(void *owner, struct keys *keys, const struct err *err);

/* What a call borrows until it ends. */
struct sts {
	struct retry *retry;
	const struct endpoint *endpoint;
	const struct sts_role *role;
};

/*
 * Asks for keys; timeout_ms is for the whole call, with its retries: each reads
 * the token file anew. Ends exactly once: in
 * on_keys, never before this returns, or in sts_call_cancel(). NULL with err
 * filled where it could not begin, as when the token file is missing.
 */
struct sts_call *sts_call_start(const struct sts *sts, int64_t timeout_ms,
				sts_on_keys *on_keys, void *owner,
				struct err *err);

/* NULL is allowed. */
void sts_call_cancel(struct sts_call *call);

#endif
