/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FENCED_H
#define FENCED_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct message;

/* The worker's view of the keeper's fence.h: whether it is still the one that
 * serves. Part of the worker's wiring. */
struct fenced {
	const _Atomic uint64_t *word; /* NULL: there is no fence */
	uint64_t number;
};

/* Takes fd over. 0, or negative errno: then it is out. */
int fenced_adopt(struct fenced *fenced, const struct message *message, int fd);

/* Another worker serves: this one has to leave, without another answer. */
bool fenced_is_out(const struct fenced *fenced);

void fenced_done(struct fenced *fenced);

#endif
