/* SPDX-License-Identifier: Apache-2.0 */
/* The identity names everything that decides what an answer is: a value is
 * never taken for that of another service, place or caller. */
#include "aws/account.h"
#include "aws/credentials.h"
#include "aws/identities.h"
#include "aws/region.h"
#include "base/err.h"
#include "base/macros.h"
#include "store/source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* AWS may refuse what it allows again a moment later: permissions and replicas
 * take time to be the same everywhere. */
#define GRACE_MS 60000

static int set_identity(struct account *account, bool by_proxy, struct err *err)
{
	const struct endpoint *endpoint = &account->endpoint;

	if (asprintf(&account->identity, "%s %s %s %s%s", endpoint->service,
		     endpoint->url, endpoint->region,
		     credentials_identity(account->api.credentials),
		     by_proxy ? " by proxy" : "") < 0) {
		account->identity = NULL;
		return err_set(err, -ENOMEM, "no memory");
	}
	account->source.identity = account->identity;
	return 0;
}

int account_open(struct account *account, enum aws_service service,
		 struct identities *identities,
		 const struct aws_settings *settings, struct err *err)
{
	const struct aws_environment *environment =
		identities_environment(identities);
	struct api *api = &account->api;
	char region[REGION_SIZE];
	int r = region_choose(settings->region, environment, settings->secret,
			      region, err);

	account->source.grace_ms = GRACE_MS;
	account->timeout_ms = settings->timeout_ms;
	api->loop = identities_loop(identities);
	api->retry = identities_retry(identities);
	if (r == 0)
		r = endpoint_find(service, region, settings->endpoint_url,
				  environment, &account->endpoint, err);
	if (r == 0)
		r = identities_get(identities, region, &settings->role,
				   &api->credentials, err);
	api->endpoint = &account->endpoint;
	return r == 0 ? set_identity(account, settings->by_proxy, err) : r;
}

void account_close(struct account *account)
{
	free(account->identity);
	*account = (struct account){ 0 };
}

int account_check(struct source *source, struct err *err)
{
	const struct account *account =
		CONTAINER_OF(source, struct account, source);

	return credentials_check(account->api.credentials, err);
}

const char *account_region(const struct source *source)
{
	const struct account *account = (const struct account *)source;

	return account->endpoint.region;
}

int account_check_region(const struct account *account, const char *region,
			 struct err *err)
{
	if (region[0] == '\0' || strcmp(region, account->endpoint.region) == 0)
		return 0;
	return err_set(err, -ENOENT, "the ARN is of region %s, the mount of %s",
		       region, account->endpoint.region);
}

int account_reader_code(int code)
{
	static const int allowed[] = { -ENOENT, -EACCES, -EFBIG, -EBUSY,
				       -ENOKEY };

	for (size_t i = 0; i < ARRAY_SIZE(allowed); i++)
		if (code == allowed[i])
			return code;
	return -EIO;
}
