/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plaintext stays where it is, in its secret. A value adds an index: where
 * its members stand, and their names, which are file names and not secret.
 */
#include "store/value.h"
#include "base/buf.h"
#include "base/jdoc.h"
#include "base/macros.h"
#include "base/map.h"
#include "base/secret.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct key {
	jdoc_node member;
	size_t name; /* offset in the names */
	size_t name_length;
	size_t length; /* of what it reads as */
};

struct value {
	unsigned references;
	struct secret *bytes;
	int64_t created_ns;
	char version[VALUE_VERSION_MAX + 1];
	bool is_binary;
	char *arn;	  /* or NULL */
	struct jdoc *doc; /* NULL: not JSON */
	struct key *keys;
	size_t key_count;
	char *names; /* of all keys, one behind the other */
};

/* What is needed only until the keys are found. */
struct finder {
	struct value *value;
	struct map *seen;
	struct buf names;
};

/* Decodes a member's name behind the others, and adds a key for it unless there
 * is one: then that one moves on to this member. */
static int add_member(struct finder *finder, jdoc_node member)
{
	struct value *value = finder->value;
	struct key key = { .member = member, .name = finder->names.length };
	struct key *known;
	const void *name;
	int r;

	r = jdoc_string(value->doc, jdoc_name(value->doc, member),
			&finder->names);
	if (r < 0)
		return r;
	name = finder->names.bytes + key.name;
	key.name_length = finder->names.length - key.name;
	known = map_find(finder->seen, name, key.name_length);
	if (known) {
		known->member = member;
		return 0;
	}
	value->keys[value->key_count] = key;
	return map_put(finder->seen, name, key.name_length,
		       &value->keys[value->key_count++]);
}

static int add_members(struct finder *finder)
{
	struct value *value = finder->value;
	int r = 0;

	for (jdoc_node member = jdoc_first(value->doc, 0);
	     r == 0 && member != JDOC_NONE;
	     member = jdoc_next(value->doc, member))
		r = add_member(finder, member);
	return r;
}

static void measure(const struct jdoc *doc, struct key *key)
{
	if (jdoc_type(doc, key->member) == JDOC_STRING)
		key->length = jdoc_string_length(doc, key->member);
	else
		(void)jdoc_raw(doc, key->member, &key->length);
}

static void finder_done(struct finder *finder)
{
	buf_done(&finder->names);
	map_free(finder->seen);
}

static int find_keys(struct value *value)
{
	CLEANUP(finder_done)
	struct finder finder = { .value = value, .seen = map_new() };
	int r;

	buf_init(&finder.names, SECRET_LENGTH_MAX);
	/* One more than needed, so that "{}" asks for memory too. */
	value->keys =
		calloc(jdoc_count(value->doc, 0) + 1, sizeof(*value->keys));
	if (!finder.seen || !value->keys)
		return -ENOMEM;
	r = add_members(&finder);
	if (r < 0)
		return r;
	for (size_t i = 0; i < value->key_count; i++)
		measure(value->doc, &value->keys[i]);
	value->names = malloc(finder.names.length + 1);
	if (!value->names)
		return -ENOMEM;
	memcpy(value->names, buf_text(&finder.names), finder.names.length + 1);
	return 0;
}

/* Not being JSON is no failure: such a value has no keys. */
static int index_document(struct value *value)
{
	const char *text = (const char *)secret_bytes(value->bytes);
	int r = text ? jdoc_parse(text, secret_length(value->bytes),
				  &value->doc, NULL)
		     : -ENOMEM;

	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return 0;
	return jdoc_type(value->doc, 0) == JDOC_OBJECT ? find_keys(value) : 0;
}

struct value *value_new(struct secret *bytes, const struct value_about *about)
{
	struct value *value = calloc(1, sizeof(*value));

	if (!value)
		return NULL;
	value->references = 1;
	value->bytes = secret_ref(bytes);
	value->created_ns = about->created_ns;
	value->is_binary = about->is_binary;
	memcpy(value->version, about->version,
	       strnlen(about->version, VALUE_VERSION_MAX));
	if (about->arn)
		value->arn = strdup(about->arn);
	if ((about->arn && !value->arn) ||
	    (!about->is_binary && index_document(value) < 0)) {
		value_unref(value);
		return NULL;
	}
	return value;
}

struct value *value_ref(struct value *value)
{
	value->references++;
	return value;
}

void value_unref(struct value *value)
{
	if (!value)
		return;
	assert(value->references > 0);
	if (--value->references > 0)
		return;
	secret_unref(value->bytes);
	free(value->arn);
	jdoc_free(value->doc);
	free(value->keys);
	free(value->names);
	free(value);
}

const char *value_version(const struct value *value)
{
	return value->version;
}

const char *value_arn(const struct value *value)
{
	return value->arn;
}

int64_t value_created_ns(const struct value *value)
{
	return value->created_ns;
}

void value_date_after(struct value *value, int64_t after_ns)
{
	if (value->created_ns <= after_ns)
		value->created_ns = after_ns + 1;
}

struct secret *value_bytes(const struct value *value)
{
	return value->bytes;
}

/* Where the bytes are is known for a turn only: they may have been sealed.
 * NULL where they are not JSON or there is no memory. */
static const struct jdoc *document_of(const struct value *value)
{
	const char *text =
		value->doc ? (const char *)secret_bytes(value->bytes) : NULL;

	if (!text)
		return NULL;
	jdoc_rebind(value->doc, text);
	return value->doc;
}

const struct jdoc *value_document(const struct value *value)
{
	return document_of(value);
}

bool value_is_binary(const struct value *value)
{
	return value->is_binary;
}

bool value_has_keys(const struct value *value)
{
	return value->keys != NULL;
}

size_t value_key_count(const struct value *value)
{
	return value->key_count;
}

static const struct key *key_of(const struct value *value, size_t key)
{
	assert(key < value->key_count);
	return &value->keys[key];
}

const char *value_key_name(const struct value *value, size_t key,
			   size_t *ret_length)
{
	*ret_length = key_of(value, key)->name_length;
	return value->names + key_of(value, key)->name;
}

size_t value_key_length(const struct value *value, size_t key)
{
	return key_of(value, key)->length;
}

int value_key_read(const struct value *value, size_t key, struct buf *out)
{
	jdoc_node member = key_of(value, key)->member;
	const struct jdoc *doc = document_of(value);
	const char *text;
	size_t length;

	if (!doc)
		return -ENOMEM;
	if (jdoc_type(doc, member) == JDOC_STRING)
		return jdoc_string(doc, member, out);
	text = jdoc_raw(doc, member, &length);
	return buf_append(out, text, length);
}
