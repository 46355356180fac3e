/* SPDX-License-Identifier: Apache-2.0 */
/* What "aws login" has left is read and never renewed: that is the CLI's, which
 * has the key for it. */
#include "aws/digest.h"
#include "aws/environment.h"
#include "aws/key_provider.h"
#include "aws/key_providers.h"
#include "aws/key_ready.h"
#include "aws/keys.h"
#include "aws/keys_json.h"
#include "aws/profile_chain.h"
#include "aws/profile_files.h"
#include "aws/skew.h"
#include "aws/small_file.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/macros.h"
#include "loop/loop.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX (256U << 10)

struct login_keys {
	struct key_ready base;
	const char *profile;
	char path[PATH_MAX];
};

static const struct login_keys *of(const struct key_ready *base)
{
	return (const struct login_keys *)(const void *)base;
}

static int refuse(const struct login_keys *self, const char *why,
		  struct err *err)
{
	return err_set(err, -ENOKEY, "%s: run aws login --profile %.128s", why,
		       self->profile);
}

static int parse_keys(const struct login_keys *self, const struct buf *text,
		      struct keys **ret, struct err *err)
{
	static const struct keys_members members = {
		.id = "accessKeyId",
		.secret = "secretAccessKey",
		.token = "sessionToken",
		.expires = "expiresAt",
	};
	int r = keys_json_parse(buf_text(text), text->length, "accessToken",
				&members, ret);

	if (r == -ENOMEM)
		return err_set(err, r, "no memory for keys");
	return r < 0 ? refuse(self, "the login's keys cannot be read", err) : 0;
}

static int read_keys(const struct key_ready *base, struct keys **ret,
		     struct err *err)
{
	const struct login_keys *self = of(base);
	const struct key_context *context = &base->context;
	cleanup_keys struct keys *keys = NULL;
	cleanup_buf struct buf text;
	int r;

	buf_init(&text, FILE_MAX);
	r = small_file_read("login's keys", self->path, FILE_MAX, &text, err);
	if (r == -ENOENT)
		return refuse(self, "there are no keys of a login", err);
	if (r == 0)
		r = parse_keys(self, &text, &keys, err);
	if (r < 0)
		return r;
	if (keys_expires_s(keys) <=
	    skew_now_s(context->skew, loop_clock(context->loop)))
		return refuse(self, "the login's keys have expired", err);
	*ret = TAKE(keys);
	return 0;
}

static void free_provider(struct key_provider *provider)
{
	free(CONTAINER_OF(provider, struct login_keys, base.provider));
}

static const struct key_provider_operations operations = {
	.start = key_ready_start,
	.cancel = key_ready_cancel,
	.check = key_ready_check,
	.free = free_provider,
};

static int find_path(struct login_keys *self, const char *session,
		     struct err *err)
{
	const char *folder = self->base.context.environment->login_cache;
	char hex[DIGEST_HEX_SIZE];
	char path[PATH_MAX];
	int length;

	if (digest_sha256(session, strlen(session), hex) < 0)
		return err_set(err, -ENOMEM, "no memory for a login");
	length = snprintf(path, sizeof(path), "%s/%s.json",
			  folder ? folder : "~/.aws/login/cache", hex);
	if (length < 0 || (size_t)length >= sizeof(path))
		return err_set(err, -EINVAL,
			       "AWS_LOGIN_CACHE_DIRECTORY is too long");
	return profile_path_expand(self->base.context.environment, path,
				   self->path, err);
}

int login_keys_new(const struct key_context *context,
		   const struct profile_chain *chain, struct key_provider **ret,
		   struct err *err)
{
	struct login_keys *self = calloc(1, sizeof(*self));
	int r;

	if (!self)
		return err_set(err, -ENOMEM, "no memory for a login");
	self->base = (struct key_ready){
		.provider = { .operations = &operations, .name = "login" },
		.context = *context,
		.read_keys = read_keys,
	};
	self->profile = chain->profile;
	r = find_path(self, chain->login_session, err);
	if (r == 0)
		r = key_provider_name(&self->base.provider, "login",
				      chain->login_session, err);
	if (r < 0)
		key_provider_free(&self->base.provider);
	else
		*ret = &self->base.provider;
	return r;
}
