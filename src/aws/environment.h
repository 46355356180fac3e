/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AWS_ENVIRONMENT_H
#define AWS_ENVIRONMENT_H

#include "base/buf.h"

#include <stdbool.h>

struct commands;
struct err;
struct profile_settings;

/*
 * What the environment says about AWS ("Environment variables to configure the
 * AWS CLI"; "AWS SDKs and Tools Reference Guide"). This is the only place
 * where this room's settings from outside enter it.
 *
 * Texts are NULL where a variable is unset or empty. Credentials are empty
 * bufs instead.
 */

struct aws_environment {
	const char *region;	    /* AWS_REGION */
	const char *default_region; /* AWS_DEFAULT_REGION */
	const char *profile_region; /* of the profile */

	const char *endpoint_url;		  /* AWS_ENDPOINT_URL */
	const char *endpoint_url_secrets_manager; /* ..._SECRETS_MANAGER */
	const char *endpoint_url_ssm;		  /* ..._SSM */
	const char *endpoint_url_sts;		  /* ..._STS */
	const char *ignore_endpoint_urls; /* AWS_IGNORE_CONFIGURED_ENDPOINT_URLS
					   */
	const char *sts_regional_endpoints; /* AWS_STS_REGIONAL_ENDPOINTS */
	const char *use_fips;		    /* AWS_USE_FIPS_ENDPOINT */
	const char *use_dualstack;	    /* AWS_USE_DUALSTACK_ENDPOINT */
	const char *ca_bundle; /* AWS_CA_BUNDLE: for http_settings */

	const char *access_key_id;    /* AWS_ACCESS_KEY_ID */
	struct buf secret_key;	      /* AWS_SECRET_ACCESS_KEY */
	struct buf session_token;     /* AWS_SESSION_TOKEN */
	const char *node;	      /* NODE_NAME, as pods are told it */
	const char *home;	      /* HOME */
	const char *profile;	      /* AWS_PROFILE */
	const char *config_file;      /* AWS_CONFIG_FILE */
	const char *credentials_file; /* AWS_SHARED_CREDENTIALS_FILE */
	const char *role_arn;	      /* AWS_ROLE_ARN */
	const char *token_file;	      /* AWS_WEB_IDENTITY_TOKEN_FILE */
	const char *session_name;     /* AWS_ROLE_SESSION_NAME */
	const char *container_path; /* AWS_CONTAINER_CREDENTIALS_RELATIVE_URI */
	const char *container_url;  /* AWS_CONTAINER_CREDENTIALS_FULL_URI */
	const char
		*container_token_file; /* AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE
					*/
	struct buf container_token;    /* AWS_CONTAINER_AUTHORIZATION_TOKEN */

	const char *metadata_disabled; /* AWS_EC2_METADATA_DISABLED */
	const char *metadata_endpoint; /* AWS_EC2_METADATA_SERVICE_ENDPOINT */
	const char *metadata_mode; /* AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE */
	const char *endpoint_url_sso; /* AWS_ENDPOINT_URL_SSO */
	const char *login_cache;      /* AWS_LOGIN_CACHE_DIRECTORY */

	/* not of the environment, but of options: a profile that beats keys in
	 * it; who runs credential_process, NULL: nobody; both are borrowed */
	bool is_profile_chosen;
	struct commands *commands;

	/* profile_settings.h fills what the profile says of the above, and */
	struct profile_settings *settings; /* NULL: not read */
};

/*
 * Reads the process's environment; a set-user-id process has none. Texts are
 * borrowed from it, so it must not be changed after this. Secret key and
 * session token are moved: wiped in the environment, so that this can be done
 * once in a process.
 *
 * 0 and ret to be released by aws_environment_done(); -EINVAL for a credential
 * that is too long, -ENOMEM.
 */
int aws_environment_read(struct aws_environment *ret, struct err *err);

void aws_environment_done(struct aws_environment *environment);

/*
 * For whoever starts a process that sees less: names the files of profiles that
 * are in the home in the environment, where nothing names others. So the other
 * process knows that they are there, and does not work as somebody else where
 * it may not read them. 0, -ENOMEM with err filled.
 */
int aws_environment_name_files(struct err *err);

#define cleanup_aws_environment CLEANUP(aws_environment_done)

#endif
