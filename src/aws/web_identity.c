/* SPDX-License-Identifier: Apache-2.0 */
/* IRSA and its kin: a role is all that is configured, and each question to STS
 * carries the token of that moment. */
#include "aws/endpoint.h"
#include "aws/environment.h"
#include "aws/key_provider.h"
#include "aws/key_providers.h"
#include "aws/sts.h"
#include "aws/sts_call.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/macros.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

struct web_identity {
	struct key_provider provider;
	struct key_context context;
	struct endpoint endpoint;
	struct sts_role role;
	char session_name[STS_SESSION_NAME_SIZE];
	bool is_of_environment; /* else of a profile */
};

struct key_call {
	struct sts_call *sts_call;
	key_provider_on_keys *on_keys;
	void *owner;
};

static struct web_identity *of(struct key_provider *provider)
{
	return CONTAINER_OF(provider, struct web_identity, provider);
}

static void on_keys(void *owner, struct keys *keys, const struct err *err)
{
	struct key_call *call = owner;
	const struct key_call ended = *call;

	free(call);
	ended.on_keys(ended.owner, keys, err);
}

static struct key_call *start(struct key_provider *provider, int64_t timeout_ms,
			      key_provider_on_keys *tell, void *owner,
			      struct err *err)
{
	struct web_identity *self = of(provider);
	const struct sts sts = {
		.context = &self->context,
		.endpoint = &self->endpoint,
		.role = &self->role,
	};
	struct key_call *call = calloc(1, sizeof(*call));

	if (!call) {
		(void)err_set(err, -ENOMEM, "no memory to ask STS");
		return NULL;
	}
	call->on_keys = tell;
	call->owner = owner;
	call->sts_call =
		sts_call_start(&sts, NULL, timeout_ms, on_keys, call, err);
	if (call->sts_call)
		return call;
	free(call);
	return NULL;
}

static void cancel(struct key_call *call)
{
	if (!call)
		return;
	sts_call_cancel(call->sts_call);
	free(call);
}

static int check(const struct key_provider *provider, struct err *err)
{
	const struct web_identity *self =
		(const struct web_identity *)(const void *)provider;
	cleanup_buf struct buf token;
	int r;

	buf_init(&token, STS_TOKEN_MAX);
	r = sts_token_read(self->role.token_file, &token, err);
	if (r < 0)
		(void)err_wrap(err, "%s",
			       self->is_of_environment
				       ? "AWS_WEB_IDENTITY_TOKEN_FILE"
				       : "web_identity_token_file");
	return r;
}

static void free_provider(struct key_provider *provider)
{
	free(of(provider));
}

static const struct key_provider_operations operations = {
	.start = start,
	.cancel = cancel,
	.check = check,
	.free = free_provider,
};

static int configure(struct web_identity *self, struct err *err)
{
	const char *what = self->is_of_environment ? "AWS_ROLE_SESSION_NAME"
						   : "role_session_name";
	const struct aws_environment *environment = self->context.environment;
	int r = sts_session_name(what, self->role.session_name,
				 environment->node, self->session_name, err);

	if (r == 0)
		r = endpoint_find(AWS_SERVICE_STS, self->context.region, NULL,
				  environment, &self->endpoint, err);
	if (r == 0)
		r = key_provider_name(&self->provider, "role", self->role.arn,
				      err);
	self->role.session_name = self->session_name;
	return r;
}

int web_identity_new(const struct key_context *context,
		     const struct sts_role *role, bool is_of_environment,
		     struct key_provider **ret, struct err *err)
{
	struct web_identity *self = calloc(1, sizeof(*self));
	int r;

	if (!self)
		return err_set(err, -ENOMEM, "no memory for a role");
	self->provider.operations = &operations;
	self->provider.name = "web identity";
	self->provider.is_regional = true;
	self->context = *context;
	self->role = *role;
	self->is_of_environment = is_of_environment;
	r = configure(self, err);
	if (r < 0)
		key_provider_free(&self->provider);
	else
		*ret = &self->provider;
	return r;
}
