/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ls. What a directory holds is noted when its reading starts at the first
 * name, and read from that note on, so that a rotation in between neither
 * skips nor repeats a name.
 */
#include "base/buf.h"
#include "base/err.h"
#include "base/macros.h"
#include "base/map.h"
#include "fs/contents.h"
#include "fs/layout.h"
#include "fs/tree.h"
#include "fs/tree_private.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Names before the first one of ours: "." and "..". */
#define OWN_NAMES 2

/* d_ino of a name whose node is not known (FUSE_UNKNOWN_INO of libfuse). */
#define UNKNOWN_INO 0xffffffff

#define REPLY_MAX (128U << 10) /* with its head within BOUNCE_SIZE */

/* ls waits for a secret that is not known this long, then lists what is. */
#define PATIENCE_MS 2000

/* What is above are the workers before this one: see restore.c. */
#define GENERATION_SHIFT 32

struct handle {
	uint64_t id;
	struct contents contents;
};

struct reading {
	struct parked parked;
	struct tree *tree;
	struct layout *layout; /* of the moment it began; NULL: a prefix */
	struct tree_read_directory what;
};

static void free_handle(void *owner, void *value)
{
	struct handle *handle = value;

	(void)owner;
	contents_clear(&handle->contents);
	free(handle);
}

void tree_drop_handles(struct tree *tree)
{
	map_each(tree->handles, free_handle, NULL);
}

struct dropping {
	const struct value *value;
};

static void drop_value(void *owner, void *value)
{
	const struct dropping *dropping = owner;
	struct handle *handle = value;

	contents_drop_value(&handle->contents, dropping->value);
}

void tree_drop_value(struct tree *tree, const struct value *value)
{
	struct dropping dropping = { .value = value };

	map_each(tree->handles, drop_value, &dropping);
}

void tree_open_directory(struct tree *tree, struct request *request,
			 uint64_t id)
{
	const struct node *node = nodes_find(tree->nodes, id);
	struct handle *handle;

	if (!node || !node->is_directory) {
		request_fail(request, node ? -ENOTDIR : -ESTALE);
		return;
	}
	handle = calloc(1, sizeof(*handle));
	if (!handle) {
		request_fail(request, -ENOMEM);
		return;
	}
	handle->id = ++tree->next_handle;
	if (map_put(tree->handles, &handle->id, sizeof(handle->id), handle) <
	    0) {
		free(handle);
		request_fail(request, -ENOMEM);
		return;
	}
	if (request_reply_opened(request, handle->id) < 0)
		free_handle(NULL, map_remove(tree->handles, &tree->next_handle,
					     sizeof(tree->next_handle)));
}

void tree_close_directory(struct tree *tree, struct request *request,
			  uint64_t id)
{
	struct handle *handle = map_remove(tree->handles, &id, sizeof(id));

	if (handle)
		free_handle(NULL, handle);
	request_fail(request, 0);
}

static struct cache_want want_of(const struct reading *reading,
				 const struct contents *contents,
				 const struct noted *noted)
{
	if (noted->secret)
		return tree_want(reading->tree, noted->secret, false);
	return tree_want_object(contents->layout, noted->given
							  ? noted->given->object
							  : noted->object);
}

static int make_node(struct tree *tree, struct node *directory,
		     const struct noted *noted, struct value *value,
		     struct node **ret)
{
	const struct tree_key key = { .name = noted->name,
				      .object = noted->object,
				      .value = value,
				      .key = noted->key };

	if (noted->secret)
		return tree_secret_node(tree, directory, noted->name,
					noted->secret, value, ret);
	if (noted->given)
		return tree_file_node(tree, directory, noted->given, value,
				      ret);
	/* a rotation since then: the key's number is another version's */
	if (noted->value != value)
		return -ESTALE;
	return tree_key_node(tree, directory, &key, ret);
}

/*
 * The node of a name, if its value is at hand and fresh, and how long it will
 * be: ls -l then needs no further request. NULL where it is not.
 */
static struct node *fresh_node(const struct reading *reading,
			       const struct contents *contents,
			       struct node *directory,
			       const struct noted *noted, int64_t *ret_fresh_ms)
{
	struct tree *tree = reading->tree;
	struct cache_result result;
	struct cache_want want;
	struct node *node = NULL;

	if (noted->is_folder)
		return NULL;
	want = want_of(reading, contents, noted);
	if (!cache_peek(tree->settings.cache, &want, &result) || result.err)
		return NULL;
	if (make_node(tree, directory, noted, result.value, &node) < 0)
		return NULL;
	*ret_fresh_ms = result.fresh_ms;
	return node;
}

/* One of ours as an entry: with its node where is_plus, else by type alone. */
static struct request_name name_of(const struct reading *reading,
				   const struct contents *contents,
				   struct node *directory,
				   const struct noted *noted)
{
	struct request_name name = {
		.name = noted->name,
		.is_plus = reading->what.is_plus,
		.entry.attributes = {
			.st_ino = UNKNOWN_INO,
			.st_mode = noted->is_folder ? S_IFDIR : S_IFREG,
		},
	};
	const struct node *node;
	int64_t fresh_ms;

	if (!name.is_plus)
		return name;
	node = fresh_node(reading, contents, directory, noted, &fresh_ms);
	if (node)
		name.entry = tree_entry_of(reading->tree, node, fresh_ms);
	return name;
}

static struct request_name own_name(const struct reading *reading,
				    const struct node *directory, size_t index)
{
	const struct node *node =
		index && directory->parent ? directory->parent : directory;

	return (struct request_name){
		.name = index ? ".." : ".",
		.is_plus = reading->what.is_plus,
		.entry.attributes = { .st_ino = node->id, .st_mode = S_IFDIR },
	};
}

/* Adds one entry and counts its node as looked up. -ENOSPC: no room. */
static int add_name(struct reading *reading, struct buf *out,
		    struct request_name *name, size_t index)
{
	struct nodes *nodes = reading->tree->nodes;
	struct node *node = nodes_find(nodes, name->entry.node);
	int r;

	name->next = (off_t)index + 1;
	r = request_add_name(reading->parked.request, out, reading->what.size,
			     name);
	if (node && r == 0)
		tree_give(reading->tree, node);
	else if (node)
		nodes_settle(nodes, node);
	return r;
}

/* Fills out with entries from the offset on; their nodes go to ret_nodes, so
 * that they can be taken back. */
static void fill(struct reading *reading, const struct contents *contents,
		 struct buf *out, struct buf *ret_nodes)
{
	struct node *directory =
		nodes_find(reading->tree->nodes, reading->what.node);
	size_t count = OWN_NAMES + contents->count;

	for (size_t i = (size_t)reading->what.offset; i < count; i++) {
		struct request_name name;
		uint64_t id;

		if (buf_reserve(ret_nodes, sizeof(id)) < 0)
			return;
		if (i < OWN_NAMES)
			name = own_name(reading, directory, i);
		else
			name = name_of(reading, contents, directory,
				       &contents->names[i - OWN_NAMES]);
		id = name.entry.node;
		if (add_name(reading, out, &name, i) < 0)
			return;
		(void)buf_append(ret_nodes, &id, sizeof(id));
	}
}

static void take_back(struct nodes *nodes, const struct buf *ids)
{
	for (size_t at = 0; at < ids->length; at += sizeof(uint64_t)) {
		uint64_t id;

		memcpy(&id, ids->bytes + at, sizeof(id));
		if (id)
			(void)nodes_forget(nodes, id, 1);
	}
}

static void free_reading(struct reading *reading)
{
	layout_unref(reading->layout);
	free(reading);
}

static void release(struct parked *parked)
{
	free_reading(CONTAINER_OF(parked, struct reading, parked));
}

static void reply(struct reading *reading, const struct handle *handle)
{
	struct nodes *nodes = reading->tree->nodes;
	cleanup_buf struct buf out;
	cleanup_buf struct buf ids;

	buf_init(&out, REPLY_MAX);
	buf_init(&ids, REPLY_MAX);
	if (reading->what.size > REPLY_MAX)
		reading->what.size = REPLY_MAX;
	if (buf_reserve(&out, reading->what.size) < 0) {
		request_fail(reading->parked.request, -ENOMEM);
	} else {
		fill(reading, &handle->contents, &out, &ids);
		if (request_reply_bytes(reading->parked.request, out.bytes,
					out.length) < 0)
			take_back(nodes, &ids);
	}
	free_reading(reading);
}

static void fail(struct reading *reading, int code)
{
	request_fail(reading->parked.request, code);
	free_reading(reading);
}

static struct handle *handle_of(const struct reading *reading)
{
	return map_find(reading->tree->handles, &reading->what.handle,
			sizeof(reading->what.handle));
}

/* One that another worker opened; what it noted is noted anew. NULL: nobody
 * did, or no memory. */
static struct handle *handle_of_another(const struct reading *reading)
{
	struct tree *tree = reading->tree;
	uint64_t id = reading->what.handle;
	struct handle *handle;

	if (id == 0 ||
	    id >> GENERATION_SHIFT >= tree->next_handle >> GENERATION_SHIFT)
		return NULL;
	handle = calloc(1, sizeof(*handle));
	if (!handle)
		return NULL;
	handle->id = id;
	if (map_put(tree->handles, &id, sizeof(id), handle) == 0)
		return handle;
	free(handle);
	return NULL;
}

static int note_listing(struct reading *reading, struct handle *handle,
			struct listing *listing)
{
	struct tree *tree = reading->tree;
	struct node *directory = nodes_find(tree->nodes, reading->what.node);

	tree_announce_listing(tree, directory, listing);
	return contents_note_listing(&handle->contents, directory, listing);
}

/* Notes anew what the directory holds, with what is known now. */
static void go_on(struct parked *parked, const struct parked_results *results)
{
	struct reading *reading = CONTAINER_OF(parked, struct reading, parked);
	struct tree *tree = reading->tree;
	struct handle *handle = handle_of(reading);
	struct node *directory = nodes_find(tree->nodes, reading->what.node);
	int r = 0;

	if (!handle || !directory) {
		fail(reading, -ESTALE);
		return;
	}
	contents_clear(&handle->contents);
	if (reading->layout)
		r = contents_note_layout(&handle->contents, tree, directory,
					 reading->layout, results);
	else if (results->at[0].code < 0)
		r = results->at[0].code;
	else if (results->at[0].listing)
		r = note_listing(reading, handle, results->at[0].listing);
	else
		r = -EIO;
	if (r < 0)
		fail(reading, r);
	else
		reply(reading, handle);
}

/* ls needs the secrets whose keys are names, and no other. */
static void want_objects(struct reading *reading, const struct node *directory)
{
	const struct layout_directory *names =
		layout_directory(reading->layout, directory->prefix);
	size_t count = names ? layout_expanding_count(names) : 0;
	struct cache_want *wants = calloc(count + 1, sizeof(*wants));

	if (!wants) {
		fail(reading, -ENOMEM);
		return;
	}
	for (size_t i = 0; i < count; i++)
		wants[i] = tree_want_object(reading->layout,
					    layout_expanding_at(names, i));
	parked_want(&reading->parked,
		    &(struct parked_wants){ .at = wants,
					    .count = count,
					    .patience_ms = PATIENCE_MS },
		    go_on);
	free(wants);
}

static void start_note(struct reading *reading, const struct node *directory)
{
	struct cache_want want;

	if (reading->layout) {
		want_objects(reading, directory);
		return;
	}
	want = tree_want(reading->tree, directory->prefix, true);
	parked_want(&reading->parked,
		    &(struct parked_wants){ .at = &want,
					    .count = 1,
					    .patience_ms = PATIENCE_MS },
		    go_on);
}

void tree_read_directory(struct tree *tree, struct request *request,
			 const struct tree_read_directory *what)
{
	const struct node *directory = nodes_find(tree->nodes, what->node);
	struct reading *reading = calloc(1, sizeof(*reading));
	bool is_known;

	if (!reading) {
		request_fail(request, -ENOMEM);
		return;
	}
	reading->parked.parking = &tree->parking;
	reading->parked.request = request;
	reading->parked.release = release;
	reading->tree = tree;
	if (tree->layout)
		reading->layout = layout_ref(tree->layout);
	reading->what = *what;
	is_known = handle_of(reading);
	if (!directory || !directory->is_directory || what->offset < 0 ||
	    (!is_known && !handle_of_another(reading)))
		fail(reading, directory ? -EBADF : -ESTALE);
	else if (what->offset == 0 || !is_known)
		start_note(reading, directory);
	else
		reply(reading, handle_of(reading));
}
