/* SPDX-License-Identifier: Apache-2.0 */
/* A few numbers by want; wants are those of a configuration, and so bounded. */
#include "aws/memory.h"
#include "base/map.h"
#include "loop/loop.h"
#include "store/source.h"
#include "store/value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct memory {
	size_t place;	   /* that answered last */
	int64_t newest_ns; /* of the first place's values; 0: none yet */
	int64_t told_ms;   /* when that was */
};

struct memories {
	const struct loop *loop;
	struct map *by_want;
};

struct memories *memories_new(const struct loop *loop)
{
	struct memories *memories = calloc(1, sizeof(*memories));

	if (!memories)
		return NULL;
	memories->loop = loop;
	memories->by_want = map_new();
	if (!memories->by_want) {
		free(memories);
		return NULL;
	}
	return memories;
}

static void free_memory(void *owner, void *memory)
{
	(void)owner;
	free(memory);
}

void memories_free(struct memories *memories)
{
	if (!memories)
		return;
	map_each(memories->by_want, free_memory, NULL);
	map_free(memories->by_want);
	free(memories);
}

static const char *or_none(const char *text)
{
	return text ? text : "";
}

/* To ask for the current stage by its name is to ask for nothing special. NULL:
 * no memory. */
static char *key_of(const struct source_want *want)
{
	const char *stage = or_none(want->stage);
	char *key;

	if (!want->version && strcmp(stage, SOURCE_STAGE_CURRENT) == 0)
		stage = "";
	if (asprintf(&key, "%s\n%s\n%s", want->name, or_none(want->version),
		     stage) < 0)
		return NULL;
	return key;
}

/* NULL: nothing is remembered. */
static struct memory *find(const struct memories *memories,
			   const struct source_want *want)
{
	char *key = key_of(want);
	struct memory *memory =
		key ? map_find(memories->by_want, key, strlen(key)) : NULL;

	free(key);
	return memory;
}

/* NULL: no memory. */
static struct memory *add(struct memories *memories, const char *key)
{
	struct memory *memory = calloc(1, sizeof(*memory));

	if (memory &&
	    map_put(memories->by_want, key, strlen(key), memory) < 0) {
		free(memory);
		return NULL;
	}
	return memory;
}

/* NULL: no memory. */
static struct memory *find_or_add(struct memories *memories,
				  const struct source_want *want)
{
	struct memory *memory = find(memories, want);
	char *key = memory ? NULL : key_of(want);

	if (key)
		memory = add(memories, key);
	free(key);
	return memory;
}

void memories_note(struct memories *memories, const struct source_want *want,
		   size_t place, const struct value *value)
{
	struct memory *memory = find_or_add(memories, want);

	if (!memory)
		return;
	memory->place = place;
	if (place > 0 || !value)
		return;
	memory->newest_ns = value_created_ns(value);
	memory->told_ms = loop_now_ms(memories->loop);
}

bool memories_is_older(const struct memories *memories,
		       const struct source_want *want,
		       const struct value *value, int64_t trust_ms)
{
	const struct memory *memory = find(memories, want);

	return memory && value_created_ns(value) < memory->newest_ns &&
	       loop_now_ms(memories->loop) - memory->told_ms < trust_ms;
}

size_t memories_place(const struct memories *memories,
		      const struct source_want *want)
{
	const struct memory *memory = find(memories, want);

	return memory ? memory->place : 0;
}
