/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A call waits for one of two things: the answer to an attempt, or the moment
 * of the next. Each attempt ends in on_answer(), which tells the endpoint's
 * breaker, and then either plans the next attempt or ends the call. An attempt
 * begins from a timer always: what the last one borrowed is free by then.
 */
#include "net/retry.h"
#include "base/err.h"
#include "base/log.h"
#include "base/map.h"
#include "loop/loop.h"
#include "net/breaker.h"
#include "net/quota.h"
#include "net/tally.h"
#include "net/turns.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define STATUS_OK_FIRST 200
#define STATUS_OK_LAST 299

struct health {
	struct quota quota;
	struct breaker breaker;
	uint64_t requests;
	struct tally tally;
	struct turns turns;
	char url[];
};

struct retry {
	struct loop *loop;
	struct http *http;
	struct retry_settings settings;
	struct map *endpoints; /* struct health by URL */
	size_t call_count;
};

struct retry_call {
	struct retry *retry;
	struct retry_request request;
	struct health *health;
	struct tally_operation *operation;
	int64_t deadline_ms;
	unsigned attempt; /* from 0 */
	unsigned cost;	  /* in tokens, of this attempt */
	bool is_probe;
	bool is_ending; /* its callback runs */

	/* what is waited for: one of them */
	struct http_call *http_call;
	struct loop_timer *next;
	struct turn turn; /* where there are too many */
};

struct retry *retry_new(struct loop *loop, struct http *http,
			const struct retry_settings *settings)
{
	struct retry *retry = calloc(1, sizeof(*retry));

	if (!retry)
		return NULL;
	retry->loop = loop;
	retry->http = http;
	retry->settings = *settings;
	retry->endpoints = map_new();
	if (!retry->endpoints) {
		free(retry);
		return NULL;
	}
	return retry;
}

static void free_each(void *owner, void *value)
{
	(void)owner;
	free(value);
}

void retry_free(struct retry *retry)
{
	if (!retry)
		return;
	assert(retry->call_count == 0);
	map_each(retry->endpoints, free_each, NULL);
	map_free(retry->endpoints);
	free(retry);
}

static struct health *add_health(struct retry *retry, const char *url)
{
	size_t length = strlen(url);
	struct health *health = malloc(sizeof(*health) + length + 1);

	if (!health)
		return NULL;
	health->requests = 0;
	tally_init(&health->tally);
	turns_init(&health->turns, retry->loop, RETRY_IN_FLIGHT_MAX);
	quota_init(&health->quota);
	breaker_init(&health->breaker);
	memcpy(health->url, url, length + 1);
	if (map_put(retry->endpoints, url, length, health) < 0) {
		free(health);
		return NULL;
	}
	return health;
}

static struct health *get_health(struct retry *retry, const char *url)
{
	struct health *health = map_find(retry->endpoints, url, strlen(url));

	return health ? health : add_health(retry, url);
}

bool retry_can_pay(const struct retry *retry, const char *url)
{
	const struct health *health =
		map_find(retry->endpoints, url, strlen(url));

	return !health || health->quota.tokens >= QUOTA_COST_THROTTLED;
}

static void tell(const struct retry *retry, const struct health *health,
		 retry_on_endpoint *on_endpoint, void *owner)
{
	const struct retry_endpoint endpoint = {
		.url = health->url,
		.by_proxy = retry->settings.by_proxy,
		.breaker = &health->breaker,
		.tokens = health->quota.tokens,
		.requests = health->requests,
		.tally = &health->tally,
	};

	on_endpoint(owner, &endpoint);
}

struct telling {
	const struct retry *retry;
	retry_on_endpoint *on_endpoint;
	void *owner;
};

static void tell_each(void *owner, void *value)
{
	const struct telling *telling = owner;

	tell(telling->retry, value, telling->on_endpoint, telling->owner);
}

void retry_each_endpoint(const struct retry *retry,
			 retry_on_endpoint *on_endpoint, void *owner)
{
	struct telling telling = { retry, on_endpoint, owner };

	map_each(retry->endpoints, tell_each, &telling);
}

static void tell_of_breaker(const struct retry_call *call)
{
	const struct retry_settings *settings = &call->retry->settings;

	if (settings->on_breaker)
		tell(call->retry, call->health, settings->on_breaker,
		     settings->owner);
}

/* Without the kernel's random numbers nothing is spread, and nothing breaks. */
uint32_t retry_random(const struct retry *retry)
{
	uint32_t number = 0;

	if (retry->settings.random)
		return retry->settings.random(retry->settings.owner);
	if (getrandom(&number, sizeof(number), GRND_NONBLOCK) < 0)
		return UINT32_MAX;
	return number;
}

static void free_call(struct retry_call *call)
{
	call->retry->call_count--;
	free(call);
}

static void end(struct retry_call *call, const struct http_reply *reply,
		const struct err *err)
{
	call->is_ending = true;
	call->request.on_reply(call->request.owner, reply, err);
	free_call(call);
}

/* Whether nothing came of a place that should have sent something: the codes of
 * http.h, without those that tell of us or of a reply. */
static bool is_of_transport(const struct err *err)
{
	return err->code == -EIO || err->code == -ETIMEDOUT;
}

static void note_failure(struct retry_call *call, const struct err *err)
{
	struct breaker *breaker = &call->health->breaker;

	if (breaker_failed(breaker, call->is_probe, err,
			   loop_now_ms(call->retry->loop),
			   retry_random(call->retry)))
		tell_of_breaker(call);
}

/* What the attempt says about its endpoint: a reply that is too large is one
 * as well. */
static void note_outcome(struct retry_call *call, const struct err *err)
{
	struct breaker *breaker = &call->health->breaker;

	if (err && is_of_transport(err))
		note_failure(call, err);
	else if (err && err->code != -EFBIG)
		breaker_withdrawn(breaker, call->is_probe);
	else if (breaker_answered(breaker))
		tell_of_breaker(call);
}

static void count(struct retry_call *call, enum tally_outcome outcome)
{
	call->operation->outcomes[outcome]++;
}

static struct retry_verdict judge(const struct retry_call *call,
				  const struct http_reply *reply,
				  const struct err *err)
{
	struct retry_verdict verdict = { .kind = RETRY_DONE };

	if (reply)
		call->request.judge(call->request.owner, reply, &verdict);
	else if (is_of_transport(err))
		verdict.kind = RETRY_TRANSIENT;
	return verdict;
}

/* Full jitter; the server may make it longer, within bounds. */
static int64_t delay_of(const struct retry_call *call,
			const struct retry_verdict *verdict)
{
	int64_t limit_ms = verdict->kind == RETRY_THROTTLED
				   ? RETRY_DELAY_THROTTLED_MS
				   : RETRY_DELAY_MS;
	int64_t delay_ms;

	limit_ms <<= call->attempt;
	if (limit_ms > RETRY_DELAY_MAX_MS)
		limit_ms = RETRY_DELAY_MAX_MS;
	delay_ms = (limit_ms * retry_random(call->retry)) >> 32;
	if (verdict->after_ms > delay_ms + RETRY_HINT_MAX_MS)
		return delay_ms + RETRY_HINT_MAX_MS;
	return verdict->after_ms > delay_ms ? verdict->after_ms : delay_ms;
}

static void on_next(void *owner);

/* Whether there will be another attempt. */
static bool plan(struct retry_call *call, const struct retry_verdict *verdict)
{
	struct quota *quota = &call->health->quota;
	struct loop *loop = call->retry->loop;
	unsigned cost = verdict->kind == RETRY_THROTTLED ? QUOTA_COST_THROTTLED
							 : QUOTA_COST;
	int64_t at_ms;

	if (verdict->kind == RETRY_DONE ||
	    call->attempt + 1 == RETRY_ATTEMPTS_MAX ||
	    call->health->breaker.state != BREAKER_CLOSED)
		return false;
	at_ms = loop_now_ms(loop) + delay_of(call, verdict);
	if (at_ms >= call->deadline_ms || !quota_take(quota, cost))
		return false;
	call->next = loop_timer(loop, at_ms, on_next, call);
	if (!call->next) {
		quota_give(quota, cost);
		return false;
	}
	call->attempt++;
	call->cost = cost;
	log_debug("another attempt", "url=%s attempt=%u delay_ms=%lld cause=%s",
		  call->health->url, call->attempt + 1,
		  (long long)(at_ms - loop_now_ms(loop)),
		  verdict->kind == RETRY_THROTTLED ? "throttled" : "transient");
	return true;
}

/* A breaker that is not closed lets who waits fail at once, or try. */
static void call_up(struct health *health)
{
	turns_call_up(&health->turns, health->breaker.state != BREAKER_CLOSED);
}

static bool is_success(const struct http_reply *reply)
{
	return reply && reply->status >= STATUS_OK_FIRST &&
	       reply->status <= STATUS_OK_LAST;
}

static enum tally_outcome outcome_of(const struct http_reply *reply,
				     const struct err *err,
				     enum retry_verdict_kind kind)
{
	if (err)
		return is_of_transport(err) ? TALLY_UNANSWERED
					    : TALLY_ABANDONED;
	if (is_success(reply))
		return TALLY_OK;
	if (kind == RETRY_THROTTLED)
		return TALLY_THROTTLED;
	return kind == RETRY_TRANSIENT ? TALLY_UNAVAILABLE : TALLY_REFUSED;
}

static void on_answer(void *owner, const struct http_reply *reply,
		      const struct err *err)
{
	struct retry_call *call = owner;
	const struct retry_verdict verdict = judge(call, reply, err);

	call->http_call = NULL;
	turns_give(&call->health->turns);
	count(call, outcome_of(reply, err, verdict.kind));
	note_outcome(call, err);
	call_up(call->health);
	if (plan(call, &verdict))
		return;
	if (is_success(reply))
		quota_give(&call->health->quota,
			   call->attempt > 0 ? call->cost : QUOTA_REWARD);
	end(call, reply, err);
}

static int send_request(struct retry_call *call, int64_t left_ms,
			struct err *err)
{
	struct http_request request = { 0 };
	int64_t attempt_ms;
	int r = call->request.make(call->request.owner, call->attempt, &request,
				   err);

	if (r < 0)
		return r;
	attempt_ms = call->request.attempt_ms ? call->request.attempt_ms
					      : RETRY_ATTEMPT_TIMEOUT_MS;
	request.timeout_ms = left_ms < attempt_ms ? left_ms : attempt_ms;
	call->http_call =
		http_start(call->retry->http, &request, on_answer, call);
	if (!call->http_call)
		return err_set(err, -ENOMEM, "no memory to call");
	turns_take(&call->health->turns);
	call->health->requests++;
	call->operation->attempts++;
	if (call->attempt > 0)
		call->operation->retries++;
	return 0;
}

static int begin_attempt(struct retry_call *call, struct err *err)
{
	int64_t now_ms = loop_now_ms(call->retry->loop);
	int64_t left_ms = call->deadline_ms - now_ms;
	struct breaker *breaker = &call->health->breaker;
	struct turns *turns = &call->health->turns;
	int r;

	if (left_ms <= 0)
		return err_set(err, -ETIMEDOUT,
			       "the deadline was over before it was asked");
	if (breaker->state == BREAKER_CLOSED && turns_is_full(turns)) {
		r = turn_wait(&call->turn, turns, call->deadline_ms, on_next,
			      call);
		return r < 0 ? err_set(err, r, "no memory to wait") : 0;
	}
	r = breaker_admit(breaker, now_ms, &call->is_probe, err);
	if (r < 0)
		return r;
	r = send_request(call, left_ms, err);
	if (r < 0)
		breaker_withdrawn(breaker, call->is_probe);
	return r;
}

static void on_next(void *owner)
{
	struct retry_call *call = owner;
	struct err err;

	call->next = NULL;
	if (begin_attempt(call, &err) == 0)
		return;
	call_up(call->health);
	quota_give(&call->health->quota, call->cost);
	end(call, NULL, &err);
}

struct retry_call *retry_start(struct retry *retry,
			       const struct retry_request *request,
			       struct err *err)
{
	struct retry_call *call = calloc(1, sizeof(*call));
	struct health *health = call ? get_health(retry, request->url) : NULL;

	if (!health) {
		(void)err_set(err, -ENOMEM, "no memory to call");
		free(call);
		return NULL;
	}
	retry->call_count++;
	call->retry = retry;
	call->request = *request;
	call->request.url = health->url;
	call->health = health;
	call->operation = tally_of(&health->tally, request->operation);
	call->deadline_ms = loop_now_ms(retry->loop) + request->timeout_ms;
	if (begin_attempt(call, err) < 0) {
		free_call(call);
		return NULL;
	}
	return call;
}

/* Callers have deadlines of their own, and some end a call in the very moment
 * in which it would end itself. */
static void note_cancel(struct retry_call *call)
{
	int64_t now_ms = loop_now_ms(call->retry->loop);
	struct err err;

	if (now_ms < call->deadline_ms - RETRY_CANCEL_MS) {
		count(call, TALLY_ABANDONED);
		breaker_withdrawn(&call->health->breaker, call->is_probe);
		return;
	}
	count(call, TALLY_UNANSWERED);
	(void)err_set(&err, -ETIMEDOUT, "no answer from %.300s in time",
		      call->health->url);
	note_failure(call, &err);
}

void retry_cancel(struct retry_call *call)
{
	if (!call || call->is_ending)
		return;
	if (call->http_call) {
		turns_give(&call->health->turns);
		note_cancel(call);
	} else {
		quota_give(&call->health->quota, call->cost);
	}
	http_cancel(call->http_call);
	loop_timer_cancel(call->next);
	turn_cancel(&call->turn);
	call_up(call->health);
	free_call(call);
}
