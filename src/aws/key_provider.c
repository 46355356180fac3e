/* SPDX-License-Identifier: Apache-2.0 */
/* What all providers have in common, which is little. */
#include "aws/key_provider.h"
#include "base/err.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void key_provider_free(struct key_provider *provider)
{
	if (!provider)
		return;
	free(provider->identity);
	free(provider->role);
	provider->identity = provider->role = NULL;
	provider->operations->free(provider);
}

void key_provider_note_role(struct key_provider *provider, const char *role)
{
	free(provider->role);
	provider->role = strdup(role);
}

int key_provider_name(struct key_provider *provider, const char *what,
		      const char *name, struct err *err)
{
	if (asprintf(&provider->identity, "%s %s", what, name) < 0) {
		provider->identity = NULL;
		return err_set(err, -ENOMEM, "no memory");
	}
	return 0;
}
