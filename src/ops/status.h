/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OPS_STATUS_H
#define OPS_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct cache_about;
struct cache_counters;
struct err;
struct jwrite;

/*
 * The parts of the document that `secretsfs status --json` prints: names,
 * versions and states, never a value or a piece of one. Durations are in
 * milliseconds, moments in seconds since 1970; what does not apply is null.
 * Everything is borrowed for the time of the call.
 */

#define STATUS_FILES_MAX 20 /* names of one object; more are counted */

struct status_program {
	const char *version;
	pid_t keeper_pid;
	pid_t worker_pid;
	pid_t notifier_pid; /* 0: there is none */
	int64_t started_s;  /* when the keeper began to serve */
	int64_t uptime_ms;  /* of the worker */
	uint32_t restarts;  /* workers that died before it */
	bool is_memory_locked;
	const char *memory_kind; /* pool_kind_name() */
	size_t memory_used;	 /* bytes */
	size_t memory_mapped;
	size_t memory_max;
	size_t sealed_count;  /* secrets that the memory had no room for */
	bool is_memory_kept;  /* for a worker that follows this one */
	size_t adopted_count; /* secrets that the last one had */
	const char *sandbox_missing; /* NULL: nothing */
};

/* Members of the document itself. */
void status_put_program(struct jwrite *json,
			const struct status_program *program);

struct status_mount {
	uint64_t id;
	const char *mount_point;
	const char *source;
	const char *class_name; /* or NULL */
	const char *notifies;	/* "notifier", "epoch" or "none" */
	int64_t ttl_ms;
	int64_t max_stale_ms;
	int64_t verify_ms;
	int64_t timeout_ms;
	size_t node_count;
	unsigned dead_layers; /* mounts of keepers that died, below it */
};

/* "mount" */
void status_put_mount(struct jwrite *json, const struct status_mount *mount);

/* "cache" */
void status_put_counters(struct jwrite *json,
			 const struct cache_counters *counters);

/* The requests for one operation, those in flight included; each outcome is
 * told under its name. */
struct status_operation {
	const char *name;
	uint64_t attempts;
	uint64_t retries;
	const uint64_t *outcomes;
};

struct status_endpoint {
	const char *url;
	const char *breaker;	/* "closed", "open" or "probing" */
	unsigned failures;	/* of the transport, in a row */
	const struct err *last; /* of these, or NULL */
	unsigned tokens;	/* left for retries */
	uint64_t requests;
	const struct status_operation *operations;
	size_t operation_count;
	const char *const *outcome_names;
	size_t outcome_count;
};

/* An element of an array. */
void status_put_endpoint(struct jwrite *json,
			 const struct status_endpoint *endpoint);

struct status_object {
	const char *name;
	const char *version; /* what was asked for, or NULL */
	const char *stage;   /* likewise */
	const char *region;  /* which of several answers, or NULL */
	bool is_listing;     /* the names below a prefix */
	bool is_optional;
	bool expands; /* its keys are files as well */
	const struct cache_about *about;
	size_t file_count;
	const char *(*file_name)(const void *owner, size_t index);
	const void *owner;
};

/* An element of an array. */
void status_put_object(struct jwrite *json, const struct status_object *object);

#endif
