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
#include "aws/plain_keys.h"
#include "aws/profile_chain.h"
#include "aws/region.h"
#include "aws/reply.h"
#include "aws/skew.h"
#include "aws/sso_token.h"
#include "base/buf.h"
#include "base/err.h"
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
	struct plain_keys base;
	struct profile_chain chain;
	struct endpoint endpoint;
	struct buf url;
};

static const struct sso_keys *of(const struct plain_keys *base)
{
	return (const struct sso_keys *)(const void *)base;
}

static int wrap(const struct plain_keys *base, struct err *err)
{
	return err_wrap(err, "profile '%.128s'", of(base)->chain.profile);
}

static int read_token(const struct sso_keys *self, struct buf *out,
		      struct err *err)
{
	const struct key_context *context = &self->base.context;

	return sso_token_read(
		context->environment, &self->chain,
		skew_now_s(context->skew, loop_clock(context->loop)), out, err);
}

static int read_keys(struct plain_keys *base, const struct aws_reply *reply,
		     struct keys **ret, struct err *err)
{
	static const struct keys_members members = {
		.id = "accessKeyId",
		.secret = "secretAccessKey",
		.token = "sessionToken",
		.expires = "expiration",
		.in_milliseconds = true,
	};
	int r;

	if (reply->status == STATUS_UNAUTHORIZED)
		return sso_token_refuse(&of(base)->chain,
					"the SSO token is refused", err);
	if (reply->status != STATUS_OK)
		return plain_refusal(reply, err);
	r = keys_json_parse(buf_text(reply->body), reply->body->length,
			    "roleCredentials", &members, ret);
	if (r == -ENOMEM)
		return err_set(err, r, "no memory for the reply");
	return r < 0 ? err_set(err, -EIO, "reply of SSO without usable keys")
		     : 0;
}

static int set_headers(const struct plain_keys *base, struct request *request,
		       struct err *err)
{
	struct sigv4_header header = { "x-amz-sso_bearer_token", NULL };
	cleanup_buf struct buf token;
	int r;

	buf_init(&token, TOKEN_MAX);
	r = read_token(of(base), &token, err);
	if (r < 0)
		return r;
	header.value = buf_text(&token);
	r = request_set_headers(request, NULL, &header, 1);
	return r < 0 ? err_set(err, r, "no room for its headers") : 0;
}

static int check(const struct key_provider *provider, struct err *err)
{
	const struct plain_keys *base =
		(const struct plain_keys *)(const void *)provider;
	cleanup_buf struct buf token;

	buf_init(&token, TOKEN_MAX);
	return read_token(of(base), &token, err) < 0 ? wrap(base, err) : 0;
}

static void free_provider(struct key_provider *provider)
{
	struct sso_keys *self =
		CONTAINER_OF(provider, struct sso_keys, base.provider);

	buf_done(&self->url);
	free(self);
}

static const struct key_provider_operations operations = {
	.start = plain_keys_start,
	.cancel = plain_keys_cancel,
	.check = check,
	.free = free_provider,
};

/* The portal is in the session's region, whatever the service's is; the suffix
 * is that of every service there. */
static int find_portal(struct sso_keys *self, struct err *err)
{
	const struct aws_environment *environment =
		self->base.context.environment;
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
	if (asprintf(&self->base.provider.identity, "SSO role %s of %s by %s",
		     self->chain.sso_role, self->chain.sso_account,
		     self->chain.sso_start_url) >= 0)
		return 0;
	self->base.provider.identity = NULL;
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
	self->base = (struct plain_keys){
		.provider = { .operations = &operations, .name = "SSO" },
		.context = *context,
		.set_headers = set_headers,
		.read_keys = read_keys,
		.wrap = wrap,
	};
	self->chain = *chain;
	r = find_portal(self, err);
	if (r == 0)
		r = make_url(self, err);
	self->base.order = (struct plain_order){
		.method = HTTP_GET,
		.place = self->endpoint.url,
		.operation = "GetRoleCredentials",
		.url = buf_text(&self->url),
	};
	if (r == 0)
		r = set_identity(self, err);
	if (r < 0)
		key_provider_free(&self->base.provider);
	else
		*ret = &self->base.provider;
	return r;
}
