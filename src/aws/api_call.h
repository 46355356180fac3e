/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AWS_API_CALL_H
#define AWS_API_CALL_H

#include <stddef.h>
#include <stdint.h>

struct aws_reply;
struct buf;
struct credentials;
struct endpoint;
struct err;
struct loop;
struct retry;

/*
 * One operation of Secrets Manager asked for: keys, a signed request, the
 * reply. Where the keys are refused as too old it drops them and asks once more
 * with newer ones; where the clock turns out to be wrong, with a right one.
 *
 * - A call ends exactly once: in its callback, or in api_call_cancel().
 * - A callback never runs before api_call_start() returns.
 */

/* Who is asked, and as whom; all borrowed. */
struct api {
	struct loop *loop;
	struct retry *retry;
	struct credentials *credentials;
	const struct endpoint *endpoint;
};

/* Borrowed for as long as a call of it lives; owner is that of the call. */
struct api_operation {
	const char *target; /* X-Amz-Target: a constant, for counts too */
	size_t reply_max;   /* bytes; more is -EFBIG */

	/* Appends the request. 0, -EFBIG, -ENOMEM. */
	int (*form)(const void *owner, struct buf *out);

	/* reply is any that came, and borrowed; NULL exactly where err is not,
	 * whose codes are those of credentials.h and net/retry.h. */
	void (*on_reply)(void *owner, const struct aws_reply *reply,
			 const struct err *err);
};

struct api_call;

/* Ends by deadline_ms of loop_now_ms(). api is borrowed as long as the call
 * lives. NULL: no memory. */
struct api_call *api_call_start(const struct api *api,
				const struct api_operation *operation,
				int64_t deadline_ms, void *owner);

/* NULL is allowed. */
void api_call_cancel(struct api_call *call);

#endif
