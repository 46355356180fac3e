/* SPDX-License-Identifier: Apache-2.0 */
/* ECS's and EKS Pod Identity's agents on the machine: one GET with a token that
 * somebody rotates, hence read anew for each attempt. */
#include "aws/container_uri.h"
#include "aws/environment.h"
#include "aws/key_provider.h"
#include "aws/key_providers.h"
#include "aws/keys.h"
#include "aws/keys_json.h"
#include "aws/plain_call.h"
#include "aws/plain_keys.h"
#include "aws/reply.h"
#include "aws/sts.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/jdoc.h"
#include "base/macros.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ATTEMPT_MS 2000 /* as botocore */
#define STATUS_OK 200
#define PLACE_SIZE 300
#define ROLE_MAX 2049 /* an ARN of IAM has at most 2048 */

struct container_keys {
	struct plain_keys base;
	char url[CONTAINER_URI_SIZE];
	char place[PLACE_SIZE]; /* the URL's beginning: scheme, host, port */
};

static int wrap(const struct plain_keys *base, struct err *err)
{
	return err_wrap(err, "container credentials of %s", base->order.place);
}

/* Pod Identity tells it, and ECS. */
static void note_role(struct key_provider *provider, const struct jdoc *doc)
{
	cleanup_buf struct buf role;

	buf_init(&role, ROLE_MAX);
	if (jdoc_string(doc, jdoc_find(doc, 0, "RoleArn"), &role) == 0)
		key_provider_note_role(provider, buf_text(&role));
}

static int read_keys(struct plain_keys *base, const struct aws_reply *reply,
		     struct keys **ret, struct err *err)
{
	static const struct keys_members members = {
		.id = "AccessKeyId",
		.secret = "SecretAccessKey",
		.token = "Token",
		.expires = "Expiration",
	};
	cleanup_jdoc struct jdoc *doc = NULL;
	int r;

	if (reply->status != STATUS_OK)
		return plain_refusal(reply, err);
	r = jdoc_parse(buf_text(reply->body), reply->body->length, &doc, NULL);
	if (r == 0)
		r = keys_json_read(doc, 0, &members, ret);
	if (r == 0)
		note_role(&base->provider, doc);
	if (r == -ENOMEM)
		return err_set(err, r, "no memory for the reply");
	return r < 0 ? err_set(err, -EIO, "reply without usable keys") : 0;
}

/* The token; nothing where there is none. */
static int read_token(const struct aws_environment *environment,
		      struct buf *out, struct err *err)
{
	int r;

	if (!environment->container_token_file) {
		r = buf_append_text(out,
				    buf_text(&environment->container_token));
		return r < 0 ? err_set(err, r, "no memory for a token") : 0;
	}
	r = sts_token_read(environment->container_token_file, out, err);
	if (r < 0)
		return err_wrap(err, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
	return 0;
}

static int set_headers(const struct plain_keys *base, struct request *request,
		       struct err *err)
{
	struct sigv4_header headers[2] = { { "Accept", "application/json" } };
	cleanup_buf struct buf token;
	int r;

	buf_init(&token, STS_TOKEN_MAX);
	r = read_token(base->context.environment, &token, err);
	if (r < 0)
		return r;
	if (strpbrk(buf_text(&token), "\r\n"))
		return err_set(err, -ENOKEY,
			       "the container's authorization token has a line "
			       "break");
	headers[1] = (struct sigv4_header){ "Authorization", buf_text(&token) };
	r = request_set_headers(request, NULL, headers,
				token.length > 0 ? 2 : 1);
	return r < 0 ? err_set(err, r, "no room for its headers") : 0;
}

static int check(const struct key_provider *provider, struct err *err)
{
	const struct plain_keys *base =
		(const struct plain_keys *)(const void *)provider;
	cleanup_buf struct buf token;

	buf_init(&token, STS_TOKEN_MAX);
	return read_token(base->context.environment, &token, err);
}

static void free_provider(struct key_provider *provider)
{
	free(CONTAINER_OF(provider, struct container_keys, base.provider));
}

static const struct key_provider_operations operations = {
	.start = plain_keys_start,
	.cancel = plain_keys_cancel,
	.check = check,
	.free = free_provider,
};

/* Without the path, which may be one's own. */
static void set_place(struct container_keys *self)
{
	const char *host = strstr(self->url, "://") + 3;
	size_t length = (size_t)(host - self->url) + strcspn(host, "/?#");

	(void)snprintf(self->place, sizeof(self->place), "%.*s/", (int)length,
		       self->url);
}

int container_keys_new(const struct key_context *context,
		       struct key_provider **ret, struct err *err)
{
	struct container_keys *self = calloc(1, sizeof(*self));
	int r;

	if (!self)
		return err_set(err, -ENOMEM,
			       "no memory for a container's keys");
	self->base = (struct plain_keys){
		.provider = { .operations = &operations, .name = "container" },
		.context = *context,
		.order = {
			.method = HTTP_GET,
			.place = self->place,
			.operation = "ContainerCredentials",
			.url = self->url,
			.is_metadata = true,
			.attempt_ms = ATTEMPT_MS,
		},
		.set_headers = set_headers,
		.read_keys = read_keys,
		.wrap = wrap,
	};
	r = container_uri_find(context->environment, self->url, err);
	if (r == 0)
		set_place(self);
	if (r == 0)
		r = key_provider_name(&self->base.provider, "container",
				      self->place, err);
	if (r < 0)
		key_provider_free(&self->base.provider);
	else
		*ret = &self->base.provider;
	return r;
}
