/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A fetch is one struct that goes from callback to callback: keys, request,
 * reply. It waits for exactly one thing at a time, whose handle it holds, and
 * end() is the one way out besides being cancelled.
 */
#include "aws/aws_source.h"
#include "aws/credentials.h"
#include "aws/endpoint.h"
#include "aws/keys.h"
#include "aws/refusal.h"
#include "aws/region.h"
#include "aws/reply.h"
#include "aws/request.h"
#include "aws/secretsmanager.h"
#include "aws/verdict.h"
#include "base/err.h"
#include "base/macros.h"
#include "loop/loop.h"
#include "net/retry.h"
#include "store/source.h"
#include "store/value.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* AWS may refuse what it allows again a moment later: permissions and replicas
 * take time to be the same everywhere. */
#define GRACE_MS 60000

#define ATTEMPTS_MAX 2 /* the second one with newer keys */

struct aws_source {
	struct source source;
	struct loop *loop;
	struct retry *retry;
	struct credentials *credentials;
	struct endpoint endpoint;
	char *identity;
	int64_t timeout_ms;
};

struct source_call {
	struct aws_source *source;
	struct source_want want; /* its texts stand in texts */
	int64_t deadline_ms;
	unsigned attempts;

	/* what is waited for: one of them */
	struct credentials_get *get;
	struct retry_call *retry_call;
	struct loop_timer *failed_soon;

	struct keys *keys; /* of this attempt */
	struct request request;
	struct err failure;

	source_on_value *on_value;
	void *owner;
	char texts[];
};

static void free_call(struct source_call *call)
{
	request_done(&call->request);
	keys_unref(call->keys);
	free(call);
}

/* What is not one of the codes that source.h allows may pass by itself. */
static int to_reader_code(int code)
{
	static const int allowed[] = { -ENOENT, -EACCES, -EFBIG };

	for (size_t i = 0; i < ARRAY_SIZE(allowed); i++)
		if (code == allowed[i])
			return code;
	return -EIO;
}

static void end(struct source_call *call, struct value *value,
		const struct err *err)
{
	source_on_value *on_value = call->on_value;
	void *owner = call->owner;
	struct err failure = { 0 };

	if (err) {
		failure = *err;
		failure.code = to_reader_code(err->code);
	}
	free_call(call);
	on_value(owner, value, err ? &failure : NULL);
}

static void end_with(struct source_call *call, const struct err *err)
{
	struct err failure = *err;

	(void)secretsmanager_wrap(&call->want, &failure);
	end(call, NULL, &failure);
}

static int ask_for_keys(struct source_call *call);

/* Whether other keys than those that were refused may be had. */
static bool may_begin_again(const struct source_call *call,
			    const struct aws_reply *reply)
{
	return call->attempts < ATTEMPTS_MAX && reply->status != 200 &&
	       refusal_is_of_keys(reply) &&
	       credentials_drop(call->source->credentials, call->keys);
}

/* Want of memory is not AWS's refusal, which would end what is cached. */
static void begin_again(struct source_call *call)
{
	struct err err;

	if (ask_for_keys(call) == 0)
		return;
	(void)err_set(&err, -ENOMEM, "no memory to ask with newer keys");
	end_with(call, &err);
}

static void on_reply(void *owner, const struct http_reply *reply,
		     const struct err *err)
{
	struct source_call *call = owner;
	struct value *value = NULL;
	struct aws_reply parts;
	struct err failure;
	int r;

	call->retry_call = NULL;
	if (err) {
		end_with(call, err);
		return;
	}
	parts = aws_reply_of(reply);
	if (may_begin_again(call, &parts)) {
		begin_again(call);
		return;
	}
	r = secretsmanager_reply_read(&parts, &call->want, &value, &failure);
	end(call, value, r < 0 ? &failure : NULL);
	value_unref(value);
}

static int prepare(struct source_call *call)
{
	static const struct sigv4_header headers[] = {
		{ "Content-Type", SECRETSMANAGER_CONTENT_TYPE },
		{ "X-Amz-Target", SECRETSMANAGER_GET_TARGET },
	};
	struct aws_source *source = call->source;
	int r;

	buf_clear(&call->request.body);
	r = secretsmanager_form(&call->want, &call->request.body);
	if (r < 0)
		return r;
	return request_sign(&call->request, &source->endpoint, headers,
			    ARRAY_SIZE(headers), call->keys,
			    loop_clock(source->loop));
}

static int make(void *owner, unsigned attempt, struct http_request *ret,
		struct err *err)
{
	struct source_call *call = owner;
	int r = prepare(call);

	(void)attempt;
	if (r < 0)
		return err_set(err, r, "the request could not be made (%s)",
			       strerrordesc_np(-r));
	request_fill(&call->request, &call->source->endpoint, ret);
	ret->reply_max = SECRETSMANAGER_REPLY_MAX;
	return 0;
}

static int send_request(struct source_call *call, struct err *err)
{
	struct aws_source *source = call->source;
	const struct retry_request request = {
		.url = source->endpoint.url,
		.timeout_ms = call->deadline_ms - loop_now_ms(source->loop),
		.make = make,
		.judge = aws_judge,
		.on_reply = on_reply,
		.owner = call,
	};

	call->retry_call = retry_start(source->retry, &request, err);
	return call->retry_call ? 0 : err->code;
}

static void on_keys(void *owner, struct keys *keys, const struct err *err)
{
	struct source_call *call = owner;
	struct err failure;

	call->get = NULL;
	if (err) {
		end_with(call, err);
		return;
	}
	keys_unref(call->keys);
	call->keys = keys_ref(keys);
	if (send_request(call, &failure) < 0)
		end_with(call, &failure);
}

static int ask_for_keys(struct source_call *call)
{
	call->attempts++;
	call->get = credentials_get(call->source->credentials,
				    call->deadline_ms, on_keys, call);
	return call->get ? 0 : -ENOMEM;
}

static void on_failed(void *owner)
{
	struct source_call *call = owner;

	call->failed_soon = NULL;
	end_with(call, &call->failure);
}

/* What this source cannot have: what is wrong with it. */
static int check_want(const struct aws_source *source,
		      const struct source_want *want, struct err *err)
{
	char region[REGION_SIZE];
	int r = secretsmanager_check(want, err);

	if (r < 0)
		return r;
	if (region_of_secret(want->name, region, err) < 0) {
		err->code = -ENOENT;
		return -ENOENT;
	}
	if (region[0] != '\0' && strcmp(region, source->endpoint.region) != 0)
		return err_set(err, -ENOENT,
			       "the ARN is of region %s, the mount of %s",
			       region, source->endpoint.region);
	return 0;
}

static int start(struct source_call *call)
{
	struct aws_source *source = call->source;

	if (check_want(source, &call->want, &call->failure) == 0)
		return ask_for_keys(call);
	call->failed_soon = loop_soon(source->loop, on_failed, call);
	return call->failed_soon ? 0 : -ENOMEM;
}

static size_t size_of(const char *text)
{
	return text ? strlen(text) + 1 : 0;
}

/* Returns the copy, NULL for NULL, and moves `to` behind it. */
static const char *copy_text(char **to, const char *text)
{
	size_t size = size_of(text);
	const char *copy = text ? memcpy(*to, text, size) : NULL;

	*to += size;
	return copy;
}

/* NULL: no memory. */
static struct source_call *new_call(const struct source_want *want)
{
	struct source_call *call = calloc(
		1, sizeof(*call) + size_of(want->name) +
			   size_of(want->version) + size_of(want->stage));
	char *to;

	if (!call)
		return NULL;
	to = call->texts;
	call->want.name = copy_text(&to, want->name);
	call->want.version = copy_text(&to, want->version);
	call->want.stage = copy_text(&to, want->stage);
	request_init(&call->request);
	return call;
}

static struct source_call *fetch(struct source *base,
				 const struct source_want *want,
				 source_on_value *on_value, void *owner)
{
	struct aws_source *source =
		CONTAINER_OF(base, struct aws_source, source);
	struct source_call *call = new_call(want);

	if (!call)
		return NULL;
	call->source = source;
	call->deadline_ms = loop_now_ms(source->loop) + source->timeout_ms;
	call->on_value = on_value;
	call->owner = owner;
	if (start(call) < 0) {
		free_call(call);
		return NULL;
	}
	return call;
}

static void cancel(struct source_call *call)
{
	if (!call)
		return;
	credentials_cancel(call->get);
	retry_cancel(call->retry_call);
	loop_timer_cancel(call->failed_soon);
	free_call(call);
}

static void free_source(struct source *base)
{
	struct aws_source *source;

	if (!base)
		return;
	source = CONTAINER_OF(base, struct aws_source, source);
	credentials_free(source->credentials);
	free(source->identity);
	free(source);
}

static const struct source_operations operations = {
	.fetch = fetch,
	.cancel = cancel,
	.free = free_source,
};

static int set_identity(struct aws_source *source, struct err *err)
{
	if (asprintf(&source->identity, "%s %s %s", source->endpoint.url,
		     source->endpoint.region,
		     credentials_identity(source->credentials)) < 0) {
		source->identity = NULL;
		return err_set(err, -ENOMEM, "no memory");
	}
	source->source.identity = source->identity;
	return 0;
}

static int configure(struct aws_source *source,
		     const struct aws_settings *settings,
		     const struct aws_environment *environment, struct err *err)
{
	char region[REGION_SIZE];
	int r = region_choose(settings->region, environment, settings->secret,
			      region, err);

	if (r == 0)
		r = endpoint_find(AWS_SERVICE_SECRETSMANAGER, region,
				  settings->endpoint_url, environment,
				  &source->endpoint, err);
	if (r == 0)
		r = credentials_new(source->loop, source->retry, environment,
				    region, &source->credentials, err);
	return r == 0 ? set_identity(source, err) : r;
}

int aws_source_new(struct loop *loop, struct retry *retry,
		   const struct aws_settings *settings,
		   const struct aws_environment *environment,
		   struct source **ret, struct err *err)
{
	struct aws_source *source = calloc(1, sizeof(*source));
	int r;

	if (!source)
		return err_set(err, -ENOMEM, "no memory for a source");
	source->source.operations = &operations;
	source->source.grace_ms = GRACE_MS;
	source->loop = loop;
	source->retry = retry;
	source->timeout_ms = settings->timeout_ms;
	r = configure(source, settings, environment, err);
	if (r < 0) {
		free_source(&source->source);
		return r;
	}
	*ret = &source->source;
	return 0;
}

int aws_source_check(struct source *source, struct err *err)
{
	const struct aws_source *aws =
		CONTAINER_OF(source, struct aws_source, source);

	return credentials_check(aws->credentials, err);
}

const char *aws_source_region(const struct source *source)
{
	const struct aws_source *aws = (const struct aws_source *)source;

	return aws->endpoint.region;
}
