/* SPDX-License-Identifier: Apache-2.0 */
/* A fetch is a member of the queue, or an error that is told in the next turn.
 */
#include "aws/ssm_source.h"
#include "aws/region.h"
#include "aws/ssm.h"
#include "aws/ssm_queue.h"
#include "aws/want.h"
#include "base/err.h"
#include "base/macros.h"
#include "loop/loop.h"
#include "store/source.h"

#include <errno.h>
#include <stdlib.h>

struct ssm_source {
	struct account account; /* with the source */
	struct ssm_queue *queue;
};

struct source_call {
	struct ssm_source *source;
	struct source_want want; /* its texts stand in texts */

	/* what is waited for: one of them */
	struct ssm_member *member;
	struct loop_timer *soon;

	struct err failure; /* that is told soon */
	source_on_value *on_value;
	void *owner;
	char texts[];
};

static void on_result(void *owner, struct value *value, const struct err *err)
{
	struct source_call *call = owner;
	source_on_value *on_value = call->on_value;
	void *on_value_owner = call->owner;
	struct err failure = { 0 };

	if (err) {
		failure = *err;
		failure.code = account_reader_code(err->code);
	}
	free(call);
	on_value(on_value_owner, value, err ? &failure : NULL);
}

static void on_soon(void *owner)
{
	struct source_call *call = owner;
	struct err failure = call->failure;

	(void)ssm_wrap(&call->want, &failure);
	on_result(call, NULL, &failure);
}

/* What this source cannot have: what is wrong with it. */
static int check_want(const struct ssm_source *source,
		      const struct source_want *want, struct err *err)
{
	char region[REGION_SIZE];
	int r = ssm_check(want, err);

	if (r < 0)
		return r;
	if (region_of_parameter(want->name, region, err) < 0) {
		err->code = -ENOENT;
		return -ENOENT;
	}
	return account_check_region(&source->account, region, err);
}

static int start(struct source_call *call)
{
	struct ssm_source *source = call->source;
	struct account *account = &source->account;

	if (check_want(source, &call->want, &call->failure) < 0) {
		call->soon = loop_soon(account->api.loop, on_soon, call);
		return call->soon ? 0 : -ENOMEM;
	}
	call->member =
		ssm_join(source->queue, &call->want,
			 loop_now_ms(account->api.loop) + account->timeout_ms,
			 on_result, call);
	return call->member ? 0 : -ENOMEM;
}

static struct source_call *fetch(struct source *base,
				 const struct source_want *want,
				 source_on_value *on_value, void *owner)
{
	struct source_call *call =
		calloc(1, sizeof(*call) + want_texts_size(want));

	if (!call)
		return NULL;
	call->source = CONTAINER_OF(base, struct ssm_source, account.source);
	(void)want_copy(want, call->texts, &call->want);
	call->on_value = on_value;
	call->owner = owner;
	if (start(call) == 0)
		return call;
	free(call);
	return NULL;
}

static void cancel(struct source_call *call)
{
	if (!call)
		return;
	ssm_leave(call->member);
	loop_timer_cancel(call->soon);
	free(call);
}

static void free_source(struct source *base)
{
	struct ssm_source *source;

	if (!base)
		return;
	source = CONTAINER_OF(base, struct ssm_source, account.source);
	ssm_queue_free(source->queue);
	account_close(&source->account);
	free(source);
}

static const struct source_operations operations = {
	.fetch = fetch,
	.cancel = cancel,
	.free = free_source,
};

int ssm_source_new(struct identities *identities,
		   const struct aws_settings *settings, struct source **ret,
		   struct err *err)
{
	struct ssm_source *source = calloc(1, sizeof(*source));
	int r;

	if (!source)
		return err_set(err, -ENOMEM, "no memory for a source");
	source->account.source.operations = &operations;
	source->account.source.has_no_stages = true;
	r = account_open(&source->account, AWS_SERVICE_SSM, identities,
			 settings, err);
	if (r == 0) {
		source->queue = ssm_queue_new(&source->account.api);
		r = source->queue
			    ? 0
			    : err_set(err, -ENOMEM, "no memory for a source");
	}
	if (r < 0) {
		free_source(&source->account.source);
		return r;
	}
	*ret = &source->account.source;
	return 0;
}
