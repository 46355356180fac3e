/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FS_NODE_TABLE_H
#define FS_NODE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fs/rights.h"

/*
 * What node ids mean, in memory that outlives the worker, so that the next one
 * knows what the kernel asks about. The keeper owns the memory and never looks
 * into it. Names and numbers are in it, and never what a file shows.
 *
 * It is of a fixed size: nodes beyond that, and those whose names are too long
 * together, are not recorded. To the next worker they are unknown.
 */

struct node_table;
struct node_slot;

/* What changes while a node lives. */
struct node_state {
	uint64_t lookups;
	int64_t changed_ns; /* of a directory */
	int revoked;
	bool is_current;
	bool has_entry; /* of a file, as in struct node */
	bool has_value; /* of a directory */
	struct rights rights;
};

struct node_record {
	uint64_t id;
	uint64_t parent; /* 0: the root has none */
	bool is_directory;
	const char *name;
	const char *text;    /* a directory's prefix, a file's secret */
	const char *version; /* that the file is of; "" of a directory */
	uint64_t want;	     /* hashes of what was asked for, */
	uint64_t view;	     /* and of what the file shows of it */
	uint64_t size;
	int64_t modified_ns;
	struct node_state state;
};

enum node_table_age {
	NODE_TABLE_NEW,	  /* nothing was in the memory */
	NODE_TABLE_KNOWN, /* what another worker recorded */
	NODE_TABLE_LOST,  /* something was, which cannot be read: now empty */
};

/* fd is of memory of any size, and taken over. 0, or negative errno: -EINVAL
 * for memory that is too small. */
int node_table_open(int fd, struct node_table **ret);

/* The memory keeps what is in it. NULL is allowed. */
void node_table_close(struct node_table *table);

enum node_table_age node_table_age(const struct node_table *table);

/* How many workers have opened it, this one included. */
uint32_t node_table_generation(const struct node_table *table);

/* No id from here on was ever given to a node, whatever became of the table. */
uint64_t node_table_next_id(const struct node_table *table);
void node_table_set_next_id(struct node_table *table, uint64_t id);

/* NULL: it is not recorded. */
struct node_slot *node_table_add(struct node_table *table,
				 const struct node_record *record);

/* In place, whenever something has changed. */
void node_slot_note(struct node_slot *slot, const struct node_state *state);

void node_table_remove(struct node_table *table, struct node_slot *slot);

/* How many slots may be in use, and what is in one; its texts are borrowed from
 * the table. NULL: nothing that can be read. */
size_t node_table_used(const struct node_table *table);
struct node_slot *node_table_at(struct node_table *table, size_t index,
				struct node_record *ret);

/* For the hashes: continues one, or begins with NODE_TABLE_HASH. */
#define NODE_TABLE_HASH UINT64_C(0xcbf29ce484222325)
uint64_t node_table_hash(uint64_t hash, const void *bytes, size_t length);

#endif
