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
#include "fs/tree.h"
#include "fs/tree_private.h"
#include "store/listing.h"
#include "store/value.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Names before the first one of ours: "." and "..". */
#define OWN_NAMES 2

/* d_ino of a name whose node is not known (FUSE_UNKNOWN_INO of libfuse). */
#define UNKNOWN_INO 0xffffffff

#define REPLY_MAX (1U << 20)

/* ls waits for a secret that is not known this long, then lists what is. */
#define PATIENCE_MS 2000

struct noted {
	const char *name;
	bool is_folder;
	char *secret; /* of a prefix: the secret's whole name */
	size_t key;   /* of the value, or NODE_WHOLE */
};

struct handle {
	uint64_t id;
	struct value *value; /* whose keys were noted; NULL below a prefix */
	struct noted *names;
	size_t count;
	size_t capacity;
};

struct reading {
	struct parked parked; /* first: freed as one */
	struct tree *tree;
	struct tree_read_directory what;
};

static void clear_handle(struct handle *handle)
{
	for (size_t i = 0; i < handle->count; i++) {
		free((char *)(uintptr_t)handle->names[i].name);
		free(handle->names[i].secret);
	}
	free(handle->names);
	handle->names = NULL;
	handle->count = 0;
	handle->capacity = 0;
	value_unref(handle->value);
	handle->value = NULL;
}

static void free_handle(void *owner, void *value)
{
	struct handle *handle = value;

	(void)owner;
	clear_handle(handle);
	free(handle);
}

void tree_drop_handles(struct tree *tree)
{
	map_each(tree->handles, free_handle, NULL);
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

static int note(struct handle *handle, const struct noted *noted)
{
	if (handle->count == handle->capacity) {
		size_t capacity = handle->capacity ? handle->capacity * 2 : 16;
		struct noted *names = reallocarray(handle->names, capacity,
						   sizeof(struct noted));

		if (!names)
			return -ENOMEM;
		handle->names = names;
		handle->capacity = capacity;
	}
	handle->names[handle->count] = *noted;
	handle->names[handle->count].name = strdup(noted->name);
	if (!handle->names[handle->count].name)
		return -ENOMEM;
	handle->count++;
	return 0;
}

/* The whole value's name stands first and hides a key of that name. */
static int note_keys(const struct tree *tree, const struct value *value,
		     struct handle *handle)
{
	char file[NAME_LENGTH_MAX + 1];

	for (size_t key = 0; key < value_key_count(value); key++) {
		size_t length;
		const char *bytes = value_key_name(value, key, &length);
		int r = name_from_key(bytes, length, file);

		if (r < 0 || strcmp(file, tree->whole_file) == 0)
			continue;
		r = note(handle, &(struct noted){ .name = file, .key = key });
		if (r < 0)
			return r;
	}
	return 0;
}

/* ls lists what is known: with the secret out of reach, its own name. */
static int note_secret(struct tree *tree, const struct cache_result *result,
		       struct handle *handle)
{
	struct noted whole = { .name = tree->whole_file, .key = NODE_WHOLE };
	int r;

	if (result->err && result->err->code == -ENOENT)
		return 0;
	r = note(handle, &whole);
	if (r < 0 || result->err)
		return r;
	handle->value = value_ref(result->value);
	return note_keys(tree, handle->value, handle);
}

static int note_secret_at(struct handle *handle, const char *file,
			  const struct listing_name *listed,
			  const char *secret_prefix)
{
	struct noted noted = {
		.name = file,
		.is_folder = listed->is_folder,
		.key = NODE_WHOLE,
	};
	int r;

	if (asprintf(&noted.secret, "%s%s", secret_prefix, listed->name) < 0)
		return -ENOMEM;
	r = note(handle, &noted);
	if (r < 0)
		free(noted.secret);
	return r;
}

/* A secret that has the name of its folder stands in it. */
static int note_folder_value(const struct node *directory,
			     struct handle *handle)
{
	char secret[SECRET_NAME_MAX];

	if (!directory->has_value)
		return 0;
	(void)snprintf(secret, sizeof(secret), "%.*s",
		       (int)strlen(directory->prefix) - 1, directory->prefix);
	return note_secret_at(handle, NAME_FOLDER_VALUE,
			      &(struct listing_name){ .name = secret }, "");
}

static int note_listing(const struct node *directory,
			const struct listing *listing, struct handle *handle)
{
	char file[NAME_LENGTH_MAX + 1];
	int r = note_folder_value(directory, handle);

	for (size_t i = 0; r == 0 && i < listing_count(listing); i++) {
		const struct listing_name *listed = listing_at(listing, i);

		if (name_from_key(listed->name, strlen(listed->name), file) ==
		    0)
			r = note_secret_at(handle, file, listed,
					   directory->prefix);
	}
	return r;
}

/*
 * The node of a name, if its value is at hand and fresh, and how long it will
 * be: ls -l then needs no further request. NULL where it is not.
 */
static struct node *fresh_node(struct tree *tree, const struct handle *handle,
			       struct node *directory,
			       const struct noted *noted, int64_t *ret_fresh_ms)
{
	struct cache_want want = tree_want(
		tree, noted->secret ? noted->secret : tree->name, false);
	struct cache_result result;

	if (noted->is_folder ||
	    !cache_peek(tree->settings.cache, &want, &result) || result.err)
		return NULL;
	/* a rotation since then: the key numbers are another version's */
	if (handle->value && handle->value != result.value)
		return NULL;
	*ret_fresh_ms = result.fresh_ms;
	return nodes_file(tree->nodes, directory, noted->name, result.value,
			  noted->key);
}

/* One of ours as an entry: with its node where is_plus, else by type alone. */
static struct request_name name_of(struct reading *reading,
				   const struct handle *handle,
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
	node = fresh_node(reading->tree, handle, directory, noted, &fresh_ms);
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
		nodes_looked_up(node);
	else if (node)
		nodes_settle(nodes, node);
	return r;
}

/* Fills out with entries from the offset on; their nodes go to ret_nodes, so
 * that they can be taken back. */
static void fill(struct reading *reading, const struct handle *handle,
		 struct buf *out, struct buf *ret_nodes)
{
	struct node *directory =
		nodes_find(reading->tree->nodes, reading->what.node);
	size_t count = OWN_NAMES + handle->count;

	for (size_t i = (size_t)reading->what.offset; i < count; i++) {
		struct request_name name;
		uint64_t id;

		if (buf_reserve(ret_nodes, sizeof(id)) < 0)
			return;
		if (i < OWN_NAMES)
			name = own_name(reading, directory, i);
		else
			name = name_of(reading, handle, directory,
				       &handle->names[i - OWN_NAMES]);
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
		fill(reading, handle, &out, &ids);
		if (request_reply_bytes(reading->parked.request, out.bytes,
					out.length) < 0)
			take_back(nodes, &ids);
	}
	free(reading);
}

static void fail(struct reading *reading, int code)
{
	request_fail(reading->parked.request, code);
	free(reading);
}

static struct handle *handle_of(const struct reading *reading)
{
	return map_find(reading->tree->handles, &reading->what.handle,
			sizeof(reading->what.handle));
}

/* Starts a new note with what is known now. */
static void go_on(struct parked *parked, const struct cache_result *result)
{
	struct reading *reading = CONTAINER_OF(parked, struct reading, parked);
	struct tree *tree = reading->tree;
	struct handle *handle = handle_of(reading);
	const struct node *directory =
		nodes_find(tree->nodes, reading->what.node);
	int r;

	if (!handle || !directory) {
		fail(reading, -ESTALE);
		return;
	}
	clear_handle(handle);
	if (!tree->settings.is_prefix)
		r = note_secret(tree, result, handle);
	else if (result->err)
		r = result->err->code;
	else
		r = note_listing(directory, result->listing, handle);
	if (r < 0)
		fail(reading, r);
	else
		reply(reading, handle);
}

static void start_note(struct reading *reading, const struct node *directory)
{
	struct tree *tree = reading->tree;
	bool is_prefix = tree->settings.is_prefix;
	struct cache_want want = tree_want(
		tree, is_prefix ? directory->prefix : tree->name, is_prefix);

	parked_want(&reading->parked, &want, PATIENCE_MS, go_on);
}

void tree_read_directory(struct tree *tree, struct request *request,
			 const struct tree_read_directory *what)
{
	const struct node *directory = nodes_find(tree->nodes, what->node);
	struct reading *reading = calloc(1, sizeof(*reading));

	if (!reading) {
		request_fail(request, -ENOMEM);
		return;
	}
	reading->parked.parking = &tree->parking;
	reading->parked.request = request;
	reading->tree = tree;
	reading->what = *what;
	if (!directory || !directory->is_directory || !handle_of(reading) ||
	    what->offset < 0)
		fail(reading, directory ? -EBADF : -ESTALE);
	else if (what->offset == 0)
		start_note(reading, directory);
	else
		reply(reading, handle_of(reading));
}
