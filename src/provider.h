/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROVIDER_H
#define PROVIDER_H

#include <stdbool.h>
#include <stddef.h>

#include "aws/key_provider.h"
#include "aws/reach.h"
#include "aws/region.h"
#include "aws/skew.h"

struct err;
struct loop;
struct options;
struct retry_endpoint;
struct source;

/* The one place that knows every provider by name, and owns what they share:
 * connections, the environment's settings, and the sources themselves, of which
 * there is one for each place that is asked. Part of the wiring of the worker,
 * and of the command that checks classes. */

struct provider;

/* Asks nobody and opens nothing yet. loop and options are borrowed. NULL: no
 * memory. */
struct provider *provider_new(struct loop *loop, const struct options *options);

/* Every call of its sources must have ended. NULL is allowed. */
void provider_free(struct provider *provider);

/*
 * The source for what is in a directory of files. Borrowed from the provider,
 * as is that below; asked for again, it is the same one. 0, or negative errno
 * with one line in err.
 */
int provider_files(struct provider *provider, const char *directory,
		   struct source **ret, struct err *err);

struct provider_want {
	bool is_parameter;  /* of SSM, instead of a secret */
	const char *region; /* NULL: where options and environment say one */
	const char *name;   /* whose region counts last when it is an ARN; or
			     * NULL */

	const char *role_arn; /* these three as in aws/account.h; or NULL */
	const char *role_external_id;
	unsigned role_duration_s;

	bool proxy_from_env; /* also without the option */

	/* other regions that are asked where that one fails, and what is asked
	 * for there instead, as in aws/failover.h */
	const char *const *failover_regions;
	size_t failover_count;
	const char *failover_name;
	const char *failover_stage;
};

/* The source for secrets or parameters of AWS, and its first region. Makes no
 * call to the network. */
int provider_aws(struct provider *provider, const struct provider_want *want,
		 struct source **ret, const char **ret_region, struct err *err);

/* What it takes to ask for keys as a source in the region of options and
 * environment would; stays where it is while it is used. Borrows the provider.
 * -EINVAL where no region is known, -ENOMEM. */
struct provider_context {
	struct key_context keys;
	char region[REGION_SIZE];
	struct skew skew;
};

int provider_get_context(struct provider *provider,
			 struct provider_context *ret, struct err *err);

/*
 * Reads what environment and profiles say of AWS, and starts what calls it, as
 * a source of AWS does otherwise: for a sandbox that must know it before there
 * is a source. What is wrong in profiles is told by the source. 0, or negative
 * errno with err filled.
 */
int provider_prepare_aws(struct provider *provider, struct err *err);

/* As aws_reach_each(), after provider_prepare_aws(). */
void provider_each_reach(const struct provider *provider,
			 void (*on_each)(void *owner, enum aws_reach kind,
					 const char *text),
			 void *owner);

/* What will make reading fail until it is mended, found without the network;
 * NULL: nothing. Borrowed from the provider. */
const char *provider_warning(const struct provider *provider);

/* For every endpoint of the network that was called so far; see net/retry.h. */
void provider_each_endpoint(const struct provider *provider,
			    void (*on_endpoint)(void *owner,
						const struct retry_endpoint *),
			    void *owner);

#endif
