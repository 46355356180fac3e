/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AWS_ENDPOINT_H
#define AWS_ENDPOINT_H

#include "aws/region.h"

struct aws_environment;
struct err;

/* Which host answers for a service in a region. */

enum aws_service {
	AWS_SERVICE_SECRETSMANAGER,
	AWS_SERVICE_SSM,
	AWS_SERVICE_STS,
};

#define ENDPOINT_HOST_SIZE 264 /* 253 of a name, brackets, port, NUL */
#define ENDPOINT_URL_SIZE (ENDPOINT_HOST_SIZE + 9)

struct endpoint {
	char url[ENDPOINT_URL_SIZE];   /* "https://HOST[:PORT]/" */
	char host[ENDPOINT_HOST_SIZE]; /* the Host header: no default port */
	char region[REGION_SIZE];      /* to sign for */
	const char *service;	       /* to sign for */
};

/*
 * The first of: option (--endpoint-url; NULL for none), AWS_ENDPOINT_URL_* of
 * the service, AWS_ENDPOINT_URL, the partition's own host. The second and
 * third do not count with AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true. The region
 * must be valid, or NULL, with which only an override can do; what is signed
 * for never depends on an override's host.
 *
 * The partition's host is the FIPS or dual-stack one with
 * AWS_USE_FIPS_ENDPOINT=true or AWS_USE_DUALSTACK_ENDPOINT=true. With
 * AWS_STS_REGIONAL_ENDPOINTS=legacy STS is sts.amazonaws.com, of us-east-1, for
 * the regions of old.
 *
 * An override is "https://HOST[:PORT][/]", with http for loopback hosts only.
 * -EINVAL with err filled for anything else, for an override together with FIPS
 * or dual-stack, and for variables that say neither this nor that. No text
 * quotes an override: it could hold a password.
 */
int endpoint_find(enum aws_service service, const char *region,
		  const char *option, const struct aws_environment *environment,
		  struct endpoint *ret, struct err *err);

/* Parses an override named `what` in errors; fills url and host. 0, -EINVAL. */
int endpoint_parse(const char *what, const char *text, struct endpoint *ret,
		   struct err *err);

#endif
