/* SPDX-License-Identifier: Apache-2.0 */
/* One use of the cache for each secret with nodes, by what is wanted. */
#include "fs/follow.h"
#include "base/macros.h"
#include "base/map.h"
#include "fs/node_table.h"
#include "store/cache.h"
#include "store/source.h"
#include "store/value.h"
#include "store/want_key.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct follows {
	struct cache *cache;
	struct map *by_want;
	struct nodes *nodes; /* NULL: nothing is recorded */
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

struct visit {
	void (*each)(void *owner, struct follow *follow);
	void *owner;
};

static void visit_one(void *owner, void *value)
{
	const struct visit *visit = owner;
	struct follow *follow = value;

	follow->is_busy++;
	visit->each(visit->owner, follow);
	follow->is_busy--;
	follow_settle(follow);
}

void follows_each(struct follows *follows,
		  void (*each)(void *owner, struct follow *follow), void *owner)
{
	struct visit visit = { .each = each, .owner = owner };

	map_each(follows->by_want, visit_one, &visit);
}

void follows_set_nodes(struct follows *follows, struct nodes *nodes)
{
	follows->nodes = nodes;
}

void follows_free(struct follows *follows)
{
	if (!follows)
		return;
	map_free(follows->by_want);
	free(follows);
}

static void fill(struct follow *follow, const struct cache_want *want)
{
	struct source_want what = want_key_write(want, follow->key);

	follow->source = want->source;
	follow->name = what.name;
	follow->version = what.version;
	follow->stage = what.stage;
	follow->mark = follow_mark(want);
}

/* Text and NUL, or another byte alone. */
static uint64_t mark_text(uint64_t hash, const char *text)
{
	return text ? node_table_hash(hash, text, strlen(text) + 1)
		    : node_table_hash(hash, "\1", 1);
}

uint64_t follow_mark(const struct cache_want *want)
{
	uint64_t hash = mark_text(NODE_TABLE_HASH, want->source->identity);

	hash = mark_text(hash, want->name);
	hash = mark_text(hash, want->version);
	return mark_text(hash, want->stage);
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

static bool is_version(const char *version, const struct value *value)
{
	return strcmp(version, value_version(value)) == 0;
}

static void on_change(void *owner, const struct cache_result *result)
{
	struct follow *follow = owner;
	struct follows *follows = follow->follows;

	bool is_shown =
		result->value && is_version(follow->shown, result->value);

	*follow->shown = '\0';
	follow->is_busy++;
	/* else every name shows it already */
	if (!is_shown)
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
	size_t length = want_key_length(want);
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

	if (follow->value && is_version(value_version(follow->value), value))
		return follow->modified_ns;
	if (is_version(follow->newest, value))
		created_ns = follow->modified_ns;
	else if (created_ns <= follow->modified_ns)
		created_ns = follow->modified_ns + 1;
	value_unref(follow->value);
	follow->value = value_ref(value);
	*follow->newest = '\0';
	follow->is_left = false;
	follow->modified_ns = created_ns;
	return created_ns;
}

void follow_add(struct follow *follow, struct node *node)
{
	if (node->follow)
		return;
	node->follow = follow;
	LIST_INSERT_HEAD(&follow->nodes, node, followed);
	if (follow->follows->nodes)
		nodes_record_file(follow->follows->nodes, node, follow->mark,
				  follow->name);
}

static void set_version(char version[VALUE_VERSION_MAX + 1],
			const struct node *node)
{
	(void)snprintf(version, VALUE_VERSION_MAX + 1, "%s", node->version);
}

void follow_resume(struct follow *follow, struct node *node)
{
	int64_t modified_ns = node->modified_ns;

	follow_add(follow, node);
	follow->is_left = !follow->value;
	if (follow->value || !node->version)
		return;
	if (node->is_current &&
	    (!*follow->shown || modified_ns < follow->shown_ns)) {
		set_version(follow->shown, node);
		follow->shown_ns = modified_ns;
	}
	if (modified_ns >= follow->modified_ns) {
		set_version(follow->newest, node);
		follow->modified_ns = modified_ns;
	}
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
