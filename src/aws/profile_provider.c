/* SPDX-License-Identifier: Apache-2.0 */
/* Makes of what a profile comes to the providers that do it: the source of
 * keys, and upon it a provider for each role. */
#include "aws/environment.h"
#include "aws/key_provider.h"
#include "aws/key_providers.h"
#include "aws/profile_chain.h"
#include "aws/profile_settings.h"
#include "aws/sts.h"
#include "base/err.h"

#include <errno.h>
#include <stddef.h>

static struct sts_role role_of(const struct profile_role *role)
{
	return (struct sts_role){
		.arn = role->arn,
		.session_name = role->session_name,
		.external_id = role->external_id,
		.duration_s = role->duration_s,
	};
}

static int new_web_identity(const struct key_context *context,
			    const struct profile_chain *chain,
			    struct key_provider **ret, struct err *err)
{
	struct sts_role role = role_of(&chain->role);

	role.token_file = chain->token_file;
	role.external_id = NULL; /* it has none */
	return web_identity_new(context, &role, false, ret, err);
}

/* credential_source: what it names must be there. */
static int new_named(const struct key_context *context,
		     const struct profile_chain *chain,
		     int (*make)(const struct key_context *,
				 struct key_provider **, struct err *),
		     struct key_provider **ret, struct err *err)
{
	int r = make(context, ret, err);

	if (r != -ENOENT)
		return r;
	if (err)
		err->code = -EINVAL;
	(void)err_wrap(err, "profile '%.128s', credential_source",
		       chain->profile);
	return -EINVAL;
}

static int new_source(const struct key_context *context,
		      const struct profile_chain *chain,
		      struct key_provider **ret, struct err *err)
{
	switch (chain->kind) {
	case PROFILE_SOURCE_KEYS:
		return profile_keys_new(context, chain->profile, ret, err);
	case PROFILE_SOURCE_WEB_IDENTITY:
		return new_web_identity(context, chain, ret, err);
	case PROFILE_SOURCE_SSO:
		return sso_keys_new(context, chain, ret, err);
	case PROFILE_SOURCE_LOGIN:
		return login_keys_new(context, chain, ret, err);
	case PROFILE_SOURCE_PROCESS:
		return process_keys_new(context, chain, ret, err);
	case PROFILE_SOURCE_ENVIRONMENT:
		return new_named(context, chain, environment_keys_new, ret,
				 err);
	case PROFILE_SOURCE_INSTANCE:
		return new_named(context, chain, instance_keys_new, ret, err);
	case PROFILE_SOURCE_CONTAINER:
		return new_named(context, chain, container_keys_new, ret, err);
	}
	return err_set(err, -EINVAL, "profile '%.128s': unknown source",
		       chain->profile);
}

int profile_provider_new(const struct key_context *context, const char *profile,
			 struct key_provider **ret, struct err *err)
{
	const struct profiles *profiles =
		profile_settings_get(context->environment, err);
	struct key_provider *provider = NULL;
	struct profile_chain chain;
	int r;

	if (!profiles)
		return err->code;
	r = profile_chain_find(profiles, profile, &chain, err);
	if (r == 0)
		r = new_source(context, &chain, &provider, err);
	for (size_t i = 0; r == 0 && i < chain.role_count; i++) {
		const struct sts_role role = role_of(&chain.roles[i]);

		r = assume_role_new(context, &role, provider, &provider, err);
	}
	if (r == 0)
		*ret = provider;
	return r;
}
