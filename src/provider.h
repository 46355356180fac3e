/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROVIDER_H
#define PROVIDER_H

#include "aws/places.h"

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

/*
 * Reads of the environment what AWS needs, and starts what calls it, which a
 * source of AWS does otherwise: for a sandbox that must know it before there is
 * a source. 0, or negative errno with err filled.
 */
int provider_prepare_aws(struct provider *provider, struct err *err);

/* For each directory that a source reads; path is borrowed. */
void provider_each_directory(const struct provider *provider,
			     void (*on_directory)(void *owner,
						  const char *path),
			     void *owner);

/* As aws_each_place(); for none before the environment was read. */
void provider_each_aws_place(const struct provider *provider,
			     void (*on_place)(void *owner, enum aws_place kind,
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
