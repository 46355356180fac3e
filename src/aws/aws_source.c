/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is asked of the source becomes a question to AWS: a fetch one for a
 * batch or for the secret alone, a confirmation one for its description. A
 * call waits for exactly one thing at a time, whose handle it holds.
 */
#include "aws/aws_source.h"
#include "aws/account.h"
#include "aws/api_call.h"
#include "aws/batch.h"
#include "aws/denied.h"
#include "aws/describe.h"
#include "aws/refusal.h"
#include "aws/region.h"
#include "aws/reply.h"
#include "aws/secretsmanager.h"
#include "aws/want.h"
#include "base/err.h"
#include "base/macros.h"
#include "loop/loop.h"
#include "store/source.h"
#include "store/value.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STATUS_OK 200

struct aws_source {
	struct account account; /* with the source */
	struct batches *batches;
	struct denied *undescribed; /* only a fetch can tell of these */
};

struct source_call {
	struct aws_source *source;
	struct source_want want; /* its texts stand in texts */
	const char *version;	 /* to confirm; NULL: it is a fetch */
	int64_t deadline_ms;

	/* what is waited for: one of them */
	struct api_call *api_call;
	struct batch_member *member;
	struct loop_timer *soon;

	struct err failure; /* that is told soon */

	source_on_value *on_value; /* NULL: it is a confirmation */
	source_on_confirmed *on_confirmed;
	void *owner;
	char texts[];
};

static void end_fetch(struct source_call *call, struct value *value,
		      const struct err *err)
{
	source_on_value *on_value = call->on_value;
	void *owner = call->owner;
	struct err failure = { 0 };

	if (err) {
		failure = *err;
		failure.code = account_reader_code(err->code);
	}
	free(call);
	on_value(owner, value, err ? &failure : NULL);
}

/* A description that is too long is no reader's matter. */
static int to_confirmer_code(int code)
{
	if (code == -ENOSYS)
		return code;
	return code == -EFBIG ? -EIO : account_reader_code(code);
}

static void end_confirm(struct source_call *call, bool is_current,
			const struct err *err)
{
	source_on_confirmed *on_confirmed = call->on_confirmed;
	void *owner = call->owner;
	struct err failure = { 0 };

	if (err) {
		failure = *err;
		failure.code = to_confirmer_code(err->code);
	}
	free(call);
	on_confirmed(owner, is_current, err ? &failure : NULL);
}

static void fail(struct source_call *call, const struct err *err)
{
	struct err failure = *err;

	if (call->version) {
		(void)describe_wrap(call->want.name, &failure);
		end_confirm(call, false, &failure);
	} else {
		(void)secretsmanager_wrap(&call->want, &failure);
		end_fetch(call, NULL, &failure);
	}
}

static void on_soon(void *owner)
{
	struct source_call *call = owner;

	call->soon = NULL;
	fail(call, &call->failure);
}

static int fail_soon(struct source_call *call)
{
	call->soon = loop_soon(call->source->account.api.loop, on_soon, call);
	return call->soon ? 0 : -ENOMEM;
}

/* A service that answers that it cannot now. */
static bool is_busy(const struct aws_reply *reply)
{
	return reply->status != STATUS_OK &&
	       refusal_kind(reply) != REFUSAL_DEFINITE;
}

static int form_get(const void *owner, struct buf *out)
{
	const struct source_call *call = owner;

	return secretsmanager_form(&call->want, out);
}

static void on_got(void *owner, const struct aws_reply *reply,
		   const struct err *err)
{
	struct source_call *call = owner;
	struct value *value = NULL;
	struct err failure;
	int r;

	call->api_call = NULL;
	if (err) {
		fail(call, err);
		return;
	}
	r = secretsmanager_reply_read(reply, &call->want, &value, &failure);
	if (r < 0 && is_busy(reply))
		failure.code = -EBUSY;
	end_fetch(call, value, r < 0 ? &failure : NULL);
	value_unref(value);
}

static int get_alone(struct source_call *call)
{
	static const struct api_operation operation = {
		.target = SECRETSMANAGER_GET_TARGET,
		.reply_max = SECRETSMANAGER_REPLY_MAX,
		.form = form_get,
		.on_reply = on_got,
	};

	call->api_call = api_call_start(&call->source->account.api, &operation,
					call->deadline_ms, call);
	return call->api_call ? 0 : -ENOMEM;
}

static void on_batched(void *owner, struct value *value, const struct err *err)
{
	struct source_call *call = owner;
	struct err failure;

	call->member = NULL;
	if (value || err) {
		end_fetch(call, value, err);
	} else if (get_alone(call) < 0) {
		(void)err_set(&failure, -ENOMEM, "no memory to ask");
		fail(call, &failure);
	}
}

/* A batch gives what has the usual stage, and nothing else. */
static int start_fetch(struct source_call *call)
{
	struct batches *batches = call->source->batches;

	if (call->want.version || call->want.stage ||
	    !batches_are_allowed(batches))
		return get_alone(call);
	call->member = batch_join(batches, call->want.name, call->deadline_ms,
				  on_batched, call);
	return call->member ? 0 : -ENOMEM;
}

static int form_describe(const void *owner, struct buf *out)
{
	const struct source_call *call = owner;

	return describe_form(call->want.name, out);
}

static void on_described(void *owner, const struct aws_reply *reply,
			 const struct err *err)
{
	struct source_call *call = owner;
	bool is_current = false;
	struct err failure;
	int r;

	call->api_call = NULL;
	if (err) {
		fail(call, err);
		return;
	}
	r = describe_reply_read(reply, &call->want, call->version, &is_current,
				&failure);
	if (r < 0 && is_busy(reply))
		failure.code = -EBUSY;
	if (r == -ENOSYS)
		denied_add(call->source->undescribed, call->want.name);
	end_confirm(call, is_current, r < 0 ? &failure : NULL);
}

static int start_confirm(struct source_call *call)
{
	static const struct api_operation operation = {
		.target = DESCRIBE_TARGET,
		.reply_max = DESCRIBE_REPLY_MAX,
		.form = form_describe,
		.on_reply = on_described,
	};
	struct aws_source *source = call->source;

	if (denied_has(source->undescribed, call->want.name)) {
		(void)err_set(&call->failure, -ENOSYS,
			      "refused within the last hour");
		return fail_soon(call);
	}
	call->api_call = api_call_start(&source->account.api, &operation,
					call->deadline_ms, call);
	return call->api_call ? 0 : -ENOMEM;
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
	return account_check_region(&source->account, region, err);
}

static int start(struct source_call *call)
{
	if (check_want(call->source, &call->want, &call->failure) < 0)
		return fail_soon(call);
	return call->version ? start_confirm(call) : start_fetch(call);
}

/* NULL: no memory. */
static struct source_call *new_call(struct source *base,
				    const struct source_want *want,
				    const char *version)
{
	struct aws_source *source =
		CONTAINER_OF(base, struct aws_source, account.source);
	size_t size = version ? strlen(version) + 1 : 0;
	struct source_call *call =
		calloc(1, sizeof(*call) + want_texts_size(want) + size);
	char *to;

	if (!call)
		return NULL;
	to = want_copy(want, call->texts, &call->want);
	if (version)
		call->version = memcpy(to, version, size);
	call->source = source;
	call->deadline_ms = loop_now_ms(source->account.api.loop) +
			    source->account.timeout_ms;
	return call;
}

/* Returns the call, or NULL where it could not begin. */
static struct source_call *begin(struct source_call *call)
{
	if (start(call) == 0)
		return call;
	free(call);
	return NULL;
}

static struct source_call *fetch(struct source *base,
				 const struct source_want *want,
				 source_on_value *on_value, void *owner)
{
	struct source_call *call = new_call(base, want, NULL);

	if (!call)
		return NULL;
	call->on_value = on_value;
	call->owner = owner;
	return begin(call);
}

static struct source_call *
confirm(struct source *base, const struct source_want *want,
	const char *version, source_on_confirmed *on_confirmed, void *owner)
{
	struct source_call *call = new_call(base, want, version);

	if (!call)
		return NULL;
	call->on_confirmed = on_confirmed;
	call->owner = owner;
	return begin(call);
}

static void cancel(struct source_call *call)
{
	if (!call)
		return;
	api_call_cancel(call->api_call);
	batch_leave(call->member);
	loop_timer_cancel(call->soon);
	free(call);
}

static void free_source(struct source *base)
{
	struct aws_source *source;

	if (!base)
		return;
	source = CONTAINER_OF(base, struct aws_source, account.source);
	batches_free(source->batches);
	denied_free(source->undescribed);
	account_close(&source->account);
	free(source);
}

static const struct source_operations operations = {
	.fetch = fetch,
	.confirm = confirm,
	.cancel = cancel,
	.free = free_source,
};

static int make_parts(struct aws_source *source, struct err *err)
{
	source->batches = batches_new(&source->account.api);
	source->undescribed = denied_new(source->account.api.loop);
	if (!source->batches || !source->undescribed)
		return err_set(err, -ENOMEM, "no memory for a source");
	return 0;
}

int aws_source_new(struct identities *identities,
		   const struct aws_settings *settings, struct source **ret,
		   struct err *err)
{
	struct aws_source *source = calloc(1, sizeof(*source));
	int r;

	if (!source)
		return err_set(err, -ENOMEM, "no memory for a source");
	source->account.source.operations = &operations;
	r = account_open(&source->account, AWS_SERVICE_SECRETSMANAGER,
			 identities, settings, err);
	if (r == 0)
		r = make_parts(source, err);
	if (r < 0) {
		free_source(&source->account.source);
		return r;
	}
	*ret = &source->account.source;
	return 0;
}
