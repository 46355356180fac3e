/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KEEPER_OWNER_H
#define KEEPER_OWNER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

/*
 * Root without CAP_DAC_OVERRIDE may not search or change a directory of
 * someone else's, as a home is; its owner may.
 */
struct owner {
	uint64_t capabilities; /* that were effective */
};

/* From here on files are accessed as whoever owns what about tells of, and as
 * its group. Whoever may not change users stays what he is. */
void owner_become(struct owner *owner, const struct stat *about);

/* Undoes it. The kernel gives root more capabilities back than it took: what
 * was not effective before is not effective again. */
void owner_leave(const struct owner *owner);

#endif
