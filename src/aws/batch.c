/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A batch is open until the next turn of the loop, or until it is full; then
 * it is one call. Whatever a reply does not settle is left to single calls.
 *
 * As long as it is not known whether batches are allowed, one of them tries and
 * the others wait for what comes of it: one refusal is enough.
 */
#include "aws/batch.h"
#include "aws/api_call.h"
#include "aws/batch_reply.h"
#include "aws/endpoint.h"
#include "aws/refusal.h"
#include "aws/reply.h"
#include "aws/secretsmanager.h"
#include "base/err.h"
#include "base/jdoc.h"
#include "base/macros.h"
#include "loop/loop.h"
#include "net/retry.h"
#include "store/value.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/queue.h>

#define STATUS_OK 200
#define REFUSED_MS (3600L * 1000)
#define THROTTLED_MS 10000
#define ALONE 1

struct batches {
	const struct api *api;
	struct batch *open;	     /* NULL: none that may be joined */
	struct batch *probe;	     /* NULL: none is out to try */
	TAILQ_HEAD(, batch) waiting; /* for the probe */
	bool are_known;		     /* to be allowed */
	int64_t refused_until_ms;
};

struct batch {
	struct batches *batches;
	int64_t deadline_ms;

	/* what is waited for: one of them */
	struct loop_timer *next; /* the end of the turn, or of waiting */
	struct api_call *call;

	TAILQ_ENTRY(batch) in_waiting;
	bool is_waiting;
	size_t live; /* did not leave */
	size_t count;
	struct batch_member *members[BATCH_NAMES_MAX]; /* NULL: it left */
};

struct batch_member {
	struct batch *batch;
	size_t place;
	const char *name;
	batch_on_result *on_result;
	void *owner;
};

struct batches *batches_new(const struct api *api)
{
	struct batches *batches = calloc(1, sizeof(*batches));

	if (!batches)
		return NULL;
	batches->api = api;
	batches->refused_until_ms = INT64_MIN;
	TAILQ_INIT(&batches->waiting);
	return batches;
}

void batches_free(struct batches *batches)
{
	assert(!batches || (!batches->open && !batches->probe &&
			    TAILQ_EMPTY(&batches->waiting)));
	free(batches);
}

bool batches_are_allowed(const struct batches *batches)
{
	return loop_now_ms(batches->api->loop) >= batches->refused_until_ms;
}

/* What came of a call: where neither is set, each member is to ask alone. */
struct outcome {
	const struct aws_reply *reply;
	const struct jdoc *doc;
	const struct err *err;
};

static void tell(struct batch_member *member, const struct outcome *outcome)
{
	batch_on_result *on_result = member->on_result;
	void *owner = member->owner;
	struct value *value = NULL;
	struct err err = { 0 };
	int r = -EAGAIN;

	if (outcome->err) {
		err = *outcome->err;
		r = batch_wrap(member->name, &err);
	} else if (outcome->doc) {
		r = batch_reply_find(outcome->reply, outcome->doc, member->name,
				     &value, &err);
	}
	free(member);
	on_result(owner, value, r == 0 || r == -EAGAIN ? NULL : &err);
	value_unref(value);
}

/* The last callback may free all that is above the batch, and each may let
 * members leave. */
static void end(struct batch *batch, const struct outcome *outcome)
{
	for (size_t i = 0; i < batch->count; i++) {
		struct batch_member *member = TAKE(batch->members[i]);

		if (member)
			tell(member, outcome);
	}
	free(batch);
}

static int form(const void *owner, struct buf *out)
{
	const struct batch *batch = owner;
	const char *names[BATCH_NAMES_MAX] = { 0 };

	for (size_t i = 0; i < batch->count; i++)
		if (batch->members[i])
			names[i] = batch->members[i]->name;
	return batch_form(names, batch->count, out);
}

static void on_next(void *owner);

static void stop_waiting(struct batch *batch)
{
	if (batch->is_waiting)
		TAILQ_REMOVE(&batch->batches->waiting, batch, in_waiting);
	batch->is_waiting = false;
}

/* The others look again in the next turn; one that finds no memory for that
 * waits on, until its deadline at the latest. */
static void end_probe(struct batch *batch)
{
	struct batches *batches = batch->batches;
	struct batch *waiting;
	struct batch *following;

	if (batches->probe != batch)
		return;
	batches->probe = NULL;
	for (waiting = TAILQ_FIRST(&batches->waiting); waiting;
	     waiting = following) {
		struct loop_timer *soon =
			loop_soon(batches->api->loop, on_next, waiting);

		following = TAILQ_NEXT(waiting, in_waiting);
		if (!soon)
			continue;
		stop_waiting(waiting);
		loop_timer_cancel(waiting->next);
		waiting->next = soon;
	}
}

static void end_with_values(struct batch *batch, const struct aws_reply *reply)
{
	cleanup_jdoc struct jdoc *doc = NULL;

	/* a reply that is no JSON leaves all of it open */
	(void)secretsmanager_reply_parse(reply, &doc, NULL);
	end(batch, &(struct outcome){ .reply = reply, .doc = doc });
}

/* AWS counts batches apart, and allows one for a hundred single calls: when
 * many nodes start at once, these still go through. They are no more than a
 * role without the permission makes, and repeated from the same bucket. */
static bool is_throttled(const struct batches *batches,
			 const struct aws_reply *reply)
{
	const struct api *api = batches->api;

	return reply->status != STATUS_OK &&
	       refusal_kind(reply) == REFUSAL_THROTTLED &&
	       retry_can_pay(api->retry, api->endpoint->url);
}

static void end_with_refusal(struct batch *batch, const struct aws_reply *reply)
{
	struct err err;

	if (batch_reply_is_refusal(reply) ||
	    is_throttled(batch->batches, reply)) {
		end(batch, &(struct outcome){ 0 });
		return;
	}
	(void)refusal_read(reply, &err);
	if (refusal_kind(reply) != REFUSAL_DEFINITE)
		err.code = -EBUSY;
	end(batch, &(struct outcome){ .err = &err });
}

/* What the reply says of batches as such. */
static void learn(struct batches *batches, const struct aws_reply *reply)
{
	int64_t now_ms = loop_now_ms(batches->api->loop);

	if (reply->status == STATUS_OK)
		batches->are_known = true;
	if (is_throttled(batches, reply))
		batches->refused_until_ms = now_ms + THROTTLED_MS;
	if (!batch_reply_is_refusal(reply) || !batch_reply_is_lasting(reply))
		return;
	batches->are_known = false;
	batches->refused_until_ms = now_ms + REFUSED_MS;
}

/* Single requests and replies are shorter. */
static bool is_of_length(const struct err *err)
{
	return err->code == -EFBIG || err->code == -ENOMEM;
}

static void on_reply(void *owner, const struct aws_reply *reply,
		     const struct err *err)
{
	struct batch *batch = owner;

	batch->call = NULL;
	if (!err)
		learn(batch->batches, reply);
	end_probe(batch);
	if (err)
		end(batch,
		    &(struct outcome){ .err = is_of_length(err) ? NULL : err });
	else if (reply->status == STATUS_OK)
		end_with_values(batch, reply);
	else
		end_with_refusal(batch, reply);
}

static const struct api_operation operation = {
	.target = BATCH_TARGET,
	.reply_max = BATCH_REPLY_MAX,
	.form = form,
	.on_reply = on_reply,
};

static int wait_for_probe(struct batch *batch)
{
	struct batches *batches = batch->batches;

	batch->next = loop_timer(batches->api->loop, batch->deadline_ms,
				 on_next, batch);
	if (!batch->next)
		return -ENOMEM;
	batch->is_waiting = true;
	TAILQ_INSERT_TAIL(&batches->waiting, batch, in_waiting);
	return 0;
}

static int send_batch(struct batch *batch)
{
	struct batches *batches = batch->batches;

	batch->call = api_call_start(batches->api, &operation,
				     batch->deadline_ms, batch);
	if (!batch->call)
		return -ENOMEM;
	if (!batches->are_known)
		batches->probe = batch;
	return 0;
}

/* The turn is over in which it could be joined, or the probe, or its time. */
static void on_next(void *owner)
{
	struct batch *batch = owner;
	struct batches *batches = batch->batches;
	bool has_waited = batch->is_waiting;
	int r = -EPERM;

	batch->next = NULL;
	stop_waiting(batch);
	if (batches->open == batch)
		batches->open = NULL;
	if (batch->live > ALONE && batches_are_allowed(batches) && !has_waited)
		r = batches->probe ? wait_for_probe(batch) : send_batch(batch);
	if (r < 0)
		end(batch, &(struct outcome){ 0 });
}

static struct batch *new_batch(struct batches *batches, int64_t deadline_ms)
{
	struct batch *batch = calloc(1, sizeof(*batch));

	if (!batch)
		return NULL;
	batch->batches = batches;
	batch->deadline_ms = deadline_ms;
	batch->next = loop_soon(batches->api->loop, on_next, batch);
	if (!batch->next) {
		free(batch);
		return NULL;
	}
	return batch;
}

static void enter(struct batch *batch, struct batch_member *member)
{
	member->batch = batch;
	member->place = batch->count++;
	batch->members[member->place] = member;
	batch->live++;
	if (batch->count == BATCH_NAMES_MAX)
		batch->batches->open = NULL;
}

struct batch_member *batch_join(struct batches *batches, const char *name,
				int64_t deadline_ms, batch_on_result *on_result,
				void *owner)
{
	struct batch_member *member = calloc(1, sizeof(*member));

	if (member && !batches->open)
		batches->open = new_batch(batches, deadline_ms);
	if (!member || !batches->open) {
		free(member);
		return NULL;
	}
	member->name = name;
	member->on_result = on_result;
	member->owner = owner;
	enter(batches->open, member);
	return member;
}

static void cancel(struct batch *batch)
{
	if (batch->batches->open == batch)
		batch->batches->open = NULL;
	stop_waiting(batch);
	end_probe(batch);
	loop_timer_cancel(batch->next);
	api_call_cancel(batch->call);
	free(batch);
}

void batch_leave(struct batch_member *member)
{
	struct batch *batch;

	if (!member)
		return;
	batch = member->batch;
	batch->members[member->place] = NULL;
	batch->live--;
	free(member);
	/* one that is being told has not left */
	if (batch->live == 0)
		cancel(batch);
}
