/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AWS_PROVIDER_H
#define AWS_PROVIDER_H

#include "aws/endpoint.h"
#include "aws/sts.h"

struct aws_environment;
struct err;
struct keys;

/* Which of the ways to get keys is configured: decided once, for the life of
 * the process, since its environment does not change. */

enum provider_kind {
	PROVIDER_ENVIRONMENT,
	PROVIDER_WEB_IDENTITY,
};

struct provider {
	enum provider_kind kind;
	char *identity; /* "key ID" or "role ARN" */

	struct keys *keys; /* environment: the keys themselves; else NULL */

	/* web identity: whom to ask, and for what */
	struct endpoint endpoint;
	struct sts_role role;
	char session_name[STS_SESSION_NAME_SIZE];
};

/*
 * Keys in the environment come first, as in every SDK; then AWS_PROFILE, which
 * is refused because profiles are not read yet; then web identity; then the
 * container variables, refused likewise. Borrows environment's texts; ret must
 * stay where it is, and is released by provider_done(). -EINVAL, -EACCES or
 * -ENOMEM with err filled.
 */
int provider_choose(const struct aws_environment *environment,
		    const char *region, struct provider *ret, struct err *err);

/* Allowed for one that is all zero. */
void provider_done(struct provider *provider);

/* As credentials_check(). */
int provider_check(const struct provider *provider, struct err *err);

#endif
