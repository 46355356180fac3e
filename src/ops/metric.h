/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OPS_METRIC_H
#define OPS_METRIC_H

/*
 * The metrics that there are: docs/METRICS.md has each of them, with its labels
 * and what to do about it. Names are for ever; none of them ever carries a
 * value of a secret.
 */

enum metric {
	METRIC_BUILD,
	METRIC_READY,
	METRIC_UPTIME,
	METRIC_RESTARTS,
	METRIC_MOUNTS,
	METRIC_CLASSES,
	METRIC_WRONG_FILES,
	METRIC_REQUESTS,
	METRIC_WAITING,
	METRIC_NODES,
	METRIC_NOTIFIER,
	METRIC_HITS,
	METRIC_STALE,
	METRIC_MISSES,
	METRIC_FETCHES,
	METRIC_CONFIRMS,
	METRIC_FAILURES,
	METRIC_DURATION,
	METRIC_CALLS,
	METRIC_RETRIES,
	METRIC_IN_FLIGHT,
	METRIC_BREAKER,
	METRIC_TRANSPORT_FAILURES,
	METRIC_TOKENS,
	METRIC_POOL,
	METRIC_POOL_USED,
	METRIC_POOL_MAPPED,
	METRIC_POOL_MAX,
	METRIC_POOL_LOCKED,
	METRIC_SEALED,
	METRIC_OBJECT_STATE,
	METRIC_OBJECT_AGE,
	METRIC_OBJECT_LEFT,
	METRIC_OBJECT_NEXT,
	METRIC_OBJECT_USED,
	METRIC_OBJECT_KEYS,
	METRIC_OBJECT_KEY,
	METRIC_LEFT_OUT,
	METRIC_COUNT
};

struct metric_about {
	const char *name;
	const char *type; /* "counter", "gauge" or "histogram" */
	const char *help; /* one line */
};

const struct metric_about *metric_about(enum metric metric);

#endif
