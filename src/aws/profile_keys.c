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
	struct key_provider provider;
	struct key_context context;
	const char *profile;
};

static struct profile_keys *of(struct key_provider *provider)
{
	return CONTAINER_OF(provider, struct profile_keys, provider);
}

static int read_keys(const struct profile_keys *self, struct keys **ret,
		     struct err *err)
{
	cleanup_profiles struct profiles *profiles = NULL;
	struct profile profile = { .name = self->profile };
	struct keys_text text;
	int r = profile_files_read(self->context.environment, &profiles, err);

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

static struct key_call *start(struct key_provider *provider, int64_t timeout_ms,
			      key_provider_on_keys *on_keys, void *owner,
			      struct err *err)
{
	struct profile_keys *self = of(provider);
	struct keys *keys = NULL;

	(void)timeout_ms;
	if (read_keys(self, &keys, err) < 0) {
		if (err->code != -ENOMEM)
			err->code = -ENOKEY;
		return NULL;
	}
	return key_ready_start(self->context.loop, keys, on_keys, owner, err);
}

static int check(const struct key_provider *provider, struct err *err)
{
	const struct profile_keys *self =
		(const struct profile_keys *)(const void *)provider;
	cleanup_keys struct keys *keys = NULL;

	return read_keys(self, &keys, err);
}

static void free_provider(struct key_provider *provider)
{
	free(of(provider));
}

static const struct key_provider_operations operations = {
	.start = start,
	.cancel = key_ready_cancel,
	.check = check,
	.free = free_provider,
};

int profile_keys_new(const struct key_context *context, const char *profile,
		     struct key_provider **ret, struct err *err)
{
	struct profile_keys *self = calloc(1, sizeof(*self));
	int r;

	if (!self)
		return err_set(err, -ENOMEM, "no memory for keys");
	self->provider.operations = &operations;
	self->provider.name = "profile keys";
	self->provider.keep_ms = KEEP_MS;
	self->context = *context;
	self->profile = profile;
	r = key_provider_name(&self->provider, "profile", profile, err);
	if (r < 0)
		key_provider_free(&self->provider);
	else
		*ret = &self->provider;
	return r;
}
