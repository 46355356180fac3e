/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_FAKE_SOURCE_H
#define TESTS_FAKE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

#include "store/source.h"

/* A source whose fetches end when the test says so, and how. */

#define FAKE_CALLS_MAX 2048

struct source_call {
	struct fake_source *source;
	bool is_listing;
	source_on_confirmed *on_confirmed;
	source_on_value *on_value;
	source_on_listing *on_listing;
	void *owner;
	char name[64];
	char version[64]; /* "": none was asked for */
	char stage[64];	  /* likewise */
};

struct fake_source {
	struct source base;
	struct source_call *open[FAKE_CALLS_MAX]; /* in flight, oldest first */
	size_t open_count;
	unsigned fetches;  /* listings and confirmations included */
	unsigned confirms; /* of these: confirmations */
	unsigned cancels;
	int64_t created_ns; /* of values that it answers with */
	const char *arn;    /* of what it answers with, or NULL */
};

void fake_source_init(struct fake_source *source, const char *identity);

/* Ends the oldest fetch with this text as its bytes. */
void fake_source_answer(struct fake_source *source, const char *version,
			const char *text);
void fake_source_answer_names(struct fake_source *source,
			      struct listing *listing);
void fake_source_fail(struct fake_source *source, int code);

/* From now on it can be asked to confirm. */
void fake_source_can_confirm(struct fake_source *source);

/* Ends the oldest confirmation. */
void fake_source_confirm(struct fake_source *source, bool is_current);

/* The same for the oldest fetch of that name. */
void fake_source_answer_for(struct fake_source *source, const char *name,
			    const char *version, const char *text);
void fake_source_fail_for(struct fake_source *source, const char *name,
			  int code);

#endif
