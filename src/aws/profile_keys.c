/* SPDX-License-Identifier: Apache-2.0 */
/* Whoever rotates keys in a file expects them to be used without a restart, so
 * that the files are read whenever keys are asked for. */
#include "aws/environment.h"
#include "aws/key_provider.h"
#include "aws/key_providers.h"
#include "aws/key_ready.h"
#include "aws/keys.h"
#include "aws/profile_files.h"
#include "aws/profile_source.h"
#include "aws/profiles.h"
#include "base/err.h"
#include "base/macros.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#define KEEP_MS (15L * 60 * 1000) /* as aws-c-auth */

struct profile_keys {
	struct key_ready base;
	const char *profile;
};

static const struct profile_keys *of(const struct key_ready *base)
{
	return (const struct profile_keys *)(const void *)base;
}

static int read_keys(const struct key_ready *base, struct keys **ret,
		     struct err *err)
{
	const struct profile_keys *self = of(base);
	cleanup_profiles struct profiles *profiles = NULL;
	struct profile profile = { .name = self->profile };
	struct keys_text text;
	int r = profile_files_read(base->context.environment, &profiles, err);

	if (r < 0)
		return r;
	profile.profiles = profiles;
	text = (struct keys_text){
		.id = profile_text(&profile, "aws_access_key_id"),
		.secret = profile_text(&profile, "aws_secret_access_key"),
		.token = profile_text(&profile, "aws_session_token"),
	};
	if (!text.id || !text.secret)
		return err_set(err, -ENOKEY,
			       "profile '%.128s' has no keys any more",
			       self->profile);
	r = keys_new(&text, 0, ret);
	if (r == -EINVAL)
		return err_set(err, -ENOKEY,
			       "profile '%.128s': keys must be printable ASCII "
			       "without blanks",
			       self->profile);
	return r < 0 ? err_set(err, r, "no memory for keys") : 0;
}

static void free_provider(struct key_provider *provider)
{
	free(CONTAINER_OF(provider, struct profile_keys, base.provider));
}

static const struct key_provider_operations operations = {
	.start = key_ready_start,
	.cancel = key_ready_cancel,
	.check = key_ready_check,
	.free = free_provider,
};

int profile_keys_new(const struct key_context *context, const char *profile,
		     struct key_provider **ret, struct err *err)
{
	struct profile_keys *self = calloc(1, sizeof(*self));
	int r;

	if (!self)
		return err_set(err, -ENOMEM, "no memory for keys");
	self->base = (struct key_ready){
		.provider = {
			.operations = &operations,
			.name = "profile keys",
			.keep_ms = KEEP_MS,
		},
		.context = *context,
		.read_keys = read_keys,
	};
	self->profile = profile;
	r = key_provider_name(&self->base.provider, "profile", profile, err);
	if (r < 0)
		key_provider_free(&self->base.provider);
	else
		*ret = &self->base.provider;
	return r;
}
