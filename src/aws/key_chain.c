/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order of providers as a table of questions. Each answers that it is not
 * configured, and why, or makes the provider, or fails, which ends the search.
 */
#include "aws/key_chain.h"
#include "aws/environment.h"
#include "aws/key_provider.h"
#include "aws/key_providers.h"
#include "aws/profile_files.h"
#include "aws/small_file.h"
#include "aws/sts.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/macros.h"

#include <errno.h>

typedef int ask_provider(const struct key_context *context,
			 struct key_provider **ret, struct err *err);

/* One that was named: that it is not there is a fault. */
static int ask_named_profile(const struct key_context *context,
			     const char *what, struct key_provider **ret,
			     struct err *err)
{
	const char *profile = context->environment->profile;
	int r = profile_provider_new(context, profile, ret, err);

	if (r < 0 && r != -ENOMEM) {
		err->code = -EINVAL;
		r = err_wrap(err, "%s=%.128s", what, profile);
	}
	return r;
}

static int ask_chosen_profile(const struct key_context *context,
			      struct key_provider **ret, struct err *err)
{
	if (!context->environment->is_profile_chosen)
		return err_set(err, -ENOENT, "not given");
	return ask_named_profile(context, "--profile", ret, err);
}

static int ask_profile(const struct key_context *context,
		       struct key_provider **ret, struct err *err)
{
	if (!context->environment->profile)
		return err_set(err, -ENOENT, "not set");
	return ask_named_profile(context, "AWS_PROFILE", ret, err);
}

static int ask_web_identity(const struct key_context *context,
			    struct key_provider **ret, struct err *err)
{
	const struct aws_environment *environment = context->environment;
	const struct sts_role role = {
		.arn = environment->role_arn,
		.token_file = environment->token_file,
		.session_name = environment->session_name,
	};

	if (!role.token_file)
		return err_set(err, -ENOENT,
			       "AWS_WEB_IDENTITY_TOKEN_FILE is not set");
	if (!role.arn)
		return err_set(err, -EINVAL,
			       "AWS_WEB_IDENTITY_TOKEN_FILE is set, but "
			       "AWS_ROLE_ARN is not");
	return web_identity_new(context, &role, true, ret, err);
}

/* Where it was looked for, and whether one could look there. */
static int explain_no_default(const struct key_context *context,
			      struct err *err)
{
	cleanup_buf struct buf text;
	struct profile_paths paths;
	int r = profile_paths_find(context->environment, &paths, err);

	buf_init(&text, 1U << 20);
	if (r < 0)
		return r;
	r = paths.config[0] == '\0'
		    ? 0
		    : small_file_read("file of profiles", paths.config, 1 << 19,
				      &text, err);
	if (r != -EPERM)
		(void)err_set(err, -ENOENT,
			      "no credentials of it in '%.160s' and '%.160s'",
			      paths.config, paths.credentials);
	err->code = -ENOENT;
	return -ENOENT;
}

/* One that nobody named, and that says nothing, is not configured. */
static int ask_default_profile(const struct key_context *context,
			       struct key_provider **ret, struct err *err)
{
	int r = profile_provider_new(context, "default", ret, err);

	return r == -ENOENT || r == -ENODATA ? explain_no_default(context, err)
					     : r;
}

static const struct {
	const char *what;
	ask_provider *ask;
} questions[] = {
	{ "--profile", ask_chosen_profile },
	{ "environment", environment_keys_new },
	{ "AWS_PROFILE", ask_profile },
	{ "web identity", ask_web_identity },
	{ "default profile", ask_default_profile },
	{ "container", container_keys_new },
	{ "instance", instance_keys_new },
};

_Static_assert(ARRAY_SIZE(questions) <= KEY_CHAIN_MAX, "a note for each");

int key_chain_choose(const struct key_context *context, struct key_chain *ret,
		     struct err *err)
{
	*ret = (struct key_chain){ 0 };
	for (size_t i = 0; i < ARRAY_SIZE(questions); i++) {
		struct key_chain_note *note = &ret->notes[ret->note_count++];
		int r;

		note->what = questions[i].what;
		r = questions[i].ask(context, &ret->chosen, &note->why);
		if (r == 0) {
			note->why = (struct err){ 0 };
			return 0;
		}
		if (r != -ENOENT) {
			if (err)
				*err = note->why;
			return r;
		}
	}
	return err_set(err, -EACCES,
		       "no AWS credentials: looked for AWS_ACCESS_KEY_ID, "
		       "AWS_PROFILE, AWS_WEB_IDENTITY_TOKEN_FILE, a default "
		       "profile and AWS_CONTAINER_CREDENTIALS_*, and "
		       "AWS_EC2_METADATA_DISABLED is true");
}
