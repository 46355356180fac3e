/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Batches in a row: who joins goes into the first that has room and not the
 * same name, and a timer sends the first of them whenever a call may begin.
 * While calls are far apart that is the end of the turn; when many parameters
 * are wanted, batches fill up while they wait.
 */
#include "aws/ssm_queue.h"
#include "aws/api_call.h"
#include "aws/denied.h"
#include "aws/refusal.h"
#include "aws/reply.h"
#include "aws/ssm.h"
#include "base/err.h"
#include "base/jdoc.h"
#include "base/macros.h"
#include "loop/loop.h"
#include "store/source.h"
#include "store/value.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define STATUS_OK 200
#define LOOKED_AT_MAX 4 /* of thousands that may wait */

TAILQ_HEAD(batch_list, ssm_batch);

struct ssm_queue {
	const struct api *api;
	struct batch_list pending; /* not sent yet */
	struct loop_timer *timer;  /* when the first of these is; or NULL */
	int64_t next_ms;	   /* no call begins before */
	struct denied *loners;	   /* what was refused alone */
};

struct ssm_batch {
	struct ssm_queue *queue;
	TAILQ_ENTRY(ssm_batch) in_pending;
	struct api_call *call; /* NULL: it is pending, or being told */
	bool is_pending;
	bool is_for_one;
	int64_t deadline_ms;
	size_t live; /* did not leave */
	size_t count;
	struct ssm_member *members[SSM_NAMES_MAX]; /* NULL: it left */
};

struct ssm_member {
	struct ssm_batch *batch;
	size_t place;
	const struct source_want *want;
	ssm_on_result *on_result;
	void *owner;
};

struct ssm_queue *ssm_queue_new(const struct api *api)
{
	struct ssm_queue *queue = calloc(1, sizeof(*queue));

	if (!queue)
		return NULL;
	queue->api = api;
	queue->next_ms = INT64_MIN;
	TAILQ_INIT(&queue->pending);
	queue->loners = denied_new(api->loop);
	if (!queue->loners) {
		free(queue);
		return NULL;
	}
	return queue;
}

void ssm_queue_free(struct ssm_queue *queue)
{
	if (!queue)
		return;
	assert(TAILQ_EMPTY(&queue->pending));
	loop_timer_cancel(queue->timer);
	denied_free(queue->loners);
	free(queue);
}

static void tell(struct ssm_member *member, struct value *value,
		 const struct err *err)
{
	ssm_on_result *on_result = member->on_result;
	void *owner = member->owner;

	free(member);
	on_result(owner, value, err);
}

static void tell_error(struct ssm_member *member, const struct err *err)
{
	struct err failure = *err;

	(void)ssm_wrap(member->want, &failure);
	tell(member, NULL, &failure);
}

/* The last callback may free all that is above the batch, and each may let
 * members leave. */
static void end_with_error(struct ssm_batch *batch, const struct err *err)
{
	for (size_t i = 0; i < batch->count; i++) {
		struct ssm_member *member = TAKE(batch->members[i]);

		if (member)
			tell_error(member, err);
	}
	free(batch);
}

static void end_with_values(struct ssm_batch *batch, const struct jdoc *doc)
{
	for (size_t i = 0; i < batch->count; i++) {
		struct ssm_member *member = TAKE(batch->members[i]);
		struct value *value = NULL;
		struct err err;
		int r;

		if (!member)
			continue;
		r = ssm_reply_find(doc, member->want, &value, &err);
		tell(member, value, r < 0 ? &err : NULL);
		value_unref(value);
	}
	free(batch);
}

static int plan(struct ssm_queue *queue);

/* NULL: no memory. */
static struct ssm_batch *add_batch(struct ssm_queue *queue, int64_t deadline_ms)
{
	struct ssm_batch *batch = calloc(1, sizeof(*batch));

	if (!batch || plan(queue) < 0) {
		free(batch);
		return NULL;
	}
	batch->queue = queue;
	batch->deadline_ms = deadline_ms;
	batch->is_pending = true;
	TAILQ_INSERT_TAIL(&queue->pending, batch, in_pending);
	return batch;
}

static void enter(struct ssm_batch *batch, struct ssm_member *member)
{
	member->batch = batch;
	member->place = batch->count++;
	batch->members[member->place] = member;
	batch->live++;
}

/* Who finds no memory for that was not refused. */
static void ask_one_by_one(struct ssm_batch *batch)
{
	struct ssm_queue *queue = batch->queue;
	struct err err;

	for (size_t i = 0; i < batch->count; i++) {
		struct ssm_member *member = batch->members[i];
		struct ssm_batch *alone;

		if (!member)
			continue;
		alone = add_batch(queue, batch->deadline_ms);
		if (!alone)
			continue;
		alone->is_for_one = true;
		batch->members[i] = NULL;
		enter(alone, member);
	}
	(void)err_set(&err, -ENOMEM, "no memory to ask alone");
	end_with_error(batch, &err);
}

static int form(const void *owner, struct buf *out)
{
	const struct ssm_batch *batch = owner;
	const struct source_want *wants[SSM_NAMES_MAX] = { 0 };

	for (size_t i = 0; i < batch->count; i++)
		if (batch->members[i])
			wants[i] = batch->members[i]->want;
	return ssm_form(wants, batch->count, out);
}

static void note_loner(struct ssm_batch *batch)
{
	for (size_t i = 0; i < batch->count; i++)
		if (batch->members[i])
			denied_add(batch->queue->loners,
				   batch->members[i]->want->name);
}

static void end_with_refusal(struct ssm_batch *batch,
			     const struct aws_reply *reply)
{
	struct err err;

	(void)refusal_read(reply, &err);
	if (refusal_kind(reply) != REFUSAL_DEFINITE)
		err.code = -EBUSY;
	if (refusal_is_of_one(reply) && batch->live > 1) {
		ask_one_by_one(batch);
		return;
	}
	if (refusal_is_of_one(reply))
		note_loner(batch);
	end_with_error(batch, &err);
}

static void on_reply(void *owner, const struct aws_reply *reply,
		     const struct err *err)
{
	struct ssm_batch *batch = owner;
	cleanup_jdoc struct jdoc *doc = NULL;
	struct err failure;

	batch->call = NULL;
	if (err) {
		end_with_error(batch, err);
	} else if (reply->status != STATUS_OK) {
		end_with_refusal(batch, reply);
	} else if (ssm_reply_parse(reply, &doc, &failure) < 0) {
		end_with_error(batch, &failure);
	} else {
		end_with_values(batch, doc);
	}
}

static void send_batch(struct ssm_batch *batch)
{
	static const struct api_operation operation = {
		.target = SSM_TARGET,
		.reply_max = SSM_REPLY_MAX,
		.form = form,
		.on_reply = on_reply,
	};
	struct err err;

	batch->call = api_call_start(batch->queue->api, &operation,
				     batch->deadline_ms, batch);
	if (batch->call)
		return;
	(void)err_set(&err, -ENOMEM, "no memory to ask");
	end_with_error(batch, &err);
}

static void take_out(struct ssm_batch *batch)
{
	if (batch->is_pending)
		TAILQ_REMOVE(&batch->queue->pending, batch, in_pending);
	batch->is_pending = false;
}

/* Moves all that is pending to a list of its own. */
static void take_all(struct ssm_queue *queue, struct batch_list *ret)
{
	struct ssm_batch *batch;

	TAILQ_INIT(ret);
	while ((batch = TAILQ_FIRST(&queue->pending))) {
		take_out(batch);
		TAILQ_INSERT_TAIL(ret, batch, in_pending);
	}
}

/* For want of memory to wait for the next turn. Who is told may let others
 * leave, and the last one the queue: all are out of it before. */
static void end_all(struct ssm_queue *queue)
{
	struct batch_list doomed;
	struct ssm_batch *batch;
	struct err err;

	(void)err_set(&err, -ENOMEM, "no memory to wait");
	take_all(queue, &doomed);
	while ((batch = TAILQ_FIRST(&doomed))) {
		TAILQ_REMOVE(&doomed, batch, in_pending);
		end_with_error(batch, &err);
	}
}

/* The end of a batch may be the end of the queue, so it comes last. */
static void on_turn(void *owner)
{
	struct ssm_queue *queue = owner;
	struct ssm_batch *batch = TAILQ_FIRST(&queue->pending);

	queue->timer = NULL;
	if (!batch)
		return;
	queue->next_ms = loop_now_ms(queue->api->loop) + SSM_SPACING_MS;
	if (TAILQ_NEXT(batch, in_pending) && plan(queue) < 0) {
		end_all(queue);
		return;
	}
	take_out(batch);
	send_batch(batch);
}

/* 0, or -ENOMEM where no timer is running. */
static int plan(struct ssm_queue *queue)
{
	struct loop *loop = queue->api->loop;

	if (queue->timer)
		return 0;
	queue->timer =
		loop_now_ms(loop) >= queue->next_ms
			? loop_soon(loop, on_turn, queue)
			: loop_timer(loop, queue->next_ms, on_turn, queue);
	return queue->timer ? 0 : -ENOMEM;
}

/* One parameter twice, by two versions, would be told apart by the selector
 * alone, which not every endpoint sends back. */
static bool may_enter(const struct ssm_batch *batch,
		      const struct source_want *want)
{
	if (batch->is_for_one || batch->count == SSM_NAMES_MAX)
		return false;
	for (size_t i = 0; i < batch->count; i++)
		if (batch->members[i] &&
		    strcmp(batch->members[i]->want->name, want->name) == 0)
			return false;
	return true;
}

/* NULL: no memory. */
static struct ssm_batch *find_batch(struct ssm_queue *queue,
				    const struct source_want *want,
				    int64_t deadline_ms)
{
	bool is_for_one = denied_has(queue->loners, want->name);
	unsigned looked_at = 0;
	struct ssm_batch *batch;

	TAILQ_FOREACH_REVERSE(batch, &queue->pending, batch_list, in_pending)
	{
		if (is_for_one || looked_at++ == LOOKED_AT_MAX)
			break;
		if (may_enter(batch, want))
			return batch;
	}
	batch = add_batch(queue, deadline_ms);
	if (batch)
		batch->is_for_one = is_for_one;
	return batch;
}

struct ssm_member *ssm_join(struct ssm_queue *queue,
			    const struct source_want *want, int64_t deadline_ms,
			    ssm_on_result *on_result, void *owner)
{
	struct ssm_member *member = calloc(1, sizeof(*member));
	struct ssm_batch *batch =
		member ? find_batch(queue, want, deadline_ms) : NULL;

	if (!batch) {
		free(member);
		return NULL;
	}
	member->want = want;
	member->on_result = on_result;
	member->owner = owner;
	enter(batch, member);
	return member;
}

void ssm_leave(struct ssm_member *member)
{
	struct ssm_batch *batch;

	if (!member)
		return;
	batch = member->batch;
	batch->members[member->place] = NULL;
	batch->live--;
	free(member);
	/* one that is being told is neither */
	if (batch->live > 0 || (!batch->is_pending && !batch->call))
		return;
	take_out(batch);
	api_call_cancel(batch->call);
	free(batch);
}
