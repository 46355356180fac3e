/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PLACES_H
#define PLACES_H

#include "base/macros.h"

#include <stdbool.h>
#include <stdlib.h>
#include <sys/queue.h>

struct err;
struct map;
struct net;
struct source;

/* What is asked, and the sources that ask there: each place once, so that a
 * class that is read again finds the source that it had. */

struct place {
	SLIST_ENTRY(place) next;
	struct source *source; /* NULL until it is kept */
	const struct net *net; /* NULL: it needs none */
	bool is_failover;      /* another place may answer for it */
	char key[];
};

struct places {
	SLIST_HEAD(, place) list;
	struct map *by_key;
};

/* 0 or -ENOMEM. */
int places_init(struct places *places);

/* Frees the sources, too, whose calls must have ended. */
void places_done(struct places *places);

/* One that is not kept yet; what and where may hold anything. NULL: no memory.
 */
struct place *place_new(const char *what, const char *where);

static inline void place_freep(struct place **place)
{
	free(*place);
}

#define cleanup_place CLEANUP(place_freep)

/* Whether one more may be kept: 0, or -E2BIG with err filled. */
int places_check_room(const struct places *places, struct err *err);

/* 1 with the source of the one that is kept under the same words; else as
 * above. */
int places_look_up(const struct places *places, const struct place *like,
		   struct source **ret, struct err *err);

/* Takes the place over with its source, which is ret. Where a source that is
 * kept under other words asks the same as the same caller, it is ret instead,
 * as the cache knows one for each identity: then, and with -ENOMEM and err
 * filled, the place's is freed, and the place stays the caller's. */
int places_keep(struct places *places, struct place **place,
		struct source **ret, struct err *err);

#endif
