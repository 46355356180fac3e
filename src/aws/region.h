/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AWS_REGION_H
#define AWS_REGION_H

#include <stdbool.h>

struct aws_environment;
struct err;

#define REGION_SIZE                                                            \
	64 /* one label of a host name (RFC 1035, 2.3.4) and NUL               \
	    */

/* Letters, digits and inner hyphens: it becomes part of a host name. */
bool region_is_valid(const char *region);

/*
 * The region that an ARN of Secrets Manager carries; "" for a plain name.
 * -EINVAL with err filled for an ARN of something else or a broken one.
 */
int region_of_secret(const char *name, char ret[REGION_SIZE], struct err *err);

/* The same for a parameter of SSM. */
int region_of_parameter(const char *name, char ret[REGION_SIZE],
			struct err *err);

/*
 * The region to work in: the option, AWS_REGION, AWS_DEFAULT_REGION, the
 * profile's, at last the ARN's own where `secret` is one, of either service.
 * option and secret may
 * be NULL. -EINVAL with err filled: there is none (the text says what to set),
 * it is no region, or the secret's ARN is of another one.
 */
int region_choose(const char *option, const struct aws_environment *environment,
		  const char *secret, char ret[REGION_SIZE], struct err *err);

#endif
