/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order of providers as a table of questions: the first that finds itself
 * configured decides, also when what it decides is to refuse.
 */
#include "aws/provider.h"
#include "aws/environment.h"
#include "aws/keys.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/macros.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a question answers, beside negative errno. */
enum {
	NOT_CONFIGURED,
	CHOSEN,
};

struct question {
	const struct aws_environment *environment;
	const char *region;
	struct provider *provider;
	struct err *err;
};

static int set_identity(struct question *question, const char *what,
			const char *name)
{
	if (asprintf(&question->provider->identity, "%s %s", what, name) < 0) {
		question->provider->identity = NULL;
		return err_set(question->err, -ENOMEM, "no memory");
	}
	return CHOSEN;
}

static int ask_environment_keys(struct question *question)
{
	const struct aws_environment *environment = question->environment;
	const struct keys_text text = {
		.id = environment->access_key_id,
		.secret = buf_text(&environment->secret_key),
		.token = buf_text(&environment->session_token),
	};
	int r;

	if (!text.id && text.secret[0] == '\0')
		return NOT_CONFIGURED;
	if (!text.id || text.secret[0] == '\0')
		return err_set(
			question->err, -EINVAL, "%s is set, but %s is not",
			text.id ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY",
			text.id ? "AWS_SECRET_ACCESS_KEY"
				: "AWS_ACCESS_KEY_ID");
	r = keys_new(&text, 0, &question->provider->keys);
	if (r < 0)
		return err_set(question->err, r,
			       "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and "
			       "AWS_SESSION_TOKEN must be printable ASCII "
			       "without blanks");
	question->provider->kind = PROVIDER_ENVIRONMENT;
	return set_identity(question, "key", text.id);
}

static int ask_profile(struct question *question)
{
	if (!question->environment->profile)
		return NOT_CONFIGURED;
	return err_set(question->err, -EINVAL,
		       "AWS_PROFILE is set, but profiles are not supported "
		       "yet");
}

static int ask_web_identity(struct question *question)
{
	const struct aws_environment *environment = question->environment;
	struct provider *provider = question->provider;
	int r;

	if (!environment->token_file)
		return NOT_CONFIGURED;
	if (!environment->role_arn)
		return err_set(question->err, -EINVAL,
			       "AWS_WEB_IDENTITY_TOKEN_FILE is set, but "
			       "AWS_ROLE_ARN is not");
	r = sts_session_name(environment->session_name, provider->session_name,
			     question->err);
	if (r == 0)
		r = endpoint_find(AWS_SERVICE_STS, question->region, NULL,
				  environment, &provider->endpoint,
				  question->err);
	if (r < 0)
		return r;
	provider->kind = PROVIDER_WEB_IDENTITY;
	provider->role = (struct sts_role){
		.arn = environment->role_arn,
		.token_file = environment->token_file,
		.session_name = provider->session_name,
	};
	return set_identity(question, "role", environment->role_arn);
}

static int ask_container(struct question *question)
{
	const struct aws_environment *environment = question->environment;

	if (!environment->container_path && !environment->container_url)
		return NOT_CONFIGURED;
	return err_set(question->err, -EINVAL,
		       "%s is set, but container credentials are not supported "
		       "yet",
		       environment->container_path
			       ? "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
			       : "AWS_CONTAINER_CREDENTIALS_FULL_URI");
}

int provider_choose(const struct aws_environment *environment,
		    const char *region, struct provider *ret, struct err *err)
{
	static int (*const questions[])(struct question *) = {
		ask_environment_keys,
		ask_profile,
		ask_web_identity,
		ask_container,
	};
	struct question question = { environment, region, ret, err };

	for (size_t i = 0; i < ARRAY_SIZE(questions); i++) {
		int r = questions[i](&question);

		if (r != NOT_CONFIGURED)
			return r < 0 ? r : 0;
	}
	return err_set(err, -EACCES,
		       "no AWS credentials: looked for AWS_ACCESS_KEY_ID with "
		       "AWS_SECRET_ACCESS_KEY, and AWS_WEB_IDENTITY_TOKEN_FILE "
		       "with AWS_ROLE_ARN");
}

void provider_done(struct provider *provider)
{
	keys_unref(provider->keys);
	free(provider->identity);
	*provider = (struct provider){ 0 };
}

int provider_check(const struct provider *provider, struct err *err)
{
	cleanup_buf struct buf token;
	int r;

	buf_init(&token, STS_TOKEN_MAX);
	if (provider->kind != PROVIDER_WEB_IDENTITY)
		return 0;
	r = sts_token_read(provider->role.token_file, &token, err);
	if (r < 0)
		(void)err_wrap(err, "AWS_WEB_IDENTITY_TOKEN_FILE");
	return r;
}
