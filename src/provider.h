/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROVIDER_H
#define PROVIDER_H

#include "aws/key_provider.h"
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

/*
 * The source for Secrets Manager. region: NULL where nothing but options and
 * the environment say one; secret: a name, whose region counts last when it is
 * an ARN, or NULL. Makes no call to the network.
 */
int provider_aws(struct provider *provider, const char *region,
		 const char *secret, struct source **ret, struct err *err);

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

/* What will make reading fail until it is mended, found without the network;
 * NULL: nothing. Borrowed from the provider. */
const char *provider_warning(const struct provider *provider);

/* For every endpoint of the network that was called so far; see net/retry.h. */
void provider_each_endpoint(const struct provider *provider,
			    void (*on_endpoint)(void *owner,
						const struct retry_endpoint *),
			    void *owner);

#endif
