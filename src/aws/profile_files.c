/* SPDX-License-Identifier: Apache-2.0 */
/* The files are found and read, nothing about them is kept: whoever edits them
 * is heard when keys are next asked for. */
#include "aws/profile_files.h"
#include "aws/environment.h"
#include "aws/profiles.h"
#include "aws/small_file.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/macros.h"

#include <errno.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PASSWD_LINE_MAX 8192

int profile_path_expand(const struct aws_environment *environment,
			const char *path, char ret[PATH_MAX], struct err *err)
{
	char line[PASSWD_LINE_MAX];
	const char *home = environment->home;
	struct passwd entry;
	struct passwd *found = NULL;
	int length;

	ret[0] = '\0';
	if (strncmp(path, "~/", 2) != 0) {
		length = snprintf(ret, PATH_MAX, "%s", path);
	} else {
		if (!home &&
		    getpwuid_r(geteuid(), &entry, line, sizeof(line), &found) ==
			    0 &&
		    found)
			home = found->pw_dir;
		if (!home)
			return 0;
		length = snprintf(ret, PATH_MAX, "%s%s", home, path + 1);
	}
	if (length < 0 || length >= PATH_MAX)
		return err_set(err, -EINVAL, "the path of %.64s is too long",
			       path);
	return 0;
}

int profile_paths_find(const struct aws_environment *environment,
		       struct profile_paths *ret, struct err *err)
{
	const char *config = environment->config_file;
	const char *credentials = environment->credentials_file;
	int r = profile_path_expand(environment,
				    config ? config : "~/.aws/config",
				    ret->config, err);

	if (r < 0)
		return r;
	return profile_path_expand(
		environment, credentials ? credentials : "~/.aws/credentials",
		ret->credentials, err);
}

const char *profile_name(const struct aws_environment *environment)
{
	return environment->profile ? environment->profile : "default";
}

/* A user's own files are for nobody else, and the worker is never root. */
static int add_remedy(enum profile_file file, struct err *err)
{
	const struct err why = *err;

	return err_set(
		err, why.code, "%s; %s names a copy, or /dev/null", why.text,
		file == PROFILE_FILE_CONFIG ? "AWS_CONFIG_FILE"
					    : "AWS_SHARED_CREDENTIALS_FILE");
}

/* is_named: somebody said that this is the file. */
static int add_file(struct profiles *profiles, enum profile_file file,
		    const char *path, bool is_named, struct err *err)
{
	cleanup_buf struct buf text;
	int r;

	buf_init(&text, PROFILES_FILE_MAX);
	/* the usual way to say that there is none */
	if (path[0] == '\0' || strcmp(path, "/dev/null") == 0)
		return 0;
	r = small_file_read("file of profiles", path, PROFILES_FILE_MAX, &text,
			    err);
	if (r == -ENOENT || (r == -EPERM && !is_named))
		return 0;
	if (r == -EACCES || r == -EPERM)
		return add_remedy(file, err);
	if (r < 0)
		return r;
	return profiles_parse(profiles, file, path, buf_text(&text),
			      text.length, err);
}

int profile_files_read(const struct aws_environment *environment,
		       struct profiles **ret, struct err *err)
{
	cleanup_profiles struct profiles *profiles = profiles_new();
	struct profile_paths paths;
	int r;

	if (!profiles)
		return err_set(err, -ENOMEM, "no memory for profiles");
	r = profile_paths_find(environment, &paths, err);
	if (r == 0)
		r = add_file(profiles, PROFILE_FILE_CONFIG, paths.config,
			     environment->config_file != NULL, err);
	if (r == 0)
		r = add_file(profiles, PROFILE_FILE_CREDENTIALS,
			     paths.credentials,
			     environment->credentials_file != NULL, err);
	if (r == 0)
		*ret = TAKE(profiles);
	return r;
}
