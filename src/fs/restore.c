/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What another worker has left: the nodes that the kernel knows come back from
 * the table, without what they show. That is fetched when it is read, first as
 * it is now, which most of them still are, and else by the version's name.
 */
#include "base/err.h"
#include "base/log.h"
#include "base/macros.h"
#include "fs/follow.h"
#include "fs/layout.h"
#include "fs/node_table.h"
#include "fs/tree_private.h"
#include "loop/loop.h"
#include "store/source.h"
#include "store/value.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A refusal that looks definite passes sometimes: for so long it is borne. */
#define REVIEW_MS 60000

/* The object that a file of the directory is of. NULL: the configuration has
 * another opinion by now. */
static const struct layout_object *
find_object(const struct tree *tree, const struct node *node, uint64_t mark)
{
	const struct layout_directory *directory =
		layout_directory(tree->layout, node->parent->prefix);
	const struct layout_name *name =
		directory ? layout_find(directory, node->name) : NULL;
	struct cache_want want;

	if (!directory || (name && name->is_directory))
		return NULL;
	if (name) {
		want = tree_want_object(tree->layout, name->object);
		return follow_mark(&want) == mark ? name->object : NULL;
	}
	for (size_t i = 0; i < layout_expanding_count(directory); i++) {
		want = tree_want_object(tree->layout,
					layout_expanding_at(directory, i));
		if (follow_mark(&want) == mark)
			return layout_expanding_at(directory, i);
	}
	return NULL;
}

/* Without a secret to follow the node stays, and cannot be read. */
static void follow_again(struct tree *tree, struct node *node,
			 const struct node_record *record)
{
	const struct layout_object *object;
	struct cache_want want;
	struct follow *follow;

	if (tree->layout) {
		object = find_object(tree, node, record->want);
		if (!object)
			return;
		want = tree_want_object(tree->layout, object);
	} else {
		want = tree_want(tree, record->text, false);
		if (follow_mark(&want) != record->want)
			return;
	}
	follow = follows_need(tree->follows, &want);
	if (follow)
		follow_resume(follow, node);
}

static void restore(struct tree *tree, const struct node_record *record,
		    struct node_slot *slot)
{
	struct node *node = nodes_restore(tree->nodes, record, slot,
					  tree->layout ? record->text : "");

	if (!node)
		node_table_remove(tree->table, slot);
	else if (!node->is_directory)
		follow_again(tree, node, record);
}

struct place {
	uint64_t id;
	size_t index;
};

static int compare_places(const void *a, const void *b)
{
	const struct place *first = a;
	const struct place *second = b;

	return (first->id > second->id) - (first->id < second->id);
}

/* Parents are older than what is in them. */
static size_t list_places(struct tree *tree, struct place *places)
{
	size_t used = node_table_used(tree->table);
	struct node_record record;
	size_t count = 0;

	for (size_t i = 0; i < used; i++)
		if (node_table_at(tree->table, i, &record))
			places[count++] =
				(struct place){ .id = record.id, .index = i };
	qsort(places, count, sizeof(*places), compare_places);
	return count;
}

static int restore_all(struct tree *tree)
{
	struct place *places =
		calloc(node_table_used(tree->table) + 1, sizeof(*places));
	struct node_record record;
	size_t count;

	if (!places)
		return -ENOMEM;
	count = list_places(tree, places);
	for (size_t i = 0; i < count; i++) {
		struct node_slot *slot =
			node_table_at(tree->table, places[i].index, &record);

		if (slot)
			restore(tree, &record, slot);
	}
	/* What was prepared and not shown yet is prepared anew. */
	for (size_t i = count; i > 0; i--) {
		struct node *node = nodes_find(tree->nodes, places[i - 1].id);

		if (node)
			nodes_settle(tree->nodes, node);
	}
	free(places);
	return 0;
}

static struct cache_want want_of(const struct tree *tree,
				 const struct follow *follow)
{
	struct cache_want want = tree_want(tree, follow->name, false);

	if (tree->layout)
		want = tree_want_object(
			tree->layout,
			&(struct layout_object){ .name = follow->name });
	want.source = follow->source;
	want.version = follow->version;
	want.stage = follow->stage;
	return want;
}

/* Why the kernel may no longer have what another worker gave it; code 0: there
 * is no reason. */
static struct err reason_to_revoke(const struct tree *tree,
				   const struct follow *follow)
{
	struct cache_want want = want_of(tree, follow);
	int64_t stale_ms = want.max_stale_ms ? want.max_stale_ms : want.ttl_ms;
	struct err reason = { .code = 0 };
	struct cache_about about;

	cache_tell(tree->settings.cache, &want, &about);
	if (about.failure && about.failure->code != -EIO)
		return *about.failure;
	if (loop_now_ms(tree->settings.loop) - tree->restored_ms >= stale_ms)
		(void)err_set(&reason, -EIO, "not confirmed for too long");
	return reason;
}

static void plan_review(struct tree *tree);

static void review(void *owner, struct follow *follow)
{
	struct tree *tree = owner;
	struct err reason;

	if (!tree->has_reviewed)
		tree_drop_revoked(tree, follow);
	if (!follow->is_left)
		return;
	reason = reason_to_revoke(tree, follow);
	follow->is_left = reason.code == 0;
	if (reason.code < 0)
		tree_revoke(tree, follow, &reason);
	else
		plan_review(tree);
}

/* The cache does not tell of what it never had. */
static void on_review(void *owner)
{
	struct tree *tree = owner;

	tree->review = NULL;
	follows_each(tree->follows, review, tree);
	tree->has_reviewed = true;
}

static void plan_review(struct tree *tree)
{
	struct loop *loop = tree->settings.loop;

	if (!tree->review)
		tree->review = loop_timer(loop, loop_now_ms(loop) + REVIEW_MS,
					  on_review, tree);
}

int tree_keep_nodes(struct tree *tree, int fd, bool *ret_is_lost)
{
	int r = node_table_open(fd, &tree->table);

	if (r < 0)
		return r;
	nodes_set_table(tree->nodes, tree->table);
	follows_set_nodes(tree->follows, tree->nodes);
	/* Those of another worker are told apart by what is above. */
	tree->next_handle = (uint64_t)node_table_generation(tree->table) << 32;
	r = restore_all(tree);
	if (r < 0)
		return r;
	tree->restored_ms = loop_now_ms(tree->settings.loop);
	plan_review(tree);
	tree->is_unannounced = nodes_count(tree->nodes) > 1;
	*ret_is_lost = node_table_age(tree->table) == NODE_TABLE_LOST;
	log_debug("nodes are known", "count=%zu worker=%u lost=%d",
		  nodes_count(tree->nodes), node_table_generation(tree->table),
		  *ret_is_lost);
	return 0;
}

struct restored_read {
	struct parked parked;
	struct tree *tree;
	uint64_t node;
	off_t offset;
	size_t size;
	bool is_by_version; /* the second attempt */
	char version[VALUE_VERSION_MAX + 1];
};

static struct restored_read *read_of(struct parked *parked)
{
	return CONTAINER_OF(parked, struct restored_read, parked);
}

static void release(struct parked *parked)
{
	free(read_of(parked));
}

static void fail(struct restored_read *read, int code)
{
	request_fail(read->parked.request, code);
	release(&read->parked);
}

/* Of the node, which other readers may have woken meanwhile. */
static void serve(struct restored_read *read)
{
	tree_read(read->tree, read->parked.request, read->node, read->offset,
		  read->size);
	release(&read->parked);
}

static int wake(struct tree *tree, struct node *node, struct value *value)
{
	struct node_file file;
	struct err err;

	if (!tree_find_shown(tree, node, value, &file) ||
	    nodes_wake(node, &file, &err) < 0)
		return -ESTALE;
	return 0;
}

static void fetch(struct restored_read *read, const struct node *node);

/* What may pass is an error of this read only; else the version is gone, and
 * so is what the node showed. */
static void go_on(struct parked *parked, const struct parked_results *results)
{
	struct restored_read *read = read_of(parked);
	const struct parked_result *result = &results->at[0];
	struct node *node = nodes_find(read->tree->nodes, read->node);
	bool is_it = result->value &&
		     strcmp(value_version(result->value), read->version) == 0;

	if (!node || !node->version || node->revoked) {
		serve(read);
	} else if (is_it) {
		if (wake(read->tree, node, result->value) < 0)
			fail(read, -ESTALE);
		else
			serve(read);
	} else if (result->code == -EIO || result->code == -ENOMEM) {
		fail(read, result->code);
	} else if (!read->is_by_version && node->follow) {
		read->is_by_version = true;
		fetch(read, node);
	} else {
		fail(read, -ESTALE);
	}
}

static void fetch(struct restored_read *read, const struct node *node)
{
	struct cache_want want = want_of(read->tree, node->follow);

	if (read->is_by_version) {
		want.version = read->version;
		want.stage = NULL;
	}
	parked_want(&read->parked,
		    &(struct parked_wants){ .at = &want, .count = 1 }, go_on);
}

void tree_read_restored(struct tree *tree, struct request *request,
			const struct node *node, off_t offset, size_t size)
{
	struct restored_read *read;

	if (!node->follow) {
		request_fail(request, -ESTALE);
		return;
	}
	read = calloc(1, sizeof(*read));
	if (!read) {
		request_fail(request, -ENOMEM);
		return;
	}
	read->parked.parking = &tree->parking;
	read->parked.request = request;
	read->parked.release = release;
	read->tree = tree;
	read->node = node->id;
	read->offset = offset;
	read->size = size;
	(void)strncpy(read->version, node->version, sizeof(read->version) - 1);
	fetch(read, node);
}
