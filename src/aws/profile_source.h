/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AWS_PROFILE_SOURCE_H
#define AWS_PROFILE_SOURCE_H

#include <stdbool.h>

struct err;
struct profile_chain;
struct profiles;

/* The one profile of a chain that has keys, or says whom to ask for them. */

struct profile {
	const struct profiles *profiles;
	const char *name;
};

/* A property that is there and not empty, or NULL. */
const char *profile_text(const struct profile *profile, const char *key);

/* Whether one of the two that make up keys is there. */
bool profile_has_keys(const struct profile *profile);

/* Fills kind, profile, and what belongs to the kind. -ENODATA, -EINVAL as for
 * profile_chain_find(). */
int profile_source_find(const struct profile *profile,
			struct profile_chain *chain, struct err *err);

#endif
