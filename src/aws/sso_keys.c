/* SPDX-License-Identifier: Apache-2.0 */
/* One GET of the portal with the token that a login has left. The token is
 * looked for whenever keys are, so that a login is all that it takes. */
#include "aws/endpoint.h"
#include "aws/environment.h"
#include "aws/key_provider.h"
#include "aws/key_providers.h"
#include "aws/keys.h"
#include "aws/keys_json.h"
#include "aws/partition.h"
#include "aws/percent.h"
#include "aws/plain_call.h"
#include "aws/profile_chain.h"
#include "aws/region.h"
#include "aws/reply.h"
#include "aws/skew.h"
#include "aws/sso_token.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/jdoc.h"
#include "base/macros.h"
#include "loop/loop.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define STATUS_OK 200
#define STATUS_UNAUTHORIZED 401
#define URL_MAX 4096
#define TOKEN_MAX (64U << 10)

struct sso_keys {
	struct key_provider provider;
	struct key_context context;
	struct profile_chain chain;
	struct endpoint endpoint;
	struct buf url;
};

struct key_call {
	struct sso_keys *self;
	struct plain_call *plain_call;
	key_provider_on_keys *on_keys;
	void *owner;
};

static struct sso_keys *of(struct key_provider *provider)
{
	return CONTAINER_OF(provider, struct sso_keys, provider);
}

static void end(struct key_call *call, struct keys *keys, const struct err *err)
{
	const struct key_call ended = *call;

	free(call);
	ended.on_keys(ended.owner, keys, err);
}

static int wrap(const struct sso_keys *self, struct err *err)
{
	if (err->code == -EFBIG)
		err->code = -EIO;
	return err_wrap(err, "profile '%.128s'", self->chain.profile);
}

static int read_token(const struct sso_keys *self, struct buf *out,
		      struct err *err)
{
	const struct key_context *context = &self->context;

	return sso_token_read(
		context->environment, &self->chain,
		skew_now_s(context->skew, loop_clock(context->loop)), out, err);
}

static int read_keys(const struct sso_keys *self, const struct aws_reply *reply,
		     struct keys **ret, struct err *err)
{
	static const struct keys_members members = {
		.id = "accessKeyId",
		.secret = "secretAccessKey",
		.token = "sessionToken",
		.expires = "expiration",
		.in_milliseconds = true,
	};
	static const char name[] = "roleCredentials";
	cleanup_jdoc struct jdoc *doc = NULL;
	int r;

	if (reply->status == STATUS_UNAUTHORIZED)
		return sso_token_refuse(&self->chain,
					"the SSO token is refused", err);
	if (reply->status != STATUS_OK)
		return plain_refusal(reply, err);
	r = jdoc_parse(buf_text(reply->body), reply->body->length, &doc, NULL);
	if (r == 0)
		r = keys_json_read(doc, jdoc_member(doc, 0, name, strlen(name)),
				   &members, ret);
	if (r == -ENOMEM)
		return err_set(err, r, "no memory for the reply");
	return r < 0 ? err_set(err, -EIO, "reply of SSO without usable keys")
		     : 0;
}

static void on_reply(void *owner, const struct aws_reply *reply,
		     const struct err *err)
{
	cleanup_keys struct keys *keys = NULL;
	struct key_call *call = owner;
	struct err failure;
	int r;

	if (reply) {
		r = read_keys(call->self, reply, &keys, &failure);
	} else {
		failure = *err;
		r = failure.code;
	}
	if (r < 0)
		(void)wrap(call->self, &failure);
	end(call, keys, r < 0 ? &failure : NULL);
}

static int set_headers(void *owner, struct request *request, struct err *err)
{
	const struct key_call *call = owner;
	struct sigv4_header header = { "x-amz-sso_bearer_token", NULL };
	cleanup_buf struct buf token;
	int r;

	buf_init(&token, TOKEN_MAX);
	r = read_token(call->self, &token, err);
	if (r < 0)
		return r;
	header.value = buf_text(&token);
	r = request_set_headers(request, NULL, &header, 1);
	return r < 0 ? err_set(err, r, "no room for its headers") : 0;
}

static struct key_call *start(struct key_provider *provider, int64_t timeout_ms,
			      key_provider_on_keys *on_keys, void *owner,
			      struct err *err)
{
	struct sso_keys *self = of(provider);
	struct key_call *call = calloc(1, sizeof(*call));
	const struct plain_order order = {
		.method = HTTP_GET,
		.place = self->endpoint.url,
		.operation = "GetRoleCredentials",
		.url = buf_text(&self->url),
		.timeout_ms = timeout_ms,
		.set_headers = set_headers,
		.on_reply = on_reply,
		.owner = call,
	};

	if (!call) {
		(void)err_set(err, -ENOMEM, "no memory to ask for keys");
		return NULL;
	}
	call->self = self;
	call->on_keys = on_keys;
	call->owner = owner;
	call->plain_call = plain_call_start(self->context.retry, &order, err);
	if (call->plain_call)
		return call;
	(void)wrap(self, err);
	free(call);
	return NULL;
}

static void cancel(struct key_call *call)
{
	if (!call)
		return;
	plain_call_cancel(call->plain_call);
	free(call);
}

static int check(const struct key_provider *provider, struct err *err)
{
	const struct sso_keys *self =
		(const struct sso_keys *)(const void *)provider;
	cleanup_buf struct buf token;

	buf_init(&token, TOKEN_MAX);
	return read_token(self, &token, err) < 0 ? wrap(self, err) : 0;
}

static void free_provider(struct key_provider *provider)
{
	struct sso_keys *self = of(provider);

	buf_done(&self->url);
	free(self);
}

static const struct key_provider_operations operations = {
	.start = start,
	.cancel = cancel,
	.check = check,
	.free = free_provider,
};

/* The portal is in the session's region, whatever the service's is; the suffix
 * is that of every service there. */
static int find_portal(struct sso_keys *self, struct err *err)
{
	const struct aws_environment *environment = self->context.environment;
	const char *ignored = environment->ignore_endpoint_urls;
	const char *url = environment->endpoint_url_sso
				  ? environment->endpoint_url_sso
				  : environment->endpoint_url;
	struct endpoint *portal = &self->endpoint;

	if (!region_is_valid(self->chain.sso_region))
		return err_set(err, -EINVAL,
			       "profile '%.128s': sso_region is no region",
			       self->chain.profile);
	if (url && !(ignored && strcasecmp(ignored, "true") == 0))
		return endpoint_parse(environment->endpoint_url_sso
					      ? "AWS_ENDPOINT_URL_SSO"
					      : "AWS_ENDPOINT_URL",
				      url, portal, err);
	(void)snprintf(portal->host, sizeof(portal->host), "portal.sso.%s.%s",
		       self->chain.sso_region,
		       partition_of(self->chain.sso_region)->suffix);
	(void)snprintf(portal->url, sizeof(portal->url), "https://%s/",
		       portal->host);
	return 0;
}

static int make_url(struct sso_keys *self, struct err *err)
{
	struct buf *url = &self->url;
	int r;

	buf_init(url, URL_MAX);
	r = buf_append_texts(url, self->endpoint.url,
			     "federation/credentials?account_id=", NULL);
	if (r == 0)
		r = percent_append(url, self->chain.sso_account);
	if (r == 0)
		r = buf_append_text(url, "&role_name=");
	if (r == 0)
		r = percent_append(url, self->chain.sso_role);
	return r < 0 ? err_set(err, r == -EFBIG ? -EINVAL : r,
			       "profile '%.128s': no room for its URL",
			       self->chain.profile)
		     : 0;
}

static int set_identity(struct sso_keys *self, struct err *err)
{
	if (asprintf(&self->provider.identity, "SSO role %s of %s by %s",
		     self->chain.sso_role, self->chain.sso_account,
		     self->chain.sso_start_url) >= 0)
		return 0;
	self->provider.identity = NULL;
	return err_set(err, -ENOMEM, "no memory for SSO");
}

int sso_keys_new(const struct key_context *context,
		 const struct profile_chain *chain, struct key_provider **ret,
		 struct err *err)
{
	struct sso_keys *self;
	int r;

	if (!chain->sso_account)
		return err_set(err, -EINVAL,
			       "profile '%.128s': SSO needs sso_account_id and "
			       "sso_role_name",
			       chain->profile);
	self = calloc(1, sizeof(*self));
	if (!self)
		return err_set(err, -ENOMEM, "no memory for SSO");
	self->provider.operations = &operations;
	self->provider.name = "SSO";
	self->context = *context;
	self->chain = *chain;
	r = find_portal(self, err);
	if (r == 0)
		r = make_url(self, err);
	if (r == 0)
		r = set_identity(self, err);
	if (r < 0)
		key_provider_free(&self->provider);
	else
		*ret = &self->provider;
	return r;
}
