/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of the environment are the process's for its life: there is nothing to
 * be asked, and nothing newer to be had. */
#include "aws/environment.h"
#include "aws/key_provider.h"
#include "aws/key_providers.h"
#include "aws/key_ready.h"
#include "aws/keys.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/macros.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

struct environment_keys {
	struct key_ready base;
	struct keys *keys;
};

static int read_keys(const struct key_ready *base, struct keys **ret,
		     struct err *err)
{
	const struct environment_keys *self =
		(const struct environment_keys *)(const void *)base;

	(void)err;
	*ret = keys_ref(self->keys);
	return 0;
}

static void free_provider(struct key_provider *provider)
{
	struct environment_keys *self =
		CONTAINER_OF(provider, struct environment_keys, base.provider);

	keys_unref(self->keys);
	free(self);
}

static const struct key_provider_operations operations = {
	.start = key_ready_start,
	.cancel = key_ready_cancel,
	.free = free_provider,
};

/* What there is of the two, or why it is not enough. */
static int check_texts(const struct keys_text *text, struct err *err)
{
	if (!text->id && text->secret[0] == '\0')
		return err_set(err, -ENOENT, "AWS_ACCESS_KEY_ID is not set");
	if (!text->id || text->secret[0] == '\0')
		return err_set(err, -EINVAL, "%s is set, but %s is not",
			       text->id ? "AWS_ACCESS_KEY_ID"
					: "AWS_SECRET_ACCESS_KEY",
			       text->id ? "AWS_SECRET_ACCESS_KEY"
					: "AWS_ACCESS_KEY_ID");
	return 0;
}

int environment_keys_new(const struct key_context *context,
			 struct key_provider **ret, struct err *err)
{
	const struct aws_environment *environment = context->environment;
	const struct keys_text text = {
		.id = environment->access_key_id,
		.secret = buf_text(&environment->secret_key),
		.token = buf_text(&environment->session_token),
	};
	struct environment_keys *self;
	int r = check_texts(&text, err);

	if (r < 0)
		return r;
	self = calloc(1, sizeof(*self));
	if (!self)
		return err_set(err, -ENOMEM, "no memory for keys");
	self->base = (struct key_ready){
		.provider = {
			.operations = &operations,
			.name = "environment",
			.is_constant = true,
		},
		.context = *context,
		.read_keys = read_keys,
	};
	r = keys_new(&text, 0, &self->keys);
	if (r < 0)
		(void)err_set(err, r,
			      "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and "
			      "AWS_SESSION_TOKEN must be printable ASCII "
			      "without blanks");
	else
		r = key_provider_name(&self->base.provider, "key", text.id,
				      err);
	if (r < 0)
		key_provider_free(&self->base.provider);
	else
		*ret = &self->base.provider;
	return r;
}
