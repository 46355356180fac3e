/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A line for each part of the mount, then the secrets as a table. Texts are
 * printed as the document has them, with their escapes: names and what AWS
 * says are foreign, and a terminal obeys control bytes.
 */
#include "status_table.h"
#include "base/err.h"
#include "base/jdoc.h"
#include "base/macros.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Wider names push their line. */
#define NAME_WIDTH_MAX 40
#define NAME_WIDTH_MIN 6

/* Room for two units of a duration, or for a number. */
#define DURATION_MAX 32

struct table {
	const struct jdoc *doc;
	int name_width;
};

struct text {
	const char *at;
	int length;
};

static jdoc_node member(const struct table *table, jdoc_node parent,
			const char *name)
{
	return jdoc_find(table->doc, parent, name);
}

/* What stands between the quotes; of numbers the digits; "-" of null. */
static struct text text_of(const struct table *table, jdoc_node node)
{
	size_t length = 0;
	const char *raw = jdoc_raw(table->doc, node, &length);

	if (jdoc_type(table->doc, node) == JDOC_NULL)
		return (struct text){ "-", 1 };
	if (jdoc_type(table->doc, node) == JDOC_STRING)
		return (struct text){ raw + 1, (int)length - 2 };
	return (struct text){ raw, (int)length };
}

static struct text get(const struct table *table, jdoc_node parent,
		       const char *name)
{
	return text_of(table, member(table, parent, name));
}

static bool has(const struct table *table, jdoc_node parent, const char *name)
{
	return jdoc_type(table->doc, member(table, parent, name)) != JDOC_NULL;
}

static bool is_set(const struct table *table, jdoc_node parent,
		   const char *name)
{
	return jdoc_type(table->doc, member(table, parent, name)) == JDOC_TRUE;
}

/* 0 where it is no number. */
static int64_t number(const struct table *table, jdoc_node parent,
		      const char *name)
{
	int64_t found = 0;

	(void)jdoc_integer(table->doc, member(table, parent, name), &found);
	return found;
}

static void write_duration(int64_t s, char out[DURATION_MAX])
{
	static const struct {
		int64_t s;
		char unit;
	} units[] = { { 86400, 'd' }, { 3600, 'h' }, { 60, 'm' }, { 1, 's' } };
	size_t first = 0;
	int length;

	while (first < ARRAY_SIZE(units) - 1 && s < units[first].s)
		first++;
	length = snprintf(out, DURATION_MAX, "%" PRId64 "%c",
			  s / units[first].s, units[first].unit);
	if (first + 1 < ARRAY_SIZE(units) &&
	    s % units[first].s >= units[first + 1].s)
		(void)snprintf(out + length, DURATION_MAX - (size_t)length,
			       "%" PRId64 "%c",
			       s % units[first].s / units[first + 1].s,
			       units[first + 1].unit);
}

/* The two largest units: "1d2h", "5m", "0s". "-" where there is none. */
static const char *duration(const struct table *table, jdoc_node parent,
			    const char *name, char out[DURATION_MAX])
{
	int64_t s = number(table, parent, name) / 1000;

	if (!has(table, parent, name))
		(void)snprintf(out, DURATION_MAX, "-");
	else
		write_duration(s, out);
	return out;
}

static void put(const char *before, struct text text)
{
	(void)printf("%s%.*s", before, text.length, text.at);
}

static void put_duration(const struct table *table, jdoc_node parent,
			 const char *name, const char *before)
{
	char out[DURATION_MAX];

	(void)printf("%s%s", before, duration(table, parent, name, out));
}

static void put_memory(const struct table *table)
{
	jdoc_node memory = member(table, 0, "memory");

	put(" (", get(table, memory, "kind"));
	(void)printf("), %" PRId64 " of %" PRId64 " KiB used",
		     number(table, memory, "usedBytes") >> 10,
		     number(table, memory, "maxBytes") >> 10);
	if (!is_set(table, memory, "outlivesWorker"))
		(void)printf(", a restart begins empty");
	if (number(table, memory, "sealed") > 0)
		put(", sealed secrets ", get(table, memory, "sealed"));
	(void)putchar('\n');
}

static void put_program(const struct table *table)
{
	jdoc_node pids = member(table, 0, "pids");

	put("secretsfs   ", get(table, 0, "version"));
	put_duration(table, 0, "uptimeMs", ", up ");
	if (number(table, 0, "restarts") > 0)
		put(", restarts ", get(table, 0, "restarts"));
	put("\nprocesses   keeper ", get(table, pids, "keeper"));
	put(", worker ", get(table, pids, "worker"));
	put(", notifier ", get(table, pids, "notifier"));
	(void)printf("\nmemory      %s", is_set(table, 0, "memoryLocked")
						 ? "locked"
						 : "NOT locked against swap");
	put_memory(table);
	if (has(table, 0, "sandboxMissing"))
		put("sandbox     WITHOUT ", get(table, 0, "sandboxMissing"));
	else
		(void)fputs("sandbox     closed", stdout);
	(void)putchar('\n');
}

static void put_mount(const struct table *table)
{
	jdoc_node mount = member(table, 0, "mount");

	put("mount       ", get(table, mount, "mountPoint"));
	put("\nsource      ", get(table, mount, "source"));
	if (has(table, mount, "class"))
		put(", class ", get(table, mount, "class"));
	put_duration(table, mount, "ttlMs", "\ntimes       ttl ");
	put_duration(table, mount, "maxStaleMs", ", max-stale ");
	put_duration(table, mount, "verifyAccessMs", ", verify-access ");
	put_duration(table, mount, "timeoutMs", ", timeout ");
	put("\nwatchers    told by: ", get(table, mount, "notifies"));
	put("\nnodes       ", get(table, mount, "nodes"));
	if (number(table, mount, "deadLayers") > 0)
		put("\nstands on   mounts whose keepers died: ",
		    get(table, mount, "deadLayers"));
	(void)putchar('\n');
}

static void put_traffic(const struct table *table)
{
	jdoc_node requests = member(table, 0, "requests");
	jdoc_node one = jdoc_first(table->doc, requests);
	const char *before = " ";

	(void)fputs("requests   ", stdout);
	for (; one != JDOC_NONE; one = jdoc_next(table->doc, one)) {
		struct text count = text_of(table, one);

		if (count.length == 1 && *count.at == '0')
			continue;
		put(before, text_of(table, jdoc_name(table->doc, one)));
		put(" ", count);
		before = ", ";
	}
	(void)putchar('\n');
}

static void put_counters(const struct table *table)
{
	jdoc_node cache = member(table, 0, "cache");

	put("cache       hits ", get(table, cache, "hits"));
	put(", stale ", get(table, cache, "stale"));
	put(", misses ", get(table, cache, "misses"));
	put(", fetches ", get(table, cache, "fetches"));
	put(", confirmations ", get(table, cache, "confirms"));
	put(", failures ", get(table, cache, "failures"));
	(void)putchar('\n');
}

static void put_error(const struct table *table, jdoc_node error,
		      const char *before)
{
	put(before, get(table, error, "code"));
	put(": ", get(table, error, "text"));
	(void)putchar('\n');
}

/* Of an operation: what is not zero. */
static void put_operation(const struct table *table, jdoc_node operation)
{
	jdoc_node one = jdoc_first(table->doc, operation);
	const char *before = ": ";

	put("            ", get(table, operation, "name"));
	for (; one != JDOC_NONE; one = jdoc_next(table->doc, one)) {
		struct text count = text_of(table, one);

		if (jdoc_type(table->doc, one) == JDOC_STRING ||
		    (count.length == 1 && *count.at == '0'))
			continue;
		put(before, text_of(table, jdoc_name(table->doc, one)));
		put(" ", count);
		before = ", ";
	}
	(void)putchar('\n');
}

static void put_operations(const struct table *table, jdoc_node endpoint)
{
	jdoc_node operations = member(table, endpoint, "operations");
	jdoc_node one = jdoc_first(table->doc, operations);

	for (; one != JDOC_NONE; one = jdoc_next(table->doc, one))
		put_operation(table, one);
}

static void put_endpoint(const struct table *table, jdoc_node endpoint)
{
	put("endpoint    ", get(table, endpoint, "url"));
	put(", breaker ", get(table, endpoint, "breaker"));
	put(", requests ", get(table, endpoint, "requests"));
	put(", failures in a row ", get(table, endpoint, "failures"));
	put(", tokens for retries ", get(table, endpoint, "tokens"));
	(void)putchar('\n');
	if (number(table, endpoint, "failures") > 0 &&
	    has(table, endpoint, "lastError"))
		put_error(table, member(table, endpoint, "lastError"),
			  "            ");
	put_operations(table, endpoint);
}

static void put_files(const struct table *table, jdoc_node object)
{
	jdoc_node files = member(table, object, "files");
	jdoc_node one = jdoc_first(table->doc, files);
	const char *before = "  ";

	for (; one != JDOC_NONE; one = jdoc_next(table->doc, one)) {
		put(before, text_of(table, one));
		before = ", ";
	}
	if (number(table, object, "filesLeftOut") > 0) {
		put(before, get(table, object, "filesLeftOut"));
		(void)fputs(" more", stdout);
	}
	if (is_set(table, object, "expands")) {
		put(before, get(table, object, "keys"));
		(void)fputs(" keys", stdout);
	}
	(void)putchar('\n');
}

/* The same secret may stand in a class more than once. */
static void put_wanted(const struct table *table, jdoc_node object)
{
	if (has(table, object, "version"))
		put("  version ", get(table, object, "version"));
	if (has(table, object, "stage"))
		put("  stage ", get(table, object, "stage"));
	if (has(table, object, "region"))
		put("  from ", get(table, object, "region"));
}

/* The listing of everything has no name. */
static struct text name_of(const struct table *table, jdoc_node object)
{
	struct text name = get(table, object, "name");

	return name.length > 0 ? name : (struct text){ "/", 1 };
}

static void put_object(const struct table *table, jdoc_node object)
{
	struct text name = name_of(table, object);
	struct text state = get(table, object, "state");
	struct text version = get(table, object, "versionId");
	struct text kind = get(table, object, "kind");
	char age[DURATION_MAX];
	char next[DURATION_MAX];

	(void)printf("%-*.*s  %-6.*s  %-36.*s  %-6s  %-6s  %s%s",
		     table->name_width, name.length, name.at, state.length,
		     state.at, version.length, version.at,
		     duration(table, object, "ageMs", age),
		     duration(table, object, "nextMs", next),
		     is_set(table, object, "inUse") ? "used" : "idle",
		     is_set(table, object, "inFlight") ? ", asking" : "");
	put_wanted(table, object);
	if (strncmp(kind.at, "listing", (size_t)kind.length) == 0)
		(void)puts("  the names below it");
	else
		put_files(table, object);
	if (has(table, object, "error"))
		put_error(table, member(table, object, "error"), "  ");
}

static int name_width(const struct table *table, jdoc_node objects)
{
	jdoc_node one = jdoc_first(table->doc, objects);
	int width = NAME_WIDTH_MIN;

	for (; one != JDOC_NONE; one = jdoc_next(table->doc, one)) {
		int length = name_of(table, one).length;

		if (length > width && length <= NAME_WIDTH_MAX)
			width = length;
	}
	return width;
}

static void put_objects(struct table *table)
{
	jdoc_node objects = member(table, 0, "objects");
	jdoc_node one = jdoc_first(table->doc, objects);

	table->name_width = name_width(table, objects);
	(void)printf("\n%-*s  %-6s  %-36s  %-6s  %-6s  %s\n", table->name_width,
		     "SECRET", "STATE", "VERSION", "AGE", "NEXT", "USE, FILES");
	for (; one != JDOC_NONE; one = jdoc_next(table->doc, one))
		put_object(table, one);
	if (number(table, 0, "objectsLeftOut") > 0)
		(void)printf("and %" PRId64 " more\n",
			     number(table, 0, "objectsLeftOut"));
}

static void put_class(const struct table *table, jdoc_node class)
{
	const struct text name = get(table, class, "name");

	(void)printf("%-*.*s  ", table->name_width, name.length, name.at);
	put("", get(table, class, "state"));
	put("  ", get(table, class, "file"));
	if (has(table, class, "error"))
		put("\n  ", get(table, class, "error"));
	(void)putchar('\n');
}

/* Of a directory of classes. */
static void put_classes(struct table *table)
{
	jdoc_node classes = member(table, 0, "classes");
	jdoc_node wrong = member(table, 0, "wrongFiles");
	jdoc_node one = jdoc_first(table->doc, classes);

	table->name_width = name_width(table, classes);
	(void)printf("\n%-*s  STATE, FILE\n", table->name_width, "CLASS");
	for (; one != JDOC_NONE; one = jdoc_next(table->doc, one))
		put_class(table, one);
	one = jdoc_first(table->doc, wrong);
	for (; one != JDOC_NONE; one = jdoc_next(table->doc, one))
		(void)printf("wrong: %.*s\n", get(table, one, "error").length,
			     get(table, one, "error").at);
}

static bool is_of_classes(const struct table *table)
{
	return member(table, 0, "classes") != JDOC_NONE;
}

static void put_folder(const struct table *table)
{
	put("mounts      below ", get(table, 0, "mountPoint"));
	put("\nsource      ", get(table, 0, "source"));
	(void)putchar('\n');
}

static bool has_worker(const struct table *table)
{
	return has(table, member(table, 0, "pids"), "worker");
}

/* What the keeper itself says. */
static void put_keeper(struct table *table)
{
	jdoc_node mounts = member(table, 0, "mounts");
	jdoc_node one = jdoc_first(table->doc, mounts);

	put("processes   keeper ",
	    get(table, member(table, 0, "pids"), "keeper"));
	(void)printf(", no worker: readers wait for the next one\n");
	table->name_width = name_width(table, mounts);
	if (one != JDOC_NONE)
		(void)printf("\n%-*s  MOUNT ID\n", table->name_width, "MOUNT");
	for (; one != JDOC_NONE; one = jdoc_next(table->doc, one)) {
		const struct text name = name_of(table, one);

		(void)printf("%-*.*s  ", table->name_width, name.length,
			     name.at);
		put("", get(table, one, "mountId"));
		if (number(table, one, "deadLayers") > 0)
			put(", on mounts whose keepers died: ",
			    get(table, one, "deadLayers"));
		(void)putchar('\n');
	}
}

static void put_all(struct table *table)
{
	jdoc_node one = jdoc_first(table->doc, member(table, 0, "endpoints"));

	if (is_of_classes(table))
		put_folder(table);
	else
		put_mount(table);
	put_program(table);
	if (!is_of_classes(table))
		put_traffic(table);
	put_counters(table);
	for (; one != JDOC_NONE; one = jdoc_next(table->doc, one))
		put_endpoint(table, one);
	if (is_of_classes(table))
		put_classes(table);
	else
		put_objects(table);
}

int status_table_print(const char *text, size_t length, struct err *err)
{
	cleanup_jdoc struct jdoc *doc = NULL;
	struct table table;
	int r = jdoc_parse(text, length, &doc, err);

	if (r < 0)
		return err_wrap(err, "the answer makes no table");
	table = (struct table){ .doc = doc };
	if (has_worker(&table))
		put_all(&table);
	else
		put_keeper(&table);
	return 0;
}
