/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AWS_SSO_TOKEN_H
#define AWS_SSO_TOKEN_H

#include <stdint.h>

struct aws_environment;
struct buf;
struct err;
struct profile_chain;

/*
 * Appends the token that "aws sso login" has left in ~/.aws/sso/cache for a
 * chain's session. Read anew each time, so that a login is noticed. -ENOKEY
 * with err filled where there is none, or it ends before now_s: the text says
 * which command to run. -ENOMEM.
 */
int sso_token_read(const struct aws_environment *environment,
		   const struct profile_chain *chain, int64_t now_s,
		   struct buf *out, struct err *err);

/* Says that the token does not serve, and which command makes another. Returns
 * -ENOKEY. */
int sso_token_refuse(const struct profile_chain *chain, const char *why,
		     struct err *err);

#endif
