/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KEEPER_NOTIFY_ORDER_H
#define KEEPER_NOTIFY_ORDER_H

#include <stddef.h>
#include <stdint.h>

/*
 * What a worker orders of the notifier of one mount, and how it answers: one
 * plain struct a record over a SOCK_SEQPACKET socket that the keeper hands to
 * both. Orders are executed one after the other, in the order in which they
 * come, and each is answered once. An order may take as long as the slowest
 * LOOKUP in its directory, so nobody waits for an answer.
 *
 * The socket's end means that this notifier is gone, with all orders that it
 * has not answered: they may have been executed or not.
 */

#define NOTIFY_MAGIC 0x73666e31U /* "sfn1": changes with the format */
#define NOTIFY_NAME_MAX 255
#define NOTIFY_DIRECTORY_MAX 1023

enum notify_kind {
	/* Opens name if it is there, renames source_name to it, drops the
	 * pages of what was opened. */
	NOTIFY_REPLACE = 1,
	/* Opens name, unlinks it, drops the pages of what was opened. */
	NOTIFY_REMOVE,
	/* Opens name and drops its pages; see NOTIFY_UNLINK. */
	NOTIFY_DROP,
};

/* With NOTIFY_DROP: unlinks name afterwards, also where it could not be
 * opened, so that no entry for it holds its node. */
#define NOTIFY_UNLINK 1U

struct notify_order {
	uint32_t magic;
	uint32_t kind;
	uint64_t id; /* the worker's, comes back with the answer */
	uint32_t flags;
	uint32_t unused; /* 0 */
	/* Plain names joined by '/', from the mount's root, which is "". */
	char directory[NOTIFY_DIRECTORY_MAX + 1];
	char name[NOTIFY_NAME_MAX + 1];
	char source_name[NOTIFY_NAME_MAX + 1]; /* of NOTIFY_REPLACE, else "" */
};

struct notify_answer {
	uint32_t magic;
	int32_t result; /* 0 or negative errno */
	uint64_t id;
};

/* All borrowed; strings may be NULL for "". */
struct notify_wish {
	enum notify_kind kind;
	uint32_t flags;
	uint64_t id;
	const char *directory;
	const char *name;
	const char *source_name;
};

/* Writes an order that the notifier will take. 0; -EINVAL for what it would
 * refuse; -ENAMETOOLONG. */
int notify_order_fill(struct notify_order *ret, const struct notify_wish *wish);

/*
 * Judges a record of that length before anything of it is used. 0; -EPROTO for
 * another format; -EINVAL for a kind, a flag or a name that cannot be: a name
 * is not empty, not "." or "..", holds no '/', and ends within its array.
 */
int notify_order_check(const struct notify_order *order, size_t length);

#endif
