/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A rename waits for every LOOKUP in its directory that has no entry yet, and
 * while it waits every other one there waits for it. So none is ordered while
 * such a LOOKUP is known to wait here. That is best effort: one may overtake,
 * and then the order waits until it is answered; this loop never does.
 */
#include "fs/announce.h"
#include "base/log.h"
#include "fs/follow.h"
#include "fs/notifier.h"
#include "fs/tree_private.h"
#include "loop/loop.h"
#include "store/value.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SOURCE_NAME_SIZE (sizeof(ANNOUNCE_PREFIX) + 20)

struct order {
	uint64_t id;
	enum notify_kind kind;
	uint64_t parent;
	uint64_t node; /* to install, or whose name goes, or to let go of */
	bool is_sent;
	TAILQ_ENTRY(order) link;
	char name[NAME_LENGTH_MAX + 1];
};

static void add_drop(struct tree *tree, const struct node *node);

static struct order *find_order(const struct tree *tree, uint64_t id)
{
	struct order *order;

	TAILQ_FOREACH(order, &tree->orders, link)
	{
		if (order->id == id)
			return order;
	}
	return NULL;
}

static bool has_order(const struct tree *tree, enum notify_kind kind,
		      const struct node *node)
{
	const struct order *order;

	TAILQ_FOREACH(order, &tree->orders, link)
	{
		if (order->kind == kind && order->node == node->id)
			return true;
	}
	return false;
}

/* A later version may have come meanwhile, whose own order follows: an older
 * one is not put in its place. */
static bool is_latest(const struct node *node)
{
	const struct follow *follow = node->follow;

	if (node->is_empty)
		return true;
	return node->value && follow && follow->value &&
	       strcmp(value_version(follow->value),
		      value_version(node->value)) == 0;
}

/* Of a rename that failed after its LOOKUP the kernel keeps an entry, which
 * would hold the node for ever. */
static void free_order(struct tree *tree, struct order *order)
{
	struct node *node = nodes_find(tree->nodes, order->node);

	TAILQ_REMOVE(&tree->orders, order, link);
	if (node && order->kind == NOTIFY_REPLACE && node->is_prepared) {
		if (node->lookups > 0)
			add_drop(tree, node);
		else
			nodes_settle(tree->nodes, node);
	} else if (node && node->is_empty) {
		nodes_settle(tree->nodes, node);
	}
	free(order);
}

void announce_drop(struct tree *tree)
{
	struct order *order;

	while ((order = TAILQ_FIRST(&tree->orders)))
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it was removed */
		free_order(tree, order);
}

static void on_expire(void *owner)
{
	struct tree *tree = owner;

	tree->expire = NULL;
	tree_await(tree);
	tree->reach.expire_names(tree->reach.owner);
}

/* All that changes in one turn is one message to the kernel. */
void announce_none(struct tree *tree)
{
	if (tree->reach.expire_names && !tree->expire)
		tree->expire = loop_soon(tree->settings.loop, on_expire, tree);
}

/* What nobody wants any more is no failure: a later order has taken its place,
 * or it was but a tidying up. */
static bool is_wanted(const struct tree *tree, const struct order *order)
{
	const struct node *node = nodes_find(tree->nodes, order->node);

	if (!node || node->is_empty || order->kind == NOTIFY_DROP)
		return false;
	return order->kind == NOTIFY_REPLACE
		       ? node->is_prepared && is_latest(node)
		       : node->is_current;
}

static void on_failure(struct tree *tree, const struct order *order, int code)
{
	struct node *node = nodes_find(tree->nodes, order->node);

	log_debug("the notifier could not do it",
		  "order=%" PRIu64 " kind=%d name=%s error=%s", order->id,
		  (int)order->kind, order->name, strerrordesc_np(-code));
	if (!node || !is_wanted(tree, order))
		return;
	announce_none(tree);
	if (order->kind == NOTIFY_REMOVE)
		nodes_unlink(tree->nodes, node->parent, node->name,
			     tree_now_ns(tree));
}

/* A stand-in was refused, since its name has a node of its own by now, which a
 * reader was given. */
static void announce_looked_up(struct tree *tree, const struct order *order)
{
	const struct node *node = nodes_find(tree->nodes, order->node);
	struct node *current = NULL;

	if (node && node->is_empty && order->kind == NOTIFY_REPLACE)
		current = nodes_current(tree->nodes, node->parent, order->name);
	if (current)
		tree_announce_again(tree, current);
}

static void on_answer(void *owner, uint64_t id, int result)
{
	struct tree *tree = owner;
	struct order *order = find_order(tree, id);

	if (order && result < 0) {
		on_failure(tree, order, result);
		announce_looked_up(tree, order);
	}
	if (order)
		free_order(tree, order);
	announce_flush(tree);
}

/* Whoever went before may have left entries for what it did not install. */
static void tidy(void *owner, struct node *node)
{
	if ((node->is_prepared || node->has_entry) && node->lookups > 0)
		add_drop(owner, node);
}

void tree_set_notifier(struct tree *tree, int fd, pid_t pid)
{
	notifier_free(tree->notifier);
	tree->notifier = NULL;
	if (fd >= 0)
		tree->notifier = notifier_new(tree->settings.loop, fd, pid,
					      on_answer, tree);
	/* what was on its way may have been done or not */
	if (!TAILQ_EMPTY(&tree->orders))
		announce_none(tree);
	announce_drop(tree);
	if (tree->notifier) {
		nodes_each(tree->nodes, tidy, tree);
		announce_flush(tree);
	}
	tree_announce_late(tree);
}

bool tree_has_notifier(const struct tree *tree)
{
	return tree->notifier != NULL;
}

/* The name by which the notifier alone finds a node. */
static void write_own_name(uint64_t node, char ret[SOURCE_NAME_SIZE])
{
	(void)snprintf(ret, SOURCE_NAME_SIZE, ANNOUNCE_PREFIX "%" PRIu64, node);
}

/* The names that lead from the mount's root to the directory: its prefix is
 * made of secrets' names, which names of files may have to escape. */
static int write_path(const struct node *directory,
		      char ret[NOTIFY_DIRECTORY_MAX + 1])
{
	size_t at = NOTIFY_DIRECTORY_MAX;

	ret[at] = '\0';
	for (; directory->parent; directory = directory->parent) {
		size_t length = strlen(directory->name);
		bool is_last = ret[at] == '\0';

		if (length + !is_last > at)
			return -ENAMETOOLONG;
		if (!is_last)
			ret[--at] = '/';
		at -= length;
		memcpy(ret + at, directory->name, length);
	}
	memmove(ret, ret + at, NOTIFY_DIRECTORY_MAX + 1 - at);
	return 0;
}

static int send_order(struct tree *tree, const struct node *parent,
		      const struct order *order)
{
	char directory[NOTIFY_DIRECTORY_MAX + 1];
	char source_name[SOURCE_NAME_SIZE];
	struct notify_wish wish = {
		.kind = order->kind,
		.flags = order->kind == NOTIFY_DROP ? NOTIFY_UNLINK : 0,
		.id = order->id,
		.directory = directory,
		.name = order->name,
	};
	int r = write_path(parent, directory);

	if (r < 0)
		return r;
	write_own_name(order->node, source_name);
	if (order->kind == NOTIFY_REPLACE)
		wish.source_name = source_name;
	return notifier_order(tree->notifier, &wish);
}

static void note_sent(struct order *order)
{
	order->is_sent = true;
	log_debug("ordered", "order=%" PRIu64 " kind=%d name=%s node=%" PRIu64,
		  order->id, (int)order->kind, order->name, order->node);
}

/* The orders' end is their last chance to be told of otherwise. */
static void cannot_send(struct tree *tree, struct order *order, int code)
{
	on_failure(tree, order, code);
	free_order(tree, order);
}

void announce_flush(struct tree *tree)
{
	struct order *order = TAILQ_FIRST(&tree->orders);

	while (order && tree->notifier) {
		struct order *following = TAILQ_NEXT(order, link);
		const struct node *parent =
			nodes_find(tree->nodes, order->parent);
		int r = 0;

		if (!parent)
			r = -ENOENT;
		else if (!order->is_sent && parent->cold_lookups == 0)
			r = send_order(tree, parent, order);
		else
			r = -EBUSY;
		if (r == -EAGAIN)
			return;
		if (r == 0)
			note_sent(order);
		else if (r != -EBUSY)
			cannot_send(tree, order, r);
		order = following;
	}
}

/* What is not sent yet and about the same name has lost its sense: so a slow
 * LOOKUP lets no more orders pile up than there are names. */
static void supersede(struct tree *tree, const struct order *by)
{
	struct order *order = TAILQ_FIRST(&tree->orders);

	while (order) {
		struct order *following = TAILQ_NEXT(order, link);

		if (!order->is_sent && order->parent == by->parent &&
		    strcmp(order->name, by->name) == 0)
			free_order(tree, order);
		order = following;
	}
}

static bool add_order(struct tree *tree, enum notify_kind kind,
		      const struct node *node, const char *name)
{
	struct order *order = tree->notifier ? calloc(1, sizeof(*order)) : NULL;

	if (!order)
		return false;
	order->id = ++tree->next_order;
	order->kind = kind;
	order->parent = node->parent->id;
	order->node = node->id;
	(void)snprintf(order->name, sizeof(order->name), "%s", name);
	supersede(tree, order);
	TAILQ_INSERT_TAIL(&tree->orders, order, link);
	return true;
}

static void add_drop(struct tree *tree, const struct node *node)
{
	char name[SOURCE_NAME_SIZE];

	write_own_name(node->id, name);
	(void)add_order(tree, NOTIFY_DROP, node, name);
}

void announce_replace(struct tree *tree, struct node *node)
{
	if (add_order(tree, NOTIFY_REPLACE, node, node->name))
		announce_flush(tree);
	else
		nodes_settle(tree->nodes, node);
}

bool announce_remove(struct tree *tree, struct node *node)
{
	if (has_order(tree, NOTIFY_REMOVE, node))
		return true;
	if (!add_order(tree, NOTIFY_REMOVE, node, node->name))
		return false;
	announce_flush(tree);
	return true;
}

void announce_left(struct tree *tree, const struct node *node)
{
	if (node->lookups == 0)
		return;
	add_drop(tree, node);
	announce_flush(tree);
}

bool announce_is_notifier(const struct tree *tree,
			  const struct request *request)
{
	return tree->notifier &&
	       request_pid(request) == notifier_pid(tree->notifier);
}

/* NULL: what the name stands for is not wanted any more. */
static struct node *find_own(const struct tree *tree, const struct node *parent,
			     const char *name)
{
	struct node *node = announce_own_node(tree, parent, name);

	if (!node || has_order(tree, NOTIFY_DROP, node))
		return node;
	return node->is_prepared && is_latest(node) ? node : NULL;
}

/* A name that nobody has looked up has a node only while it is taken away. */
static struct node *find_named(const struct tree *tree,
			       const struct node *parent, const char *name)
{
	struct node *current = nodes_current(tree->nodes, parent, name);
	const struct order *order;

	if (current)
		return current;
	TAILQ_FOREACH(order, &tree->orders, link)
	{
		struct node *node = nodes_find(tree->nodes, order->node);

		if (node && node->is_empty && order->kind == NOTIFY_REMOVE &&
		    node->parent == parent && strcmp(node->name, name) == 0)
			return node;
	}
	return NULL;
}

struct node *announce_find(const struct tree *tree, const struct node *parent,
			   const char *name)
{
	if (strncmp(name, ANNOUNCE_PREFIX, strlen(ANNOUNCE_PREFIX)) == 0)
		return find_own(tree, parent, name);
	return find_named(tree, parent, name);
}

/* The name stays without a node here: whoever looks it up is given one. */
static int stand_in(struct tree *tree, struct node *node)
{
	if (nodes_current(tree->nodes, node->parent, node->name))
		return -EEXIST;
	nodes_stand_in(node, tree_now_ns(tree));
	return 0;
}

static int rename_node(struct tree *tree, const struct tree_rename *what)
{
	struct node *parent = nodes_find(tree->nodes, what->parent);
	struct node *node;

	if (!parent || what->new_parent != what->parent)
		return -EROFS;
	node = announce_find(tree, parent, what->name);
	if (!node || !node->is_prepared ||
	    strcmp(node->name, what->new_name) != 0)
		return -ENOENT;
	if (node->is_empty)
		return stand_in(tree, node);
	return is_latest(node) ? nodes_install(tree->nodes, node) : -ESTALE;
}

void tree_rename(struct tree *tree, struct request *request,
		 const struct tree_rename *what)
{
	if (announce_is_notifier(tree, request))
		request_fail(request, rename_node(tree, what));
	else
		request_fail(request,
			     announce_is_renamed(tree, what) ? 0 : -EROFS);
}

/* Only what was ordered: the name may show something else by now. */
static int unlink_node(struct tree *tree, uint64_t parent_id, const char *name)
{
	struct node *parent = nodes_find(tree->nodes, parent_id);
	struct node *node = parent ? announce_find(tree, parent, name) : NULL;

	if (!node)
		return -ENOENT;
	if (node->is_empty && strcmp(node->name, name) == 0)
		nodes_stand_in(node, tree_now_ns(tree));
	if (!node->is_current)
		return 0; /* that entry is the kernel's alone */
	if (!has_order(tree, NOTIFY_REMOVE, node))
		return -ESTALE;
	nodes_unlink(tree->nodes, parent, name, tree_now_ns(tree));
	return 0;
}

void tree_unlink(struct tree *tree, struct request *request, uint64_t parent,
		 const char *name)
{
	if (announce_is_notifier(tree, request))
		request_fail(request, unlink_node(tree, parent, name));
	else
		request_fail(request, announce_is_unlinked(tree, parent, name)
					      ? 0
					      : -EROFS);
}
