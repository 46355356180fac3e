/* SPDX-License-Identifier: Apache-2.0 */
/* What needs no fetch: attributes, and bytes of a node. A node holds its value,
 * so a read never waits, but for what another worker left: restore.c. */
#include "fs/tree.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/macros.h"
#include "base/map.h"
#include "base/once.h"
#include "base/secret.h"
#include "fs/announce.h"
#include "fs/follow.h"
#include "fs/layout.h"
#include "fs/node_table.h"
#include "fs/notifier.h"
#include "fs/tree_private.h"
#include "loop/loop.h"
#include "store/source.h"
#include "store/value.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_S 1000000000

/* Lines in the log that one mount says once; more are not said at all. */
#define COMPLAINTS_MAX 1000

/* Between the kernel's FORGET of a node and its LOOKUP of the name. */
#define SWEEP_MS 1000

int64_t tree_now_ns(const struct tree *tree)
{
	return clock_wall_s(loop_clock(tree->settings.loop)) * NS_PER_S;
}

/* How many are left is what tests and operators see of leaks. */
static void on_node_free(void *owner, struct node *node)
{
	const struct tree *tree = owner;

	log_debug("forgotten", "node=%llu nodes=%zu",
		  (unsigned long long)node->id, nodes_count(tree->nodes));
	follow_drop(node);
}

static int set_up(struct tree *tree)
{
	const char *prefix = tree->settings.prefix.name;

	tree->prefix = strdup(prefix ? prefix : "");
	tree->settings.prefix.name = tree->prefix;
	tree->nodes = nodes_new(tree_now_ns(tree));
	tree->handles = map_new();
	tree->told = once_new(COMPLAINTS_MAX);
	tree->follows = follows_new(tree->settings.cache, tree_on_secret, tree);
	if (!tree->prefix || !tree->nodes || !tree->handles || !tree->told ||
	    !tree->follows)
		return -ENOMEM;
	nodes_set_on_free(tree->nodes, on_node_free, tree);
	return 0;
}

struct tree *tree_new(const struct tree_settings *settings)
{
	struct tree *tree = calloc(1, sizeof(*tree));

	if (!tree)
		return NULL;
	tree->settings = *settings;
	if (settings->layout)
		tree->layout = layout_ref(settings->layout);
	TAILQ_INIT(&tree->orders);
	parking_init(&tree->parking, settings->loop, settings->cache);
	if (set_up(tree) < 0) {
		tree_free(tree);
		errno = ENOMEM;
		return NULL;
	}
	return tree;
}

void tree_free(struct tree *tree)
{
	if (!tree)
		return;
	parking_done(&tree->parking);
	loop_timer_cancel(TAKE(tree->expire));
	loop_timer_cancel(TAKE(tree->review));
	notifier_free(TAKE(tree->notifier));
	announce_drop(tree);
	loop_timer_cancel(TAKE(tree->sweep));
	if (tree->handles)
		tree_drop_handles(tree);
	map_free(tree->handles);
	nodes_free(tree->nodes);
	follows_free(tree->follows);
	node_table_close(tree->table);
	layout_unref(tree->layout);
	once_free(tree->told);
	free(tree->prefix);
	free(tree);
}

void tree_set_reach(struct tree *tree, const struct tree_reach *reach)
{
	tree->reach = *reach;
}

size_t tree_waiting_count(const struct tree *tree)
{
	return parking_count(&tree->parking);
}

size_t tree_node_count(const struct tree *tree)
{
	return nodes_count(tree->nodes);
}

void tree_set_layout(struct tree *tree, struct layout *layout)
{
	struct layout *old = tree->layout;

	tree->layout = layout_ref(layout);
	layout_unref(old);
	once_clear(tree->told);
	tree_announce_layout(tree);
	tree_await(tree);
}

void tree_await(struct tree *tree)
{
	nodes_await(tree->nodes);
	tree->is_awaiting = true;
}

static void on_sweep(void *owner);

/* Without memory for it the nodes stay until the next one. */
void tree_sweep_later(struct tree *tree)
{
	struct loop *loop = tree->settings.loop;

	if (tree->is_awaiting && !tree->sweep)
		tree->sweep = loop_timer(loop, loop_now_ms(loop) + SWEEP_MS,
					 on_sweep, tree);
}

static void on_sweep(void *owner)
{
	struct tree *tree = owner;

	tree->sweep = NULL;
	if (nodes_sweep(tree->nodes) > 0)
		tree_sweep_later(tree);
}

struct cache_want tree_want(const struct tree *tree, const char *name,
			    bool is_listing)
{
	const struct tree_prefix *prefix = &tree->settings.prefix;

	return (struct cache_want){
		.source = prefix->source,
		.name = name,
		.is_listing = is_listing,
		.ttl_ms = prefix->ttl_ms,
		.max_stale_ms = prefix->max_stale_ms,
		.verify_ms = prefix->verify_ms,
		.timeout_ms = prefix->timeout_ms,
	};
}

struct cache_want tree_want_object(const struct layout *layout,
				   const struct layout_object *object)
{
	const struct layout_settings *settings = layout_settings(layout);

	return (struct cache_want){
		.source = object->source,
		.name = object->name,
		.version = object->version,
		.stage = object->stage,
		.ttl_ms = settings->ttl_ms,
		.max_stale_ms = settings->max_stale_ms,
		.verify_ms = settings->verify_ms,
		.timeout_ms = settings->timeout_ms,
	};
}

static const struct rights *directory_rights(const struct tree *tree)
{
	return tree->layout ? &layout_settings(tree->layout)->directory_rights
			    : &tree->settings.prefix.directory_rights;
}

static mode_t mode_of(const struct tree *tree, const struct node *node,
		      mode_t mode)
{
	if (!tree->settings.is_writable)
		return mode;
	mode &= ~(mode_t)(S_IWUSR | S_IWGRP | S_IWOTH);
	return node->is_directory ? mode | S_IRWXU : mode;
}

static struct timespec to_timespec(int64_t ns)
{
	int64_t rest = ns % NS_PER_S;

	if (rest < 0)
		rest += NS_PER_S;
	return (struct timespec){ .tv_sec = (ns - rest) / NS_PER_S,
				  .tv_nsec = rest };
}

void tree_fill_stat(const struct tree *tree, const struct node *node,
		    struct stat *ret)
{
	const struct rights *rights =
		node->is_directory ? directory_rights(tree) : &node->rights;

	*ret = (struct stat){
		.st_ino = node->id,
		.st_uid = rights->uid,
		.st_gid = rights->gid,
		.st_mode = mode_of(tree, node, rights->mode),
		.st_blksize = 4096,
	};
	if (node->is_directory) {
		ret->st_mode |= S_IFDIR;
		ret->st_nlink = 2;
		ret->st_mtim = to_timespec(node->changed_ns);
	} else {
		ret->st_mode |= S_IFREG;
		ret->st_nlink = node->is_current;
		ret->st_size = (off_t)node->size;
		ret->st_blocks = ((blkcnt_t)node->size + 511) / 512;
		ret->st_mtim = to_timespec(node->modified_ns);
	}
	ret->st_atim = ret->st_mtim;
	ret->st_ctim = ret->st_mtim;
}

/*
 * The permission check of every path walk asks for a directory's attributes
 * once they are over, so they last as long as a name does: else warm reads
 * would send a GETATTR a second. ls needs none of it, OPENDIR is answered.
 */
static int64_t attributes_ms(const struct tree *tree, const struct node *node)
{
	const struct tree_prefix *prefix = &tree->settings.prefix;
	int64_t bound_ms;

	if (!node->is_directory)
		return FILE_ATTRIBUTES_MS;
	if (tree->layout)
		return layout_ttl_ms(tree->layout);
	bound_ms = prefix->source->max_ttl_ms;
	return bound_ms && bound_ms < prefix->ttl_ms ? bound_ms
						     : prefix->ttl_ms;
}

struct request_entry tree_entry_of(const struct tree *tree,
				   const struct node *node, int64_t entry_ms)
{
	struct request_entry entry = {
		.node = node->id,
		.entry_ms = entry_ms,
		.attributes_ms = attributes_ms(tree, node),
	};

	tree_fill_stat(tree, node, &entry.attributes);
	return entry;
}

void tree_get_attributes(struct tree *tree, struct request *request,
			 uint64_t id)
{
	const struct node *node = nodes_find(tree->nodes, id);
	struct stat attributes;

	if (!node) {
		request_fail(request, -ESTALE);
		return;
	}
	tree_fill_stat(tree, node, &attributes);
	request_reply_attributes(request, &attributes,
				 attributes_ms(tree, node));
}

/* The part of the bytes that was asked for; nothing past the end. */
static void reply_part(struct request *request, const unsigned char *bytes,
		       size_t length, off_t offset, size_t size)
{
	size_t from = (size_t)offset;

	if (offset < 0 || from >= length)
		from = length;
	if (size > length - from)
		size = length - from;
	(void)request_reply_bytes(request, length ? bytes + from : NULL, size);
}

static void reply_secret(struct request *request, struct secret *secret,
			 off_t offset, size_t size)
{
	const unsigned char *bytes = secret_bytes(secret);

	if (bytes)
		reply_part(request, bytes, secret_length(secret), offset, size);
	else
		request_fail(request, -ENOMEM);
}

static void reply_key(struct request *request, const struct node *node,
		      off_t offset, size_t size)
{
	cleanup_buf struct buf decoded;
	int r;

	buf_init(&decoded, SECRET_LENGTH_MAX);
	r = value_key_read(node->value, node->view.key, &decoded);
	if (r < 0)
		request_fail(request, r);
	else
		reply_part(request, decoded.bytes, decoded.length, offset,
			   size);
}

void tree_read(struct tree *tree, struct request *request, uint64_t id,
	       off_t offset, size_t size)
{
	const struct node *node = nodes_find(tree->nodes, id);
	struct secret *bytes;

	if (!node || node->is_directory) {
		request_fail(request, node ? -EISDIR : -ESTALE);
		return;
	}
	if (node->version) {
		tree_read_restored(tree, request, node, offset, size);
		return;
	}
	bytes = node->revoked ? NULL : node_bytes(node);
	if (node->revoked)
		request_fail(request, node->revoked);
	else if (bytes)
		reply_secret(request, bytes, offset, size);
	else
		reply_key(request, node, offset, size);
}
