/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AWS_VERDICT_H
#define AWS_VERDICT_H

struct http_reply;
struct retry_verdict;

/* The judge of net/retry.h for every service of AWS; owner is not used. The
 * delay that AWS wishes for is in x-amz-retry-after, in milliseconds; what is
 * no number there is no wish. */
void aws_judge(void *owner, const struct http_reply *reply,
	       struct retry_verdict *ret);

#endif
