/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AWS_KEY_PROVIDERS_H
#define AWS_KEY_PROVIDERS_H

#include <stdbool.h>

struct err;
struct key_context;
struct key_provider;
struct profile_chain;
struct sts_role;

/*
 * The providers, one a file. Each _new() copies nothing of the context but the
 * struct itself, borrows the texts it is given, and is released by
 * key_provider_free(). 0; -ENOENT: it is not configured, with err saying what
 * was looked for; -EINVAL or another code with err filled where it is
 * configured and cannot serve; -ENOMEM.
 */

/* AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. */
int environment_keys_new(const struct key_context *context,
			 struct key_provider **ret, struct err *err);

/* A role for the token in a file; errors name the variables of the environment,
 * or a profile's properties. */
int web_identity_new(const struct key_context *context,
		     const struct sts_role *role, bool is_of_environment,
		     struct key_provider **ret, struct err *err);

/* A role for the keys of another provider, which is taken over, also on
 * failure. */
int assume_role_new(const struct key_context *context,
		    const struct sts_role *role, struct key_provider *base,
		    struct key_provider **ret, struct err *err);

/* Keys that stand in a profile. The files are read anew each time. */
int profile_keys_new(const struct key_context *context, const char *profile,
		     struct key_provider **ret, struct err *err);

/* ECS and EKS Pod Identity. The token's file is read for each request. */
int container_keys_new(const struct key_context *context,
		       struct key_provider **ret, struct err *err);

/* The EC2 instance's role, by its metadata service in version 2. */
int instance_keys_new(const struct key_context *context,
		      struct key_provider **ret, struct err *err);

/* IAM Identity Center: a role for what "aws sso login" has left. */
int sso_keys_new(const struct key_context *context,
		 const struct profile_chain *chain, struct key_provider **ret,
		 struct err *err);

/* Keys that "aws login" has left. */
int login_keys_new(const struct key_context *context,
		   const struct profile_chain *chain, struct key_provider **ret,
		   struct err *err);

/* What the profile's credential_process writes. -EINVAL where commands are not
 * run (environment.h). */
int process_keys_new(const struct key_context *context,
		     const struct profile_chain *chain,
		     struct key_provider **ret, struct err *err);

/* What a profile comes to, with its roles. -ENOENT, -ENODATA as for
 * profile_chain_find(). */
int profile_provider_new(const struct key_context *context, const char *profile,
			 struct key_provider **ret, struct err *err);

#endif
