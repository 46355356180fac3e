/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_QUOTA_H
#define NET_QUOTA_H

#include <stdbool.h>

/*
 * What an endpoint's retries cost, so that a service in trouble is not asked
 * three times for everything: first attempts are free, a retry takes tokens,
 * and only successes bring them back. Numbers of the AWS SDKs' standard mode
 * of 2026.
 */

#define QUOTA_MAX 500U
#define QUOTA_COST 14U
#define QUOTA_COST_THROTTLED 5U
#define QUOTA_REWARD 1U /* for a success at the first attempt */

struct quota {
	unsigned tokens;
};

/* Full. */
void quota_init(struct quota *quota);

/* False, and nothing taken, where there are fewer. */
bool quota_take(struct quota *quota, unsigned tokens);

/* Never beyond QUOTA_MAX. */
void quota_give(struct quota *quota, unsigned tokens);

#endif
