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
	uint64_t node; /* to install, or whose name goes */
	bool is_sent;
	TAILQ_ENTRY(order) link;
	char name[NAME_LENGTH_MAX + 1];
};

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

static void free_order(struct tree *tree, struct order *order)
{
	struct node *node = nodes_find(tree->nodes, order->node);

	TAILQ_REMOVE(&tree->orders, order, link);
	if (node && order->kind == NOTIFY_REPLACE && !node->is_current)
		nodes_settle(tree->nodes, node);
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
	tree->reach.expire_names(tree->reach.owner);
}

/* All that changes in one turn is one message to the kernel. */
void announce_none(struct tree *tree)
{
	if (tree->reach.expire_names && !tree->expire)
		tree->expire = loop_soon(tree->settings.loop, on_expire, tree);
}

static void on_answer(void *owner, uint64_t id, int result)
{
	struct tree *tree = owner;
	struct order *order = find_order(tree, id);

	if (result < 0) {
		log_debug("the notifier could not do it",
			  "order=%" PRIu64 " error=%s", id,
			  strerrordesc_np(-result));
		announce_none(tree);
	}
	if (order)
		free_order(tree, order);
	announce_flush(tree);
}

void tree_set_notifier(struct tree *tree, int fd, pid_t pid)
{
	notifier_free(tree->notifier);
	tree->notifier = NULL;
	if (fd >= 0)
		tree->notifier = notifier_new(tree->settings.loop, fd, pid,
					      on_answer, tree);
	if (!tree->notifier) {
		/* what was on its way may have been done or not */
		if (!TAILQ_EMPTY(&tree->orders))
			announce_none(tree);
		announce_drop(tree);
	}
	tree_announce_late(tree);
}

bool tree_has_notifier(const struct tree *tree)
{
	return tree->notifier != NULL;
}

/* The directory's path without the '/' at its end. */
static int send_order(struct tree *tree, const struct node *parent,
		      const struct order *order)
{
	char directory[NOTIFY_DIRECTORY_MAX + 1];
	char source_name[SOURCE_NAME_SIZE];
	size_t length = strlen(parent->prefix);
	struct notify_wish wish = {
		.kind = order->kind,
		.id = order->id,
		.directory = directory,
		.name = order->name,
	};

	if (length > NOTIFY_DIRECTORY_MAX)
		return -ENAMETOOLONG;
	(void)snprintf(directory, sizeof(directory), "%.*s",
		       length ? (int)length - 1 : 0, parent->prefix);
	(void)snprintf(source_name, sizeof(source_name),
		       ANNOUNCE_PREFIX "%" PRIu64, order->node);
	if (order->kind == NOTIFY_REPLACE)
		wish.source_name = source_name;
	return notifier_order(tree->notifier, &wish);
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
			order->is_sent = true;
		else if (r != -EBUSY)
			free_order(tree, order);
		order = following;
	}
}

static bool add_order(struct tree *tree, enum notify_kind kind,
		      const struct node *node)
{
	struct order *order = tree->notifier ? calloc(1, sizeof(*order)) : NULL;

	if (!order)
		return false;
	order->id = ++tree->next_order;
	order->kind = kind;
	order->parent = node->parent->id;
	order->node = node->id;
	(void)snprintf(order->name, sizeof(order->name), "%s", node->name);
	TAILQ_INSERT_TAIL(&tree->orders, order, link);
	return true;
}

void announce_replace(struct tree *tree, struct node *node)
{
	if (add_order(tree, NOTIFY_REPLACE, node))
		announce_flush(tree);
	else
		nodes_settle(tree->nodes, node);
}

void announce_remove(struct tree *tree, struct node *node)
{
	if (add_order(tree, NOTIFY_REMOVE, node))
		announce_flush(tree);
}

bool announce_is_notifier(const struct tree *tree,
			  const struct request *request)
{
	return tree->notifier &&
	       request_pid(request) == notifier_pid(tree->notifier);
}

/* NULL: the name is none of ours, or what it stands for is gone. */
static struct node *find_prepared(const struct tree *tree,
				  const struct node *parent, const char *name)
{
	char expected[SOURCE_NAME_SIZE];
	struct node *node;
	uint64_t id = 0;

	for (const char *at = name + strlen(ANNOUNCE_PREFIX); *at; at++) {
		if (*at < '0' || *at > '9')
			return NULL;
		id = id * 10 + (uint64_t)(*at - '0');
	}
	(void)snprintf(expected, sizeof(expected), ANNOUNCE_PREFIX "%" PRIu64,
		       id);
	node = nodes_find(tree->nodes, id);
	if (!node || node->parent != parent || node->is_directory ||
	    strcmp(name, expected) != 0)
		return NULL;
	return node;
}

struct node *announce_find(const struct tree *tree, const struct node *parent,
			   const char *name)
{
	if (strncmp(name, ANNOUNCE_PREFIX, strlen(ANNOUNCE_PREFIX)) == 0)
		return find_prepared(tree, parent, name);
	return nodes_current(tree->nodes, parent, name);
}

/* A later version may have come meanwhile, whose own order follows: an older
 * one is not put in its place. */
static bool is_latest(const struct node *node)
{
	const struct follow *follow = node->follow;

	return node->value && follow && follow->value &&
	       strcmp(value_version(follow->value),
		      value_version(node->value)) == 0;
}

static int rename_node(struct tree *tree, const struct tree_rename *what)
{
	struct node *parent = nodes_find(tree->nodes, what->parent);
	struct node *node;

	if (!parent || what->new_parent != what->parent)
		return -EROFS;
	node = announce_find(tree, parent, what->name);
	if (!node || node->is_current ||
	    strcmp(node->name, what->new_name) != 0)
		return -ENOENT;
	return is_latest(node) ? nodes_install(tree->nodes, node) : -ESTALE;
}

void tree_rename(struct tree *tree, struct request *request,
		 const struct tree_rename *what)
{
	request_fail(request, announce_is_notifier(tree, request)
				      ? rename_node(tree, what)
				      : -EROFS);
}

/* Only what was ordered: the name may show something else by now. */
static bool is_to_go(const struct tree *tree, const struct node *node)
{
	const struct order *order;

	TAILQ_FOREACH(order, &tree->orders, link)
	{
		if (order->kind == NOTIFY_REMOVE && order->node == node->id)
			return true;
	}
	return false;
}

static int unlink_node(struct tree *tree, uint64_t parent_id, const char *name)
{
	struct node *parent = nodes_find(tree->nodes, parent_id);
	const struct node *node =
		parent ? nodes_current(tree->nodes, parent, name) : NULL;

	if (!node)
		return -ENOENT;
	if (!is_to_go(tree, node))
		return -ESTALE;
	nodes_unlink(tree->nodes, parent, name, tree_now_ns(tree));
	return 0;
}

void tree_unlink(struct tree *tree, struct request *request, uint64_t parent,
		 const char *name)
{
	request_fail(request, announce_is_notifier(tree, request)
				      ? unlink_node(tree, parent, name)
				      : -EROFS);
}
