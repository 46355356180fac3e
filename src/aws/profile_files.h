/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AWS_PROFILE_FILES_H
#define AWS_PROFILE_FILES_H

#include <limits.h>

struct aws_environment;
struct err;
struct profiles;

/* Where the files of profiles are, and what they hold now. */

struct profile_paths {
	char config[PATH_MAX];
	char credentials[PATH_MAX];
};

/*
 * AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE, else config and credentials
 * in ~/.aws. "~/" at the beginning is HOME, and without that what the system
 * says of the user. A path is "" where no home is known. -EINVAL for one that
 * is too long.
 */
int profile_paths_find(const struct aws_environment *environment,
		       struct profile_paths *ret, struct err *err);

/* "~/" at the beginning of a path is the user's home; "" where none is known.
 * -EINVAL for a path that is too long. */
int profile_path_expand(const struct aws_environment *environment,
			const char *path, char ret[PATH_MAX], struct err *err);

/* Which profile is meant: AWS_PROFILE, else "default". */
const char *profile_name(const struct aws_environment *environment);

/*
 * Reads both files anew; one that is not there is empty, as is /dev/null. So is
 * one in a home that we may not look into: whether somebody has profiles there
 * cannot be told. -EACCES, -EINVAL or another code with err filled, naming the
 * file, for one that is there and cannot be read; -ENOMEM.
 */
int profile_files_read(const struct aws_environment *environment,
		       struct profiles **ret, struct err *err);

#endif
