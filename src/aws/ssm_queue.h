/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AWS_SSM_QUEUE_H
#define AWS_SSM_QUEUE_H

#include <stdint.h>

struct api;
struct err;
struct source_want;
struct value;

/*
 * Parameters that wait to be asked for, and the calls that ask: ten names in
 * each, and not more than twenty calls a second, since all clients of an
 * account and region share some forty by default.
 *
 * - A member ends exactly once: in its callback, or in ssm_leave().
 * - A callback never runs before the ssm_join() that set it returns.
 * - A member that leaves disturbs no other; the last one ends the call.
 * - AWS refuses all of a call for one parameter of it. So each of a refused
 *   call is asked for alone, and one that is refused alone is not asked for
 *   together with others for an hour.
 */

#define SSM_SPACING_MS 50

struct ssm_queue;
struct ssm_member;

/* value is borrowed (ref it to keep it), and NULL exactly where err is not,
 * whose codes are those of ssm.h, refusal.h and api_call.h, and -EBUSY where
 * the service says that it cannot now. */
typedef void ssm_on_result(void *owner, struct value *value,
			   const struct err *err);

/* api is borrowed. NULL: no memory. */
struct ssm_queue *ssm_queue_new(const struct api *api);

/* Every member must have ended. NULL is allowed. */
void ssm_queue_free(struct ssm_queue *queue);

/* The want has been checked and is borrowed until the member ends; deadline_ms
 * is as in api_call.h, where the first member's counts for all of a call. NULL:
 * no memory. */
struct ssm_member *ssm_join(struct ssm_queue *queue,
			    const struct source_want *want, int64_t deadline_ms,
			    ssm_on_result *on_result, void *owner);

/* NULL is allowed. */
void ssm_leave(struct ssm_member *member);

#endif
