/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROVIDER_H
#define PROVIDER_H

#include <stdbool.h>

struct err;
struct loop;
struct options;
struct source;

/* From options to a source: which provider serves SOURCE, and what of it is
 * shown. Part of the worker's wiring. */

struct provider;

struct provided {
	struct source *source;
	const char *name; /* a secret, or a prefix: "" or "a/b/" */
	bool is_prefix;
	const char *file_name; /* of the whole value; NULL below a prefix */
	const char *label;     /* for mountinfo: what is mounted */
};

/* Makes no call to the network. loop and options are borrowed. 0, or negative
 * errno with one line in err. */
int provider_new(struct loop *loop, const struct options *options,
		 struct provider **ret, struct err *err);

/* Every call of the source must have ended. NULL is allowed. */
void provider_free(struct provider *provider);

/* What will make reading fail until it is mended, found without the network;
 * NULL: nothing. Borrowed from the provider. */
const char *provider_warning(const struct provider *provider);

/* Borrowed from the provider. */
const struct provided *provider_shown(const struct provider *provider);

#endif
