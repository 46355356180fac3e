/* SPDX-License-Identifier: Apache-2.0 */
/* A place that is missing here is one that a sandbox keeps away. */
#include "aws/places.h"
#include "aws/environment.h"
#include "base/macros.h"

#include <stddef.h>

void aws_each_place(const struct aws_environment *environment,
		    void (*on_place)(void *owner, enum aws_place kind,
				     const char *text),
		    void *owner)
{
	const struct {
		enum aws_place kind;
		const char *text;
	} places[] = {
		{ AWS_PLACE_FILE, environment->ca_bundle },
		{ AWS_PLACE_FILE, environment->token_file },
		{ AWS_PLACE_URL, environment->endpoint_url },
		{ AWS_PLACE_URL, environment->endpoint_url_secrets_manager },
		{ AWS_PLACE_URL, environment->endpoint_url_sts },
		{ AWS_PLACE_URL, environment->container_url },
	};

	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (places[i].text)
			on_place(owner, places[i].kind, places[i].text);
}
