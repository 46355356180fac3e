/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AWS_ENDPOINT_H
#define AWS_ENDPOINT_H

#include "aws/region.h"

struct aws_environment;
struct err;

/* Which host answers for a service in a region. */

enum aws_service {
	AWS_SERVICE_SECRETSMANAGER,
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
 * must be valid; what is signed for never depends on the host.
 *
 * An override is "https://HOST[:PORT][/]", with http for loopback hosts only.
 * -EINVAL with err filled for anything else, and, so that nobody believes to
 * use them, for FIPS and dual-stack endpoints. No text quotes an override: it
 * could hold a password.
 */
int endpoint_find(enum aws_service service, const char *region,
		  const char *option, const struct aws_environment *environment,
		  struct endpoint *ret, struct err *err);

/* Parses an override named `what` in errors; fills url and host. 0, -EINVAL. */
int endpoint_parse(const char *what, const char *text, struct endpoint *ret,
		   struct err *err);

#endif
