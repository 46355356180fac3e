/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AWS_BATCH_H
#define AWS_BATCH_H

#include <stdbool.h>
#include <stdint.h>

struct api;
struct err;
struct value;

/*
 * Secrets that are asked for in one turn of the loop, fetched together where
 * AWS allows that.
 *
 * - A member ends exactly once: in its callback, or in batch_leave().
 * - A callback never runs before the batch_join() that set it returns.
 * - A member that leaves disturbs no other; the last one ends the call.
 */

struct batches;
struct batch_member;

/*
 * A value, which is borrowed (ref it to keep it), or an error as of
 * batch_reply.h and api_call.h; or neither, where the secret is to be asked for
 * alone: nobody else joined, batches are refused, or the reply left it open.
 */
typedef void batch_on_result(void *owner, struct value *value,
			     const struct err *err);

/* api is borrowed. NULL: no memory. */
struct batches *batches_new(const struct api *api);

/* Every member must have ended. NULL is allowed. */
void batches_free(struct batches *batches);

/* False for an hour after AWS refused a batch as such: joining would only cost
 * time. */
bool batches_are_allowed(const struct batches *batches);

/* The name has been checked and is borrowed until the member ends; deadline_ms
 * is as in api_call.h, where the first member's counts for all of a batch.
 * NULL: no memory. */
struct batch_member *batch_join(struct batches *batches, const char *name,
				int64_t deadline_ms, batch_on_result *on_result,
				void *owner);

/* NULL is allowed. */
void batch_leave(struct batch_member *member);

#endif
