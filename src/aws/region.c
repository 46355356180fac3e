/* SPDX-License-Identifier: Apache-2.0 */
/* Where a region comes from. It is checked before it is anything else, since
 * requests with credentials go to the host that it names. */
#include "aws/region.h"
#include "aws/environment.h"
#include "base/err.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define ARN_START "arn:"

bool region_is_valid(const char *region)
{
	size_t length = strlen(region);

	if (length == 0 || length >= REGION_SIZE || region[0] == '-' ||
	    region[length - 1] == '-')
		return false;
	for (size_t i = 0; i < length; i++)
		if (!isalnum((unsigned char)region[i]) && region[i] != '-')
			return false;
	return true;
}

/* used is how far the ARN was read: 0, or to the name. */
static bool is_usable(const char *name, const char *region, int used)
{
	return used != 0 && name[used] != '\0' && region_is_valid(region);
}

/* arn:PARTITION:secretsmanager:REGION:ACCOUNT:secret:NAME */
int region_of_secret(const char *name, char ret[REGION_SIZE], struct err *err)
{
	char region[REGION_SIZE] = "";
	int used = 0;

	if (strncmp(name, ARN_START, strlen(ARN_START)) != 0) {
		ret[0] = '\0';
		return 0;
	}
	(void)sscanf(name, "arn:%*[^:]:secretsmanager:%63[^:]:%*[^:]:secret:%n",
		     region, &used);
	if (!is_usable(name, region, used))
		return err_set(err, -EINVAL,
			       "'%.256s' is not the ARN of a secret "
			       "(arn:aws:secretsmanager:REGION:ACCOUNT:secret:"
			       "NAME)",
			       name);
	memcpy(ret, region, sizeof(region));
	return 0;
}

/* arn:PARTITION:ssm:REGION:ACCOUNT:parameter/NAME */
int region_of_parameter(const char *name, char ret[REGION_SIZE],
			struct err *err)
{
	char region[REGION_SIZE] = "";
	int used = 0;

	if (strncmp(name, ARN_START, strlen(ARN_START)) != 0) {
		ret[0] = '\0';
		return 0;
	}
	(void)sscanf(name, "arn:%*[^:]:ssm:%63[^:]:%*[^:]:parameter/%n", region,
		     &used);
	if (!is_usable(name, region, used))
		return err_set(err, -EINVAL,
			       "'%.256s' is not the ARN of a parameter "
			       "(arn:aws:ssm:REGION:ACCOUNT:parameter/NAME)",
			       name);
	memcpy(ret, region, sizeof(region));
	return 0;
}

static int region_of(const char *name, char ret[REGION_SIZE], struct err *err)
{
	int used = 0;

	(void)sscanf(name, "arn:%*[^:]:ssm:%n", &used);
	return used ? region_of_parameter(name, ret, err)
		    : region_of_secret(name, ret, err);
}

/* The configured one and who configured it; NULL: nobody did. */
static const char *find_configured(const char *option,
				   const struct aws_environment *environment,
				   const char **ret_where)
{
	const struct {
		const char *where;
		const char *region;
	} places[] = {
		{ "--region", option },
		{ "AWS_REGION", environment->region },
		{ "AWS_DEFAULT_REGION", environment->default_region },
		{ "region of the profile", environment->profile_region },
	};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (!places[i].region)
			continue;
		*ret_where = places[i].where;
		return places[i].region;
	}
	return NULL;
}

int region_choose(const char *option, const struct aws_environment *environment,
		  const char *secret, char ret[REGION_SIZE], struct err *err)
{
	char of_secret[REGION_SIZE] = "";
	const char *where = "";
	const char *region = find_configured(option, environment, &where);
	int r = secret ? region_of(secret, of_secret, err) : 0;

	if (r < 0)
		return r;
	if (!region && of_secret[0] == '\0')
		return err_set(err, -EINVAL,
			       "no AWS region: set --region, AWS_REGION or "
			       "region of the profile");
	if (!region)
		region = of_secret;
	if (!region_is_valid(region))
		return err_set(err, -EINVAL,
			       "%s: '%.128s' is not an AWS region", where,
			       region);
	if (of_secret[0] != '\0' && strcmp(of_secret, region) != 0)
		return err_set(err, -EINVAL,
			       "the ARN is of region %s, but %s says "
			       "%s: one mount reads from one region",
			       of_secret, where, region);
	(void)snprintf(ret, REGION_SIZE, "%s", region);
	return 0;
}
