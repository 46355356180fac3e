/* SPDX-License-Identifier: Apache-2.0 */
/* A list that owns, and a map that finds. */
#include "places.h"
#include "base/err.h"
#include "base/map.h"
#include "store/source.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* A class has few places; reloads may move it, and a check may read classes of
 * every region. */
#define PLACES_MAX 20000

int places_init(struct places *places)
{
	SLIST_INIT(&places->list);
	places->by_key = map_new();
	return places->by_key ? 0 : -ENOMEM;
}

void places_done(struct places *places)
{
	while (!SLIST_EMPTY(&places->list)) {
		struct place *place = SLIST_FIRST(&places->list);

		SLIST_REMOVE_HEAD(&places->list, next);
		place->source->operations->free(place->source);
		free(place);
	}
	map_free(places->by_key);
}

struct place *place_new(const char *what, const char *where)
{
	size_t size = strlen(what) + 1 + strlen(where) + 1;
	struct place *place = calloc(1, sizeof(*place) + size);

	if (place)
		(void)snprintf(place->key, size, "%s %s", what, where);
	return place;
}

static const struct place *find_same(const struct places *places,
				     const struct source *source)
{
	const struct place *place;

	SLIST_FOREACH(place, &places->list, next)
	{
		if (strcmp(place->source->identity, source->identity) == 0)
			break;
	}
	return place;
}

int places_check_room(const struct places *places, struct err *err)
{
	if (map_count(places->by_key) < PLACES_MAX)
		return 0;
	return err_set(err, -E2BIG,
		       "more than %d places to ask in one process; start again",
		       PLACES_MAX);
}

int places_look_up(const struct places *places, const struct place *like,
		   struct source **ret, struct err *err)
{
	const struct place *known =
		map_find(places->by_key, like->key, strlen(like->key));

	if (!known)
		return places_check_room(places, err);
	*ret = known->source;
	return 1;
}

int places_keep(struct places *places, struct place **place,
		struct source **ret, struct err *err)
{
	const struct place *same = find_same(places, (*place)->source);
	struct place *kept = *place;

	if (same) {
		kept->source->operations->free(kept->source);
		*ret = same->source;
		return 0;
	}
	if (map_put(places->by_key, kept->key, strlen(kept->key), kept) < 0) {
		kept->source->operations->free(kept->source);
		return err_set(err, -ENOMEM, "no memory");
	}
	SLIST_INSERT_HEAD(&places->list, kept, next);
	*ret = kept->source;
	*place = NULL;
	return 0;
}
