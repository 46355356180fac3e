/* SPDX-License-Identifier: Apache-2.0 */
/* A few names, searched one by one: a call does so once. The last place is
 * kept for all that do not fit. */
#include "net/tally.h"

#include <string.h>

const char *tally_outcome_name(enum tally_outcome outcome)
{
	static const char *const names[TALLY_OUTCOMES] = {
		[TALLY_OK] = "ok",
		[TALLY_THROTTLED] = "throttled",
		[TALLY_REFUSED] = "refused",
		[TALLY_UNAVAILABLE] = "unavailable",
		[TALLY_UNANSWERED] = "unanswered",
		[TALLY_ABANDONED] = "abandoned",
	};

	return names[outcome];
}

void tally_init(struct tally *tally)
{
	*tally = (struct tally){ .count = 0 };
}

static struct tally_operation *find(struct tally *tally, const char *name)
{
	for (size_t i = 0; i < tally->count; i++)
		if (strcmp(tally->operations[i].name, name) == 0)
			return &tally->operations[i];
	return NULL;
}

static struct tally_operation *add(struct tally *tally, const char *name)
{
	struct tally_operation *operation = &tally->operations[tally->count++];

	operation->name = name;
	return operation;
}

struct tally_operation *tally_of(struct tally *tally, const char *name)
{
	struct tally_operation *known = find(tally, name ? name : TALLY_OTHER);

	if (known)
		return known;
	if (name && tally->count < TALLY_OPERATIONS_MAX - 1)
		return add(tally, name);
	known = find(tally, TALLY_OTHER);
	return known ? known : add(tally, TALLY_OTHER);
}
