/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AWS_PROFILE_CHAIN_H
#define AWS_PROFILE_CHAIN_H

#include <stddef.h>

struct err;
struct profiles;

/*
 * What a profile's settings come to: where keys come from, and which roles are
 * assumed with them, one after the other.
 */

#define PROFILE_ROLES_MAX 16

enum profile_source_kind {
	PROFILE_SOURCE_KEYS,
	PROFILE_SOURCE_WEB_IDENTITY,
	PROFILE_SOURCE_SSO,
	PROFILE_SOURCE_LOGIN,
	PROFILE_SOURCE_PROCESS,
	/* credential_source */
	PROFILE_SOURCE_ENVIRONMENT,
	PROFILE_SOURCE_INSTANCE,
	PROFILE_SOURCE_CONTAINER,
};

/* A role to assume; texts are NULL and the duration 0 where nothing is said. */
struct profile_role {
	const char *profile; /* that says so */
	const char *arn;
	const char *session_name;
	const char *external_id;
	unsigned duration_s;
};

struct profile_chain {
	enum profile_source_kind kind;
	const char *profile; /* that has the source */

	const char *token_file;	  /* web identity; its role is role */
	struct profile_role role; /* web identity */
	const char *sso_session;  /* NULL: settings of the profile itself */
	const char *sso_start_url;
	const char *sso_region;
	const char *sso_account; /* NULL: the profile is for tokens only */
	const char *sso_role;
	const char *login_session;
	const char *process;

	struct profile_role roles[PROFILE_ROLES_MAX]; /* the first first */
	size_t role_count;
};

/*
 * Within a profile role_arn comes first, then keys, a token's file, SSO, a
 * login, a process; in a profile that another one names as its source keys come
 * first. A profile may name itself as its source where it is the first one and
 * has keys.
 *
 * Borrows profiles and name. -ENOENT: there is no such profile (name's, not a
 * source's); -ENODATA: it says nothing of credentials; -EINVAL: what it says is
 * not enough, or contradicts itself. err names profile and property.
 */
int profile_chain_find(const struct profiles *profiles, const char *name,
		       struct profile_chain *ret, struct err *err);

#endif
