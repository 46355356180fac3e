/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AWS_PROFILES_H
#define AWS_PROFILES_H

#include "base/macros.h"

#include <stdbool.h>
#include <stddef.h>

struct err;

/*
 * The shared config and credentials files ("Shared config and credentials
 * files", AWS SDKs and Tools Reference Guide), as the SDKs' common suite has
 * them be read: sections of properties, whose texts may be keys, and so stand
 * in wiped memory.
 *
 * - In the config file every profile but "default" is "[profile NAME]", in the
 *   credentials file none is; "[profile default]" beats "[default]".
 * - Sections of the same name are one, the last property of a name counts, and
 *   what is read later beats what was read before: config, then credentials.
 * - Names of properties are in lower case, whatever they were written in.
 * - Values are taken as they are: no quotes, no variables.
 */

#define PROFILES_FILE_MAX (1U << 20) /* bytes of one file */

enum profile_file {
	PROFILE_FILE_CONFIG,
	PROFILE_FILE_CREDENTIALS,
};

enum profile_section {
	PROFILE_SECTION_PROFILE,
	PROFILE_SECTION_SSO_SESSION, /* [sso-session NAME] */
	PROFILE_SECTION_SERVICES,    /* [services NAME] */
};

struct profiles;

/* Without any profile. NULL: no memory. */
struct profiles *profiles_new(void);

/* NULL is allowed. */
void profiles_free(struct profiles *profiles);

/*
 * Adds what stands in a file's text; path is for errors. Once for each kind of
 * file, config first. -EINVAL with err filled, "PATH:LINE: what is wrong",
 * which never quotes the file; -ENOMEM. What was read before a fault is kept.
 */
int profiles_parse(struct profiles *profiles, enum profile_file file,
		   const char *path, const char *text, size_t length,
		   struct err *err);

/* Whether a section is there, also an empty one. */
bool profiles_has(const struct profiles *profiles, enum profile_section kind,
		  const char *name);

/* The property's value, which may be "", or NULL where there is none. Borrowed
 * until more is parsed. key is in lower case. */
const char *profiles_get(const struct profiles *profiles,
			 enum profile_section kind, const char *name,
			 const char *key);

/*
 * The value of a line "sub = value" that stands indented below a property
 * without a value of its own, as endpoint URLs do below a service's name.
 * Borrowed, not terminated by NUL; NULL: there is none.
 */
const char *profiles_get_sub(const char *value, const char *sub,
			     size_t *ret_length);

void profiles_cleanup(struct profiles **profiles);
#define cleanup_profiles CLEANUP(profiles_cleanup)

#endif
