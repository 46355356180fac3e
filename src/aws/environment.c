/* SPDX-License-Identifier: Apache-2.0 */
/* One table from variables to members. Those that are secret do not stay in
 * the environment, where /proc and every child would show them. */
#include "aws/environment.h"
#include "aws/profile_settings.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/macros.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define CREDENTIAL_MAX (16U << 10)

static char *find_variable(const char *name)
{
	char *value = secure_getenv(name);

	return value && *value != '\0' ? value : NULL;
}

static void read_texts(struct aws_environment *environment)
{
	struct aws_environment *e = environment;
	const struct {
		const char *name;
		const char **member;
	} texts[] = {
		{ "AWS_REGION", &e->region },
		{ "AWS_DEFAULT_REGION", &e->default_region },
		{ "AWS_ENDPOINT_URL", &e->endpoint_url },
		{ "AWS_ENDPOINT_URL_SECRETS_MANAGER",
		  &e->endpoint_url_secrets_manager },
		{ "AWS_ENDPOINT_URL_SSM", &e->endpoint_url_ssm },
		{ "AWS_ENDPOINT_URL_STS", &e->endpoint_url_sts },
		{ "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
		  &e->ignore_endpoint_urls },
		{ "AWS_STS_REGIONAL_ENDPOINTS", &e->sts_regional_endpoints },
		{ "AWS_USE_FIPS_ENDPOINT", &e->use_fips },
		{ "AWS_USE_DUALSTACK_ENDPOINT", &e->use_dualstack },
		{ "AWS_CA_BUNDLE", &e->ca_bundle },
		{ "AWS_ACCESS_KEY_ID", &e->access_key_id },
		{ "NODE_NAME", &e->node },
		{ "HOME", &e->home },
		{ "AWS_PROFILE", &e->profile },
		{ "AWS_CONFIG_FILE", &e->config_file },
		{ "AWS_SHARED_CREDENTIALS_FILE", &e->credentials_file },
		{ "AWS_ROLE_ARN", &e->role_arn },
		{ "AWS_WEB_IDENTITY_TOKEN_FILE", &e->token_file },
		{ "AWS_ROLE_SESSION_NAME", &e->session_name },
		{ "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
		  &e->container_path },
		{ "AWS_CONTAINER_CREDENTIALS_FULL_URI", &e->container_url },
		{ "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
		  &e->container_token_file },
		{ "AWS_EC2_METADATA_DISABLED", &e->metadata_disabled },
		{ "AWS_EC2_METADATA_SERVICE_ENDPOINT", &e->metadata_endpoint },
		{ "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", &e->metadata_mode },
		{ "AWS_ENDPOINT_URL_SSO", &e->endpoint_url_sso },
		{ "AWS_LOGIN_CACHE_DIRECTORY", &e->login_cache },
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		*texts[i].member = find_variable(texts[i].name);
}

static int take_credential(const char *name, struct buf *out, struct err *err)
{
	char *value = find_variable(name);
	int r;

	if (!value)
		return 0;
	r = buf_append_text(out, value);
	explicit_bzero(value, strlen(value));
	if (r == -EFBIG)
		return err_set(err, -EINVAL, "%s is longer than %u bytes", name,
			       CREDENTIAL_MAX);
	if (r < 0)
		return err_set(err, r, "no memory for %s", name);
	return 0;
}

static int take_credentials(struct aws_environment *environment,
			    struct err *err)
{
	const struct {
		const char *name;
		struct buf *out;
	} credentials[] = {
		{ "AWS_SECRET_ACCESS_KEY", &environment->secret_key },
		{ "AWS_SESSION_TOKEN", &environment->session_token },
		{ "AWS_CONTAINER_AUTHORIZATION_TOKEN",
		  &environment->container_token },
	};

	for (size_t i = 0; i < ARRAY_SIZE(credentials); i++) {
		int r;

		buf_init(credentials[i].out, CREDENTIAL_MAX);
		r = take_credential(credentials[i].name, credentials[i].out,
				    err);
		if (r < 0)
			return r;
	}
	return 0;
}

int aws_environment_read(struct aws_environment *ret, struct err *err)
{
	struct aws_environment environment = { 0 };
	int r;

	read_texts(&environment);
	r = take_credentials(&environment, err);
	if (r < 0) {
		aws_environment_done(&environment);
		return r;
	}
	*ret = environment;
	return 0;
}

void aws_environment_done(struct aws_environment *environment)
{
	buf_done(&environment->secret_key);
	buf_done(&environment->session_token);
	buf_done(&environment->container_token);
	profile_settings_free(environment->settings);
	*environment = (struct aws_environment){ 0 };
}

static int name_file(const char *variable, const char *home, const char *name,
		     struct err *err)
{
	struct stat status;
	char *path;
	int r = 0;

	if (find_variable(variable))
		return 0;
	if (asprintf(&path, "%s/%s", home, name) < 0)
		return err_set(err, -ENOMEM, "no memory for %s", variable);
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): before there are threads */
	if (stat(path, &status) == 0 && setenv(variable, path, 1) < 0)
		r = err_set(err, -ENOMEM, "no memory for %s", variable);
	free(path);
	return r;
}

int aws_environment_name_files(struct err *err)
{
	const char *home = find_variable("HOME");
	int r;

	if (!home)
		return 0;
	r = name_file("AWS_CONFIG_FILE", home, ".aws/config", err);
	if (r < 0)
		return r;
	return name_file("AWS_SHARED_CREDENTIALS_FILE", home,
			 ".aws/credentials", err);
}
