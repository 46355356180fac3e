/* SPDX-License-Identifier: Apache-2.0 */
/* One provider upon another: first keys, then the role for them. Within a row
 * of roles each is the base of the next. */
#include "aws/endpoint.h"
#include "aws/environment.h"
#include "aws/key_provider.h"
#include "aws/key_providers.h"
#include "aws/sts.h"
#include "aws/sts_call.h"
#include "base/err.h"
#include "base/macros.h"
#include "loop/loop.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#define STS_TIMEOUT_MIN_MS 5000

struct assume_role {
	struct key_provider provider;
	struct key_context context;
	struct key_provider *base;
	struct endpoint endpoint;
	struct sts_role role;
	char session_name[STS_SESSION_NAME_SIZE];
};

struct key_call {
	struct assume_role *self;
	int64_t deadline_ms;

	/* what is waited for: one of them */
	struct key_call *base_call;
	struct sts_call *sts_call;

	key_provider_on_keys *on_keys;
	void *owner;
};

static struct assume_role *of(struct key_provider *provider)
{
	return CONTAINER_OF(provider, struct assume_role, provider);
}

static void end(struct key_call *call, struct keys *keys, const struct err *err)
{
	const struct key_call ended = *call;

	free(call);
	ended.on_keys(ended.owner, keys, err);
}

static void on_role_keys(void *owner, struct keys *keys, const struct err *err)
{
	end(owner, keys, err);
}

static void on_base_keys(void *owner, struct keys *keys, const struct err *err)
{
	struct key_call *call = owner;
	struct assume_role *self = call->self;
	const struct sts sts = {
		.context = &self->context,
		.endpoint = &self->endpoint,
		.role = &self->role,
	};
	int64_t left_ms = call->deadline_ms - loop_now_ms(self->context.loop);
	struct err failure;

	call->base_call = NULL;
	if (err) {
		end(call, NULL, err);
		return;
	}
	/* a base that took long, as a process may, was worth waiting for */
	if (left_ms < STS_TIMEOUT_MIN_MS)
		left_ms = STS_TIMEOUT_MIN_MS;
	call->sts_call = sts_call_start(&sts, keys, left_ms, on_role_keys, call,
					&failure);
	if (!call->sts_call)
		end(call, NULL, &failure);
}

static struct key_call *start(struct key_provider *provider, int64_t timeout_ms,
			      key_provider_on_keys *on_keys, void *owner,
			      struct err *err)
{
	struct assume_role *self = of(provider);
	struct key_call *call = calloc(1, sizeof(*call));

	if (!call) {
		(void)err_set(err, -ENOMEM, "no memory to ask STS");
		return NULL;
	}
	call->self = self;
	call->deadline_ms = loop_now_ms(self->context.loop) + timeout_ms;
	call->on_keys = on_keys;
	call->owner = owner;
	call->base_call = self->base->operations->start(
		self->base, timeout_ms, on_base_keys, call, err);
	if (call->base_call)
		return call;
	free(call);
	return NULL;
}

static void cancel(struct key_call *call)
{
	if (!call)
		return;
	call->self->base->operations->cancel(call->base_call);
	sts_call_cancel(call->sts_call);
	free(call);
}

static int check(const struct key_provider *provider, struct err *err)
{
	const struct key_provider *base =
		((const struct assume_role *)(const void *)provider)->base;

	return base->operations->check ? base->operations->check(base, err) : 0;
}

static void free_provider(struct key_provider *provider)
{
	struct assume_role *self = of(provider);

	key_provider_free(self->base);
	free(self);
}

static const struct key_provider_operations operations = {
	.start = start,
	.cancel = cancel,
	.check = check,
	.free = free_provider,
};

/* As whom depends on who asks, too: a role can tell sessions apart. */
static int set_identity(struct assume_role *self, struct err *err)
{
	char duration[32] = "";

	if (self->role.duration_s > 0)
		(void)snprintf(duration, sizeof(duration), " for %u s",
			       self->role.duration_s);
	if (asprintf(&self->provider.identity, "role %s%s%s%s by %s",
		     self->role.arn,
		     self->role.external_id ? " external id " : "",
		     self->role.external_id ? self->role.external_id : "",
		     duration, self->base->identity) >= 0)
		return 0;
	self->provider.identity = NULL;
	return err_set(err, -ENOMEM, "no memory for a role");
}

static int configure(struct assume_role *self, struct err *err)
{
	const struct aws_environment *environment = self->context.environment;
	int r = sts_session_name("role_session_name", self->role.session_name,
				 environment->node, self->session_name, err);

	if (r == 0)
		r = endpoint_find(AWS_SERVICE_STS, self->context.region, NULL,
				  environment, &self->endpoint, err);
	self->role.session_name = self->session_name;
	return r == 0 ? set_identity(self, err) : r;
}

int assume_role_new(const struct key_context *context,
		    const struct sts_role *role, struct key_provider *base,
		    struct key_provider **ret, struct err *err)
{
	struct assume_role *self = calloc(1, sizeof(*self));
	int r;

	if (!self) {
		key_provider_free(base);
		return err_set(err, -ENOMEM, "no memory for a role");
	}
	self->provider.operations = &operations;
	self->provider.name = "assumed role";
	self->provider.is_regional = true;
	self->context = *context;
	self->base = base;
	self->role = *role;
	r = configure(self, err);
	if (r < 0)
		key_provider_free(&self->provider);
	else
		*ret = &self->provider;
	return r;
}
