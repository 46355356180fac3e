/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KEEPER_FENCE_H
#define KEEPER_FENCE_H

#include <stdatomic.h>
#include <stdint.h>

struct err;

/*
 * A word in shared memory that says which worker serves, counted from 1. A
 * worker that the keeper cannot end, as it lives in another container, finds
 * another number there than its own, and leaves: it looks before and after it
 * reads a request. Workers cannot write to it.
 */
struct fence {
	int fd; /* -1: none */
	_Atomic uint64_t *word;
};

void fence_init(struct fence *fence);

/* 0, or negative errno with err filled. */
int fence_make(struct fence *fence, struct err *err);

/* Shuts out whoever serves; returns the number of the next one. */
uint64_t fence_next(const struct fence *fence);

/* May be called twice. */
void fence_done(struct fence *fence);

#endif
