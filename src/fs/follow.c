/* SPDX-License-Identifier: Apache-2.0 */
/* One use of the cache for each secret with nodes. The map's key is the want in
 * one piece: who asks, and name, version and stage. */
#include "fs/follow.h"
#include "base/macros.h"
#include "base/map.h"
#include "store/cache.h"
#include "store/source.h"
#include "store/value.h"

#include <stdlib.h>
#include <string.h>

struct follows {
	struct cache *cache;
	struct map *by_want;
	follows_on_change *on_change;
	void *owner;
};

struct follows *follows_new(struct cache *cache, follows_on_change *on_change,
			    void *owner)
{
	struct follows *follows = calloc(1, sizeof(*follows));

	if (!follows)
		return NULL;
	follows->cache = cache;
	follows->on_change = on_change;
	follows->owner = owner;
	follows->by_want = map_new();
	if (!follows->by_want) {
		free(follows);
		return NULL;
	}
	return follows;
}

void follows_free(struct follows *follows)
{
	if (!follows)
		return;
	map_free(follows->by_want);
	free(follows);
}

static size_t part_length(const char *text)
{
	return text ? strlen(text) + 2 : 1;
}

static size_t key_length_of(const struct cache_want *want)
{
	return sizeof(struct source *) + part_length(want->name) +
	       part_length(want->version) + part_length(want->stage);
}

/* '=', text and NUL, or NUL alone; returns the copy of the text. */
static const char *write_part(char **to, const char *text)
{
	const char *copy = NULL;

	if (text) {
		size_t length = strlen(text) + 1;

		*(*to)++ = '=';
		copy = memcpy(*to, text, length);
		*to += length;
	} else {
		*(*to)++ = '\0';
	}
	return copy;
}

static void fill(struct follow *follow, const struct cache_want *want)
{
	char *to = follow->key;

	memcpy(to, &want->source, sizeof(struct source *));
	to += sizeof(struct source *);
	follow->source = want->source;
	follow->name = write_part(&to, want->name);
	follow->version = write_part(&to, want->version);
	follow->stage = write_part(&to, want->stage);
}

static void free_follow(struct follow *follow)
{
	map_remove(follow->follows->by_want, follow->key, follow->key_length);
	cache_use_end(follow->use);
	value_unref(follow->value);
	free(follow);
}

void follow_settle(struct follow *follow)
{
	if (LIST_EMPTY(&follow->nodes) && !follow->is_busy)
		free_follow(follow);
}

static void on_change(void *owner, const struct cache_result *result)
{
	struct follow *follow = owner;
	struct follows *follows = follow->follows;

	follow->is_busy++;
	follows->on_change(follows->owner, follow, result);
	follow->is_busy--;
	if (result->value) {
		(void)follow_see(follow, result->value);
	} else {
		value_unref(follow->value);
		follow->value = NULL;
	}
	follow_settle(follow);
}

/* Takes the follow over: frees it on failure. */
static struct follow *begin(struct follow *follow,
			    const struct cache_want *want)
{
	struct follows *follows = follow->follows;

	if (map_put(follows->by_want, follow->key, follow->key_length, follow) <
	    0) {
		free(follow);
		return NULL;
	}
	follow->use = cache_use_begin(follows->cache, want, on_change, follow);
	if (follow->use)
		return follow;
	free_follow(follow);
	return NULL;
}

struct follow *follows_need(struct follows *follows,
			    const struct cache_want *want)
{
	size_t length = key_length_of(want);
	struct follow *follow = calloc(1, sizeof(*follow) + length);
	struct follow *known;

	if (!follow)
		return NULL;
	follow->follows = follows;
	follow->key_length = length;
	fill(follow, want);
	known = map_find(follows->by_want, follow->key, length);
	if (!known)
		return begin(follow, want);
	free(follow);
	cache_use_change(known->use, want);
	return known;
}

int64_t follow_see(struct follow *follow, struct value *value)
{
	int64_t created_ns = value_created_ns(value);

	if (follow->value &&
	    strcmp(value_version(follow->value), value_version(value)) == 0)
		return follow->modified_ns;
	value_unref(follow->value);
	follow->value = value_ref(value);
	if (created_ns <= follow->modified_ns)
		created_ns = follow->modified_ns + 1;
	follow->modified_ns = created_ns;
	return created_ns;
}

void follow_add(struct follow *follow, struct node *node)
{
	if (node->follow)
		return;
	node->follow = follow;
	LIST_INSERT_HEAD(&follow->nodes, node, followed);
}

void follow_drop(struct node *node)
{
	struct follow *follow = node->follow;

	if (!follow)
		return;
	LIST_REMOVE(node, followed);
	node->follow = NULL;
	follow_settle(follow);
}
