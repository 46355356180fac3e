/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The instance metadata service, version 2 only: a token, the role's name, the
 * role's keys, one request after the other. The token is kept for as long as it
 * was asked for; where it is refused earlier a new one is asked for once.
 */
#include "aws/endpoint.h"
#include "aws/environment.h"
#include "aws/key_provider.h"
#include "aws/key_providers.h"
#include "aws/keys.h"
#include "aws/keys_json.h"
#include "aws/plain_call.h"
#include "aws/reply.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/jdoc.h"
#include "base/macros.h"
#include "loop/loop.h"
#include "net/place.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define URL_V4 "http://169.254.169.254"
#define URL_V6 "http://[fd00:ec2::254]"
#define TOKEN_PATH "/latest/api/token"
#define ROLES_PATH "/latest/meta-data/iam/security-credentials/"

#define TOKEN_LIFE_S "21600"
#define TOKEN_LIFE_MS (21600L * 1000)
#define TOKEN_EARLY_MS 5000
#define TOKEN_SIZE_MAX 1024

/* A laptop has nobody there, and must not wait for him. */
#define ATTEMPT_MS 1000

#define BASE_SIZE 300
#define ROLE_SIZE 129 /* a role's name has at most 64 */
#define URL_SIZE (BASE_SIZE + sizeof(ROLES_PATH) + ROLE_SIZE)

#define STATUS_OK 200
#define STATUS_UNAUTHORIZED 401
#define STATUS_NOT_FOUND 404

struct instance_keys {
	struct key_provider provider;
	struct key_context context;
	char base[BASE_SIZE]; /* without a slash at its end */
	struct buf token;
	int64_t token_ends_ms;
};

/* What is asked for now. */
enum step {
	STEP_TOKEN,
	STEP_ROLE,
	STEP_KEYS,
};

struct key_call {
	struct instance_keys *self;
	int64_t deadline_ms;
	enum step step;
	bool has_renewed; /* the token that was refused */
	char role[ROLE_SIZE];
	char url[URL_SIZE];
	struct plain_call *plain_call;
	key_provider_on_keys *on_keys;
	void *owner;
};

static struct instance_keys *of(struct key_provider *provider)
{
	return CONTAINER_OF(provider, struct instance_keys, provider);
}

static void end(struct key_call *call, struct keys *keys, const struct err *err)
{
	const struct key_call ended = *call;

	free(call);
	ended.on_keys(ended.owner, keys, err);
}

/* Who is silent is either not there or behind one hop too many. */
static void fail(struct key_call *call, struct err *err)
{
	if (err->code == -EFBIG)
		err->code = -EIO;
	if (call->step == STEP_TOKEN && err->code == -ETIMEDOUT)
		(void)err_set(
			err, err->code,
			"no answer from the instance metadata service at "
			"%s: this is no EC2 instance, or, in a container, "
			"its hop limit is 1 "
			"(HttpPutResponseHopLimit must be 2)",
			call->self->base);
	else
		(void)err_wrap(err, "instance metadata service at %s",
			       call->self->base);
	end(call, NULL, err);
}

static void fail_with(struct key_call *call, int code, const char *text)
{
	struct err err;

	(void)err_set(&err, code, "%s", text);
	fail(call, &err);
}

static void ask(struct key_call *call, enum step step);

static void on_token(struct key_call *call, const struct aws_reply *reply)
{
	struct instance_keys *self = call->self;
	struct err err;

	buf_clear(&self->token);
	if (reply->status != STATUS_OK) {
		(void)plain_refusal(reply, &err);
		fail(call, &err);
		return;
	}
	if (buf_append_text(&self->token, buf_text(reply->body)) < 0 ||
	    self->token.length == 0) {
		fail_with(call, -EIO, "a token that cannot be one");
		return;
	}
	self->token_ends_ms = loop_now_ms(self->context.loop) + TOKEN_LIFE_MS -
			      TOKEN_EARLY_MS;
	ask(call, STEP_ROLE);
}

/* Names of roles: [\w+=,.@-] */
static bool is_role_char(char c)
{
	return isalnum((unsigned char)c) || (c != '\0' && strchr("_+=,.@-", c));
}

/* The first line is the name. */
static void on_role(struct key_call *call, const struct aws_reply *reply)
{
	const char *text = buf_text(reply->body);
	size_t length = 0;

	while (is_role_char(text[length]))
		length++;
	if (reply->status == STATUS_NOT_FOUND || text[0] == '\0') {
		fail_with(call, -ENOKEY, "the instance has no role");
		return;
	}
	if (length == 0 || length >= ROLE_SIZE ||
	    (text[length] != '\0' && !isspace((unsigned char)text[length]))) {
		fail_with(call, -EIO, "a role's name that cannot be one");
		return;
	}
	memcpy(call->role, text, length);
	call->role[length] = '\0';
	key_provider_note_role(&call->self->provider, call->role);
	ask(call, STEP_KEYS);
}

/* A success may still say that it is none: Code, and no keys. */
static int read_keys(const struct aws_reply *reply, struct keys **ret)
{
	static const struct keys_members members = {
		.id = "AccessKeyId",
		.secret = "SecretAccessKey",
		.token = "Token",
		.expires = "Expiration",
	};
	cleanup_jdoc struct jdoc *doc = NULL;
	jdoc_node code;
	int r = jdoc_parse(buf_text(reply->body), reply->body->length, &doc,
			   NULL);

	if (r < 0)
		return r;
	code = jdoc_find(doc, 0, "Code");
	if (code != JDOC_NONE &&
	    !jdoc_string_is(doc, code, "Success", strlen("Success")))
		return -EPROTO;
	return keys_json_read(doc, 0, &members, ret);
}

static void on_role_keys(struct key_call *call, const struct aws_reply *reply)
{
	cleanup_keys struct keys *keys = NULL;
	int r = read_keys(reply, &keys);

	if (r == 0)
		end(call, keys, NULL);
	else if (r == -ENOMEM)
		fail_with(call, r, "no memory for the reply");
	else if (r == -EPROTO)
		fail_with(call, -EIO,
			  "it has no keys of the role: its Code is not "
			  "Success");
	else
		fail_with(call, -EIO, "reply without usable keys");
}

static void on_answer(struct key_call *call, const struct aws_reply *reply)
{
	struct err err;

	if (reply->status == STATUS_UNAUTHORIZED && !call->has_renewed) {
		call->has_renewed = true;
		ask(call, STEP_TOKEN);
	} else if (call->step == STEP_ROLE &&
		   (reply->status == STATUS_OK ||
		    reply->status == STATUS_NOT_FOUND)) {
		on_role(call, reply);
	} else if (reply->status == STATUS_OK) {
		on_role_keys(call, reply);
	} else {
		(void)plain_refusal(reply, &err);
		fail(call, &err);
	}
}

static void on_reply(void *owner, const struct aws_reply *reply,
		     const struct err *err)
{
	struct key_call *call = owner;
	struct err failure;

	call->plain_call = NULL;
	if (err) {
		failure = *err;
		fail(call, &failure);
	} else if (call->step == STEP_TOKEN) {
		on_token(call, reply);
	} else {
		on_answer(call, reply);
	}
}

static int set_headers(void *owner, struct request *request, struct err *err)
{
	const struct key_call *call = owner;
	const struct sigv4_header wish = {
		"X-aws-ec2-metadata-token-ttl-seconds",
		TOKEN_LIFE_S,
	};
	const struct sigv4_header token = {
		"X-aws-ec2-metadata-token",
		buf_text(&call->self->token),
	};
	int r = request_set_headers(
		request, NULL, call->step == STEP_TOKEN ? &wish : &token, 1);

	return r < 0 ? err_set(err, r, "no room for its headers") : 0;
}

static int send_request(struct key_call *call, struct err *err)
{
	struct instance_keys *self = call->self;
	const struct plain_order order = {
		.method = call->step == STEP_TOKEN ? HTTP_PUT : HTTP_GET,
		.place = self->base,
		.operation = "InstanceMetadata",
		.url = call->url,
		.is_metadata = true,
		.timeout_ms =
			call->deadline_ms - loop_now_ms(self->context.loop),
		.attempt_ms = ATTEMPT_MS,
		.set_headers = set_headers,
		.on_reply = on_reply,
		.owner = call,
	};

	(void)snprintf(call->url, sizeof(call->url), "%s%s%s", self->base,
		       call->step == STEP_TOKEN ? TOKEN_PATH : ROLES_PATH,
		       call->step == STEP_KEYS ? call->role : "");
	call->plain_call = plain_call_start(self->context.retry, &order, err);
	return call->plain_call ? 0 : err->code;
}

static void ask(struct key_call *call, enum step step)
{
	struct err err;

	call->step = step;
	if (send_request(call, &err) < 0)
		fail(call, &err);
}

static struct key_call *start(struct key_provider *provider, int64_t timeout_ms,
			      key_provider_on_keys *on_keys, void *owner,
			      struct err *err)
{
	struct instance_keys *self = of(provider);
	struct key_call *call = calloc(1, sizeof(*call));
	int64_t now_ms = loop_now_ms(self->context.loop);

	if (!call) {
		(void)err_set(err, -ENOMEM, "no memory to ask for keys");
		return NULL;
	}
	call->self = self;
	call->deadline_ms = now_ms + timeout_ms;
	call->on_keys = on_keys;
	call->owner = owner;
	call->step = self->token.length > 0 && now_ms < self->token_ends_ms
			     ? STEP_ROLE
			     : STEP_TOKEN;
	if (send_request(call, err) == 0)
		return call;
	(void)err_wrap(err, "instance metadata service at %s", self->base);
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

static void free_provider(struct key_provider *provider)
{
	struct instance_keys *self = of(provider);

	buf_done(&self->token);
	free(self);
}

static const struct key_provider_operations operations = {
	.start = start,
	.cancel = cancel,
	.free = free_provider,
};

static int set_base(struct instance_keys *self, struct err *err)
{
	const struct aws_environment *environment = self->context.environment;
	const char *url = environment->metadata_endpoint;
	const char *mode = environment->metadata_mode;
	bool is_v6 = mode && strcasecmp(mode, "IPv6") == 0;
	struct place place;
	size_t length;

	if (mode && !is_v6 && strcasecmp(mode, "IPv4") != 0)
		return err_set(err, -EINVAL,
			       "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE must be "
			       "IPv4 or IPv6");
	if (!url)
		url = is_v6 ? URL_V6 : URL_V4;
	length = strlen(url);
	while (length > 0 && url[length - 1] == '/')
		length--;
	if (length >= BASE_SIZE || strpbrk(url, " \t\r\n?#") ||
	    place_read_metadata(url, &place, NULL) < 0)
		return err_set(err, -EINVAL,
			       "AWS_EC2_METADATA_SERVICE_ENDPOINT must be an "
			       "https URL, or http of this machine or of its "
			       "metadata service");
	(void)snprintf(self->base, sizeof(self->base), "%.*s", (int)length,
		       url);
	return 0;
}

int instance_keys_new(const struct key_context *context,
		      struct key_provider **ret, struct err *err)
{
	const char *disabled = context->environment->metadata_disabled;
	struct instance_keys *self;
	int r;

	if (disabled && strcasecmp(disabled, "true") == 0)
		return err_set(err, -ENOENT, "AWS_EC2_METADATA_DISABLED=true");
	self = calloc(1, sizeof(*self));
	if (!self)
		return err_set(err, -ENOMEM,
			       "no memory for an instance's keys");
	self->provider.operations = &operations;
	self->provider.name = "instance";
	self->provider.outlives_end = true;
	self->context = *context;
	buf_init(&self->token, TOKEN_SIZE_MAX);
	r = set_base(self, err);
	if (r == 0)
		r = key_provider_name(&self->provider, "instance", self->base,
				      err);
	if (r < 0)
		key_provider_free(&self->provider);
	else
		*ret = &self->provider;
	return r;
}
