/* SPDX-License-Identifier: Apache-2.0 */
/* All are remembered for the same time, so that the order in which they came
 * is the order in which they go. */
#include "aws/denied.h"
#include "base/map.h"
#include "loop/loop.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

struct denial {
	STAILQ_ENTRY(denial) next;
	int64_t until_ms;
	char name[];
};

struct denied {
	const struct loop *loop;
	struct map *by_name;
	STAILQ_HEAD(, denial) oldest_first;
};

struct denied *denied_new(const struct loop *loop)
{
	struct denied *denied = calloc(1, sizeof(*denied));

	if (!denied)
		return NULL;
	denied->loop = loop;
	denied->by_name = map_new();
	if (!denied->by_name) {
		free(denied);
		return NULL;
	}
	STAILQ_INIT(&denied->oldest_first);
	return denied;
}

static void drop_oldest(struct denied *denied)
{
	struct denial *denial = STAILQ_FIRST(&denied->oldest_first);

	STAILQ_REMOVE_HEAD(&denied->oldest_first, next);
	(void)map_remove(denied->by_name, denial->name, strlen(denial->name));
	free(denial);
}

void denied_free(struct denied *denied)
{
	if (!denied)
		return;
	while (!STAILQ_EMPTY(&denied->oldest_first))
		drop_oldest(denied);
	map_free(denied->by_name);
	free(denied);
}

bool denied_has(struct denied *denied, const char *name)
{
	int64_t now_ms = loop_now_ms(denied->loop);
	const struct denial *oldest;

	while ((oldest = STAILQ_FIRST(&denied->oldest_first)) &&
	       oldest->until_ms <= now_ms)
		drop_oldest(denied);
	return map_find(denied->by_name, name, strlen(name)) != NULL;
}

void denied_add(struct denied *denied, const char *name)
{
	size_t length = strlen(name);
	struct denial *denial;

	if (denied_has(denied, name))
		return;
	if (map_count(denied->by_name) == DENIED_MAX)
		drop_oldest(denied);
	denial = malloc(sizeof(*denial) + length + 1);
	if (!denial)
		return;
	denial->until_ms = loop_now_ms(denied->loop) + DENIED_MS;
	memcpy(denial->name, name, length + 1);
	if (map_put(denied->by_name, name, length, denial) < 0) {
		free(denial);
		return;
	}
	STAILQ_INSERT_TAIL(&denied->oldest_first, denial, next);
}
