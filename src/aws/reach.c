/* SPDX-License-Identifier: Apache-2.0 */
/* A place that is missing here is one that a sandbox keeps away. */
#include "aws/reach.h"
#include "aws/environment.h"
#include "aws/profile_files.h"
#include "aws/profile_settings.h"
#include "aws/profiles.h"
#include "base/macros.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#define CHAIN_MAX 16

/* On the machine itself, by plain http. */
#define METADATA_URL "http://169.254.169.254"
#define CONTAINER_URL "http://169.254.170.2"

struct reaching {
	const struct aws_environment *environment;
	void (*on_each)(void *owner, enum aws_reach kind, const char *text);
	void *owner;
};

static void tell(const struct reaching *reaching, enum aws_reach kind,
		 const char *text)
{
	char path[PATH_MAX];

	if (!text || *text == '\0')
		return;
	if (kind == AWS_REACH_URL)
		reaching->on_each(reaching->owner, kind, text);
	else if (profile_path_expand(reaching->environment, text, path, NULL) ==
			 0 &&
		 path[0] == '/')
		reaching->on_each(reaching->owner, kind, path);
}

/* Tokens that the profile and those behind it name. */
static void tell_profile(const struct reaching *reaching)
{
	const struct profiles *profiles =
		profile_settings_get(reaching->environment, NULL);
	const char *name = profile_name(reaching->environment);

	for (unsigned i = 0; profiles && name && i < CHAIN_MAX; i++) {
		tell(reaching, AWS_REACH_FILE,
		     profiles_get(profiles, PROFILE_SECTION_PROFILE, name,
				  "web_identity_token_file"));
		name = profiles_get(profiles, PROFILE_SECTION_PROFILE, name,
				    "source_profile");
	}
}

/* Whether keys may come from this machine: not where the environment alone
 * decides that they come from elsewhere. */
static bool may_ask_machine(const struct aws_environment *environment)
{
	if (environment->is_profile_chosen)
		return true;
	if (environment->access_key_id)
		return false;
	return environment->profile || !environment->token_file;
}

void aws_reach_each(const struct aws_environment *environment,
		    void (*on_each)(void *owner, enum aws_reach kind,
				    const char *text),
		    void *owner)
{
	const struct reaching reaching = { environment, on_each, owner };
	const struct aws_environment *e = environment;
	const struct {
		enum aws_reach kind;
		const char *text;
	} all[] = {
		{ AWS_REACH_FILE, e->ca_bundle },
		{ AWS_REACH_FILE, e->token_file },
		{ AWS_REACH_FILE, e->container_token_file },
		{ AWS_REACH_FILE, e->config_file },
		{ AWS_REACH_FILE, e->credentials_file },
		/* profiles, and what logins leave */
		{ AWS_REACH_DIRECTORY, "~/.aws" },
		{ AWS_REACH_DIRECTORY, e->login_cache },
		{ AWS_REACH_URL, e->endpoint_url },
		{ AWS_REACH_URL, e->endpoint_url_secrets_manager },
		{ AWS_REACH_URL, e->endpoint_url_ssm },
		{ AWS_REACH_URL, e->endpoint_url_sts },
		{ AWS_REACH_URL, e->endpoint_url_sso },
		{ AWS_REACH_URL, e->container_url },
		{ AWS_REACH_URL, e->container_path ? CONTAINER_URL : NULL },
		{ AWS_REACH_URL, e->metadata_endpoint },
		{ AWS_REACH_URL, may_ask_machine(e) ? METADATA_URL : NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		tell(&reaching, all[i].kind, all[i].text);
	tell_profile(&reaching);
}
