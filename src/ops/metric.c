/* SPDX-License-Identifier: Apache-2.0 */
/* Every metric is a row here, so that all are told, also those that have
 * nothing to tell yet. */
#include "ops/metric.h"

#define COUNTER(name, help)                                                    \
	{                                                                      \
		"secretsfs_" name "_total", "counter", help                    \
	}
#define GAUGE(name, help)                                                      \
	{                                                                      \
		"secretsfs_" name, "gauge", help                               \
	}

static const struct metric_about metrics[METRIC_COUNT] = {
	[METRIC_BUILD] = GAUGE("build_info", "Always 1."),
	[METRIC_READY] = GAUGE("ready", "Whether /readyz says so."),
	[METRIC_UPTIME] =
		GAUGE("worker_uptime_seconds", "Since this worker started."),
	[METRIC_RESTARTS] = COUNTER("worker_restarts",
				    "Workers that died before this one."),
	[METRIC_MOUNTS] = GAUGE("mounts", "Mounts that are served."),
	[METRIC_CLASSES] =
		GAUGE("classes", "Classes of a directory, by state."),
	[METRIC_WRONG_FILES] =
		GAUGE("wrong_class_files",
		      "Class files that are not in force as they are."),
	[METRIC_REQUESTS] =
		COUNTER("requests", "Requests of the kernel, by kind."),
	[METRIC_WAITING] =
		GAUGE("requests_waiting", "Requests that wait for a fetch."),
	[METRIC_NODES] = GAUGE("nodes", "Nodes the kernel may know."),
	[METRIC_NOTIFIER] = GAUGE(
		"notifier_up", "Whether watchers are told of changes at once."),
	[METRIC_HITS] =
		COUNTER("cache_hits", "Answered from what was at hand."),
	[METRIC_STALE] =
		COUNTER("cache_stale", "Answers with a value past its TTL."),
	[METRIC_MISSES] =
		COUNTER("cache_misses", "Had to wait for the source."),
	[METRIC_FETCHES] = COUNTER("fetches", "Attempts to get a value."),
	[METRIC_CONFIRMS] =
		COUNTER("confirmations", "Attempts to confirm a value."),
	[METRIC_FAILURES] =
		COUNTER("fetch_failures", "Attempts of both that failed."),
	[METRIC_DURATION] = { "secretsfs_fetch_duration_seconds", "histogram",
			      "How long attempts took, retries "
			      "included." },
	[METRIC_CALLS] = COUNTER("aws_calls", "HTTP requests that have ended."),
	[METRIC_RETRIES] =
		COUNTER("aws_retries", "HTTP requests that were not the "
				       "first of their call."),
	[METRIC_IN_FLIGHT] =
		GAUGE("aws_calls_in_flight", "HTTP requests under way."),
	[METRIC_BREAKER] =
		GAUGE("breaker_state", "1 for the state that it is in."),
	[METRIC_TRANSPORT_FAILURES] = GAUGE(
		"endpoint_failures", "Requests in a row that got no answer."),
	[METRIC_TOKENS] =
		GAUGE("retry_tokens", "Left to pay for retries, of 500."),
	[METRIC_POOL] =
		GAUGE("pool_info", "Always 1; the kind of memory that holds "
				   "secrets."),
	[METRIC_POOL_USED] = GAUGE("pool_used_bytes", "By secrets."),
	[METRIC_POOL_MAPPED] =
		GAUGE("pool_mapped_bytes", "Has memory behind it."),
	[METRIC_POOL_MAX] = GAUGE("pool_max_bytes", "What it may become."),
	[METRIC_POOL_LOCKED] =
		GAUGE("pool_locked", "Whether it is never swapped."),
	[METRIC_SEALED] =
		GAUGE("secrets_sealed", "Secrets that it had no room for."),
	[METRIC_OBJECT_STATE] = GAUGE(
		"object_state", "1, with the state that the object is in."),
	[METRIC_OBJECT_AGE] =
		GAUGE("object_age_seconds", "Since it was last confirmed."),
	[METRIC_OBJECT_LEFT] =
		GAUGE("object_expiry_seconds",
		      "Until it is wiped if nothing confirms it."),
	[METRIC_OBJECT_NEXT] =
		GAUGE("object_next_confirmation_seconds",
		      "Until it is confirmed in the background."),
	[METRIC_OBJECT_USED] =
		GAUGE("object_in_use", "Whether the kernel knows it."),
	[METRIC_OBJECT_KEYS] =
		GAUGE("object_keys", "How many keys its JSON has."),
	[METRIC_OBJECT_KEY] =
		GAUGE("object_key", "Always 1; with --metrics-keys."),
	[METRIC_LEFT_OUT] =
		GAUGE("objects_left_out", "Objects that no metric is told of."),
};

const struct metric_about *metric_about(enum metric metric)
{
	return &metrics[metric];
}
