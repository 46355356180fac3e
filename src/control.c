/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commands are answered from what is at hand, in one go: nothing is asked of
 * anybody for a status, and a refresh is not waited for.
 */
#include "control.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/jwrite.h"
#include "base/macros.h"
#include "base/pool.h"
#include "base/secret.h"
#include "classes.h"
#include "config/options.h"
#include "config/source_text.h"
#include "fs/layout.h"
#include "fs/session.h"
#include "fs/traffic.h"
#include "fs/tree.h"
#include "guard/sandbox.h"
#include "keeper/message.h"
#include "loop/loop.h"
#include "mounts.h"
#include "net/breaker.h"
#include "net/retry.h"
#include "net/tally.h"
#include "ops/client.h"
#include "ops/status.h"
#include "provider.h"
#include "shown.h"
#include "store/cache.h"
#include "store/source.h"
#include "version.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A document on its way. */
struct composing {
	const struct control *control;
	const struct control_mount *mount;
	const struct message_client *client;
	const struct shown *shown;  /* of this mount */
	char mount_point[PATH_MAX]; /* and where it is */
	struct jwrite json;
	size_t object_count;
};

static void put_program(struct composing *composing)
{
	const struct control *control = composing->control;
	struct pool_about pool;
	char missing[SANDBOX_TEXT_MAX];

	(void)sandbox_describe(control->sandbox, missing, sizeof(missing));
	pool_describe(&pool);
	status_put_program(
		&composing->json,
		&(struct status_program){
			.version = SECRETSFS_VERSION,
			.keeper_pid = composing->client->keeper_pid,
			.worker_pid = getpid(),
			.notifier_pid = composing->client->notifier_pid,
			.started_s = composing->client->started_s,
			.uptime_ms = loop_now_ms(control->loop) -
				     control->started_ms,
			.restarts = composing->client->restarts,
			.is_memory_locked = pool_is_locked(),
			.memory_kind = pool_kind_name(pool.kind),
			.memory_used = pool.used,
			.memory_mapped = pool.mapped,
			.memory_max = pool.maximum,
			.sealed_count = secrets_sealed(),
			.adopted_count = control->adopted_count,
			.is_memory_kept = pool_fd() >= 0,
			.sandbox_missing = *missing ? missing : NULL,
		});
}

/* The label is made of the class's name. */
static const char *class_name(const struct composing *composing)
{
	const struct control *control = composing->control;
	const char *colon = strchr(composing->shown->label, ':');
	struct source_text source;

	if (source_text_parse(control->options->source, &source, NULL) < 0 ||
	    source.kind != SOURCE_CLASS || !colon)
		return NULL;
	return colon + 1;
}

static const char *notifies(const struct control_mount *mount)
{
	if (mount->has_notifier)
		return "notifier";
	return session_can_expire_names(mount->session) ? "epoch" : "none";
}

static void put_mount(struct composing *composing)
{
	const struct control *control = composing->control;
	const struct cache_want want = shown_want(composing->shown);

	status_put_mount(
		&composing->json,
		&(struct status_mount){
			.id = composing->client->mount_id,
			.mount_point = composing->mount_point,
			.source = control->options->source,
			.class_name = class_name(composing),
			.notifies = notifies(composing->mount),
			.ttl_ms = want.ttl_ms,
			.max_stale_ms = want.max_stale_ms,
			.verify_ms = want.verify_ms,
			.timeout_ms = want.timeout_ms,
			.node_count = tree_node_count(composing->mount->tree),
			.dead_layers = composing->client->dead_layers,
		});
}

static void put_traffic(struct composing *composing)
{
	const struct traffic *traffic =
		session_traffic(composing->mount->session);

	jwrite_object(&composing->json, "requests");
	for (size_t i = 0; i < TRAFFIC_KINDS; i++)
		jwrite_number(&composing->json, traffic_kind(i),
			      (int64_t)traffic->counts[i]);
	jwrite_object_end(&composing->json);
}

static const char *breaker_name(enum breaker_state state)
{
	if (state == BREAKER_OPEN)
		return "open";
	return state == BREAKER_PROBING ? "probing" : "closed";
}

static struct status_operation
operation_of(const struct tally_operation *operation)
{
	return (struct status_operation){ .name = operation->name,
					  .attempts = operation->attempts,
					  .retries = operation->retries,
					  .outcomes = operation->outcomes };
}

static void put_endpoint(void *owner, const struct retry_endpoint *endpoint)
{
	struct composing *composing = owner;
	const struct breaker *breaker = endpoint->breaker;
	const struct tally *tally = endpoint->tally;
	struct status_operation operations[TALLY_OPERATIONS_MAX];
	const char *outcomes[TALLY_OUTCOMES];

	for (unsigned i = 0; i < TALLY_OUTCOMES; i++)
		outcomes[i] = tally_outcome_name((enum tally_outcome)i);
	for (size_t i = 0; i < tally->count; i++)
		operations[i] = operation_of(&tally->operations[i]);
	status_put_endpoint(
		&composing->json,
		&(struct status_endpoint){
			.url = endpoint->url,
			.breaker = breaker_name(breaker->state),
			.failures = breaker->failures,
			.last = breaker->last.code ? &breaker->last : NULL,
			.tokens = endpoint->tokens,
			.requests = endpoint->requests,
			.operations = operations,
			.operation_count = tally->count,
			.outcome_names = outcomes,
			.outcome_count = TALLY_OUTCOMES,
		});
}

static void put_object(struct composing *composing,
		       const struct cache_want *want,
		       struct status_object *object)
{
	struct cache_about about;

	if (composing->object_count++ >= CONTROL_OBJECTS_MAX)
		return;
	cache_tell(composing->control->cache, want, &about);
	object->name = want->name;
	object->version = want->version;
	object->stage = want->stage;
	object->region = shown_region(want);
	object->is_listing = want->is_listing;
	object->about = &about;
	status_put_object(&composing->json, object);
}

static const char *file_name(const void *owner, size_t index)
{
	const struct layout_object *object = owner;

	return object->files[index].name;
}

static void put_layout(struct composing *composing, const struct layout *layout)
{
	const struct layout_settings *settings = layout_settings(layout);
	struct cache_want want = shown_want(composing->shown);

	for (size_t i = 0; i < settings->object_count; i++) {
		const struct layout_object *object = &settings->objects[i];

		want.source = object->source;
		want.name = object->name;
		want.version = object->version;
		want.stage = object->stage;
		put_object(composing, &want,
			   &(struct status_object){
				   .is_optional = object->is_optional,
				   .expands = object->expands,
				   .file_count = object->file_count,
				   .file_name = file_name,
				   .owner = object,
			   });
	}
}

static void put_known(void *owner, const struct cache_want *known)
{
	struct composing *composing = owner;
	const struct shown *shown = composing->shown;
	const char *prefix = shown->prefix.name;
	struct cache_want want = shown_want(shown);

	if (strncmp(known->name, prefix, strlen(prefix)) != 0)
		return;
	want.name = known->name;
	want.version = known->version;
	want.stage = known->stage;
	want.is_listing = known->is_listing;
	put_object(composing, &want, &(struct status_object){ 0 });
}

static void put_objects(struct composing *composing)
{
	const struct control *control = composing->control;
	const struct shown *shown = composing->shown;
	size_t count;

	jwrite_array(&composing->json, "objects");
	if (shown->layout)
		put_layout(composing, shown->layout);
	else
		cache_each(control->cache, shown->prefix.source, put_known,
			   composing);
	jwrite_array_end(&composing->json);
	count = composing->object_count;
	jwrite_number(&composing->json, "objectsLeftOut",
		      count > CONTROL_OBJECTS_MAX
			      ? (int64_t)(count - CONTROL_OBJECTS_MAX)
			      : 0);
}

static void put_endpoints(struct composing *composing)
{
	jwrite_array(&composing->json, "endpoints");
	provider_each_endpoint(composing->control->provider, put_endpoint,
			       composing);
	jwrite_array_end(&composing->json);
}

static void put_class(void *owner, const struct class_about *class)
{
	struct composing *composing = owner;
	struct jwrite *json = &composing->json;

	jwrite_object(json, NULL);
	jwrite_text(json, "name", class->name);
	jwrite_text(json, "file", class->file);
	jwrite_text(json, "state", class_state_name(class->state));
	jwrite_text(json, "error", *class->why ? class->why : NULL);
	jwrite_object_end(json);
}

static void put_fault(void *owner, const char *file, const char *fault)
{
	struct composing *composing = owner;
	struct jwrite *json = &composing->json;

	jwrite_object(json, NULL);
	jwrite_text(json, "file", file);
	jwrite_text(json, "error", fault);
	jwrite_object_end(json);
}

static void put_classes(struct composing *composing)
{
	const struct classes *classes =
		mounts_classes(composing->control->mounts);
	struct jwrite *json = &composing->json;

	jwrite_text(json, "mountPoint", composing->mount_point);
	jwrite_text(json, "source", composing->control->options->source);
	jwrite_array(json, "classes");
	classes_each(classes, put_class, composing);
	jwrite_array_end(json);
	jwrite_array(json, "wrongFiles");
	classes_each_fault(classes, put_fault, composing);
	jwrite_array_end(json);
}

static void compose(struct composing *composing)
{
	const struct control *control = composing->control;
	struct jwrite *json = &composing->json;

	jwrite_object(json, NULL);
	put_program(composing);
	if (composing->mount) {
		put_mount(composing);
		put_traffic(composing);
	} else {
		put_classes(composing);
	}
	status_put_counters(json, cache_counters(control->cache));
	put_endpoints(composing);
	if (composing->mount)
		put_objects(composing);
	jwrite_object_end(json);
}

static void tell_status(struct composing *composing, int socket)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);
	bool is_whole;

	if (!out) {
		client_refuse(socket, "no memory");
		return;
	}
	jwrite_init(&composing->json, out);
	compose(composing);
	is_whole = !ferror(out);
	if (fclose(out) != 0 || !is_whole) {
		free(text);
		client_refuse(socket, "no memory");
		return;
	}
	clients_answer(composing->control->clients, socket, text, length);
}

static void refresh(const struct control *control,
		    const struct control_mount *mount, const char *name,
		    int socket)
{
	const char *secret = NULL;

	if (*name) {
		secret = tree_find_secret(mount->tree, name);
		if (!secret) {
			client_refuse(socket, "no secret and no file that is "
					      "known has this name");
			return;
		}
	}
	client_tell(socket, (unsigned)cache_refresh(control->cache, secret));
	/* Whoever opens now is not answered from before. */
	(void)session_expire_names(mount->session);
}

/* That of a class, or SOURCE itself. */
static void find_shown(struct composing *composing)
{
	const struct control *control = composing->control;
	const struct classes *classes = mounts_classes(control->mounts);
	const char *mount_point = control->options->mount_point;
	struct class_about class = { .name = NULL };

	composing->shown = control->shown;
	if (classes && composing->mount &&
	    classes_find(classes, composing->mount->index, &class) == 0)
		composing->shown = class.shown;
	(void)snprintf(composing->mount_point, sizeof(composing->mount_point),
		       "%s%s%s", mount_point, class.name ? "/" : "",
		       class.name ? class.name : "");
}

void control_answer(const struct control *control,
		    const struct control_mount *mount,
		    const struct message_client *client, int socket)
{
	struct composing composing = { .control = control,
				       .mount = mount,
				       .client = client };

	if (client->asked == MESSAGE_STATUS) {
		find_shown(&composing);
		tell_status(&composing, socket);
	} else {
		refresh(control, mount, client->name, socket);
	}
}

static void refresh_all(const struct control *control, const char *name,
			int socket)
{
	size_t count = cache_refresh(control->cache, *name ? name : NULL);

	/* Of several mounts a path of a file would have to name one. */
	if (*name && count == 0)
		client_refuse(socket, "no secret of this name is in use; a "
				      "file's path is known to its own mount");
	else
		client_tell(socket, (unsigned)count);
	mounts_expire_names(control->mounts);
}

void control_answer_all(const struct control *control,
			const struct message_client *client, int socket)
{
	struct composing composing = { .control = control, .client = client };

	if (client->asked == MESSAGE_STATUS) {
		find_shown(&composing);
		tell_status(&composing, socket);
	} else {
		refresh_all(control, client->name, socket);
	}
}
