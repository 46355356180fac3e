/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AWS_PROFILE_SETTINGS_H
#define AWS_PROFILE_SETTINGS_H

struct aws_environment;
struct err;
struct profiles;

/* What a profile says beside credentials, for what the environment leaves open:
 * region and endpoints. */

struct profile_settings;

/*
 * Reads the files of profiles and adds them to the environment, once. Regions
 * and endpoints of the profile fill members that are NULL; an endpoint of the
 * environment, also one for all services, beats every endpoint of the profile.
 *
 * A file that cannot be used fills nothing; what is wrong with it is told by
 * profile_settings_get(). -EINVAL with err filled for a setting that is wrong,
 * -ENOMEM.
 */
int profile_settings_add(struct aws_environment *environment, struct err *err);

/* The profiles as they were read, or NULL with err filled: why they were not.
 * Borrowed from the environment. */
const struct profiles *
profile_settings_get(const struct aws_environment *environment,
		     struct err *err);

/* NULL is allowed. */
void profile_settings_free(struct profile_settings *settings);

#endif
