/* SPDX-License-Identifier: Apache-2.0 */
/* The count of entries is written when the entry is complete, and before the
 * table of nodes is touched: whoever finds an entry knows the number that the
 * table has or is to have. Only of the last one it is not known which. */
#include "fs/ledger.h"

#include <stdlib.h>
#include <string.h>

#define KIND_GIVEN 1U
#define KIND_TAKEN 2U

/* FUSE_UNIQUE_RESEND of linux/fuse.h. */
#define CAME_AGAIN (UINT64_C(1) << 63)

struct ledger {
	struct ledger_page *page;
	uint32_t recalled; /* entries of another worker, one after the other */
	struct ledger_page *aside; /* or NULL */
};

_Static_assert(sizeof(struct ledger_page) == 16384, "as the journal has room");

struct ledger *ledger_open(struct ledger_page *page)
{
	struct ledger *ledger = calloc(1, sizeof(*ledger));

	if (!ledger)
		return NULL;
	ledger->page = page;
	if (page->count > LEDGER_ENTRIES_MAX ||
	    (page->kind != KIND_GIVEN && page->kind != KIND_TAKEN))
		page->count = 0;
	return ledger;
}

void ledger_close(struct ledger *ledger)
{
	if (!ledger)
		return;
	free(ledger->aside);
	free(ledger);
}

/* Neither may the compiler move what the caller does next before it. */
static void set_count(struct ledger_page *page, uint32_t count)
{
	__atomic_store_n(&page->count, count, __ATOMIC_RELEASE);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

static void begin(struct ledger_page *page, uint32_t kind)
{
	set_count(page, 0);
	page->unique = 0;
	page->kind = kind;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

/* What finds no room is counted all the same; none asks for as much. */
static void add(struct ledger_page *page, uint64_t node, uint64_t lookups)
{
	if (page->count >= LEDGER_ENTRIES_MAX)
		return;
	page->entries[page->count] =
		(struct ledger_entry){ .node = node, .lookups = lookups };
	set_count(page, page->count + 1);
}

void ledger_give(struct ledger *ledger, uint64_t node, uint64_t lookups)
{
	if (!ledger)
		return;
	if (ledger->page->kind != KIND_GIVEN)
		begin(ledger->page, KIND_GIVEN);
	add(ledger->page, node, lookups);
}

void ledger_answering(struct ledger *ledger, uint64_t unique)
{
	if (!ledger || ledger->page->kind != KIND_GIVEN ||
	    ledger->page->count == 0)
		return;
	__atomic_store_n(&ledger->page->unique, unique, __ATOMIC_RELEASE);
}

void ledger_answered(struct ledger *ledger)
{
	if (ledger && ledger->page->kind == KIND_GIVEN)
		begin(ledger->page, KIND_GIVEN);
}

void ledger_begin_taking(struct ledger *ledger)
{
	if (!ledger)
		return;
	ledger->recalled = 0;
	begin(ledger->page, KIND_TAKEN);
}

void ledger_take(struct ledger *ledger, uint64_t node, uint64_t lookups)
{
	if (!ledger || ledger->page->kind != KIND_TAKEN)
		return;
	add(ledger->page, node, lookups);
	ledger->recalled = ledger->page->count;
}

bool ledger_recall(struct ledger *ledger, uint64_t node, uint64_t *ret_lookups)
{
	const struct ledger_page *page = ledger ? ledger->page : NULL;

	if (!page || page->kind != KIND_TAKEN ||
	    ledger->recalled >= page->count ||
	    page->entries[ledger->recalled].node != node)
		return false;
	*ret_lookups = page->entries[ledger->recalled++].lookups;
	return true;
}

void ledger_taken(struct ledger *ledger)
{
	if (ledger_is_taking(ledger))
		ledger_begin_taking(ledger);
}

bool ledger_is_taking(const struct ledger *ledger)
{
	return ledger && ledger->page->kind == KIND_TAKEN;
}

uint64_t ledger_unique(const struct ledger *ledger)
{
	return ledger && ledger->page->kind == KIND_GIVEN &&
			       ledger->page->count > 0
		       ? ledger->page->unique
		       : 0;
}

void ledger_not_taken(struct ledger *ledger)
{
	if (ledger)
		__atomic_store_n(&ledger->page->unique, 0, __ATOMIC_RELEASE);
}

static void each(const struct ledger_page *page, ledger_on_entry *on_entry,
		 void *owner)
{
	for (uint32_t i = 0; i < page->count; i++)
		on_entry(owner, &page->entries[i]);
}

/* Without memory for it the nodes stay counted, and for too long. */
static struct ledger_page *copy(const struct ledger_page *page)
{
	struct ledger_page *made = malloc(sizeof(*made));

	if (made)
		memcpy(made, page, sizeof(*made));
	return made;
}

void ledger_settle(struct ledger *ledger, ledger_on_entry *on_entry,
		   void *owner)
{
	struct ledger_page *page = ledger ? ledger->page : NULL;

	if (!page || page->kind != KIND_GIVEN || page->count == 0)
		return;
	if (page->unique == 0)
		each(page, on_entry, owner);
	else if (!ledger->aside)
		ledger->aside = copy(page);
	begin(page, KIND_GIVEN);
}

void ledger_came_again(struct ledger *ledger, uint64_t unique,
		       ledger_on_entry *on_entry, void *owner)
{
	struct ledger_page *aside = ledger ? ledger->aside : NULL;

	if (!aside || (aside->unique | CAME_AGAIN) != (unique | CAME_AGAIN))
		return;
	each(aside, on_entry, owner);
	ledger->aside = NULL;
	free(aside);
}
