/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What reading class files takes: a class of 1,000 objects as a worker loads
 * it, and texts of 256 KiB that were written to be hard, with the time that
 * reading each takes and the most memory that it holds meanwhile.
 *
 * It counts what is allocated, also by libyaml, by standing in front of
 * malloc(3) of glibc. Exit code 1 where a bound is passed: 50 ms, 8 MiB.
 */
#include "base/clock.h"
#include "base/err.h"
#include "base/macros.h"
#include "config/class.h"
#include "config/options.h"
#include "loop/loop.h"
#include "provider.h"
#include "shown.h"

#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define RUNS 5
#define MS_MAX 50.0
#define NS_PER_MS 1e6
#define NS_PER_S 1000000000LL
#define KIB 1024

/* --- What is held. ----------------------------------------------------- */

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t nmemb, size_t size);
extern void *__libc_realloc(void *ptr, size_t size);
extern void __libc_free(void *ptr);

static size_t held;
static size_t most;

static void *count_in(void *bytes)
{
	held += malloc_usable_size(bytes);
	if (held > most)
		most = held;
	return bytes;
}

void *malloc(size_t size)
{
	return count_in(__libc_malloc(size));
}

void *calloc(size_t nmemb, size_t size)
{
	return count_in(__libc_calloc(nmemb, size));
}

void *realloc(void *ptr, size_t size)
{
	size_t before = malloc_usable_size(ptr);
	void *moved = __libc_realloc(ptr, size);

	if (moved)
		held -= before;
	return moved ? count_in(moved) : NULL;
}

void free(void *ptr)
{
	held -= malloc_usable_size(ptr);
	__libc_free(ptr);
}

/* --- What is hard. ----------------------------------------------------- */

#define HEAD                                                                   \
	"apiVersion: secrets-store.csi.x-k8s.io/v1\n"                          \
	"kind: SecretProviderClass\n"                                          \
	"metadata: {name: c}\n"                                                \
	"spec:\n"                                                              \
	"  provider: aws\n"                                                    \
	"  parameters:\n"
#define OBJECTS HEAD "    objects: |\n"
#define ONE                                                                    \
	OBJECTS "      - objectName: a\n        objectType: secretsmanager\n"
#define SM "objectType: secretsmanager"

/* head, then each as often as it fits; "%d" in it is its number. */
struct text {
	const char *name;
	const char *head;
	const char *each;
	const char *end;
	unsigned count; /* 0: until CLASS_FILE_MAX */
};

static const struct text texts[] = {
	{ "lists in lists, flow", "", "[", "", 0 },
	{ "maps in maps, flow", "", "{a: ", "", 0 },
	{ "lists in lists, block", "", "- ", "", 0 },
	{ "complex keys", "", "? ", "", 0 },
	{ "lists in lists in objects", HEAD "    objects: '", "[", "'\n", 0 },
	{ "a wide list, flow", "[", "a,", "]", 0 },
	{ "a wide map, flow", "{", "%d: a,", "}", 0 },
	{ "a wide map, block", "", "a%d: b\n", "", 0 },
	{ "one key, again and again", "", "a: b\n", "", 0 },
	{ "empty documents", "", "---\n", "", 0 },
	{ "documents of another kind", "", "---\nkind: Pod\n", "", 0 },
	{ "classes without objects", "",
	  "---\napiVersion: secrets-store.csi.x-k8s.io/v1\n"
	  "kind: SecretProviderClass\nmetadata: {name: c%d}\n"
	  "spec: {provider: aws}\n",
	  "", 0 },
	{ "classes with one object", "",
	  "---\napiVersion: secrets-store.csi.x-k8s.io/v1\n"
	  "kind: SecretProviderClass\nmetadata: {name: c%d}\n"
	  "spec: {provider: aws, parameters: {objects: "
	  "'[{objectName: a, objectType: secretsmanager}]'}}\n",
	  "", 0 },
	{ "items of a List", "apiVersion: v1\nkind: List\nitems:\n",
	  "- {apiVersion: secrets-store.csi.x-k8s.io/v1, "
	  "kind: SecretProviderClass, metadata: {name: c%d}, "
	  "spec: {provider: aws}}\n",
	  "", 0 },
	{ "items that are nothing", "kind: List\nitems: [", "{},", "]", 0 },
	{ "objects", OBJECTS, "      - {objectName: o%d, " SM "}\n", "", 0 },
	{ "objects in folders",
	  HEAD "    pathTranslation: 'False'\n"
	       "    objects: |\n",
	  "      - {objectName: o%d/a/b, " SM "}\n", "", 0 },
	{ "objects that are null", OBJECTS, "      -\n", "", 0 },
	{ "entries of jmesPath", ONE "        jmesPath:\n",
	  "        - {path: p%d, objectAlias: a%d}\n", "", 0 },
	{ "entries with long paths", ONE "        jmesPath:\n",
	  "        - {path: a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r.s.t.u, "
	  "objectAlias: a%d}\n",
	  "", 0 },
	{ "entries with functions", ONE "        jmesPath:\n",
	  "        - {path: 'join(`,`,map(&a,[b,c]))', objectAlias: a%d}\n", "",
	  0 },
	{ "a path of parentheses", ONE "        jmesPath:\n        - path: ",
	  "(", "\n          objectAlias: x\n", 8192 },
	{ "a path of fields", ONE "        jmesPath:\n        - path: a", ".a",
	  "\n          objectAlias: x\n", 4095 },
	{ "a path of literals", ONE "        jmesPath:\n        - path: a",
	  "||`1`", "\n          objectAlias: x\n", 1600 },
	{ "unknown fields of an object", ONE, "        objectAlia%d: b\n", "",
	  0 },
	{ "unknown parameters", HEAD, "    tt%d: b\n", "", 0 },
	{ "aliases of a text", "a: &a b\nb: [", "*a,", "]\n", 0 },
	{ "aliases of a list", "a: &a [b,b,b,b,b,b,b,b]\nb: [", "*a,", "]\n",
	  0 },
	{ "aliases of aliases", "- &a0 [a,a]\n", "- &a%d [*a0,*a0,*a0]\n", "",
	  0 },
	{ "anchors", "", "- &a%d b\n", "", 0 },
	{ "merged maps", "- &a {b: c}\n", "- {<<: *a, d: e}\n", "", 0 },
	{ "a map merged many times", "a: &a {b: c, d: e}\nb: {", "<<: *a,",
	  "}\n", 0 },
	{ "objects merged", OBJECTS "      - &b {objectName: a, " SM "}\n",
	  "      - {<<: *b, objectAlias: a%d}\n", "", 0 },
	{ "one plain text", "a: ", "b", "\n", 0 },
	{ "one text of many words", "a: ", "b ", "\n", 0 },
	{ "one text of many lines", "a: b\n", "  c\n", "", 0 },
	{ "one text in quotes", "a: \"", "\\x41", "\"\n", 0 },
	{ "one folded text", "a: >\n", "  b\n\n", "", 0 },
	{ "one key", "", "a", ": b\n", 0 },
	{ "comments", "", "#\n", "", 0 },
	{ "empty lines", "", "\n", "", 0 },
	{ "blanks", "a: b", " ", "", 0 },
	{ "directives", "", "%%TAG !a%d! b\n", "--- a\n", 0 },
	{ "tags", "", "- !<tag:%d> a\n", "", 0 },
	{ "numbers", OBJECTS "      - {objectName: a, " SM ", jmesPath: [",
	  "1e%d,", "]}\n", 0 },
	{ "quotes that do not end", "", "'a\n", "", 0 },
	{ "NULs", "", "", "", 0 },
};

/* Appends with the number in the place of each "%d"; "%%" is "%". */
static size_t append(char *text, size_t length, const char *each,
		     unsigned number)
{
	for (; *each && length + 16 < CLASS_FILE_MAX; each++) {
		if (each[0] == '%' && each[1] == 'd') {
			each++;
			length += (size_t)snprintf(text + length, 12, "%u",
						   number);
			continue;
		}
		if (each[0] == '%')
			each++;
		text[length++] = *each;
	}
	return length;
}

static size_t write_text(const struct text *about, char *text)
{
	size_t length = append(text, 0, about->head, 0);
	size_t end = strlen(about->end) + strlen(about->each) + 64;

	for (unsigned i = 0; !about->count || i < about->count; i++) {
		if (length + end > CLASS_FILE_MAX || !*about->each)
			break;
		length = append(text, length, about->each, i);
	}
	if (*about->each)
		return append(text, length, about->end, 0);
	memcpy(text, OBJECTS, sizeof(OBJECTS) - 1);
	return CLASS_FILE_MAX;
}

/* --- What it takes. ---------------------------------------------------- */

struct cost {
	double ms; /* the median of RUNS */
	double worst_ms;
	size_t bytes;
};

static int64_t now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	double left = *(const double *)a;
	double right = *(const double *)b;

	return (left > right) - (left < right);
}

/* Whether the bounds are kept. The median counts: a busy machine makes a run
 * longer, and never shorter. */
static bool report(const char *name, const char *result, size_t length,
		   double ms[RUNS], size_t bytes)
{
	bool is_good;

	qsort(ms, RUNS, sizeof(*ms), compare);
	is_good = ms[RUNS / 2] < MS_MAX && bytes <= CLASS_MEMORY_MAX;
	(void)printf("%-28s%8zu  %-8s%8.2f%8.2f%8zu%s\n", name, length, result,
		     ms[RUNS / 2], ms[RUNS - 1], bytes / KIB,
		     is_good ? "" : "  too much");
	return is_good;
}

static bool measure_text(const struct text *about, char *text)
{
	size_t length = write_text(about, text);
	double ms[RUNS];
	size_t bytes = 0;
	int r = 0;

	for (size_t i = 0; i < RUNS; i++) {
		struct class_list *list = NULL;
		size_t before = held;
		int64_t start = now_ns();
		struct err err;

		most = held;
		r = class_list_parse("c", text, length, &list, &err);
		ms[i] = (double)(now_ns() - start) / NS_PER_MS;
		if (most - before > bytes)
			bytes = most - before;
		class_list_free(list);
	}
	return report(about->name, r == 0 ? "taken" : "refused", length, ms,
		      bytes);
}

/* As a worker does when it starts, and on SIGHUP. */
static bool measure_load(const char *name, size_t length,
			 struct provider *provider,
			 const struct options *options)
{
	double ms[RUNS];
	size_t bytes = 0;

	for (size_t i = 0; i < RUNS; i++) {
		struct shown shown;
		struct err err;
		size_t before = held;
		int64_t start = now_ns();

		most = held;
		if (shown_read(provider, options, &shown, &err) < 0) {
			(void)fprintf(stderr, "class_load: %s\n", err.text);
			return false;
		}
		ms[i] = (double)(now_ns() - start) / NS_PER_MS;
		bytes = most - before;
		shown_done(&shown);
	}
	return report(name, "taken", length, ms, bytes);
}

/* How long it is; 0: it could not be written. */
static size_t write_class(const char *path, const char *each)
{
	FILE *file = fopen(path, "we");
	size_t length = strlen(OBJECTS);
	char line[512];

	if (!file)
		return 0;
	(void)fputs(OBJECTS, file);
	for (unsigned i = 0; i < 1000; i++) {
		size_t count = append(line, 0, each, i);

		length += fwrite(line, 1, count, file);
	}
	return fclose(file) == 0 ? length : 0;
}

static bool measure_loads(void)
{
	static const struct {
		const char *name;
		const char *each;
	} classes[] = {
		{ "1,000 objects",
		  "      - objectName: team/app-%d\n        " SM "\n" },
		{ "1,000 objects with 2 paths",
		  "      - objectName: team/app-%d\n        " SM "\n"
		  "        objectAlias: app-%d\n        jmesPath:\n"
		  "          - {path: user, objectAlias: u-%d}\n"
		  "          - {path: db.pass, objectAlias: p-%d}\n" },
	};
	char path[] = "./class_load.XXXXXX";
	struct clock clock = { 0 };
	struct loop *loop = loop_new(&clock);
	struct options options;
	struct provider *provider;
	bool is_good = true;
	int fd = mkstemp(path);

	if (fd < 0 || !loop)
		return false;
	(void)close(fd);
	options_init(&options);
	options.source = path;
	options.offline = ".";
	provider = provider_new(loop, &options);
	for (size_t i = 0; provider && i < ARRAY_SIZE(classes); i++) {
		size_t length = write_class(path, classes[i].each);

		is_good &= length > 0 && measure_load(classes[i].name, length,
						      provider, &options);
	}
	(void)unlink(path);
	provider_free(provider);
	loop_free(loop);
	return is_good && provider;
}

int main(void)
{
	char *text = malloc(CLASS_FILE_MAX);
	bool is_good;

	if (!text)
		return 1;
	(void)printf("%-28s%8s  %-8s%8s%8s%8s\n", "", "bytes", "", "ms",
		     "at most", "KiB");
	is_good = measure_loads();
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		(void)memset(text, 0, CLASS_FILE_MAX);
		is_good &= measure_text(&texts[i], text);
	}
	free(text);
	return is_good ? 0 : 1;
}
