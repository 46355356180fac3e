/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One host out of what is configured: an override as it is, else a name that
 * the partition, the service and the wished variants make. The exceptions to
 * that name are botocore's endpoint rules (endpoint-rule-set-1.json of each
 * service).
 */
#include "aws/endpoint.h"
#include "aws/environment.h"
#include "aws/partition.h"
#include "base/err.h"
#include "base/macros.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define GLOBAL_REGION "aws-global"
#define GLOBAL_STS "sts.amazonaws.com"
#define GLOBAL_STS_REGION "us-east-1" /* what is signed for there */

/* The signing names, which are the hosts' first labels too. */
static const char *const services[] = {
	[AWS_SERVICE_SECRETSMANAGER] = "secretsmanager",
	[AWS_SERVICE_SSM] = "ssm",
	[AWS_SERVICE_STS] = "sts",
};

/* What the environment says of hosts. */
struct wishes {
	bool fips;
	bool dualstack;
	bool ignores_overrides;
	bool is_legacy_sts;
};

/* A variable that is "true" or "false", as the SDKs read them. */
static int read_flag(const char *name, const char *value, bool *ret,
		     struct err *err)
{
	bool is_true = value && strcasecmp(value, "true") == 0;

	if (value && !is_true && strcasecmp(value, "false") != 0)
		return err_set(err, -EINVAL, "%s must be true or false", name);
	*ret = is_true;
	return 0;
}

static int read_legacy(const char *value, bool *ret, struct err *err)
{
	*ret = value && strcasecmp(value, "legacy") == 0;
	if (!value || *ret || strcasecmp(value, "regional") == 0)
		return 0;
	return err_set(err, -EINVAL,
		       "AWS_STS_REGIONAL_ENDPOINTS must be regional or legacy");
}

static int read_wishes(const struct aws_environment *environment,
		       struct wishes *ret, struct err *err)
{
	const struct {
		const char *name;
		const char *value;
		bool *flag;
	} flags[] = {
		{ "AWS_USE_FIPS_ENDPOINT", environment->use_fips, &ret->fips },
		{ "AWS_USE_DUALSTACK_ENDPOINT", environment->use_dualstack,
		  &ret->dualstack },
		{ "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
		  environment->ignore_endpoint_urls, &ret->ignores_overrides },
	};

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		int r = read_flag(flags[i].name, flags[i].value, flags[i].flag,
				  err);

		if (r < 0)
			return r;
	}
	return read_legacy(environment->sts_regional_endpoints,
			   &ret->is_legacy_sts, err);
}

struct override {
	const char *what;
	const char *url; /* NULL: none */
};

static struct override find_override(enum aws_service service,
				     const struct aws_environment *environment)
{
	const struct override of_service[] = {
		[AWS_SERVICE_SECRETSMANAGER] = {
			"AWS_ENDPOINT_URL_SECRETS_MANAGER",
			environment->endpoint_url_secrets_manager,
		},
		[AWS_SERVICE_SSM] = {
			"AWS_ENDPOINT_URL_SSM",
			environment->endpoint_url_ssm,
		},
		[AWS_SERVICE_STS] = {
			"AWS_ENDPOINT_URL_STS",
			environment->endpoint_url_sts,
		},
	};

	if (of_service[service].url)
		return of_service[service];
	return (struct override){ "AWS_ENDPOINT_URL",
				  environment->endpoint_url };
}

/* Nobody knows whether what was given keeps that promise. */
static int refuse_promises(const struct override *override,
			   const struct wishes *wishes, struct err *err)
{
	if (!wishes->fips && !wishes->dualstack)
		return 0;
	return err_set(err, -EINVAL, "%s=true does not go with %s",
		       wishes->fips ? "AWS_USE_FIPS_ENDPOINT"
				    : "AWS_USE_DUALSTACK_ENDPOINT",
		       override->what);
}

/* The regions of the time when STS had one endpoint. */
static bool is_legacy_region(const char *region)
{
	static const char *const regions[] = {
		"ap-northeast-1", "ap-south-1",	  "ap-southeast-1",
		"ap-southeast-2", "ca-central-1", "eu-central-1",
		"eu-north-1",	  "eu-west-1",	  "eu-west-2",
		"eu-west-3",	  "sa-east-1",	  "us-east-1",
		"us-east-2",	  "us-west-1",	  "us-west-2",
	};

	for (size_t i = 0; i < ARRAY_SIZE(regions); i++)
		if (strcmp(region, regions[i]) == 0)
			return true;
	return false;
}

static bool is_global(enum aws_service service, const char *region,
		      const struct wishes *wishes)
{
	if (service != AWS_SERVICE_STS || wishes->fips || wishes->dualstack)
		return false;
	return strcmp(region, GLOBAL_REGION) == 0 ||
	       (wishes->is_legacy_sts && is_legacy_region(region));
}

/* Where the plain name serves a variant too. */
static void take_back_wishes(enum aws_service service,
			     enum partition_id partition, struct wishes *wishes)
{
	bool is_gov = partition == PARTITION_AWS_US_GOV;

	if (service == AWS_SERVICE_SECRETSMANAGER &&
	    (partition == PARTITION_AWS || is_gov ||
	     (partition == PARTITION_AWS_CN && !wishes->fips)))
		wishes->dualstack = false;
	if (service != AWS_SERVICE_SECRETSMANAGER && is_gov &&
	    !wishes->dualstack)
		wishes->fips = false;
}

static void write_host(enum aws_service service, const char *region,
		       const struct wishes *wished, struct endpoint *ret)
{
	const struct partition *partition = partition_of(region);
	struct wishes wishes = *wished;

	take_back_wishes(service, partition->id, &wishes);
	if (is_global(service, region, &wishes)) {
		region = GLOBAL_STS_REGION;
		(void)snprintf(ret->host, sizeof(ret->host), GLOBAL_STS);
	} else {
		(void)snprintf(ret->host, sizeof(ret->host), "%s%s.%s.%s",
			       services[service], wishes.fips ? "-fips" : "",
			       region,
			       wishes.dualstack ? partition->dualstack_suffix
						: partition->suffix);
	}
	(void)snprintf(ret->url, sizeof(ret->url), "https://%s/", ret->host);
	(void)snprintf(ret->region, sizeof(ret->region), "%s", region);
}

int endpoint_find(enum aws_service service, const char *region,
		  const char *option, const struct aws_environment *environment,
		  struct endpoint *ret, struct err *err)
{
	struct override override = { "--endpoint-url", option };
	struct endpoint endpoint = { .service = services[service] };
	struct wishes wishes = { 0 };
	int r = read_wishes(environment, &wishes, err);

	if (r < 0)
		return r;
	if (!option && !wishes.ignores_overrides)
		override = find_override(service, environment);
	if (override.url) {
		r = refuse_promises(&override, &wishes, err);
		if (r == 0)
			r = endpoint_parse(override.what, override.url,
					   &endpoint, err);
		(void)snprintf(endpoint.region, sizeof(endpoint.region), "%s",
			       region ? region : "");
	} else if (!region) {
		r = err_set(err, -EINVAL, "no AWS region");
	} else {
		write_host(service, region, &wishes, &endpoint);
	}
	if (r == 0)
		*ret = endpoint;
	return r;
}
