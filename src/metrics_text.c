/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All that is counted anywhere in the worker, in the order of ops/metric.h. It
 * is told as it is: counts begin anew with each worker, which Prometheus knows
 * how to add up.
 */
#include "metrics_text.h"
#include "base/macros.h"
#include "base/pool.h"
#include "base/secret.h"
#include "classes.h"
#include "config.h"
#include "control.h"
#include "fs/session.h"
#include "fs/traffic.h"
#include "fs/tree.h"
#include "loop/loop.h"
#include "metrics_objects.h"
#include "mounts.h"
#include "net/breaker.h"
#include "net/retry.h"
#include "net/tally.h"
#include "ops/exposition.h"
#include "provider.h"
#include "served.h"
#include "shown.h"
#include "store/cache.h"

#include <stdint.h>
#include <string.h>

struct writing {
	const struct control *control;
	struct exposition exposition;
	enum metric metric; /* that is being written */
};

static void begin(struct writing *writing, enum metric metric)
{
	writing->metric = metric;
	exposition_begin(&writing->exposition, metric);
}

static void put(struct writing *writing, enum metric metric, uint64_t number)
{
	begin(writing, metric);
	exposition_put(&writing->exposition, NULL, number);
}

static void put_labelled(struct writing *writing, enum metric metric,
			 const char *name, const char *text)
{
	const struct exposition_label labels[] = { { name, text },
						   { NULL, NULL } };

	begin(writing, metric);
	exposition_put(&writing->exposition, labels, 1);
}

static void count_mount(void *owner, const struct metrics_mount *mount)
{
	size_t *count = owner;

	(void)mount;
	(*count)++;
}

struct class_counts {
	uint64_t by_state[CLASS_GONE + 1];
	uint64_t wrong_files;
};

static void count_class(void *owner, const struct class_about *class)
{
	struct class_counts *counts = owner;

	counts->by_state[class->state]++;
}

static void count_fault(void *owner, const char *file, const char *fault)
{
	struct class_counts *counts = owner;

	(void)file;
	(void)fault;
	counts->wrong_files++;
}

/* Of a class file alone what was read last counts. */
static void put_classes(struct writing *writing)
{
	const struct control *control = writing->control;
	const struct classes *classes = mounts_classes(control->mounts);
	struct class_counts counts = { .wrong_files = 0 };

	begin(writing, METRIC_CLASSES);
	if (classes) {
		classes_each(classes, count_class, &counts);
		classes_each_fault(classes, count_fault, &counts);
		for (unsigned i = 0; i < ARRAY_SIZE(counts.by_state); i++) {
			const struct exposition_label labels[] = {
				{ "state",
				  class_state_name((enum class_state)i) },
				{ NULL, NULL },
			};

			exposition_put(&writing->exposition, labels,
				       counts.by_state[i]);
		}
	} else {
		counts.wrong_files = control->shown->is_old;
	}
	put(writing, METRIC_WRONG_FILES, counts.wrong_files);
}

static void put_program(struct writing *writing, bool is_ready)
{
	const struct control *control = writing->control;
	size_t mounts = 0;

	metrics_each_mount(control, count_mount, &mounts);
	put_labelled(writing, METRIC_BUILD, "version", PACKAGE_VERSION);
	put(writing, METRIC_READY, is_ready);
	begin(writing, METRIC_UPTIME);
	exposition_put_ms(&writing->exposition, NULL,
			  loop_now_ms(control->loop) - control->started_ms);
	put(writing, METRIC_RESTARTS, mounts_restarts(control->mounts));
	put(writing, METRIC_MOUNTS, mounts);
	put_classes(writing);
}

static void put_requests(void *owner, const struct metrics_mount *mount)
{
	struct writing *writing = owner;
	const struct traffic *traffic =
		session_traffic(served_session(mount->served));

	for (size_t i = 0; i < TRAFFIC_KINDS; i++) {
		const struct exposition_label labels[] = {
			{ "mount", mount->point },
			{ "kind", traffic_kind(i) },
			{ NULL, NULL },
		};

		exposition_put(&writing->exposition, labels,
			       traffic->counts[i]);
	}
}

/* What there is one of for each mount. */
static void put_mount(void *owner, const struct metrics_mount *mount)
{
	struct writing *writing = owner;
	const struct tree *tree = served_tree(mount->served);
	const struct exposition_label labels[] = { { "mount", mount->point },
						   { NULL, NULL } };
	uint64_t number = tree_has_notifier(tree);

	if (writing->metric == METRIC_WAITING)
		number = tree_waiting_count(tree);
	else if (writing->metric == METRIC_NODES)
		number = tree_node_count(tree);
	exposition_put(&writing->exposition, labels, number);
}

static void put_mounts(struct writing *writing)
{
	static const enum metric metrics[] = { METRIC_WAITING, METRIC_NODES,
					       METRIC_NOTIFIER };

	begin(writing, METRIC_REQUESTS);
	metrics_each_mount(writing->control, put_requests, writing);
	for (size_t i = 0; i < ARRAY_SIZE(metrics); i++) {
		begin(writing, metrics[i]);
		metrics_each_mount(writing->control, put_mount, writing);
	}
}

static void put_cache(struct writing *writing)
{
	static const struct exposition_label ok = { "outcome", "ok" };
	static const struct exposition_label failed = { "outcome", "failed" };
	const struct cache_counters *counters =
		cache_counters(writing->control->cache);

	put(writing, METRIC_HITS, counters->hits);
	put(writing, METRIC_STALE, counters->stale);
	put(writing, METRIC_MISSES, counters->misses);
	put(writing, METRIC_FETCHES, counters->fetches);
	put(writing, METRIC_CONFIRMS, counters->confirms);
	put(writing, METRIC_FAILURES, counters->failures);
	begin(writing, METRIC_DURATION);
	exposition_put_histogram(&writing->exposition, &ok,
				 &counters->succeeded);
	exposition_put_histogram(&writing->exposition, &failed,
				 &counters->failed);
}

/* NULL: no label. */
static const char *proxy_of(const struct retry_endpoint *endpoint)
{
	return endpoint->by_proxy ? "environment" : NULL;
}

static uint64_t ended(const struct tally_operation *operation)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < TALLY_OUTCOMES; i++)
		sum += operation->outcomes[i];
	return sum;
}

static void put_outcomes(struct writing *writing,
			 const struct retry_endpoint *endpoint,
			 const struct tally_operation *operation)
{
	for (unsigned i = 0; i < TALLY_OUTCOMES; i++) {
		const struct exposition_label labels[] = {
			{ "aws_endpoint", endpoint->url },
			{ "proxy", proxy_of(endpoint) },
			{ "operation", operation->name },
			{ "outcome",
			  tally_outcome_name((enum tally_outcome)i) },
			{ NULL, NULL },
		};

		exposition_put(&writing->exposition, labels,
			       operation->outcomes[i]);
	}
}

static void put_operation(struct writing *writing,
			  const struct retry_endpoint *endpoint,
			  const struct tally_operation *operation)
{
	const struct exposition_label labels[] = {
		{ "aws_endpoint", endpoint->url },
		{ "proxy", proxy_of(endpoint) },
		{ "operation", operation->name },
		{ NULL, NULL },
	};

	if (writing->metric == METRIC_CALLS)
		put_outcomes(writing, endpoint, operation);
	else
		exposition_put(&writing->exposition, labels,
			       writing->metric == METRIC_RETRIES
				       ? operation->retries
				       : operation->attempts -
						 ended(operation));
}

static void put_operations(void *owner, const struct retry_endpoint *endpoint)
{
	struct writing *writing = owner;

	for (size_t i = 0; i < endpoint->tally->count; i++)
		put_operation(writing, endpoint,
			      &endpoint->tally->operations[i]);
}

static void put_breaker(void *owner, const struct retry_endpoint *endpoint)
{
	static const char *const names[] = {
		[BREAKER_CLOSED] = "closed",
		[BREAKER_OPEN] = "open",
		[BREAKER_PROBING] = "probing",
	};
	struct writing *writing = owner;

	for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
		const struct exposition_label labels[] = {
			{ "aws_endpoint", endpoint->url },
			{ "proxy", proxy_of(endpoint) },
			{ "state", names[i] },
			{ NULL, NULL },
		};

		exposition_put(&writing->exposition, labels,
			       endpoint->breaker->state == i);
	}
}

static void put_endpoint(void *owner, const struct retry_endpoint *endpoint)
{
	struct writing *writing = owner;
	const struct exposition_label labels[] = {
		{ "aws_endpoint", endpoint->url },
		{ "proxy", proxy_of(endpoint) },
		{ NULL, NULL },
	};

	exposition_put(&writing->exposition, labels,
		       writing->metric == METRIC_TOKENS
			       ? endpoint->tokens
			       : endpoint->breaker->failures);
}

static void put_endpoints(struct writing *writing)
{
	static const struct {
		enum metric metric;
		retry_on_endpoint *put;
	} metrics[] = {
		{ METRIC_CALLS, put_operations },
		{ METRIC_RETRIES, put_operations },
		{ METRIC_IN_FLIGHT, put_operations },
		{ METRIC_BREAKER, put_breaker },
		{ METRIC_TRANSPORT_FAILURES, put_endpoint },
		{ METRIC_TOKENS, put_endpoint },
	};

	for (size_t i = 0; i < ARRAY_SIZE(metrics); i++) {
		begin(writing, metrics[i].metric);
		provider_each_endpoint(writing->control->provider,
				       metrics[i].put, writing);
	}
}

static void put_pool(struct writing *writing)
{
	struct pool_about pool;

	pool_describe(&pool);
	put_labelled(writing, METRIC_POOL, "kind", pool_kind_name(pool.kind));
	put(writing, METRIC_POOL_USED, pool.used);
	put(writing, METRIC_POOL_MAPPED, pool.mapped);
	put(writing, METRIC_POOL_MAX, pool.maximum);
	put(writing, METRIC_POOL_LOCKED, pool_is_locked());
	put(writing, METRIC_SEALED, secrets_sealed());
}

void metrics_text_write(const struct control *control, bool is_ready, FILE *out)
{
	struct writing writing = { .control = control,
				   .exposition = { .out = out } };

	put_program(&writing, is_ready);
	put_mounts(&writing);
	put_cache(&writing);
	put_endpoints(&writing);
	put_pool(&writing);
	metrics_put_objects(control, &writing.exposition);
}
