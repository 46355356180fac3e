/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FS_LEDGER_H
#define FS_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * How often the kernel was given a node is written down twice: in the table of
 * nodes, and before that here, with the number that it is going to be. So a
 * worker that is killed between two of the writes leaves enough for the next
 * one to tell what was counted and what was not.
 *
 * There is one answer or one FORGET at a time, so one page of entries:
 *
 *	given	the nodes of an answer that is about to be written
 *	taken	what has been counted of the FORGET that was read last
 *
 * The memory is a part of the journal's (journal.h). All functions but
 * ledger_open() take NULL for no ledger.
 */

#define LEDGER_ENTRIES_MAX 1023

struct ledger_entry {
	uint64_t node;
	uint64_t lookups; /* after it was counted */
};

/* In shared memory; the layout is the journal's. */
struct ledger_page {
	uint32_t kind;
	uint32_t count;	 /* of entries that are complete */
	uint64_t unique; /* of the answer; 0: nobody has tried to write it */
	struct ledger_entry entries[LEDGER_ENTRIES_MAX];
};

struct ledger;

/* The page is borrowed, and keeps what is on it. NULL: no memory. */
struct ledger *ledger_open(struct ledger_page *page);
void ledger_close(struct ledger *ledger);

/* Before a node is counted that an answer gives. */
void ledger_give(struct ledger *ledger, uint64_t node, uint64_t lookups);

/* Around the write of each answer: the first before it, the second after it,
 * whether the kernel took it or not. */
void ledger_answering(struct ledger *ledger, uint64_t unique);
void ledger_answered(struct ledger *ledger);

/* A FORGET begins that nobody has counted anything of. */
void ledger_begin_taking(struct ledger *ledger);

/* Before a node is counted down. */
void ledger_take(struct ledger *ledger, uint64_t node, uint64_t lookups);

/* Whether the next part of the FORGET was written down by another worker, and
 * then the number. */
bool ledger_recall(struct ledger *ledger, uint64_t node, uint64_t *ret_lookups);

/* The FORGET is counted, and gone from where it could be read again. */
void ledger_taken(struct ledger *ledger);

/*
 * What another worker was at. Whether a FORGET was begun; the unique of an
 * answer that it was writing, or 0; and that the kernel did not take it.
 */
bool ledger_is_taking(const struct ledger *ledger);
uint64_t ledger_unique(const struct ledger *ledger);
void ledger_not_taken(struct ledger *ledger);

typedef void ledger_on_entry(void *owner, const struct ledger_entry *entry);

/* What an answer gave that nobody got: each is to be taken back, where it was
 * counted. Where the kernel may have got it, the entries are put aside. */
void ledger_settle(struct ledger *ledger, ledger_on_entry *on_entry,
		   void *owner);

/* The request came once more, so its answer never arrived: each entry that was
 * put aside for it is to be taken back. */
void ledger_came_again(struct ledger *ledger, uint64_t unique,
		       ledger_on_entry *on_entry, void *owner);

#endif
