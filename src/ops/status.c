/* SPDX-License-Identifier: Apache-2.0 */
/* What is shown of a value is the name of its version and how many keys it has;
 * nothing here ever asks for its bytes. */
#include "ops/status.h"
#include "base/err.h"
#include "base/jwrite.h"
#include "store/cache.h"
#include "store/value.h"

#include <string.h>

static void put_count(struct jwrite *json, const char *name, uint64_t count)
{
	jwrite_number(json, name,
		      count > INT64_MAX ? INT64_MAX : (int64_t)count);
}

/* null where it is negative */
static void put_time(struct jwrite *json, const char *name, int64_t ms)
{
	if (ms < 0)
		jwrite_null(json, name);
	else
		jwrite_number(json, name, ms);
}

static void put_memory(struct jwrite *json,
		       const struct status_program *program)
{
	jwrite_object(json, "memory");
	jwrite_text(json, "kind", program->memory_kind);
	put_count(json, "usedBytes", program->memory_used);
	put_count(json, "mappedBytes", program->memory_mapped);
	put_count(json, "maxBytes", program->memory_max);
	put_count(json, "sealed", program->sealed_count);
	jwrite_flag(json, "outlivesWorker", program->is_memory_kept);
	put_count(json, "adopted", program->adopted_count);
	jwrite_object_end(json);
}

void status_put_program(struct jwrite *json,
			const struct status_program *program)
{
	jwrite_text(json, "version", program->version);
	jwrite_number(json, "startedAt", program->started_s);
	jwrite_number(json, "uptimeMs", program->uptime_ms);
	put_count(json, "restarts", program->restarts);
	jwrite_object(json, "pids");
	jwrite_number(json, "keeper", program->keeper_pid);
	jwrite_number(json, "worker", program->worker_pid);
	if (program->notifier_pid > 0)
		jwrite_number(json, "notifier", program->notifier_pid);
	else
		jwrite_null(json, "notifier");
	jwrite_object_end(json);
	jwrite_flag(json, "memoryLocked", program->is_memory_locked);
	put_memory(json, program);
	jwrite_text(json, "sandboxMissing", program->sandbox_missing);
}

void status_put_mount(struct jwrite *json, const struct status_mount *mount)
{
	jwrite_object(json, "mount");
	put_count(json, "id", mount->id);
	jwrite_text(json, "mountPoint", mount->mount_point);
	jwrite_text(json, "source", mount->source);
	jwrite_text(json, "class", mount->class_name);
	jwrite_text(json, "notifies", mount->notifies);
	jwrite_number(json, "ttlMs", mount->ttl_ms);
	jwrite_number(json, "maxStaleMs", mount->max_stale_ms);
	jwrite_number(json, "verifyAccessMs", mount->verify_ms);
	jwrite_number(json, "timeoutMs", mount->timeout_ms);
	put_count(json, "nodes", mount->node_count);
	put_count(json, "deadLayers", mount->dead_layers);
	jwrite_object_end(json);
}

void status_put_counters(struct jwrite *json,
			 const struct cache_counters *counters)
{
	jwrite_object(json, "cache");
	put_count(json, "hits", counters->hits);
	put_count(json, "stale", counters->stale);
	put_count(json, "misses", counters->misses);
	put_count(json, "fetches", counters->fetches);
	put_count(json, "confirms", counters->confirms);
	put_count(json, "failures", counters->failures);
	jwrite_object_end(json);
}

static void put_error(struct jwrite *json, const char *name,
		      const struct err *err)
{
	if (!err) {
		jwrite_null(json, name);
		return;
	}
	jwrite_object(json, name);
	jwrite_text(json, "code", strerrorname_np(-err->code));
	jwrite_text(json, "text", err->text);
	jwrite_object_end(json);
}

static void put_operation(struct jwrite *json,
			  const struct status_endpoint *endpoint,
			  const struct status_operation *operation)
{
	jwrite_object(json, NULL);
	jwrite_text(json, "name", operation->name);
	put_count(json, "attempts", operation->attempts);
	put_count(json, "retries", operation->retries);
	for (size_t i = 0; i < endpoint->outcome_count; i++)
		put_count(json, endpoint->outcome_names[i],
			  operation->outcomes[i]);
	jwrite_object_end(json);
}

void status_put_endpoint(struct jwrite *json,
			 const struct status_endpoint *endpoint)
{
	jwrite_object(json, NULL);
	jwrite_text(json, "url", endpoint->url);
	jwrite_text(json, "breaker", endpoint->breaker);
	jwrite_number(json, "failures", endpoint->failures);
	put_error(json, "lastError", endpoint->last);
	jwrite_number(json, "tokens", endpoint->tokens);
	put_count(json, "requests", endpoint->requests);
	jwrite_array(json, "operations");
	for (size_t i = 0; i < endpoint->operation_count; i++)
		put_operation(json, endpoint, &endpoint->operations[i]);
	jwrite_array_end(json);
	jwrite_object_end(json);
}

static void put_about(struct jwrite *json, const struct cache_about *about)
{
	const struct value *value = about->value;

	jwrite_text(json, "state", cache_state_name(about->state));
	jwrite_text(json, "versionId", value ? value_version(value) : NULL);
	jwrite_text(json, "arn", value ? value_arn(value) : NULL);
	put_time(json, "keys",
		 value && value_has_keys(value)
			 ? (int64_t)value_key_count(value)
			 : -1);
	put_time(json, "ageMs", about->age_ms);
	if (about->next_ms == -1)
		jwrite_null(json, "nextMs");
	else
		jwrite_number(json, "nextMs",
			      about->next_ms > 0 ? about->next_ms : 0);
	jwrite_flag(json, "inUse", about->is_in_use);
	jwrite_flag(json, "inFlight", about->is_in_flight);
	put_error(json, "error", about->failure);
}

static void put_files(struct jwrite *json, const struct status_object *object)
{
	size_t shown = object->file_count < STATUS_FILES_MAX
			       ? object->file_count
			       : STATUS_FILES_MAX;

	jwrite_flag(json, "expands", object->expands);
	jwrite_array(json, "files");
	for (size_t i = 0; i < shown; i++)
		jwrite_text(json, NULL, object->file_name(object->owner, i));
	jwrite_array_end(json);
	put_count(json, "filesLeftOut", object->file_count - shown);
}

void status_put_object(struct jwrite *json, const struct status_object *object)
{
	jwrite_object(json, NULL);
	jwrite_text(json, "name", object->name);
	jwrite_text(json, "kind", object->is_listing ? "listing" : "secret");
	jwrite_text(json, "version", object->version);
	jwrite_text(json, "stage", object->stage);
	jwrite_text(json, "region", object->region);
	jwrite_flag(json, "optional", object->is_optional);
	put_about(json, object->about);
	put_files(json, object);
	jwrite_object_end(json);
}
