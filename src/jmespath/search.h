/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JMESPATH_SEARCH_H
#define JMESPATH_SEARCH_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/jdoc.h"
#include "base/macros.h"
#include "jmespath/text.h"

struct err;
struct search_piece;
struct search_text;

/* Comparing so many bytes is one step. */
#define SEARCH_BYTES_A_STEP 64

/*
 * What one search may use up, and all that it made, which is given back at its
 * end together. Arrays and objects only point to text, and are in plain memory;
 * text is wiped.
 */
struct search {
	struct err *err;
	size_t offset; /* of what is evaluated, for limits */
	size_t steps;
	size_t memory;
	size_t text_length;
	struct search_piece *pieces;
	struct search_text *texts;
	struct buf scratch; /* for whoever needs bytes until its next call */
};

void search_init(struct search *search, struct err *err);
void search_done(struct search *search);

/* 0, or -E2BIG when all steps are spent. */
int search_spend(struct search *search, size_t steps);

/* Memory that lives as long as the search, for structures. Room for none is
 * some all the same. 0, -E2BIG, -ENOMEM. */
int search_alloc(struct search *search, size_t count, size_t size, void **ret);

/* Keeps bytes as long as the search. 0, -E2BIG, -ENOMEM. */
int search_keep(struct search *search, const void *bytes, size_t length,
		struct text *ret);

/* The decoded bytes of a string node. 0, -E2BIG, -ENOMEM. */
int search_decode(struct search *search, const struct jdoc *doc, jdoc_node node,
		  struct text *ret);

/* What a failed buf of the search means: returns -E2BIG or -ENOMEM. */
int search_fail(struct search *search, int r);

#define cleanup_search CLEANUP(search_done)

#endif
