/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/macros.h"
#include "loop/loop.h"
#include "net/breaker.h"
#include "net/quota.h"
#include "net/retry.h"
#include "net/tally.h"
#include "tests/fake_http.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define NOW_MS 1000000
#define TIMEOUT_MS 20000
#define URL "https://h.example/"
#define OTHER_URL "https://other.example/"

static const struct fake_reply good = { .status = 200, .body = "yes" };
static const struct fake_reply absent = { .status = 404, .body = "no" };
static const struct fake_reply broken = { .status = 500, .body = "ouch" };
static const struct fake_reply throttled = { .status = 429, .body = "slow" };
static const struct fake_reply refused = { .failure = -EIO };

struct scene {
	struct clock clock;
	struct loop *loop;
	struct http *http;
	struct retry *retry;
	uint32_t random;
	int64_t after_ms; /* what every reply wishes for */

	unsigned opened;
	unsigned closed;
};

/* One call, and what it was told. */
struct call {
	struct scene *scene;
	const char *url;
	const char *operation;
	struct buf body;
	unsigned makes;
	unsigned broken_make; /* which make fails, from 1; 0: none */

	unsigned count;
	int status;
	int code;
	char text[ERR_TEXT_MAX];
	struct retry_call *to_cancel;
	struct call *to_start;
};

static uint32_t draw(void *owner)
{
	const struct scene *scene = owner;

	return scene->random;
}

static void on_breaker(void *owner, const struct retry_endpoint *endpoint)
{
	struct scene *scene = owner;

	assert_string_equal(endpoint->url, URL);
	if (endpoint->breaker->state == BREAKER_CLOSED)
		scene->closed++;
	else
		scene->opened++;
}

static void set_up(struct scene *scene)
{
	const struct retry_settings settings = {
		.random = draw,
		.on_breaker = on_breaker,
		.owner = scene,
	};

	*scene = (struct scene){ 0 };
	clock_set(&scene->clock, NOW_MS, 1700000000);
	scene->loop = loop_new(&scene->clock);
	scene->http = http_new(scene->loop, NULL, NULL);
	scene->retry = retry_new(scene->loop, scene->http, &settings);
	assert_non_null(scene->retry);
}

static void tear_down(struct scene *scene)
{
	retry_free(scene->retry);
	http_free(scene->http);
	loop_free(scene->loop);
}

static void settle(struct scene *scene)
{
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(loop_turn(scene->loop, 0), 0);
}

static void advance(struct scene *scene, int64_t by_ms)
{
	clock_advance(&scene->clock, by_ms);
	settle(scene);
}

static void script(struct scene *scene, const struct fake_reply *reply,
		   unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		fake_http_add(scene->http, reply);
}

static int make(void *owner, unsigned attempt, struct http_request *ret,
		struct err *err)
{
	static const char *const headers[] = { "X: y" };
	struct call *call = owner;
	char text[16];

	assert_int_equal(attempt, call->makes);
	call->makes++;
	if (call->makes == call->broken_make)
		return err_set(err, -EACCES, "nothing to send");
	(void)snprintf(text, sizeof(text), "attempt %u", attempt);
	buf_clear(&call->body);
	assert_int_equal(buf_append_text(&call->body, text), 0);
	*ret = (struct http_request){
		.url = call->url,
		.headers = headers,
		.header_count = 1,
		.body = &call->body,
		.reply_max = 1000,
	};
	return 0;
}

static void judge(void *owner, const struct http_reply *reply,
		  struct retry_verdict *ret)
{
	const struct call *call = owner;

	ret->after_ms = call->scene->after_ms;
	if (reply->status == 500)
		ret->kind = RETRY_TRANSIENT;
	else if (reply->status == 429)
		ret->kind = RETRY_THROTTLED;
	else
		ret->kind = RETRY_DONE;
}

static struct retry_call *start(struct call *call);

static void on_reply(void *owner, const struct http_reply *reply,
		     const struct err *err)
{
	struct call *call = owner;

	assert_true((reply == NULL) != (err == NULL));
	call->count++;
	call->status = reply ? reply->status : 0;
	call->code = err ? err->code : 0;
	(void)snprintf(call->text, sizeof(call->text), "%s",
		       reply ? buf_text(reply->body) : err->text);
	retry_cancel(TAKE(call->to_cancel));
	if (call->to_start)
		assert_non_null(start(call->to_start));
}

static struct call new_call(struct scene *scene)
{
	struct call call = { .scene = scene, .url = URL };

	buf_init(&call.body, 100);
	return call;
}

static struct retry_call *start_within(struct call *call, int64_t timeout_ms)
{
	const struct retry_request request = {
		.url = call->url,
		.operation = call->operation,
		.timeout_ms = timeout_ms,
		.make = make,
		.judge = judge,
		.on_reply = on_reply,
		.owner = call,
	};
	struct err err = { 0 };
	struct retry_call *handle =
		retry_start(call->scene->retry, &request, &err);

	assert_int_equal(call->count, 0);
	if (!handle) {
		call->code = err.code;
		(void)snprintf(call->text, sizeof(call->text), "%s", err.text);
	}
	return handle;
}

static struct retry_call *start(struct call *call)
{
	return start_within(call, TIMEOUT_MS);
}

static void end_call(struct call *call)
{
	buf_done(&call->body);
}

/* A whole call; retries come at once where scene->random is 0. */
static struct call run(struct scene *scene)
{
	struct call call = new_call(scene);

	if (start(&call)) {
		settle(scene);
		assert_int_equal(call.count, 1);
	}
	end_call(&call);
	return call;
}

static void find_url(void *owner, const struct retry_endpoint *endpoint)
{
	struct retry_endpoint *ret = owner;

	if (strcmp(endpoint->url, ret->url) == 0)
		*ret = *endpoint;
}

static struct retry_endpoint endpoint_of(struct scene *scene, const char *url)
{
	struct retry_endpoint endpoint = { .url = url };

	retry_each_endpoint(scene->retry, find_url, &endpoint);
	assert_non_null(endpoint.breaker);
	return endpoint;
}

static unsigned tokens(struct scene *scene)
{
	return endpoint_of(scene, URL).tokens;
}

/* Five failures in two calls, of which the second gives up at the fifth. */
static void open_breaker(struct scene *scene)
{
	script(scene, &refused, BREAKER_FAILURES);
	(void)run(scene);
	(void)run(scene);
	assert_int_equal(endpoint_of(scene, URL).breaker->state, BREAKER_OPEN);
}

static void brings_the_reply_of_one_attempt(void **state)
{
	const struct fake_request *request;
	struct scene scene;
	struct call call;

	(void)state;
	set_up(&scene);
	script(&scene, &good, 1);
	call = run(&scene);
	assert_int_equal(call.status, 200);
	assert_string_equal(call.text, "yes");
	assert_int_equal(fake_http_count(scene.http), 1);
	request = fake_http_request(scene.http, 0);
	assert_string_equal(request->url, URL);
	assert_string_equal(request->headers, "X: y\n");
	assert_int_equal(request->reply_max, 1000);
	tear_down(&scene);
}

static const struct tally_operation *counts_of(struct scene *scene,
					       const char *operation)
{
	const struct tally *tally = endpoint_of(scene, URL).tally;

	for (size_t i = 0; i < tally->count; i++)
		if (strcmp(tally->operations[i].name, operation) == 0)
			return &tally->operations[i];
	fail_msg("%s was never counted", operation);
	return NULL;
}

static uint64_t ended(const struct tally_operation *operation)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < TALLY_OUTCOMES; i++)
		sum += operation->outcomes[i];
	return sum;
}

/* More calls than are sent at once. */
#define CROWD (RETRY_IN_FLIGHT_MAX + 8)

struct crowd {
	struct scene scene;
	struct call calls[CROWD];
	struct retry_call *handles[CROWD];
};

/* None of them is answered, but those for which there is a script. */
static void start_crowd(struct crowd *crowd)
{
	for (size_t i = 0; i < CROWD; i++) {
		crowd->calls[i] = new_call(&crowd->scene);
		crowd->handles[i] = start(&crowd->calls[i]);
		assert_non_null(crowd->handles[i]);
	}
}

static unsigned sum_of_ends(const struct crowd *crowd)
{
	unsigned sum = 0;

	for (size_t i = 0; i < CROWD; i++)
		sum += crowd->calls[i].count;
	return sum;
}

static void end_crowd(struct crowd *crowd)
{
	for (size_t i = 0; i < CROWD; i++) {
		if (crowd->calls[i].count == 0)
			retry_cancel(crowd->handles[i]);
		end_call(&crowd->calls[i]);
	}
	assert_int_equal(fake_http_live(crowd->scene.http), 0);
	tear_down(&crowd->scene);
}

static void no_more_than_so_many_are_in_flight(void **state)
{
	static struct crowd crowd;

	(void)state;
	set_up(&crowd.scene);
	script(&crowd.scene, &good, 3);
	start_crowd(&crowd);
	assert_int_equal(fake_http_live(crowd.scene.http), RETRY_IN_FLIGHT_MAX);
	settle(&crowd.scene);
	/* three were answered, and the next three are in their places */
	assert_int_equal(sum_of_ends(&crowd), 3);
	assert_int_equal(fake_http_live(crowd.scene.http), RETRY_IN_FLIGHT_MAX);
	assert_int_equal(fake_http_count(crowd.scene.http),
			 RETRY_IN_FLIGHT_MAX + 3);
	/* so is the next, where one gives up */
	retry_cancel(crowd.handles[3]);
	crowd.calls[3].count++;
	settle(&crowd.scene);
	assert_int_equal(fake_http_count(crowd.scene.http),
			 RETRY_IN_FLIGHT_MAX + 4);
	end_crowd(&crowd);
}

static void all_of_a_crowd_are_answered(void **state)
{
	static struct crowd crowd;

	(void)state;
	set_up(&crowd.scene);
	script(&crowd.scene, &good, CROWD);
	start_crowd(&crowd);
	settle(&crowd.scene);
	assert_int_equal(sum_of_ends(&crowd), CROWD);
	assert_int_equal(endpoint_of(&crowd.scene, URL).requests, CROWD);
	end_crowd(&crowd);
}

static void who_waits_in_a_crowd_ends_by_its_timeout(void **state)
{
	static struct crowd crowd;
	unsigned most = 0;

	(void)state;
	set_up(&crowd.scene);
	start_crowd(&crowd);
	for (int64_t at_ms = 0; at_ms < TIMEOUT_MS; at_ms += 100) {
		unsigned live = (unsigned)fake_http_live(crowd.scene.http);

		most = live > most ? live : most;
		advance(&crowd.scene, 100);
	}
	assert_int_equal(sum_of_ends(&crowd), CROWD);
	assert_int_equal(most, RETRY_IN_FLIGHT_MAX);
	end_crowd(&crowd);
}

static void a_breaker_that_opens_ends_the_wait(void **state)
{
	static struct crowd crowd;

	(void)state;
	set_up(&crowd.scene);
	crowd.scene.random = UINT32_MAX; /* retries would come later */
	script(&crowd.scene, &refused, BREAKER_FAILURES);
	start_crowd(&crowd);
	settle(&crowd.scene);
	assert_int_equal(crowd.scene.opened, 1);
	/* what waited is told at once, and what is in flight waits on */
	for (size_t i = RETRY_IN_FLIGHT_MAX + BREAKER_FAILURES; i < CROWD;
	     i++) {
		assert_int_equal(crowd.calls[i].count, 1);
		assert_int_equal(crowd.calls[i].code, -EIO);
	}
	assert_in_range(fake_http_count(crowd.scene.http), RETRY_IN_FLIGHT_MAX,
			RETRY_IN_FLIGHT_MAX + BREAKER_FAILURES);
	end_crowd(&crowd);
}

static void each_attempt_is_counted_by_its_outcome(void **state)
{
	static const struct fake_reply huge = { .failure = -EFBIG };
	static const struct {
		const struct fake_reply *replies[3];
		unsigned attempts;
		unsigned outcomes[TALLY_OUTCOMES];
	} cases[] = {
		{ { &good }, 1, { [TALLY_OK] = 1 } },
		{ { &absent }, 1, { [TALLY_REFUSED] = 1 } },
		{ { &huge }, 1, { [TALLY_ABANDONED] = 1 } },
		{ { &broken, &good },
		  2,
		  { [TALLY_UNAVAILABLE] = 1, [TALLY_OK] = 1 } },
		{ { &throttled, &throttled, &throttled },
		  3,
		  { [TALLY_THROTTLED] = 3 } },
		{ { &refused, &throttled, &absent },
		  3,
		  { [TALLY_UNANSWERED] = 1,
		    [TALLY_THROTTLED] = 1,
		    [TALLY_REFUSED] = 1 } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct tally_operation *counts;
		struct scene scene;
		struct call call;

		set_up(&scene);
		for (unsigned j = 0; j < cases[i].attempts; j++)
			script(&scene, cases[i].replies[j], 1);
		call = new_call(&scene);
		call.operation = "Get";
		assert_non_null(start(&call));
		counts = counts_of(&scene, "Get");
		assert_int_equal(counts->attempts, 1);
		assert_int_equal(ended(counts), 0);
		settle(&scene);
		assert_int_equal(call.count, 1);
		assert_int_equal(counts->attempts, cases[i].attempts);
		assert_int_equal(counts->retries, cases[i].attempts - 1);
		for (unsigned j = 0; j < TALLY_OUTCOMES; j++)
			assert_int_equal(counts->outcomes[j],
					 cases[i].outcomes[j]);
		end_call(&call);
		tear_down(&scene);
	}
}

/* Early it was nobody's wish any more; at the deadline it is a timeout. */
static void a_call_that_is_cancelled_is_counted_too(void **state)
{
	static const struct {
		int64_t after_ms;
		enum tally_outcome outcome;
	} cases[] = {
		{ 1, TALLY_ABANDONED },
		{ TIMEOUT_MS / 4, TALLY_ABANDONED },
		{ TIMEOUT_MS / 4 + RETRY_ATTEMPT_TIMEOUT_MS / 2 - 50,
		  TALLY_UNANSWERED },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct tally_operation *counts;
		struct scene scene;
		struct retry_call *handle;
		struct call call;

		set_up(&scene);
		call = new_call(&scene);
		call.operation = "Get";
		handle = start_within(&call, RETRY_ATTEMPT_TIMEOUT_MS);
		advance(&scene, cases[i].after_ms);
		counts = counts_of(&scene, "Get");
		assert_int_equal(ended(counts), 0);
		retry_cancel(handle);
		assert_int_equal(counts->attempts, 1);
		assert_int_equal(counts->outcomes[cases[i].outcome], 1);
		assert_int_equal(ended(counts), 1);
		end_call(&call);
		tear_down(&scene);
	}
}

static void operations_are_counted_apart(void **state)
{
	struct scene scene;
	struct call call;

	(void)state;
	set_up(&scene);
	script(&scene, &good, 2);
	(void)run(&scene); /* without a name */
	call = new_call(&scene);
	call.operation = "Get";
	assert_non_null(start(&call));
	settle(&scene);
	end_call(&call);
	assert_int_equal(counts_of(&scene, "Get")->outcomes[TALLY_OK], 1);
	assert_int_equal(counts_of(&scene, TALLY_OTHER)->outcomes[TALLY_OK], 1);
	tear_down(&scene);
}

static void makes_a_new_request_for_each_attempt(void **state)
{
	struct scene scene;
	struct call call;

	(void)state;
	set_up(&scene);
	script(&scene, &broken, 1);
	script(&scene, &throttled, 1);
	script(&scene, &good, 1);
	call = run(&scene);
	assert_int_equal(call.status, 200);
	assert_int_equal(call.makes, 3);
	assert_string_equal(fake_http_request(scene.http, 0)->body,
			    "attempt 0");
	assert_string_equal(fake_http_request(scene.http, 1)->body,
			    "attempt 1");
	assert_string_equal(fake_http_request(scene.http, 2)->body,
			    "attempt 2");
	assert_int_equal(endpoint_of(&scene, URL).requests, 3);
	tear_down(&scene);
}

static void ends_with_the_last_outcome_after_three_attempts(void **state)
{
	static const struct {
		const struct fake_reply *reply;
		int status;
		int code;
		const char *text;
	} cases[] = {
		{ &broken, 500, 0, "ouch" },
		{ &throttled, 429, 0, "slow" },
		{ &refused, 0, -EIO, "the fake host does not answer" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct scene scene;
		struct call call;

		set_up(&scene);
		script(&scene, cases[i].reply, 4);
		call = run(&scene);
		assert_int_equal(call.status, cases[i].status);
		assert_int_equal(call.code, cases[i].code);
		assert_string_equal(call.text, cases[i].text);
		assert_int_equal(fake_http_count(scene.http), 3);
		tear_down(&scene);
	}
}

static void never_repeats_what_is_definite(void **state)
{
	struct scene scene;

	(void)state;
	set_up(&scene);
	script(&scene, &absent, 1);
	assert_int_equal(run(&scene).status, 404);
	assert_int_equal(fake_http_count(scene.http), 1);
	assert_int_equal(tokens(&scene), QUOTA_MAX);
	tear_down(&scene);
}

static void repeats_failures_of_the_transport_only(void **state)
{
	static const struct {
		int failure;
		unsigned attempts;
		unsigned failures; /* that the breaker counts */
	} cases[] = {
		{ -EIO, 3, 3 },	   { -ETIMEDOUT, 3, 3 }, { -EFBIG, 1, 0 },
		{ -EACCES, 1, 0 }, { -EINVAL, 1, 0 },	 { -ENOMEM, 1, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct fake_reply reply = { .failure = cases[i].failure };
		struct scene scene;

		set_up(&scene);
		script(&scene, &reply, 4);
		assert_int_equal(run(&scene).code, cases[i].failure);
		assert_int_equal(fake_http_count(scene.http),
				 cases[i].attempts);
		assert_int_equal(endpoint_of(&scene, URL).breaker->failures,
				 cases[i].failures);
		tear_down(&scene);
	}
}

/* That the next attempt begins then, and not a millisecond before. */
static void expect_delay(struct scene *scene, int64_t delay_ms)
{
	size_t count = fake_http_count(scene->http);

	if (delay_ms > 0)
		advance(scene, delay_ms - 1);
	assert_int_equal(fake_http_count(scene->http), count);
	clock_advance(&scene->clock, delay_ms > 0 ? 1 : 0);
	assert_int_equal(loop_turn(scene->loop, 0), 0);
	assert_int_equal(fake_http_count(scene->http), count + 1);
	assert_int_equal(loop_turn(scene->loop, 0), 0);
}

static void waits_for_a_random_part_of_a_growing_delay(void **state)
{
	static const struct {
		const struct fake_reply *reply;
		uint32_t random;
		int64_t first_ms;
		int64_t second_ms;
	} cases[] = {
		{ &broken, UINT32_MAX, 49, 99 },
		{ &broken, 1U << 31, 25, 50 },
		{ &refused, UINT32_MAX, 49, 99 },
		{ &throttled, UINT32_MAX, 999, 1999 },
		{ &throttled, 1U << 30, 250, 500 },
		{ &throttled, 0, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct scene scene;
		struct call call;

		set_up(&scene);
		scene.random = cases[i].random;
		script(&scene, cases[i].reply, 2);
		script(&scene, &good, 1);
		call = new_call(&scene);
		assert_non_null(start(&call));
		assert_int_equal(loop_turn(scene.loop, 0), 0);
		expect_delay(&scene, cases[i].first_ms);
		expect_delay(&scene, cases[i].second_ms);
		settle(&scene);
		assert_int_equal(call.status, 200);
		end_call(&call);
		tear_down(&scene);
	}
}

static void waits_as_the_server_wishes_within_bounds(void **state)
{
	static const struct {
		int64_t after_ms;
		int64_t delay_ms; /* without a wish it is 500 */
	} cases[] = {
		{ 0, 500 },	{ 499, 500 },	{ 501, 501 },
		{ 5500, 5500 }, { 5501, 5500 }, { INT32_MAX, 5500 },
		{ -1, 500 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct scene scene;
		struct call call;

		set_up(&scene);
		scene.random = 1U << 31;
		scene.after_ms = cases[i].after_ms;
		script(&scene, &throttled, 1);
		script(&scene, &good, 1);
		call = new_call(&scene);
		assert_non_null(start(&call));
		assert_int_equal(loop_turn(scene.loop, 0), 0);
		expect_delay(&scene, cases[i].delay_ms);
		assert_int_equal(call.status, 200);
		end_call(&call);
		tear_down(&scene);
	}
}

static void never_waits_for_an_attempt_past_the_deadline(void **state)
{
	static const struct {
		int64_t timeout_ms;
		unsigned attempts;
	} cases[] = {
		{ 2000, 1 }, /* the second would begin in that moment */
		{ 2001, 2 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct scene scene;
		struct call call;

		set_up(&scene);
		scene.after_ms = 2000;
		script(&scene, &throttled, 3);
		call = new_call(&scene);
		assert_non_null(start_within(&call, cases[i].timeout_ms));
		settle(&scene);
		if (cases[i].attempts == 2)
			advance(&scene, 2000);
		assert_int_equal(call.count, 1);
		assert_int_equal(call.status, 429);
		assert_int_equal(fake_http_count(scene.http),
				 cases[i].attempts);
		end_call(&call);
		tear_down(&scene);
	}
}

static void a_silent_attempt_leaves_time_for_another(void **state)
{
	struct scene scene;
	struct call call;

	(void)state;
	set_up(&scene);
	call = new_call(&scene);
	assert_non_null(start_within(&call, 17000));
	settle(&scene);
	assert_int_equal(fake_http_request(scene.http, 0)->timeout_ms, 10000);
	advance(&scene, 10000);
	assert_int_equal(call.count, 0);
	assert_int_equal(fake_http_count(scene.http), 2);
	assert_int_equal(fake_http_request(scene.http, 1)->timeout_ms, 7000);
	advance(&scene, 7000);
	assert_int_equal(call.count, 1);
	assert_int_equal(call.code, -ETIMEDOUT);
	assert_int_equal(fake_http_live(scene.http), 0);
	end_call(&call);
	tear_down(&scene);
}

static void begins_nothing_without_time(void **state)
{
	struct scene scene;
	struct call call;

	(void)state;
	set_up(&scene);
	call = new_call(&scene);
	assert_null(start_within(&call, 0));
	assert_int_equal(call.code, -ETIMEDOUT);
	assert_string_equal(call.text,
			    "the deadline was over before it was asked");
	assert_int_equal(call.makes, 0);
	end_call(&call);
	tear_down(&scene);
}

static void pays_for_retries_and_is_paid_back_by_success(void **state)
{
	struct scene scene;

	(void)state;
	set_up(&scene);
	script(&scene, &broken, 3);
	(void)run(&scene);
	assert_int_equal(tokens(&scene), 500 - 2 * 14);
	script(&scene, &throttled, 3);
	(void)run(&scene);
	assert_int_equal(tokens(&scene), 472 - 2 * 5);

	/* what the last attempt had cost */
	script(&scene, &throttled, 1);
	script(&scene, &broken, 1);
	script(&scene, &good, 1);
	(void)run(&scene);
	assert_int_equal(tokens(&scene), 462 - 5);
	script(&scene, &good, 1);
	(void)run(&scene);
	assert_int_equal(tokens(&scene), 457 + 1);
	script(&scene, &absent, 1);
	(void)run(&scene);
	assert_int_equal(tokens(&scene), 458);
	tear_down(&scene);
}

/* Two retries for each call at first, none at last. */
static void an_empty_quota_ends_calls_with_their_replies(void **state)
{
	struct scene scene;
	size_t before;

	(void)state;
	set_up(&scene);
	script(&scene, &throttled, 200);
	assert_true(retry_can_pay(scene.retry, URL));
	for (unsigned i = 0; i < 50; i++) {
		assert_true(retry_can_pay(scene.retry, URL));
		assert_int_equal(run(&scene).status, 429);
	}
	assert_int_equal(tokens(&scene), 0);
	assert_false(retry_can_pay(scene.retry, URL));
	assert_true(retry_can_pay(scene.retry, OTHER_URL));
	before = fake_http_count(scene.http);
	assert_int_equal(before, 150);
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(run(&scene).status, 429);
	assert_int_equal(fake_http_count(scene.http), before + 10);
	tear_down(&scene);
}

static void an_answer_of_any_kind_opens_no_breaker(void **state)
{
	struct scene scene;

	(void)state;
	set_up(&scene);
	script(&scene, &broken, 60);
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(run(&scene).status, 500);
	assert_int_equal(endpoint_of(&scene, URL).breaker->state,
			 BREAKER_CLOSED);
	assert_int_equal(endpoint_of(&scene, URL).breaker->failures, 0);
	tear_down(&scene);
}

static void stops_trying_when_the_breaker_opens(void **state)
{
	struct scene scene;
	struct call call;

	(void)state;
	set_up(&scene);
	script(&scene, &refused, 10);
	(void)run(&scene);
	call = run(&scene);
	assert_int_equal(fake_http_count(scene.http), BREAKER_FAILURES);
	assert_string_equal(call.text, "the fake host does not answer");
	tear_down(&scene);
}

static void an_open_breaker_refuses_before_anything_is_made(void **state)
{
	struct scene scene;
	struct call call;

	(void)state;
	set_up(&scene);
	open_breaker(&scene);
	call = run(&scene);
	assert_int_equal(call.count, 0);
	assert_int_equal(call.code, -EIO);
	assert_string_equal(call.text, "the fake host does not answer (not "
				       "asked again for 0.5 s)");
	assert_int_equal(call.makes, 0);
	assert_int_equal(fake_http_count(scene.http), BREAKER_FAILURES);
	tear_down(&scene);
}

static void one_probe_decides_for_all(void **state)
{
	struct scene scene;
	struct call probe;
	struct call other;

	(void)state;
	set_up(&scene);
	open_breaker(&scene);
	advance(&scene, 500);
	script(&scene, &good, 1);
	probe = new_call(&scene);
	other = new_call(&scene);
	assert_non_null(start(&probe));
	assert_null(start(&other));
	assert_int_equal(other.code, -EIO);
	settle(&scene);
	assert_int_equal(probe.status, 200);
	script(&scene, &good, 1);
	assert_int_equal(run(&scene).status, 200);
	end_call(&probe);
	end_call(&other);
	tear_down(&scene);
}

/* A reply that is too large is one; a CA file that cannot be read says nothing
 * about who would have answered. */
static void errors_of_ours_are_no_news_of_the_endpoint(void **state)
{
	static const struct {
		int failure;
		enum breaker_state state;
		unsigned pauses;
	} cases[] = {
		{ -EFBIG, BREAKER_CLOSED, 0 },
		{ -EACCES, BREAKER_OPEN, 1 },
		{ -ENOMEM, BREAKER_OPEN, 1 },
		{ -EIO, BREAKER_OPEN, 2 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct fake_reply reply = { .failure = cases[i].failure };
		struct scene scene;

		set_up(&scene);
		open_breaker(&scene);
		advance(&scene, 500);
		script(&scene, &reply, 1);
		assert_int_equal(run(&scene).code, cases[i].failure);
		assert_int_equal(endpoint_of(&scene, URL).breaker->state,
				 cases[i].state);
		assert_int_equal(endpoint_of(&scene, URL).breaker->pauses,
				 cases[i].pauses);
		tear_down(&scene);
	}
}

/* The probe itself is not repeated. */
static void a_failed_probe_begins_a_longer_pause(void **state)
{
	struct scene scene;

	(void)state;
	set_up(&scene);
	open_breaker(&scene);
	advance(&scene, 500);
	script(&scene, &refused, 3);
	assert_string_equal(run(&scene).text, "the fake host does not answer");
	assert_int_equal(fake_http_count(scene.http), BREAKER_FAILURES + 1);
	assert_int_equal(endpoint_of(&scene, URL).breaker->probe_at_ms,
			 NOW_MS + 500 + 1000);
	tear_down(&scene);
}

static void tells_when_a_breaker_opens_and_closes(void **state)
{
	struct scene scene;

	(void)state;
	set_up(&scene);
	open_breaker(&scene);
	assert_int_equal(scene.opened, 1);
	advance(&scene, 500);
	script(&scene, &refused, 1);
	(void)run(&scene);
	assert_int_equal(scene.opened, 1);
	assert_int_equal(scene.closed, 0);
	advance(&scene, 1000);
	script(&scene, &broken, 3);
	(void)run(&scene);
	assert_int_equal(scene.closed, 1);
	open_breaker(&scene);
	assert_int_equal(scene.opened, 2);
	tear_down(&scene);
}

static void endpoints_do_not_pay_for_each_other(void **state)
{
	struct scene scene;
	struct call call;

	(void)state;
	set_up(&scene);
	open_breaker(&scene);
	script(&scene, &good, 1);
	call = new_call(&scene);
	call.url = OTHER_URL;
	assert_non_null(start(&call));
	settle(&scene);
	assert_int_equal(call.status, 200);
	assert_int_equal(endpoint_of(&scene, OTHER_URL).tokens, QUOTA_MAX);
	assert_true(tokens(&scene) < QUOTA_MAX);
	end_call(&call);
	tear_down(&scene);
}

/* A call that has waited for its retry while others found the endpoint gone. */
static void a_planned_attempt_is_refused_and_paid_back(void **state)
{
	struct scene scene;
	struct call waiting;
	unsigned before;

	(void)state;
	set_up(&scene);
	script(&scene, &throttled, 1);
	scene.random = 1U << 30;
	waiting = new_call(&scene);
	assert_non_null(start(&waiting));
	settle(&scene);
	scene.random = 0;
	open_breaker(&scene);
	before = tokens(&scene);
	advance(&scene, 250);
	assert_int_equal(waiting.count, 1);
	assert_int_equal(waiting.code, -EIO);
	assert_string_equal(waiting.text, "the fake host does not answer (not "
					  "asked again for 0.2 s)");
	assert_int_equal(waiting.makes, 1);
	assert_int_equal(tokens(&scene), before + QUOTA_COST_THROTTLED);
	end_call(&waiting);
	tear_down(&scene);
}

static void a_request_that_cannot_be_made_ends_the_call(void **state)
{
	(void)state;
	for (unsigned broken_make = 1; broken_make < 3; broken_make++) {
		struct scene scene;
		struct call call;

		set_up(&scene);
		script(&scene, &broken, 3);
		call = new_call(&scene);
		call.broken_make = broken_make;
		assert_int_equal(start(&call) != NULL, broken_make == 2);
		settle(&scene);
		assert_int_equal(call.count, broken_make - 1);
		assert_int_equal(call.code, -EACCES);
		assert_string_equal(call.text, "nothing to send");
		assert_int_equal(fake_http_count(scene.http), broken_make - 1);
		end_call(&call);
		tear_down(&scene);
	}
}

static void a_probe_that_cannot_be_made_makes_room(void **state)
{
	struct scene scene;
	struct call call;

	(void)state;
	set_up(&scene);
	open_breaker(&scene);
	advance(&scene, 500);
	call = new_call(&scene);
	call.broken_make = 1;
	assert_null(start(&call));
	script(&scene, &good, 1);
	assert_int_equal(run(&scene).status, 200);
	end_call(&call);
	tear_down(&scene);
}

static void never_calls_back_after_a_cancel(void **state)
{
	/* first in flight, then between the attempts, then in flight again */
	static const int64_t after_ms[] = { 0, 10, 40 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(after_ms); i++) {
		struct retry_call *handle;
		struct scene scene;
		struct call call;

		set_up(&scene);
		scene.random = 1U << 31;
		if (i > 0)
			script(&scene, &broken, 1);
		call = new_call(&scene);
		handle = start(&call);
		assert_non_null(handle);
		settle(&scene);
		advance(&scene, after_ms[i]);
		assert_int_equal(fake_http_live(scene.http), i != 1);
		retry_cancel(handle);
		assert_int_equal(fake_http_live(scene.http), 0);
		advance(&scene, TIMEOUT_MS);
		assert_int_equal(call.count, 0);
		end_call(&call);
		tear_down(&scene);
	}
}

static void a_cancelled_wait_is_paid_back(void **state)
{
	struct retry_call *handle;
	struct scene scene;
	struct call call;

	(void)state;
	set_up(&scene);
	scene.random = UINT32_MAX;
	script(&scene, &broken, 1);
	call = new_call(&scene);
	handle = start(&call);
	settle(&scene);
	assert_int_equal(tokens(&scene), QUOTA_MAX - QUOTA_COST);
	retry_cancel(handle);
	assert_int_equal(tokens(&scene), QUOTA_MAX);
	end_call(&call);
	tear_down(&scene);
}

static void cancelling_in_its_own_callback_does_nothing(void **state)
{
	struct scene scene;
	struct call call;

	(void)state;
	set_up(&scene);
	script(&scene, &good, 1);
	call = new_call(&scene);
	call.to_cancel = start(&call);
	settle(&scene);
	assert_int_equal(call.count, 1);
	assert_null(call.to_cancel);
	retry_cancel(NULL);
	end_call(&call);
	tear_down(&scene);
}

static void lets_a_callback_start_another_call(void **state)
{
	struct scene scene;
	struct call first;
	struct call second;

	(void)state;
	set_up(&scene);
	script(&scene, &good, 2);
	first = new_call(&scene);
	second = new_call(&scene);
	first.to_start = &second;
	assert_non_null(start(&first));
	settle(&scene);
	assert_int_equal(first.count, 1);
	assert_int_equal(second.status, 200);
	end_call(&first);
	end_call(&second);
	tear_down(&scene);
}

/* Readers have the same deadline, and theirs may come first. */
static void a_cancel_at_the_deadline_is_a_timeout(void **state)
{
	static const struct {
		int64_t after_ms;
		unsigned failures;
	} cases[] = {
		{ 3000 - RETRY_CANCEL_MS - 1, 0 },
		{ 3000 - RETRY_CANCEL_MS + 1, 1 },
		{ 3000, 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct breaker *breaker;
		struct retry_call *handle;
		struct scene scene;
		struct call call;

		set_up(&scene);
		call = new_call(&scene);
		handle = start_within(&call, 3000);
		settle(&scene);
		clock_advance(&scene.clock, cases[i].after_ms);
		retry_cancel(handle);
		breaker = endpoint_of(&scene, URL).breaker;
		assert_int_equal(breaker->failures, cases[i].failures);
		assert_string_equal(breaker->last.text,
				    cases[i].failures ? "no answer from " URL
							" in time"
						      : "");
		end_call(&call);
		tear_down(&scene);
	}
}

static void a_cancelled_probe_makes_room_for_another(void **state)
{
	struct scene scene;
	struct call call;

	(void)state;
	set_up(&scene);
	open_breaker(&scene);
	advance(&scene, 500);
	call = new_call(&scene);
	retry_cancel(start(&call));
	assert_int_equal(endpoint_of(&scene, URL).breaker->state, BREAKER_OPEN);
	script(&scene, &good, 1);
	assert_int_equal(run(&scene).status, 200);
	end_call(&call);
	tear_down(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(brings_the_reply_of_one_attempt),
		cmocka_unit_test(no_more_than_so_many_are_in_flight),
		cmocka_unit_test(all_of_a_crowd_are_answered),
		cmocka_unit_test(who_waits_in_a_crowd_ends_by_its_timeout),
		cmocka_unit_test(a_breaker_that_opens_ends_the_wait),
		cmocka_unit_test(each_attempt_is_counted_by_its_outcome),
		cmocka_unit_test(a_call_that_is_cancelled_is_counted_too),
		cmocka_unit_test(operations_are_counted_apart),
		cmocka_unit_test(makes_a_new_request_for_each_attempt),
		cmocka_unit_test(
			ends_with_the_last_outcome_after_three_attempts),
		cmocka_unit_test(never_repeats_what_is_definite),
		cmocka_unit_test(repeats_failures_of_the_transport_only),
		cmocka_unit_test(waits_for_a_random_part_of_a_growing_delay),
		cmocka_unit_test(waits_as_the_server_wishes_within_bounds),
		cmocka_unit_test(never_waits_for_an_attempt_past_the_deadline),
		cmocka_unit_test(a_silent_attempt_leaves_time_for_another),
		cmocka_unit_test(begins_nothing_without_time),
		cmocka_unit_test(pays_for_retries_and_is_paid_back_by_success),
		cmocka_unit_test(an_empty_quota_ends_calls_with_their_replies),
		cmocka_unit_test(an_answer_of_any_kind_opens_no_breaker),
		cmocka_unit_test(stops_trying_when_the_breaker_opens),
		cmocka_unit_test(
			an_open_breaker_refuses_before_anything_is_made),
		cmocka_unit_test(one_probe_decides_for_all),
		cmocka_unit_test(errors_of_ours_are_no_news_of_the_endpoint),
		cmocka_unit_test(a_failed_probe_begins_a_longer_pause),
		cmocka_unit_test(tells_when_a_breaker_opens_and_closes),
		cmocka_unit_test(endpoints_do_not_pay_for_each_other),
		cmocka_unit_test(a_planned_attempt_is_refused_and_paid_back),
		cmocka_unit_test(a_request_that_cannot_be_made_ends_the_call),
		cmocka_unit_test(a_probe_that_cannot_be_made_makes_room),
		cmocka_unit_test(never_calls_back_after_a_cancel),
		cmocka_unit_test(a_cancelled_wait_is_paid_back),
		cmocka_unit_test(cancelling_in_its_own_callback_does_nothing),
		cmocka_unit_test(lets_a_callback_start_another_call),
		cmocka_unit_test(a_cancel_at_the_deadline_is_a_timeout),
		cmocka_unit_test(a_cancelled_probe_makes_room_for_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
