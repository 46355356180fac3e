/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "base/err.h"
#include "base/jdoc.h"
#include "base/jwrite.h"
#include "base/secret.h"
#include "ops/status.h"
#include "store/cache.h"
#include "store/value.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct scene {
	char *text;
	size_t length;
	struct jwrite json;
	struct jdoc *doc;
};

static void begin(struct scene *scene)
{
	*scene = (struct scene){ 0 };
	jwrite_init(&scene->json, open_memstream(&scene->text, &scene->length));
	assert_non_null(scene->json.out);
}

static void end(struct scene *scene)
{
	struct err err;

	assert_int_equal(fclose(scene->json.out), 0);
	assert_int_equal(
		jdoc_parse(scene->text, scene->length, &scene->doc, &err), 0);
}

static void done(struct scene *scene)
{
	jdoc_free(scene->doc);
	free(scene->text);
}

/* A member of the document, as it is written. */
static void check_member(struct scene *scene, const char *name,
			 const char *wanted)
{
	jdoc_node node = jdoc_member(scene->doc, 0, name, strlen(name));
	size_t length = 0;
	const char *raw = jdoc_raw(scene->doc, node, &length);

	if (node == JDOC_NONE)
		fail_msg("no member '%s'", name);
	else if (length != strlen(wanted) || memcmp(raw, wanted, length) != 0)
		fail_msg("'%s' is %.*s", name, (int)length, raw);
}

static const char *file_name(const void *owner, size_t index)
{
	const char *const *names = owner;

	return names[index];
}

static const char *same_name(const void *owner, size_t index)
{
	(void)index;
	return owner;
}

static struct value *make_value(const char *text)
{
	struct secret *bytes = secret_new(text, strlen(text));
	struct value *value;

	assert_non_null(bytes);
	value = value_new(bytes, &(struct value_about){ .version = "v-1",
							.arn = "arn:a:b" });
	secret_unref(bytes);
	assert_non_null(value);
	return value;
}

static void an_object_shows_its_state_and_never_its_value(void **state)
{
	static const char *const names[] = { "db", "pass\"word" };
	struct value *value = make_value("{\"user\":\"ada\",\"pin\":4711}");
	const struct cache_about about = { .state = CACHE_FRESH,
					   .value = value,
					   .is_in_use = true,
					   .age_ms = 1500,
					   .next_ms = 2500 };
	struct scene scene;

	(void)state;
	begin(&scene);
	status_put_object(&scene.json,
			  &(struct status_object){ .name = "prod/db",
						   .stage = "AWSPENDING",
						   .expands = true,
						   .about = &about,
						   .file_count = 2,
						   .file_name = file_name,
						   .owner = names });
	end(&scene);
	check_member(&scene, "name", "\"prod/db\"");
	check_member(&scene, "kind", "\"secret\"");
	check_member(&scene, "version", "null");
	check_member(&scene, "stage", "\"AWSPENDING\"");
	check_member(&scene, "state", "\"fresh\"");
	check_member(&scene, "versionId", "\"v-1\"");
	check_member(&scene, "arn", "\"arn:a:b\"");
	check_member(&scene, "keys", "2");
	check_member(&scene, "ageMs", "1500");
	check_member(&scene, "nextMs", "2500");
	check_member(&scene, "inUse", "true");
	check_member(&scene, "inFlight", "false");
	check_member(&scene, "error", "null");
	check_member(&scene, "files", "[\"db\",\"pass\\\"word\"]");
	check_member(&scene, "filesLeftOut", "0");
	assert_null(strstr(scene.text, "ada"));
	assert_null(strstr(scene.text, "4711"));
	assert_null(strstr(scene.text, "pin"));
	done(&scene);
	value_unref(value);
}

static void an_object_that_failed_shows_why(void **state)
{
	const struct err failure = {
		-EACCES, "AccessDeniedException: \x1b[2J (request 1-2)"
	};
	const struct cache_about about = { .state = CACHE_FAILED,
					   .is_in_flight = true,
					   .age_ms = -1,
					   .next_ms = -1,
					   .failure = &failure };
	struct scene scene;

	(void)state;
	begin(&scene);
	status_put_object(&scene.json,
			  &(struct status_object){ .name = "x",
						   .is_optional = true,
						   .about = &about });
	end(&scene);
	check_member(&scene, "state", "\"failed\"");
	check_member(&scene, "versionId", "null");
	check_member(&scene, "keys", "null");
	check_member(&scene, "ageMs", "null");
	check_member(&scene, "nextMs", "null");
	check_member(&scene, "inFlight", "true");
	check_member(&scene, "optional", "true");
	check_member(&scene, "error",
		     "{\"code\":\"EACCES\",\"text\":\"AccessDeniedException: "
		     "\\u001b[2J (request 1-2)\"}");
	check_member(&scene, "files", "[]");
	done(&scene);
}

static void a_confirmation_that_is_due_is_now(void **state)
{
	const struct cache_about about = { .state = CACHE_STALE,
					   .next_ms = -700 };
	struct scene scene;

	(void)state;
	begin(&scene);
	status_put_object(&scene.json,
			  &(struct status_object){ .name = "team/",
						   .is_listing = true,
						   .about = &about });
	end(&scene);
	check_member(&scene, "state", "\"stale\"");
	check_member(&scene, "kind", "\"listing\"");
	check_member(&scene, "nextMs", "0");
	done(&scene);
}

static void files_past_the_limit_are_counted(void **state)
{
	const struct cache_about about = { .age_ms = -1, .next_ms = -1 };
	struct scene scene;
	jdoc_node files;

	(void)state;
	begin(&scene);
	status_put_object(
		&scene.json,
		&(struct status_object){ .name = "x",
					 .about = &about,
					 .file_count = STATUS_FILES_MAX + 3,
					 .file_name = same_name,
					 .owner = "one" });
	end(&scene);
	files = jdoc_member(scene.doc, 0, "files", strlen("files"));
	assert_int_equal(jdoc_count(scene.doc, files), STATUS_FILES_MAX);
	check_member(&scene, "filesLeftOut", "3");
	check_member(&scene, "state", "\"empty\"");
	done(&scene);
}

static void the_mount_the_processes_and_the_counters_are_told(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene);
	jwrite_object(&scene.json, NULL);
	status_put_program(
		&scene.json,
		&(struct status_program){ .version = "1",
					  .keeper_pid = 11,
					  .worker_pid = 12,
					  .started_s = 1700000000,
					  .uptime_ms = 5,
					  .restarts = 7,
					  .memory_kind = "mlock",
					  .memory_used = 1,
					  .memory_mapped = 2,
					  .memory_max = 3,
					  .sealed_count = 4,
					  .is_memory_kept = true,
					  .adopted_count = 6,
					  .sandbox_missing = "Landlock" });
	status_put_mount(&scene.json,
			 &(struct status_mount){ .id = UINT64_MAX,
						 .mount_point = "/m\xff",
						 .source = "app",
						 .notifies = "epoch",
						 .ttl_ms = 1,
						 .max_stale_ms = 2,
						 .verify_ms = 3,
						 .timeout_ms = 4,
						 .node_count = 5,
						 .dead_layers = 6 });
	status_put_counters(&scene.json,
			    &(struct cache_counters){ .hits = 1,
						      .stale = 2,
						      .fetches = 3,
						      .confirms = 4,
						      .failures = 5,
						      .misses = 6 });
	jwrite_object_end(&scene.json);
	end(&scene);
	check_member(&scene, "pids",
		     "{\"keeper\":11,\"worker\":12,\"notifier\":null}");
	check_member(&scene, "startedAt", "1700000000");
	check_member(&scene, "restarts", "7");
	check_member(&scene, "memoryLocked", "false");
	check_member(&scene, "memory",
		     "{\"kind\":\"mlock\",\"usedBytes\":1,"
		     "\"mappedBytes\":2,\"maxBytes\":3,\"sealed\":4,"
		     "\"outlivesWorker\":true,\"adopted\":6}");
	check_member(&scene, "sandboxMissing", "\"Landlock\"");
	check_member(&scene, "mount",
		     "{\"id\":9223372036854775807,\"mountPoint\":\"/m\\ufffd\","
		     "\"source\":\"app\",\"class\":null,\"notifies\":\"epoch\","
		     "\"ttlMs\":1,\"maxStaleMs\":2,\"verifyAccessMs\":3,"
		     "\"timeoutMs\":4,\"nodes\":5,"
		     "\"deadLayers\":6}");
	check_member(
		&scene, "cache",
		"{\"hits\":1,\"stale\":2,\"misses\":6,\"fetches\":3,\"confirms\":4,"
		"\"failures\":5}");
	done(&scene);
}

static void an_endpoint_shows_its_breaker(void **state)
{
	static const char *const names[] = { "ok", "refused" };
	static const uint64_t outcomes[] = { 6, 1 };
	const struct err last = { -EIO, "refused" };
	const struct status_operation operation = { "Get", 8, 2, outcomes };
	struct scene scene;

	(void)state;
	begin(&scene);
	status_put_endpoint(&scene.json, &(struct status_endpoint){
						 .url = "https://e",
						 .breaker = "open",
						 .failures = 5,
						 .last = &last,
						 .tokens = 430,
						 .requests = 9,
						 .operations = &operation,
						 .operation_count = 1,
						 .outcome_names = names,
						 .outcome_count = 2,
					 });
	end(&scene);
	assert_string_equal(
		scene.text,
		"{\"url\":\"https://e\",\"breaker\":\"open\",\"failures\":5,"
		"\"lastError\":{\"code\":\"EIO\",\"text\":\"refused\"},"
		"\"tokens\":430,\"requests\":9,\"operations\":["
		"{\"name\":\"Get\",\"attempts\":8,\"retries\":2,"
		"\"ok\":6,\"refused\":1}]}");
	done(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_object_shows_its_state_and_never_its_value),
		cmocka_unit_test(an_object_that_failed_shows_why),
		cmocka_unit_test(a_confirmation_that_is_due_is_now),
		cmocka_unit_test(files_past_the_limit_are_counted),
		cmocka_unit_test(
			the_mount_the_processes_and_the_counters_are_told),
		cmocka_unit_test(an_endpoint_shows_its_breaker),
	};

	return cmocka_run_group_tests_name("status", tests, NULL, NULL);
}
