/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A worker may be killed between any two writes. So what never changes in a
 * slot is checked by a sum, and what does change is single words, each of which
 * is right before and after. Whatever cannot be read is as if it had never been
 * written; and the layout is the same in every build, or has another number.
 */
#include "fs/node_table.h"
#include "base/macros.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MAGIC UINT64_C(0x31656c6261546e53) /* "SnTable1" */
#define LAYOUT_VERSION 1
#define SLOT_SIZE 1024
#define SLOTS_MAX (1U << 20)

#define FLAG_CURRENT 1U
#define FLAG_HAS_VALUE 2U
#define FLAG_HAS_ENTRY 4U

/* The first three members are the same in every layout. */
struct header {
	uint64_t magic;
	uint64_t next_id;
	uint32_t layout_version;
	uint32_t slot_size;
	uint32_t used; /* slots from here on were never written */
	uint32_t generation;
};

struct node_slot {
	/* what changes; id comes last and goes first */
	uint64_t id;
	uint64_t lookups;
	int64_t changed_ns;
	int32_t revoked;
	uint32_t flags;
	uint32_t uid;
	uint32_t gid;
	uint32_t mode;

	/* what does not */
	uint32_t is_directory;
	uint64_t sum; /* of id and of all that follows */
	uint64_t parent;
	uint64_t want;
	uint64_t view;
	uint64_t size;
	int64_t modified_ns;
	uint32_t text_length; /* the three with a NUL behind each */
	char text[SLOT_SIZE - 100];
};

_Static_assert(sizeof(struct node_slot) == SLOT_SIZE, "no padding");
_Static_assert(sizeof(struct header) <= SLOT_SIZE, "it has the first slot");

struct node_table {
	struct header *header;
	struct node_slot *slots;
	size_t length; /* of the mapping */
	uint32_t count;
	enum node_table_age age;

	/* slots that were given back */
	uint32_t *vacant;
	uint32_t vacant_count;
};

uint64_t node_table_hash(uint64_t hash, const void *bytes, size_t length)
{
	const unsigned char *at = bytes;

	/* FNV-1a */
	for (size_t i = 0; i < length; i++)
		hash = (hash ^ at[i]) * UINT64_C(0x100000001b3);
	return hash;
}

static uint64_t sum_of(const struct node_slot *slot, uint64_t id)
{
	const size_t from = offsetof(struct node_slot, parent);
	const size_t to = offsetof(struct node_slot, text) + slot->text_length;
	uint64_t hash = node_table_hash(NODE_TABLE_HASH, &id, sizeof(id));

	hash = node_table_hash(hash, &slot->is_directory,
			       sizeof(slot->is_directory));
	return node_table_hash(hash, (const char *)slot + from, to - from);
}

static bool is_readable(const struct node_slot *slot)
{
	return slot->id != 0 && slot->text_length <= sizeof(slot->text) &&
	       slot->sum == sum_of(slot, slot->id);
}

/* Where nothing tells which ids were given, time does: no mount makes a node
 * each nanosecond. */
static uint64_t unused_id(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

static bool is_known(const struct node_table *table)
{
	const struct header *header = table->header;

	return header->magic == MAGIC &&
	       header->layout_version == LAYOUT_VERSION &&
	       header->slot_size == SLOT_SIZE && header->used <= table->count &&
	       header->next_id > 0 && header->next_id < UINT64_MAX / 2;
}

static bool is_empty(const struct header *header)
{
	static const struct header empty;

	return memcmp(header, &empty, sizeof(empty)) == 0;
}

/* Keeps the compiler from moving writes: the next worker is the only other one
 * who looks, and this one is dead then. */
static void order_writes(void)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

/* Slots behind the last used one are not written: they take no memory yet. */
static void clear(struct node_table *table, uint64_t next_id)
{
	struct header *header = table->header;

	header->magic = 0;
	order_writes();
	header->next_id = next_id;
	header->layout_version = LAYOUT_VERSION;
	header->slot_size = SLOT_SIZE;
	header->used = 0;
	order_writes();
	header->magic = MAGIC;
}

static void begin(struct node_table *table)
{
	struct header *header = table->header;
	uint64_t next_id = header->next_id;

	if (is_known(table)) {
		table->age = NODE_TABLE_KNOWN;
	} else if (is_empty(header)) {
		table->age = NODE_TABLE_NEW;
		clear(table, 1);
	} else {
		table->age = NODE_TABLE_LOST;
		if (header->magic != MAGIC || next_id >= UINT64_MAX / 2 ||
		    next_id == 0)
			next_id = unused_id();
		clear(table, next_id);
	}
	header->generation++;
}

/* What cannot be read is vacant. */
static void find_vacant(struct node_table *table)
{
	for (uint32_t i = 0; i < table->header->used; i++) {
		struct node_slot *slot = &table->slots[i];

		if (is_readable(slot))
			continue;
		slot->id = 0;
		table->vacant[table->vacant_count++] = i;
	}
}

static int map_memory(struct node_table *table, int fd)
{
	struct stat status;
	void *memory;
	size_t count;

	if (fstat(fd, &status) < 0)
		return -errno;
	if (status.st_size < (off_t)2 * SLOT_SIZE)
		return -EINVAL;
	count = (size_t)status.st_size / SLOT_SIZE - 1;
	table->count = count < SLOTS_MAX ? (uint32_t)count : SLOTS_MAX;
	table->length = (size_t)status.st_size;
	memory = mmap(NULL, table->length, PROT_READ | PROT_WRITE, MAP_SHARED,
		      fd, 0);
	if (memory == MAP_FAILED)
		return -errno;
	table->header = memory;
	table->slots = (struct node_slot *)memory + 1;
	return 0;
}

int node_table_open(int fd, struct node_table **ret)
{
	struct node_table *table = calloc(1, sizeof(*table));
	int r = table ? map_memory(table, fd) : -ENOMEM;

	(void)close(fd);
	if (r == 0)
		table->vacant = calloc((size_t)table->count + 1,
				       sizeof(*table->vacant));
	if (r < 0 || !table->header || !table->vacant) {
		node_table_close(table);
		return r < 0 ? r : -ENOMEM;
	}
	begin(table);
	find_vacant(table);
	*ret = table;
	return 0;
}

void node_table_close(struct node_table *table)
{
	if (!table)
		return;
	if (table->header)
		(void)munmap(table->header, table->length);
	free(table->vacant);
	free(table);
}

enum node_table_age node_table_age(const struct node_table *table)
{
	return table->age;
}

uint32_t node_table_generation(const struct node_table *table)
{
	return table->header->generation;
}

uint64_t node_table_next_id(const struct node_table *table)
{
	return table->header->next_id;
}

void node_table_set_next_id(struct node_table *table, uint64_t id)
{
	table->header->next_id = id;
}

static struct node_slot *take_slot(struct node_table *table)
{
	struct header *header = table->header;

	if (table->vacant_count > 0)
		return &table->slots[table->vacant[--table->vacant_count]];
	if (header->used >= table->count)
		return NULL;
	table->slots[header->used].id = 0;
	order_writes();
	return &table->slots[header->used++];
}

/* The texts' length, or 0: too long. */
static size_t put_texts(char *to, size_t size, const struct node_record *record)
{
	const char *const texts[] = { record->name, record->text,
				      record->version };
	size_t length = 0;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		size_t more = strlen(texts[i]) + 1;

		if (more > size - length)
			return 0;
		memcpy(to + length, texts[i], more);
		length += more;
	}
	return length;
}

struct node_slot *node_table_add(struct node_table *table,
				 const struct node_record *record)
{
	struct node_slot *slot = take_slot(table);

	if (!slot)
		return NULL;
	slot->text_length =
		(uint32_t)put_texts(slot->text, sizeof(slot->text), record);
	if (slot->text_length == 0) {
		node_table_remove(table, slot);
		return NULL;
	}
	slot->is_directory = record->is_directory;
	slot->parent = record->parent;
	slot->want = record->want;
	slot->view = record->view;
	slot->size = record->size;
	slot->modified_ns = record->modified_ns;
	slot->sum = sum_of(slot, record->id);
	node_slot_note(slot, &record->state);
	order_writes();
	slot->id = record->id;
	return slot;
}

void node_slot_note(struct node_slot *slot, const struct node_state *state)
{
	slot->lookups = state->lookups;
	slot->changed_ns = state->changed_ns;
	slot->revoked = state->revoked;
	slot->flags = (state->is_current ? FLAG_CURRENT : 0) |
		      (state->has_value ? FLAG_HAS_VALUE : 0) |
		      (state->has_entry ? FLAG_HAS_ENTRY : 0);
	slot->uid = state->rights.uid;
	slot->gid = state->rights.gid;
	slot->mode = state->rights.mode;
}

void node_table_remove(struct node_table *table, struct node_slot *slot)
{
	slot->id = 0;
	table->vacant[table->vacant_count++] = (uint32_t)(slot - table->slots);
}

size_t node_table_used(const struct node_table *table)
{
	return table->header->used;
}

/* The three texts; false: they are not that. */
static bool get_texts(const struct node_slot *slot, struct node_record *ret)
{
	const char **const texts[] = { &ret->name, &ret->text, &ret->version };
	const char *at = slot->text;
	const char *end = slot->text + slot->text_length;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		const char *nul = memchr(at, '\0', (size_t)(end - at));

		if (!nul)
			return false;
		*texts[i] = at;
		at = nul + 1;
	}
	return at == end;
}

struct node_slot *node_table_at(struct node_table *table, size_t index,
				struct node_record *ret)
{
	struct node_slot *slot = &table->slots[index];

	if (!is_readable(slot) || !get_texts(slot, ret))
		return NULL;
	ret->id = slot->id;
	ret->parent = slot->parent;
	ret->is_directory = slot->is_directory;
	ret->want = slot->want;
	ret->view = slot->view;
	ret->size = slot->size;
	ret->modified_ns = slot->modified_ns;
	ret->state = (struct node_state){
		.lookups = slot->lookups,
		.changed_ns = slot->changed_ns,
		.revoked = slot->revoked,
		.is_current = slot->flags & FLAG_CURRENT,
		.has_value = slot->flags & FLAG_HAS_VALUE,
		.has_entry = slot->flags & FLAG_HAS_ENTRY,
		.rights = { .uid = slot->uid,
			    .gid = slot->gid,
			    .mode = slot->mode },
	};
	return slot;
}
