/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One set of keys, at most one question for newer ones in flight, and the list
 * of gets that wait for its answer. A get always ends from the loop: in its own
 * timer where keys were at hand or its time is over, else with the question.
 */
#include "aws/credentials.h"
#include "aws/key_chain.h"
#include "aws/key_provider.h"
#include "aws/key_providers.h"
#include "aws/keys.h"
#include "aws/region.h"
#include "aws/skew.h"
#include "aws/sts.h"
#include "base/err.h"
#include "base/macros.h"
#include "loop/loop.h"
#include "net/retry.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>

#define MS_PER_S 1000

LIST_HEAD(get_list, credentials_get);

struct credentials_get {
	struct credentials *credentials;
	struct keys *keys;	  /* at hand when asked for; else NULL */
	struct loop_timer *timer; /* hands over the keys, or is the deadline */
	LIST_ENTRY(credentials_get) link; /* of those that wait */
	credentials_on_keys *on_keys;
	void *owner;
};

struct credentials {
	struct loop *loop;
	struct key_context context;
	char region[REGION_SIZE];
	struct skew skew;
	struct key_provider *provider;

	struct keys *keys; /* NULL: none yet, or dropped */
	int64_t refresh_at_ms;
	int64_t unusable_at_ms;

	struct key_call *call;		/* in flight, or NULL */
	struct loop_timer *failed_soon; /* a call that could not begin */
	struct err failure;		/* why it could not */
	struct err refusal;		/* of a role; until then it stands */
	int64_t refused_until_ms;
	struct get_list waiting;
};

static void free_get(struct credentials_get *get)
{
	keys_unref(get->keys);
	free(get);
}

static void end_get(struct credentials_get *get, struct keys *keys,
		    const struct err *err)
{
	credentials_on_keys *on_keys = get->on_keys;
	void *owner = get->owner;

	free_get(get);
	on_keys(owner, keys, err);
}

/* Ends all that wait now. A callback may cancel others of them, wait anew, or
 * free the credentials: so they leave its list first. */
static void end_waiting(struct credentials *credentials, struct keys *keys,
			const struct err *err)
{
	struct get_list ending = LIST_HEAD_INITIALIZER(ending);
	struct credentials_get *get;

	while ((get = LIST_FIRST(&credentials->waiting))) {
		LIST_REMOVE(get, link);
		LIST_INSERT_HEAD(&ending, get, link);
	}
	while ((get = LIST_FIRST(&ending))) {
		LIST_REMOVE(get, link);
		loop_timer_cancel(get->timer);
		end_get(get, keys, err);
	}
}

/* A random part of a time, so that many who began together do not go on so. */
static int64_t draw(const struct credentials *credentials, int64_t of_ms)
{
	int64_t random = retry_random(credentials->context.retry);

	return (of_ms * random) >> 32;
}

/* Keys whose end is over, and which are the best that there are. */
static void extend(struct credentials *credentials)
{
	credentials->refresh_at_ms = loop_now_ms(credentials->loop) +
				     CREDENTIALS_EXTENDED_MS +
				     draw(credentials, CREDENTIALS_EXTENDED_MS);
	credentials->unusable_at_ms = INT64_MAX;
}

/* What is left of their life is counted from now on the loop's clock, so that a
 * wall clock that is set later moves nothing. */
static void set_times(struct credentials *credentials, int64_t left_ms)
{
	int64_t now_ms = loop_now_ms(credentials->loop);
	int64_t early_ms = CREDENTIALS_REFRESH_MS;
	int64_t margin_ms = CREDENTIALS_UNUSABLE_MS;

	if (early_ms > left_ms / 2)
		early_ms = left_ms / 2;
	if (margin_ms > left_ms / 4)
		margin_ms = left_ms / 4;
	early_ms += draw(credentials, early_ms / 4);
	credentials->refresh_at_ms = now_ms + left_ms - early_ms;
	credentials->unusable_at_ms = now_ms + left_ms - margin_ms;
}

/* Keeps new keys. Those without an end are looked at again where they may have
 * been replaced. */
static void keep(struct credentials *credentials, struct keys *keys)
{
	const struct key_provider *provider = credentials->provider;
	int64_t now_ms = loop_now_ms(credentials->loop);
	int64_t left_s = keys_expires_s(keys) - credentials_now_s(credentials);

	keys_ref(keys);
	keys_unref(credentials->keys);
	credentials->keys = keys;
	if (keys_expires_s(keys) == 0) {
		credentials->refresh_at_ms =
			provider->keep_ms ? now_ms + provider->keep_ms
					  : INT64_MAX;
		credentials->unusable_at_ms = INT64_MAX;
	} else if (left_s <= 0 && provider->outlives_end) {
		extend(credentials);
	} else {
		set_times(credentials, left_s * MS_PER_S);
	}
}

static bool is_asking(const struct credentials *credentials)
{
	return credentials->call || credentials->failed_soon;
}

static void hold_off(struct credentials *credentials)
{
	credentials->refresh_at_ms =
		loop_now_ms(credentials->loop) + CREDENTIALS_HOLD_OFF_MS;
}

/* Nothing newer was to be had. Where keys outlive their end the old ones are
 * what there is. */
static void end_failed(struct credentials *credentials, const struct err *err)
{
	cleanup_keys struct keys *keys = NULL;

	if (credentials->keys && credentials->provider->outlives_end) {
		keys = keys_ref(credentials->keys);
		extend(credentials);
	} else {
		hold_off(credentials);
	}
	end_waiting(credentials, keys, keys ? NULL : err);
}

/* Who trusts a role is what somebody must change first. */
static void note_refusal(struct credentials *credentials, const struct err *err)
{
	if (!credentials->provider->is_regional || err->code != -EACCES)
		return;
	credentials->refusal = *err;
	credentials->refused_until_ms =
		loop_now_ms(credentials->loop) + CREDENTIALS_HOLD_OFF_MS;
}

static void on_new_keys(void *owner, struct keys *keys, const struct err *err)
{
	struct credentials *credentials = owner;

	credentials->call = NULL;
	if (!keys) {
		note_refusal(credentials, err);
		end_failed(credentials, err);
		return;
	}
	keep(credentials, keys);
	end_waiting(credentials, keys, NULL);
}

static void on_failed(void *owner)
{
	struct credentials *credentials = owner;
	struct err failure = credentials->failure;

	credentials->failed_soon = NULL;
	end_failed(credentials, &failure);
}

/* Whether a question is on its way; else failure says why not. */
static bool start(struct credentials *credentials)
{
	struct key_provider *provider = credentials->provider;

	if (loop_now_ms(credentials->loop) < credentials->refused_until_ms) {
		credentials->failure = credentials->refusal;
		return false;
	}
	credentials->call = provider->operations->start(
		provider, CREDENTIALS_TIMEOUT_MS, on_new_keys, credentials,
		&credentials->failure);
	return credentials->call != NULL;
}

/* Asks the provider, unless somebody has. -ENOMEM: not even the failure to do
 * so could be arranged to be told. */
static int ask(struct credentials *credentials)
{
	if (is_asking(credentials) || start(credentials))
		return 0;
	credentials->failed_soon =
		loop_soon(credentials->loop, on_failed, credentials);
	return credentials->failed_soon ? 0 : -ENOMEM;
}

static void on_at_hand(void *owner)
{
	struct credentials_get *get = owner;
	cleanup_keys struct keys *keys = TAKE(get->keys);

	end_get(get, keys, NULL);
}

static void on_deadline(void *owner)
{
	struct credentials_get *get = owner;
	struct err err;

	(void)err_set(&err, -ETIMEDOUT,
		      "%s: no keys before the deadline, as %s",
		      get->credentials->provider->name,
		      get->credentials->provider->identity);
	LIST_REMOVE(get, link);
	end_get(get, NULL, &err);
}

static bool has_usable_keys(const struct credentials *credentials)
{
	return credentials->keys &&
	       loop_now_ms(credentials->loop) < credentials->unusable_at_ms;
}

/* Ready keys are handed over in the next turn. */
static int hand_over(struct credentials_get *get)
{
	struct credentials *credentials = get->credentials;

	get->timer = loop_soon(credentials->loop, on_at_hand, get);
	if (!get->timer)
		return -ENOMEM;
	get->keys = keys_ref(credentials->keys);
	if (loop_now_ms(credentials->loop) >= credentials->refresh_at_ms)
		(void)ask(credentials);
	return 0;
}

static int wait_for_keys(struct credentials_get *get, int64_t deadline_ms)
{
	struct credentials *credentials = get->credentials;

	get->timer = loop_timer(credentials->loop,
				deadline_ms - CREDENTIALS_MARGIN_MS,
				on_deadline, get);
	if (!get->timer)
		return -ENOMEM;
	if (ask(credentials) < 0) {
		loop_timer_cancel(get->timer);
		return -ENOMEM;
	}
	LIST_INSERT_HEAD(&credentials->waiting, get, link);
	return 0;
}

struct credentials_get *credentials_get(struct credentials *credentials,
					int64_t deadline_ms,
					credentials_on_keys *on_keys,
					void *owner)
{
	struct credentials_get *get = calloc(1, sizeof(*get));
	int r;

	if (!get)
		return NULL;
	get->credentials = credentials;
	get->on_keys = on_keys;
	get->owner = owner;
	if (has_usable_keys(credentials))
		r = hand_over(get);
	else
		r = wait_for_keys(get, deadline_ms);
	if (r < 0) {
		free_get(get);
		return NULL;
	}
	return get;
}

void credentials_cancel(struct credentials_get *get)
{
	if (!get)
		return;
	loop_timer_cancel(get->timer);
	if (!get->keys)
		LIST_REMOVE(get, link);
	free_get(get);
}

bool credentials_drop(struct credentials *credentials, const struct keys *keys)
{
	if (credentials->provider->is_constant)
		return false;
	if (credentials->keys == keys) {
		keys_unref(credentials->keys);
		credentials->keys = NULL;
	}
	return true;
}

const char *credentials_identity(const struct credentials *credentials)
{
	return credentials->provider->identity;
}

bool credentials_are_regional(const struct credentials *credentials)
{
	return credentials->provider->is_regional;
}

int64_t credentials_now_s(const struct credentials *credentials)
{
	return skew_now_s(&credentials->skew, loop_clock(credentials->loop));
}

bool credentials_learn_time(struct credentials *credentials,
			    const struct aws_reply *reply)
{
	return skew_learn(&credentials->skew, loop_clock(credentials->loop),
			  reply);
}

int credentials_check(const struct credentials *credentials, struct err *err)
{
	const struct key_provider *provider = credentials->provider;

	return provider->operations->check
		       ? provider->operations->check(provider, err)
		       : 0;
}

static int choose(struct credentials *credentials, struct err *err)
{
	struct key_chain chain;
	int r = key_chain_choose(&credentials->context, &chain, err);

	credentials->provider = chain.chosen;
	return r;
}

int credentials_new(struct loop *loop, struct retry *retry,
		    const struct aws_environment *environment,
		    const char *region, struct credentials **ret,
		    struct err *err)
{
	struct credentials *credentials = calloc(1, sizeof(*credentials));
	int r;

	if (!credentials)
		return err_set(err, -ENOMEM, "no memory for credentials");
	credentials->loop = loop;
	(void)snprintf(credentials->region, sizeof(credentials->region), "%s",
		       region);
	credentials->context = (struct key_context){
		.loop = loop,
		.retry = retry,
		.environment = environment,
		.region = credentials->region,
		.skew = &credentials->skew,
	};
	LIST_INIT(&credentials->waiting);
	r = choose(credentials, err);
	if (r < 0) {
		credentials_free(credentials);
		return r;
	}
	*ret = credentials;
	return 0;
}

int credentials_assume(struct credentials *credentials,
		       const struct sts_role *role, struct err *err)
{
	struct sts_role wanted = *role;

	wanted.token_file = NULL;
	return assume_role_new(&credentials->context, &wanted,
			       TAKE(credentials->provider),
			       &credentials->provider, err);
}

void credentials_free(struct credentials *credentials)
{
	if (!credentials)
		return;
	if (credentials->call)
		credentials->provider->operations->cancel(credentials->call);
	loop_timer_cancel(credentials->failed_soon);
	keys_unref(credentials->keys);
	key_provider_free(credentials->provider);
	free(credentials);
}
