/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything is told by one word each, which is written last and goes first:
 * the length that the kernel writes in front of a request, for the inlet that
 * requests are read into; and the request's number, for a slot. A request may
 * be in both, when the worker was killed between two words.
 */
#include "fs/journal.h"
#include "base/bounce.h"
#include "fs/ledger.h"
#include "fs/name.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define MAGIC UINT64_C(0x316c616e72754a53) /* "SJurnal1" */
#define LAYOUT_VERSION 2
#define PAGE 4096
#define SLOT_SIZE 512
#define SLOTS_MAX 4096

/* Of linux/fuse.h: what nobody waits for, and an answer's numbers that are not
 * a request's. */
#define OPCODE_FORGET 2
#define OPCODE_INTERRUPT 36
#define OPCODE_BATCH_FORGET 42
#define UNIQUE_INTERRUPT 1U

struct in_header {
	uint32_t length;
	uint32_t opcode;
	uint64_t unique;
	uint64_t node;
	uint32_t uid;
	uint32_t gid;
	uint32_t pid;
	uint32_t more;
};

struct out_header {
	uint32_t length;
	int32_t error;
	uint64_t unique;
};

struct slot {
	uint64_t unique; /* 0: it is free */
	uint32_t length;
	uint32_t rest; /* what follows is read in place, as the kernel's */
	char bytes[SLOT_SIZE - 16];
};

struct memory {
	uint64_t magic;
	uint32_t layout_version;
	uint32_t slot_size;
	char rest[PAGE - 16];
	struct {
		struct in_header header; /* of length 0: nothing is in it */
		char rest[JOURNAL_READ_MAX - sizeof(struct in_header)];
	} inlet;
	struct ledger_page ledger;
	struct slot slots[];
};

_Static_assert(sizeof(struct slot) == SLOT_SIZE, "no padding after the text");
_Static_assert(offsetof(struct memory, inlet) == PAGE, "on pages of its own");
/* A lookup is the longest that may wait; names beyond that are refused. */
_Static_assert(sizeof(struct in_header) + NAME_LENGTH_MAX + 1 <=
		       sizeof(((struct slot *)NULL)->bytes),
	       "whatever waits fits");

struct journal {
	struct memory *memory;
	size_t length; /* of the mapping */
	uint32_t count;
	uint32_t reach; /* slots from here on had never been written to */
	uint32_t used;	/* slots from here on are free */
	struct ledger *ledger;
	bool is_lost;
	bool is_stuck; /* what is in the inlet waits for a slot */

	/* where journal_next_left() is */
	uint32_t next_slot;
	bool is_inlet_left;
};

static bool is_forget(const struct in_header *header)
{
	return header->opcode == OPCODE_FORGET ||
	       header->opcode == OPCODE_BATCH_FORGET;
}

static bool is_awaiting(const struct in_header *header)
{
	return header->length != 0 && !is_forget(header) &&
	       header->opcode != OPCODE_INTERRUPT;
}

static char *inlet_of(struct memory *memory)
{
	return (char *)memory + offsetof(struct memory, inlet);
}

static void clear_inlet(struct memory *memory)
{
	__atomic_store_n(&memory->inlet.header.length, 0, __ATOMIC_RELEASE);
}

static void free_slot(struct slot *slot)
{
	__atomic_store_n(&slot->unique, 0, __ATOMIC_RELEASE);
}

static bool is_known(const struct memory *memory)
{
	return memory->magic == MAGIC &&
	       memory->layout_version == LAYOUT_VERSION &&
	       memory->slot_size == SLOT_SIZE;
}

static void begin(struct journal *journal)
{
	struct memory *memory = journal->memory;

	if (is_known(memory))
		return;
	journal->is_lost = memory->magic != 0;
	memory->magic = 0;
	clear_inlet(memory);
	memory->ledger.count = 0;
	for (uint32_t i = 0; i < journal->reach; i++)
		free_slot(&memory->slots[i]);
	memory->layout_version = LAYOUT_VERSION;
	memory->slot_size = SLOT_SIZE;
	memory->magic = MAGIC;
}

/* To look at a slot that was never written to would give it memory: 2 MiB for
 * each mount that anybody has looked through. */
static uint32_t find_reach(const struct journal *journal, int fd)
{
	const off_t first = (off_t)offsetof(struct memory, slots);
	off_t end = first;
	off_t data;
	size_t count;

	while ((data = lseek(fd, end, SEEK_DATA)) >= 0) {
		end = lseek(fd, data, SEEK_HOLE);
		if (end < 0)
			return journal->count;
	}
	if (errno != ENXIO)
		return journal->count;
	count = ((size_t)(end - first) + SLOT_SIZE - 1) / SLOT_SIZE;
	return count < journal->count ? (uint32_t)count : journal->count;
}

static int map_memory(struct journal *journal, int fd)
{
	struct stat status;
	size_t count;
	void *memory;

	if (fstat(fd, &status) < 0)
		return -errno;
	if (status.st_size < (off_t)(sizeof(struct memory) + SLOT_SIZE))
		return -EINVAL;
	journal->length = (size_t)status.st_size;
	count = (journal->length - sizeof(struct memory)) / SLOT_SIZE;
	journal->count = count < SLOTS_MAX ? (uint32_t)count : SLOTS_MAX;
	memory = mmap(NULL, journal->length, PROT_READ | PROT_WRITE, MAP_SHARED,
		      fd, 0);
	if (memory == MAP_FAILED)
		return -errno;
	journal->memory = memory;
	journal->reach = find_reach(journal, fd);
	return 0;
}

int journal_open(int fd, struct journal **ret)
{
	struct journal *journal = calloc(1, sizeof(*journal));
	int r = journal ? map_memory(journal, fd) : -ENOMEM;

	(void)close(fd);
	/* The second is for the analyzer, which takes -errno to be 0. */
	if (r == 0 && journal->memory) {
		begin(journal);
		journal->ledger = ledger_open(&journal->memory->ledger);
	}
	if (r < 0 || !journal->ledger) {
		journal_close(journal);
		return r < 0 ? r : -ENOMEM;
	}
	*ret = journal;
	return 0;
}

void journal_close(struct journal *journal)
{
	if (!journal)
		return;
	ledger_close(journal->ledger);
	if (journal->memory)
		(void)munmap(journal->memory, journal->length);
	free(journal);
}

struct ledger *journal_ledger(struct journal *journal)
{
	return journal->ledger;
}

static struct slot *find_slot(const struct journal *journal, uint64_t unique)
{
	for (uint32_t i = 0; i < journal->used; i++)
		if (journal->memory->slots[i].unique == unique)
			return &journal->memory->slots[i];
	return NULL;
}

/* Any that is free; NULL: none is. */
static struct slot *take_slot(struct journal *journal)
{
	struct slot *slot = find_slot(journal, 0);

	if (!slot && journal->used < journal->count)
		slot = &journal->memory->slots[journal->used++];
	return slot;
}

static bool is_readable(const struct slot *slot)
{
	struct in_header header;

	memcpy(&header, slot->bytes, sizeof(header));
	return slot->length >= sizeof(header) &&
	       slot->length <= sizeof(slot->bytes) &&
	       header.length == slot->length && header.unique == slot->unique &&
	       is_awaiting(&header);
}

/* How many have something in them. */
static size_t count_slots(struct journal *journal)
{
	size_t found = 0;

	for (uint32_t i = 0; i < journal->reach; i++) {
		struct slot *slot = &journal->memory->slots[i];

		if (slot->unique != 0 && !is_readable(slot))
			free_slot(slot);
		if (slot->unique == 0)
			continue;
		journal->used = i + 1;
		found++;
	}
	return found;
}

/* Of a request that was being read, handled, or moved. */
static void settle_inlet(struct journal *journal)
{
	struct memory *memory = journal->memory;
	const struct in_header *header = &memory->inlet.header;

	/* The kernel sends an interrupt again when it is asked about what was
	 * interrupted. */
	if (header->length > JOURNAL_READ_MAX ||
	    header->opcode == OPCODE_INTERRUPT ||
	    (is_awaiting(header) && find_slot(journal, header->unique)))
		clear_inlet(memory);
	if (header->length == 0 || !is_forget(header))
		ledger_taken(journal->ledger);
	else if (!ledger_is_taking(journal->ledger))
		ledger_begin_taking(journal->ledger);
}

void journal_settle(struct journal *journal, journal_is_awaited *is_awaited,
		    void *owner, struct journal_left *ret)
{
	struct in_header *header = &journal->memory->inlet.header;
	uint64_t answering = ledger_unique(journal->ledger);

	*ret = (struct journal_left){ .is_lost = journal->is_lost };
	ret->unanswered = count_slots(journal);
	settle_inlet(journal);
	ret->unanswered += is_awaiting(header);
	if (answering && is_awaited(owner, answering))
		ledger_not_taken(journal->ledger);
	for (uint32_t i = 0; i < journal->used; i++) {
		struct slot *slot = &journal->memory->slots[i];

		if (slot->unique == 0)
			continue;
		if (is_awaited(owner, slot->unique))
			ret->awaited++;
		else
			free_slot(slot);
	}
	if (is_awaiting(header) && !is_awaited(owner, header->unique))
		clear_inlet(journal->memory);
	ret->awaited += is_awaiting(header);
	ret->has_forget = header->length != 0 && is_forget(header);
	journal->is_inlet_left = header->length != 0;
}

static void fill_from_inlet(struct journal *journal,
			    struct journal_request *ret)
{
	ret->bytes = inlet_of(journal->memory);
	ret->length = journal->memory->inlet.header.length;
	ret->unique = journal->memory->inlet.header.unique;
}

static bool take_inlet(struct journal *journal, struct journal_request *ret)
{
	if (!journal->is_inlet_left)
		return false;
	journal->is_inlet_left = false;
	fill_from_inlet(journal, ret);
	return true;
}

/* A FORGET first, since the numbers that are noted of it are those before
 * anything else is counted; a request last, since it may move to a slot. */
bool journal_next_left(struct journal *journal, struct journal_request *ret)
{
	if (is_forget(&journal->memory->inlet.header) &&
	    take_inlet(journal, ret))
		return true;
	while (journal->next_slot < journal->used) {
		struct slot *slot = &journal->memory->slots[journal->next_slot];

		journal->next_slot++;
		if (slot->unique == 0)
			continue;
		ret->bytes = slot->bytes;
		ret->length = slot->length;
		ret->unique = slot->unique;
		return true;
	}
	/* It is in a slot when this is asked once more. */
	journal->next_slot = SLOTS_MAX;
	return take_inlet(journal, ret);
}

bool journal_is_full(const struct journal *journal)
{
	return journal->is_stuck;
}

/*
 * The pages are written to just before they are read into: a read that had to
 * wait for one would fail, with an error to whoever asks, if the worker was
 * killed meanwhile.
 */
int journal_read(struct journal *journal, int fd, struct journal_request *ret)
{
	struct memory *memory = journal->memory;
	char *inlet = inlet_of(memory);
	ssize_t length;

	for (size_t at = PAGE; at < JOURNAL_READ_MAX; at += PAGE)
		__atomic_store_n(&inlet[at], 0, __ATOMIC_RELAXED);
	clear_inlet(memory);
	length = read(fd, inlet, JOURNAL_READ_MAX);
	if (length < (ssize_t)sizeof(memory->inlet.header)) {
		int code = length < 0 ? -errno : -EIO;

		clear_inlet(memory);
		return code;
	}
	if (is_forget(&memory->inlet.header))
		ledger_begin_taking(journal->ledger);
	fill_from_inlet(journal, ret);
	return 0;
}

static void move_to_slot(struct journal *journal)
{
	const struct in_header *header = &journal->memory->inlet.header;
	struct slot *slot = take_slot(journal);

	journal->is_stuck = !slot;
	if (!slot)
		return;
	/* Nothing so long waits. */
	slot->length = header->length <= sizeof(slot->bytes)
			       ? header->length
			       : sizeof(slot->bytes);
	memcpy(slot->bytes, inlet_of(journal->memory), slot->length);
	__atomic_store_n(&slot->unique, header->unique, __ATOMIC_RELEASE);
	clear_inlet(journal->memory);
}

void journal_handled(struct journal *journal)
{
	const struct in_header *header = &journal->memory->inlet.header;

	/* It was one in a slot while the inlet's is still to come. */
	if (header->length == 0 || journal->is_inlet_left)
		return;
	if (is_awaiting(header)) {
		move_to_slot(journal);
		return;
	}
	clear_inlet(journal->memory);
	ledger_taken(journal->ledger);
}

static void drop(struct journal *journal, uint64_t unique)
{
	struct in_header *header = &journal->memory->inlet.header;
	struct slot *slot;

	if (is_awaiting(header) && header->unique == unique) {
		clear_inlet(journal->memory);
		journal->is_stuck = false;
		return;
	}
	slot = find_slot(journal, unique);
	if (!slot)
		return;
	free_slot(slot);
	if (journal->is_stuck)
		move_to_slot(journal);
	while (journal->used > 0 &&
	       journal->memory->slots[journal->used - 1].unique == 0)
		journal->used--;
}

ssize_t journal_write(struct journal *journal, int fd,
		      const struct iovec *parts, int count)
{
	struct out_header header = { 0 };
	ssize_t r;

	if (parts->iov_len >= sizeof(header))
		memcpy(&header, parts->iov_base, sizeof(header));
	if (header.unique == 0 || header.unique & UNIQUE_INTERRUPT)
		return bounce_writev(fd, parts, count);
	ledger_answering(journal->ledger, header.unique);
	r = bounce_writev(fd, parts, count);
	ledger_answered(journal->ledger);
	drop(journal, header.unique);
	return r;
}
