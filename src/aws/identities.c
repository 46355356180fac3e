/* SPDX-License-Identifier: Apache-2.0 */
/* A list that owns, and a map that finds. Who one is shows only when the
 * provider is chosen, which costs nothing: so credentials are made, and thrown
 * away where the same are there already. */
#include "aws/identities.h"
#include "aws/credentials.h"
#include "aws/sts.h"
#include "base/err.h"
#include "base/macros.h"
#include "base/map.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

struct identity {
	SLIST_ENTRY(identity) next;
	struct credentials *credentials;
	char *key; /* what tells it from others */
	char *arn; /* these two of its role, or NULL */
	char *external_id;
};

struct identities {
	struct loop *loop;
	struct retry *retry;
	const struct aws_environment *environment;
	SLIST_HEAD(, identity) list;
	struct map *by_key;
};

static void free_identity(struct identity *identity)
{
	credentials_free(identity->credentials);
	free(identity->key);
	free(identity->arn);
	free(identity->external_id);
	free(identity);
}

static void identity_freep(struct identity **identity)
{
	if (*identity)
		free_identity(*identity);
}

#define cleanup_identity CLEANUP(identity_freep)

struct identities *identities_new(struct loop *loop, struct retry *retry,
				  const struct aws_environment *environment)
{
	struct identities *identities = calloc(1, sizeof(*identities));

	if (identities)
		identities->by_key = map_new();
	if (!identities || !identities->by_key) {
		free(identities);
		return NULL;
	}
	identities->loop = loop;
	identities->retry = retry;
	identities->environment = environment;
	SLIST_INIT(&identities->list);
	return identities;
}

void identities_free(struct identities *identities)
{
	if (!identities)
		return;
	while (!SLIST_EMPTY(&identities->list)) {
		struct identity *identity = SLIST_FIRST(&identities->list);

		SLIST_REMOVE_HEAD(&identities->list, next);
		free_identity(identity);
	}
	map_free(identities->by_key);
	free(identities);
}

struct loop *identities_loop(const struct identities *identities)
{
	return identities->loop;
}

struct retry *identities_retry(const struct identities *identities)
{
	return identities->retry;
}

const struct aws_environment *
identities_environment(const struct identities *identities)
{
	return identities->environment;
}

/* The credentials keep a role's texts, which a class takes away when it is read
 * again. */
static int assume(struct identity *identity, const struct aws_role *wanted,
		  struct err *err)
{
	struct sts_role role = { .duration_s = wanted->duration_s };

	identity->arn = strdup(wanted->arn);
	if (wanted->external_id)
		identity->external_id = strdup(wanted->external_id);
	role.arn = identity->arn;
	role.external_id = identity->external_id;
	if (!role.arn || (wanted->external_id && !role.external_id))
		return err_set(err, -ENOMEM, "no memory for a role");
	return credentials_assume(identity->credentials, &role, err);
}

static int set_key(struct identity *identity, const char *region,
		   unsigned duration_s, struct err *err)
{
	const struct credentials *credentials = identity->credentials;

	if (asprintf(&identity->key, "%s %u %s",
		     credentials_are_regional(credentials) ? region : "",
		     duration_s, credentials_identity(credentials)) >= 0)
		return 0;
	identity->key = NULL;
	(void)err_set(err, -ENOMEM, "no memory for an identity");
	return -ENOMEM;
}

static int make(const struct identities *identities, const char *region,
		const struct aws_role *role, struct identity **ret,
		struct err *err)
{
	cleanup_identity struct identity *identity =
		calloc(1, sizeof(*identity));
	int r;

	if (!identity) {
		(void)err_set(err, -ENOMEM, "no memory for an identity");
		return -ENOMEM;
	}
	r = credentials_new(identities->loop, identities->retry,
			    identities->environment, region,
			    &identity->credentials, err);
	if (r == 0 && role->arn)
		r = assume(identity, role, err);
	if (r == 0)
		r = set_key(identity, region, role->duration_s, err);
	if (r == 0)
		*ret = TAKE(identity);
	return r;
}

int identities_get(struct identities *identities, const char *region,
		   const struct aws_role *role, struct credentials **ret,
		   struct err *err)
{
	cleanup_identity struct identity *identity = NULL;
	const struct identity *known;
	int r = make(identities, region, role, &identity, err);

	if (r != 0)
		return r;
	known = map_find(identities->by_key, identity->key,
			 strlen(identity->key));
	if (known) {
		*ret = known->credentials;
		return 0;
	}
	if (map_put(identities->by_key, identity->key, strlen(identity->key),
		    identity) < 0)
		return err_set(err, -ENOMEM, "no memory for an identity");
	*ret = identity->credentials;
	SLIST_INSERT_HEAD(&identities->list, identity, next);
	identity = NULL;
	return 0;
}
