/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as JSON, as the value of a secret, and as names: what jdoc, value
 * and name promise in their headers must hold for all of them.
 */
#include "fuzz/fuzz.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/jdoc.h"
#include "base/macros.h"
#include "base/secret.h"
#include "base/utf8.h"
#include "fs/name.h"
#include "store/value.h"

#include <errno.h>
#include <string.h>

/* Work that grows with the square of the input stops here. */
#define MEMBERS_MAX 64

static void check_string(const struct jdoc *doc, jdoc_node node)
{
	cleanup_buf struct buf buf = { .limit = JDOC_TEXT_MAX };
	size_t written;

	(void)jdoc_raw(doc, node, &written);
	PROMISE(jdoc_string(doc, node, &buf) == 0);
	PROMISE(buf.length == jdoc_string_length(doc, node));
	PROMISE(buf.length + 2 <= written);
	PROMISE(jdoc_string_is(doc, node, buf_text(&buf), buf.length));
	PROMISE(!jdoc_string_is(doc, node, buf_text(&buf), buf.length + 1));
	for (size_t at = 0, length; at < buf.length; at += length) {
		length = utf8_length_at(buf.bytes + at, buf.length - at);
		PROMISE(length > 0);
	}
}

static void check_number(const struct jdoc *doc, jdoc_node node)
{
	int64_t seconds;
	int64_t ns;

	if (jdoc_seconds_ns(doc, node, &ns) < 0)
		return;
	PROMISE(jdoc_integer(doc, node, &seconds) == 0);
	PROMISE(seconds == ns / 1000000000);
}

/* A node's text alone is JSON of the same type. */
static void check_raw(const struct jdoc *doc, jdoc_node node)
{
	cleanup_jdoc struct jdoc *alone = NULL;
	size_t length;
	const char *raw = jdoc_raw(doc, node, &length);
	size_t alone_length;

	PROMISE(jdoc_parse(raw, length, &alone, NULL) == 0);
	PROMISE(jdoc_type(alone, 0) == jdoc_type(doc, node));
	PROMISE(jdoc_count(alone, 0) == jdoc_count(doc, node));
	PROMISE(jdoc_raw(alone, 0, &alone_length) == raw);
	PROMISE(alone_length == length);
}

static void check_member(const struct jdoc *doc, jdoc_node parent,
			 jdoc_node member)
{
	cleanup_buf struct buf name = { .limit = JDOC_TEXT_MAX };
	jdoc_node found;

	PROMISE(jdoc_string(doc, jdoc_name(doc, member), &name) == 0);
	found = jdoc_member(doc, parent, buf_text(&name), name.length);
	PROMISE(found != JDOC_NONE && found >= member);
	PROMISE(jdoc_string_is(doc, jdoc_name(doc, found), buf_text(&name),
			       name.length));
}

static void check_node(const struct jdoc *doc, jdoc_node node)
{
	size_t count = 0;

	check_raw(doc, node);
	if (jdoc_type(doc, node) == JDOC_STRING)
		check_string(doc, node);
	if (jdoc_type(doc, node) == JDOC_NUMBER)
		check_number(doc, node);
	for (jdoc_node child = jdoc_first(doc, node); child != JDOC_NONE;
	     child = jdoc_next(doc, child)) {
		if (jdoc_name(doc, child) != JDOC_NONE && count < MEMBERS_MAX)
			check_member(doc, node, child);
		check_node(doc, child);
		count++;
	}
	PROMISE(count == jdoc_count(doc, node));
}

static void check_document(const char *text, size_t length)
{
	cleanup_jdoc struct jdoc *doc = NULL;
	struct err err;
	int r = jdoc_parse(text, length, &doc, &err);

	if (r == 0) {
		check_node(doc, 0);
		return;
	}
	PROMISE(r == -EBADMSG || r == -E2BIG);
	PROMISE(r == err.code && doc == NULL);
	PROMISE(strncmp(err.text, "byte ", 5) == 0);
}

static void check_file_name(const char *name)
{
	size_t length = strlen(name);

	PROMISE(length > 0 && length <= NAME_LENGTH_MAX);
	PROMISE(strcmp(name, ".") != 0 && strcmp(name, "..") != 0);
	for (size_t at = 0, legal; at < length; at += legal) {
		legal = utf8_length_at(name + at, length - at);
		PROMISE(legal > 0 && name[at] != '/' && name[at] != 0x7f);
		PROMISE((unsigned char)name[at] >= 0x20);
	}
}

static void check_key_name(const char *key, size_t length)
{
	char name[NAME_LENGTH_MAX + 1];
	int r = name_from_key(key, length, name);

	if (r == 0) {
		check_file_name(name);
		PROMISE(name[0] != '.');
	} else {
		PROMISE(r == (length ? -ENAMETOOLONG : -EINVAL));
	}
}

static void check_secret_name(const char *text, size_t length)
{
	char *secret = strndup(text, length);
	char name[NAME_LENGTH_MAX + 1];

	PROMISE(secret);
	if (name_from_secret(secret, name) == 0) {
		check_file_name(name);
		PROMISE(strlen(name) == strlen(secret));
	}
	free(secret);
}

static void check_key(const struct value *value, size_t key)
{
	cleanup_buf struct buf buf = { .limit = SECRET_LENGTH_MAX };
	size_t length;
	const char *name = value_key_name(value, key, &length);

	check_key_name(name, length);
	PROMISE(value_key_read(value, key, &buf) == 0);
	PROMISE(buf.length == value_key_length(value, key));
}

static void check_value(const char *text, size_t length)
{
	const struct value_about about = { .version = "fuzz" };
	struct secret *secret = secret_new(text, length);
	struct value *value;

	if (!secret) {
		PROMISE(errno == EFBIG);
		return;
	}
	value = value_new(secret, &about);
	secret_unref(secret);
	PROMISE(value);
	PROMISE(value_has_keys(value) || value_key_count(value) == 0);
	for (size_t key = 0; key < value_key_count(value); key++)
		check_key(value, key);
	value_unref(value);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	const char *text = (const char *)bytes;

	check_document(text, length);
	check_value(text, length);
	check_key_name(text, length);
	check_secret_name(text, length);
	return 0;
}
