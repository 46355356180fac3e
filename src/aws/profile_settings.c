/* SPDX-License-Identifier: Apache-2.0 */
/* The profile is written into the environment as if it stood there, so that no
 * other part of this room has to know where a setting came from. */
#include "aws/profile_settings.h"
#include "aws/endpoint.h"
#include "aws/environment.h"
#include "aws/profile_files.h"
#include "aws/profile_source.h"
#include "aws/profiles.h"
#include "base/err.h"
#include "base/macros.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SERVICES_MAX 5

struct profile_settings {
	struct profiles *profiles; /* NULL: they cannot be read */
	struct err err;		   /* why */
	char endpoint_urls[SERVICES_MAX][ENDPOINT_URL_SIZE];
};

void profile_settings_free(struct profile_settings *settings)
{
	if (!settings)
		return;
	profiles_free(settings->profiles);
	free(settings);
}

const struct profiles *
profile_settings_get(const struct aws_environment *environment, struct err *err)
{
	const struct profile_settings *settings = environment->settings;

	if (settings && settings->profiles)
		return settings->profiles;
	(void)err_set(err, settings ? settings->err.code : -ENOENT, "%s",
		      settings ? settings->err.text : "no profiles were read");
	return NULL;
}

static void fill(const char **member, const char *text)
{
	if (!*member)
		*member = text;
}

static void fill_texts(struct aws_environment *environment,
		       const struct profile *profile)
{
	struct aws_environment *e = environment;
	const struct {
		const char *key;
		const char **member;
	} texts[] = {
		{ "region", &e->profile_region },
		{ "ignore_configured_endpoint_urls", &e->ignore_endpoint_urls },
		{ "sts_regional_endpoints", &e->sts_regional_endpoints },
		{ "use_fips_endpoint", &e->use_fips },
		{ "use_dualstack_endpoint", &e->use_dualstack },
		{ "ca_bundle", &e->ca_bundle },
		{ "ec2_metadata_service_endpoint", &e->metadata_endpoint },
		{ "ec2_metadata_service_endpoint_mode", &e->metadata_mode },
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		fill(texts[i].member, profile_text(profile, texts[i].key));
}

/* An endpoint that the services section has for a service; "" for none. */
static int read_endpoint(const struct profile *profile, const char *services,
			 const char *service, char ret[ENDPOINT_URL_SIZE],
			 struct err *err)
{
	const char *value = profiles_get(
		profile->profiles, PROFILE_SECTION_SERVICES, services, service);
	struct endpoint endpoint;
	char what[192];
	size_t length = 0;
	const char *url =
		value ? profiles_get_sub(value, "endpoint_url", &length) : NULL;
	int r;

	ret[0] = '\0';
	if (!url || length == 0)
		return 0;
	(void)snprintf(what, sizeof(what), "[services %.64s], %s, endpoint_url",
		       services, service);
	if (length >= ENDPOINT_URL_SIZE)
		return err_set(err, -EINVAL, "%s is too long", what);
	(void)snprintf(ret, ENDPOINT_URL_SIZE, "%.*s", (int)length, url);
	r = endpoint_parse(what, ret, &endpoint, err);
	if (r == 0)
		memcpy(ret, endpoint.url, ENDPOINT_URL_SIZE);
	return r;
}

static int fill_endpoints(struct aws_environment *environment,
			  const struct profile *profile, struct err *err)
{
	struct aws_environment *e = environment;
	const char *services = profile_text(profile, "services");
	const struct {
		const char *service; /* as the section has it */
		const char **member;
	} endpoints[] = {
		{ "secrets_manager", &e->endpoint_url_secrets_manager },
		{ "ssm", &e->endpoint_url_ssm },
		{ "sts", &e->endpoint_url_sts },
		{ "sso", &e->endpoint_url_sso },
	};

	_Static_assert(ARRAY_SIZE(endpoints) <= SERVICES_MAX,
		       "a place for each service");
	if (e->endpoint_url)
		return 0;
	for (size_t i = 0; services && i < ARRAY_SIZE(endpoints); i++) {
		char *url = e->settings->endpoint_urls[i];
		int r = read_endpoint(profile, services, endpoints[i].service,
				      url, err);

		if (r < 0)
			return r;
		if (url[0] != '\0')
			fill(endpoints[i].member, url);
	}
	fill(&e->endpoint_url, profile_text(profile, "endpoint_url"));
	return 0;
}

int profile_settings_add(struct aws_environment *environment, struct err *err)
{
	struct profile_settings *settings = calloc(1, sizeof(*settings));
	struct profile profile = { .name = profile_name(environment) };
	int r;

	if (!settings)
		return err_set(err, -ENOMEM, "no memory for profiles");
	environment->settings = settings;
	r = profile_files_read(environment, &settings->profiles,
			       &settings->err);
	if (r == -ENOMEM)
		return err_set(err, r, "no memory for profiles");
	if (r < 0)
		return 0;
	profile.profiles = settings->profiles;
	fill_texts(environment, &profile);
	return fill_endpoints(environment, &profile, err);
}
