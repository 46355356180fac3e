/* SPDX-License-Identifier: Apache-2.0 */
/* A few numbers by name; names are those of a configuration, and so bounded. */
#include "aws/memory.h"
#include "base/map.h"
#include "loop/loop.h"
#include "store/value.h"

#include <stdlib.h>
#include <string.h>

struct memory {
	size_t place;	   /* that answered last */
	int64_t newest_ns; /* of the first place's values; 0: none yet */
	int64_t told_ms;   /* when that was */
};

struct memories {
	const struct loop *loop;
	struct map *by_name;
};

struct memories *memories_new(const struct loop *loop)
{
	struct memories *memories = calloc(1, sizeof(*memories));

	if (!memories)
		return NULL;
	memories->loop = loop;
	memories->by_name = map_new();
	if (!memories->by_name) {
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
	map_each(memories->by_name, free_memory, NULL);
	map_free(memories->by_name);
	free(memories);
}

/* NULL: nothing is remembered. */
static struct memory *find(const struct memories *memories, const char *name)
{
	return map_find(memories->by_name, name, strlen(name));
}

/* NULL: no memory. */
static struct memory *find_or_add(struct memories *memories, const char *name)
{
	struct memory *memory = find(memories, name);

	if (memory)
		return memory;
	memory = calloc(1, sizeof(*memory));
	if (memory &&
	    map_put(memories->by_name, name, strlen(name), memory) < 0) {
		free(memory);
		return NULL;
	}
	return memory;
}

void memories_note(struct memories *memories, const char *name, size_t place,
		   const struct value *value)
{
	struct memory *memory = find_or_add(memories, name);

	if (!memory)
		return;
	memory->place = place;
	if (place > 0 || !value)
		return;
	memory->newest_ns = value_created_ns(value);
	memory->told_ms = loop_now_ms(memories->loop);
}

bool memories_is_older(const struct memories *memories, const char *name,
		       const struct value *value, int64_t trust_ms)
{
	const struct memory *memory = find(memories, name);

	return memory && value_created_ns(value) < memory->newest_ns &&
	       loop_now_ms(memories->loop) - memory->told_ms < trust_ms;
}

size_t memories_place(const struct memories *memories, const char *name)
{
	const struct memory *memory = find(memories, name);

	return memory ? memory->place : 0;
}
