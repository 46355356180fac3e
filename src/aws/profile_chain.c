/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A walk from profile to profile, which each time either finds the source of
 * keys, which ends it, or a role and the profile to go on with. Roles are found
 * from the last to the first.
 */
#include "aws/profile_chain.h"
#include "aws/profile_source.h"
#include "aws/profiles.h"
#include "base/err.h"
#include "base/macros.h"
#include "base/parse.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

/* AssumeRole, "DurationSeconds" */
#define DURATION_MIN_S 900
#define DURATION_MAX_S 43200

struct walk {
	const struct profiles *profiles;
	const char *visited[PROFILE_ROLES_MAX + 1];
	size_t visited_count;
	struct profile_chain *chain;
	struct err *err;
};

static int read_duration(const struct walk *walk, const char *profile,
			 unsigned *ret)
{
	const char *text = profiles_get(walk->profiles, PROFILE_SECTION_PROFILE,
					profile, "duration_seconds");
	uint64_t duration_s = 0;

	if (text && (parse_decimal(text, DURATION_MAX_S, &duration_s) < 0 ||
		     duration_s < DURATION_MIN_S))
		return err_set(walk->err, -EINVAL,
			       "profile '%.128s': duration_seconds must be a "
			       "number from 900 to 43200",
			       profile);
	*ret = (unsigned)duration_s;
	return 0;
}

static int read_role(const struct walk *walk, const char *profile,
		     struct profile_role *ret)
{
	const struct profile p = { walk->profiles, profile };

	*ret = (struct profile_role){
		.profile = profile,
		.arn = profile_text(&p, "role_arn"),
		.session_name = profile_text(&p, "role_session_name"),
		.external_id = profile_text(&p, "external_id"),
	};
	if (profile_text(&p, "mfa_serial"))
		return err_set(walk->err, -EINVAL,
			       "profile '%.128s': mfa_serial needs somebody "
			       "who types a code, and nobody is asked here",
			       profile);
	return read_duration(walk, profile, &ret->duration_s);
}

static int set_named_source(struct walk *walk, const char *profile,
			    const char *source)
{
	static const struct {
		const char *name;
		enum profile_source_kind kind;
	} sources[] = {
		{ "Environment", PROFILE_SOURCE_ENVIRONMENT },
		{ "Ec2InstanceMetadata", PROFILE_SOURCE_INSTANCE },
		{ "EcsContainer", PROFILE_SOURCE_CONTAINER },
	};

	for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
		if (strcasecmp(source, sources[i].name) != 0)
			continue;
		walk->chain->kind = sources[i].kind;
		walk->chain->profile = profile;
		return 0;
	}
	return err_set(walk->err, -EINVAL,
		       "profile '%.128s': credential_source must be "
		       "Environment, Ec2InstanceMetadata or EcsContainer",
		       profile);
}

/* Puts a role in front of those that are assumed with what it gives. */
static int add_role(struct walk *walk, const char *profile)
{
	struct profile_chain *chain = walk->chain;
	struct profile_role role;
	int r = read_role(walk, profile, &role);

	if (r < 0)
		return r;
	if (chain->role_count == PROFILE_ROLES_MAX)
		return err_set(walk->err, -EINVAL,
			       "profile '%.128s': more than %d roles in a row",
			       profile, PROFILE_ROLES_MAX);
	memmove(&chain->roles[1], &chain->roles[0],
		chain->role_count * sizeof(role));
	chain->roles[0] = role;
	chain->role_count++;
	return 0;
}

static bool was_visited(const struct walk *walk, const char *profile)
{
	for (size_t i = 0; i < walk->visited_count; i++)
		if (strcmp(walk->visited[i], profile) == 0)
			return true;
	return false;
}

static int check_source_profile(const struct walk *walk, const char *profile,
				const char *source)
{
	const struct profile p = { walk->profiles, source };

	if (!profiles_has(walk->profiles, PROFILE_SECTION_PROFILE, source))
		return err_set(walk->err, -EINVAL,
			       "profile '%.128s': its source_profile '%.128s' "
			       "is not there",
			       profile, source);
	if (strcmp(source, profile) == 0 && walk->visited_count == 1 &&
	    profile_has_keys(&p))
		return 0;
	if (was_visited(walk, source))
		return err_set(walk->err, -EINVAL,
			       "profile '%.128s': its source_profile '%.128s' "
			       "leads back to itself",
			       profile, source);
	return 0;
}

/* A role that the profile wants, with keys of elsewhere. *ret_next is the
 * profile to go on with, NULL where the source is found. */
static int take_role(struct walk *walk, const char *profile,
		     const char **ret_next)
{
	const struct profile p = { walk->profiles, profile };
	const char *source_profile = profile_text(&p, "source_profile");
	const char *source = profile_text(&p, "credential_source");
	int r;

	if (source_profile && source)
		return err_set(walk->err, -EINVAL,
			       "profile '%.128s': source_profile and "
			       "credential_source exclude each other",
			       profile);
	if (!source_profile && !source)
		return err_set(walk->err, -EINVAL,
			       "profile '%.128s': role_arn needs "
			       "source_profile, credential_source or "
			       "web_identity_token_file",
			       profile);
	r = add_role(walk, profile);
	if (r < 0)
		return r;
	if (source)
		return set_named_source(walk, profile, source);
	r = check_source_profile(walk, profile, source_profile);
	if (r == 0)
		*ret_next = source_profile;
	return r;
}

static bool wants_role(const struct profile *profile)
{
	return profile_text(profile, "role_arn") &&
	       (!profile_text(profile, "web_identity_token_file") ||
		profile_text(profile, "source_profile") ||
		profile_text(profile, "credential_source"));
}

static int visit(struct walk *walk, const char *profile, const char **ret_next)
{
	const struct profile p = { walk->profiles, profile };
	bool is_first = walk->visited_count == 0;
	int r;

	*ret_next = NULL;
	walk->visited[walk->visited_count++] = profile;
	if (!wants_role(&p) || (!is_first && profile_has_keys(&p)))
		r = profile_source_find(&p, walk->chain, walk->err);
	else
		return take_role(walk, profile, ret_next);
	if (r == 0 && walk->chain->kind == PROFILE_SOURCE_WEB_IDENTITY)
		r = read_role(walk, profile, &walk->chain->role);
	/* a source that is none is a fault of who named it */
	return r == -ENODATA && !is_first ? -EINVAL : r;
}

int profile_chain_find(const struct profiles *profiles, const char *name,
		       struct profile_chain *ret, struct err *err)
{
	struct profile_chain chain = { 0 };
	struct walk walk = {
		.profiles = profiles,
		.chain = &chain,
		.err = err,
	};
	const char *next = name;

	if (!profiles_has(profiles, PROFILE_SECTION_PROFILE, name))
		return err_set(err, -ENOENT, "there is no profile '%.128s'",
			       name);
	while (next) {
		int r = visit(&walk, next, &next);

		if (r < 0)
			return r;
	}
	*ret = chain;
	return 0;
}
