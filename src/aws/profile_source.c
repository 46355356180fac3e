/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds of sources in the order in which they are looked for, as a table of
 * questions: the first that finds itself meant decides. */
#include "aws/profile_source.h"
#include "aws/profile_chain.h"
#include "aws/profiles.h"
#include "base/err.h"
#include "base/macros.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

enum {
	NOT_MEANT,
	MEANT,
};

const char *profile_text(const struct profile *profile, const char *key)
{
	const char *text = profiles_get(
		profile->profiles, PROFILE_SECTION_PROFILE, profile->name, key);

	return text && text[0] != '\0' ? text : NULL;
}

static int fail(const struct profile *profile, const char *why, struct err *err)
{
	return err_set(err, -EINVAL, "profile '%.128s': %s", profile->name,
		       why);
}

bool profile_has_keys(const struct profile *profile)
{
	return profile_text(profile, "aws_access_key_id") ||
	       profile_text(profile, "aws_secret_access_key");
}

static int find_keys(const struct profile *profile, struct profile_chain *chain,
		     struct err *err)
{
	if (!profile_has_keys(profile))
		return NOT_MEANT;
	if (!profile_text(profile, "aws_access_key_id"))
		return fail(profile, "aws_access_key_id is missing", err);
	if (!profile_text(profile, "aws_secret_access_key"))
		return fail(profile, "aws_secret_access_key is missing", err);
	chain->kind = PROFILE_SOURCE_KEYS;
	return MEANT;
}

static int find_web_identity(const struct profile *profile,
			     struct profile_chain *chain, struct err *err)
{
	chain->token_file = profile_text(profile, "web_identity_token_file");
	if (!chain->token_file)
		return NOT_MEANT;
	if (!profile_text(profile, "role_arn"))
		return fail(profile, "web_identity_token_file needs role_arn",
			    err);
	chain->kind = PROFILE_SOURCE_WEB_IDENTITY;
	return MEANT;
}

static const char *session_text(const struct profile *profile,
				const char *session, const char *key)
{
	const char *text = profiles_get(
		profile->profiles, PROFILE_SECTION_SSO_SESSION, session, key);

	return text && text[0] != '\0' ? text : NULL;
}

/* What the session says; the profile may repeat it, not contradict it. */
static int take_session_text(const struct profile *profile, const char *key,
			     const char **ret, struct err *err)
{
	const char *session = profile_text(profile, "sso_session");
	const char *own = profile_text(profile, key);
	const char *text = session_text(profile, session, key);

	if (own && (!text || strcmp(own, text) != 0))
		return err_set(err, -EINVAL,
			       "profile '%.128s': %s is not that of "
			       "[sso-session %.128s]",
			       profile->name, key, session);
	if (!text)
		return err_set(err, -EINVAL,
			       "[sso-session %.128s]: %s is "
			       "missing",
			       session, key);
	*ret = text;
	return 0;
}

static int find_session(const struct profile *profile,
			struct profile_chain *chain, struct err *err)
{
	int r;

	if (!profiles_has(profile->profiles, PROFILE_SECTION_SSO_SESSION,
			  chain->sso_session))
		return err_set(err, -EINVAL,
			       "profile '%.128s': there is no [sso-session "
			       "%.128s]",
			       profile->name, chain->sso_session);
	r = take_session_text(profile, "sso_region", &chain->sso_region, err);
	if (r == 0)
		r = take_session_text(profile, "sso_start_url",
				      &chain->sso_start_url, err);
	return r < 0 ? r : MEANT;
}

static int find_sso(const struct profile *profile, struct profile_chain *chain,
		    struct err *err)
{
	chain->sso_session = profile_text(profile, "sso_session");
	chain->sso_region = profile_text(profile, "sso_region");
	chain->sso_start_url = profile_text(profile, "sso_start_url");
	chain->sso_account = profile_text(profile, "sso_account_id");
	chain->sso_role = profile_text(profile, "sso_role_name");
	/* region and URL alone are for commands that log in */
	if (!chain->sso_session && !chain->sso_account && !chain->sso_role)
		return NOT_MEANT;
	if (!chain->sso_account != !chain->sso_role)
		return fail(profile,
			    "sso_account_id and sso_role_name need each other",
			    err);
	chain->kind = PROFILE_SOURCE_SSO;
	if (chain->sso_session)
		return find_session(profile, chain, err);
	if (!chain->sso_region || !chain->sso_start_url)
		return fail(profile,
			    "SSO needs sso_session, or sso_region and "
			    "sso_start_url",
			    err);
	return MEANT;
}

static int find_login(const struct profile *profile,
		      struct profile_chain *chain, struct err *err)
{
	(void)err;
	chain->login_session = profile_text(profile, "login_session");
	chain->kind = PROFILE_SOURCE_LOGIN;
	return chain->login_session ? MEANT : NOT_MEANT;
}

static int find_process(const struct profile *profile,
			struct profile_chain *chain, struct err *err)
{
	(void)err;
	chain->process = profile_text(profile, "credential_process");
	chain->kind = PROFILE_SOURCE_PROCESS;
	return chain->process ? MEANT : NOT_MEANT;
}

int profile_source_find(const struct profile *profile,
			struct profile_chain *chain, struct err *err)
{
	static int (*const questions[])(const struct profile *,
					struct profile_chain *,
					struct err *) = {
		find_keys,  find_web_identity, find_sso,
		find_login, find_process,
	};

	chain->profile = profile->name;
	for (size_t i = 0; i < ARRAY_SIZE(questions); i++) {
		int r = questions[i](profile, chain, err);

		if (r != NOT_MEANT)
			return r < 0 ? r : 0;
	}
	return err_set(err, -ENODATA,
		       "profile '%.128s' says nothing of credentials",
		       profile->name);
}
