/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONFIG_OPTION_TABLE_H
#define CONFIG_OPTION_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What the reader and the writer of options share: what each is called, what
 * it takes, where its value goes, and whether the worker needs it.
 */

enum option_kind {
	OPTION_FLAG,
	OPTION_TEXT,
	OPTION_DURATION,
	OPTION_MODE,
	OPTION_OWNER,
	OPTION_ADDRESS, /* text, of the form of address_text.h */
	OPTION_FORMAT,
	OPTION_LEVEL,
	OPTION_DEBUG,
	OPTION_LATER, /* in the design, and not in this version */
};

struct option {
	const char *name;
	char letter; /* or 0 */
	bool for_worker;
	enum option_kind kind;
	const char *takes; /* for complaints; NULL: it takes no value */
	size_t offset;	   /* in struct options; unused where the kind tells */
	int64_t min_ms;
	int64_t max_ms;
};

/* Ends with an option that has no name. */
extern const struct option option_table[];

#endif
