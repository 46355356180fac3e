/* SPDX-License-Identifier: Apache-2.0 */
/* A bucket that time does not fill: what is spent on a service that fails
 * comes back when it succeeds, and not before. */
#include "net/quota.h"

void quota_init(struct quota *quota)
{
	quota->tokens = QUOTA_MAX;
}

bool quota_take(struct quota *quota, unsigned tokens)
{
	if (quota->tokens < tokens)
		return false;
	quota->tokens -= tokens;
	return true;
}

void quota_give(struct quota *quota, unsigned tokens)
{
	if (tokens > QUOTA_MAX - quota->tokens)
		tokens = QUOTA_MAX - quota->tokens;
	quota->tokens += tokens;
}
