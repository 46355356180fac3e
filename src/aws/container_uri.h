/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AWS_CONTAINER_URI_H
#define AWS_CONTAINER_URI_H

struct aws_environment;
struct err;

/* Who hands out keys to a container (ECS, EKS Pod Identity). */

#define CONTAINER_URI_SIZE 2048

/*
 * AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is a path on ECS's own address and
 * comes first; AWS_CONTAINER_CREDENTIALS_FULL_URI is https to any host, or http
 * to this machine, to ECS's or to Pod Identity's address. That a host name
 * leads nowhere else is seen when it is asked (net/place.h).
 *
 * -ENOENT: neither is set; -EINVAL with err naming the variable, not quoting
 * it.
 */
int container_uri_find(const struct aws_environment *environment,
		       char ret[CONTAINER_URI_SIZE], struct err *err);

#endif
