/* SPDX-License-Identifier: Apache-2.0 */
/* A container's token goes where this URL leads, so it is checked before
 * anything is. */
#include "aws/container_uri.h"
#include "aws/environment.h"
#include "base/err.h"
#include "net/place.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define ECS_URL "http://169.254.170.2"
#define INSTANCE_V4 "169.254.169.254:"
#define INSTANCE_V6 "[fd00:ec2::254]:"

static bool is_uri_text(const char *text)
{
	for (; *text != '\0'; text++)
		if (*text <= ' ' || *text > '~')
			return false;
	return true;
}

/* The instance's own service is no container's. */
static bool is_instance(const struct place *place)
{
	return strncmp(place->text, INSTANCE_V4, strlen(INSTANCE_V4)) == 0 ||
	       strncmp(place->text, INSTANCE_V6, strlen(INSTANCE_V6)) == 0;
}

int container_uri_find(const struct aws_environment *environment,
		       char ret[CONTAINER_URI_SIZE], struct err *err)
{
	const char *what = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
	const char *base = ECS_URL;
	const char *rest = environment->container_path;
	struct place place;
	int length;

	if (!rest) {
		what = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
		base = "";
		rest = environment->container_url;
	}
	if (!rest)
		return err_set(err, -ENOENT,
			       "neither AWS_CONTAINER_CREDENTIALS_RELATIVE_URI "
			       "nor AWS_CONTAINER_CREDENTIALS_FULL_URI is set");
	if (base[0] != '\0' && rest[0] != '/')
		return err_set(err, -EINVAL, "%s must begin with '/'", what);
	length = snprintf(ret, CONTAINER_URI_SIZE, "%s%s", base, rest);
	if (length < 0 || length >= CONTAINER_URI_SIZE || !is_uri_text(rest))
		return err_set(err, -EINVAL,
			       "%s must be at most %d printable ASCII "
			       "characters without blanks",
			       what, CONTAINER_URI_SIZE - 64);
	if (place_read_metadata(ret, &place, err) < 0)
		return err_wrap(err, "%s", what);
	if (place.is_plain && is_instance(&place))
		return err_set(err, -EINVAL,
			       "%s: that is the address of the instance's "
			       "metadata, not of a container's credentials",
			       what);
	return 0;
}
