/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_JDOC_H
#define BASE_JDOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/macros.h"

struct buf;
struct err;

/*
 * JSON (RFC 8259) as an index over its own text.
 *
 * A jdoc holds where each node stands in the text, never a byte of a value:
 * numbers keep every digit as written, strings keep their escapes until they
 * are decoded into a buf, and "\u0000" survives. The text is borrowed and must
 * stay as long as the jdoc; where it has moved, the jdoc is told.
 *
 * Strict: the whole text is one value; control bytes and invalid UTF-8 in
 * strings, lone surrogates, trailing bytes, leading zeros, NaN and comments
 * are refused. Where a name stands twice in an object, the last one counts, as
 * in most readers.
 */

#define JDOC_DEPTH_MAX 32
#define JDOC_NODES_MAX 65536
#define JDOC_TEXT_MAX (8U << 20)

enum jdoc_type {
	JDOC_NULL,
	JDOC_FALSE,
	JDOC_TRUE,
	JDOC_NUMBER,
	JDOC_STRING,
	JDOC_ARRAY,
	JDOC_OBJECT,
};

struct jdoc;

/* A node's number. 0 is the root; JDOC_NONE is no node, and every call takes it
 * as a null without text or children, so that lookups can be chained. */
typedef uint32_t jdoc_node;
#define JDOC_NONE UINT32_MAX

/*
 * 0; -EBADMSG where the text is not JSON (the error names the byte offset and
 * the reason, never the text), -E2BIG past a limit above, -ENOMEM.
 */
int jdoc_parse(const char *text, size_t length, struct jdoc **ret,
	       struct err *err);

/* NULL is allowed. */
void jdoc_free(struct jdoc *doc);

/* The same text is at another place now. */
void jdoc_rebind(struct jdoc *doc, const char *text);

enum jdoc_type jdoc_type(const struct jdoc *doc, jdoc_node node);

/* The node's text as written: a string with its quotes. Borrowed from the
 * text that was parsed. */
const char *jdoc_raw(const struct jdoc *doc, jdoc_node node,
		     size_t *ret_length);

/* Children of an array or object, in order; JDOC_NONE at the end, and for
 * other types. An object's children are its values. */
jdoc_node jdoc_first(const struct jdoc *doc, jdoc_node parent);
jdoc_node jdoc_next(const struct jdoc *doc, jdoc_node node);

/* The number of children; of an object, repeated names included. */
size_t jdoc_count(const struct jdoc *doc, jdoc_node parent);

/* The name of an object's member, given the member's value: a string node of
 * its own for the three calls below; JDOC_NONE where node is no member. */
jdoc_node jdoc_name(const struct jdoc *doc, jdoc_node member);

/* The member of that (decoded) name, the last one where it is repeated;
 * JDOC_NONE where there is none, and where parent is no object. */
jdoc_node jdoc_member(const struct jdoc *doc, jdoc_node parent,
		      const char *name, size_t name_length);

/* The same by a text. */
static inline jdoc_node jdoc_find(const struct jdoc *doc, jdoc_node parent,
				  const char *name)
{
	return jdoc_member(doc, parent, name, strlen(name));
}

/* For strings: length in bytes once decoded. 0 for other types. */
size_t jdoc_string_length(const struct jdoc *doc, jdoc_node node);

/* Whether a string, decoded, is exactly these bytes. False for other types. */
bool jdoc_string_is(const struct jdoc *doc, jdoc_node node, const char *bytes,
		    size_t length);

/* Whether the member of that name is that text. */
static inline bool jdoc_member_is(const struct jdoc *doc, jdoc_node parent,
				  const char *name, const char *text)
{
	return jdoc_string_is(doc, jdoc_find(doc, parent, name), text,
			      strlen(text));
}

/* Appends the decoded string. 0, -EINVAL where node is no string, -EFBIG,
 * -ENOMEM. */
int jdoc_string(const struct jdoc *doc, jdoc_node node, struct buf *out);

/* The same for a text that is no secret, into the caller's own room for
 * jdoc_string_length() bytes. Nothing is written for other types. */
void jdoc_string_write(const struct jdoc *doc, jdoc_node node,
		       unsigned char *to);

/* The integer part of a number, also of "1.7E9" and "1700000000.123" (AWS
 * sends both forms). 0, -EINVAL for another type, -ERANGE outside int64. */
int jdoc_integer(const struct jdoc *doc, jdoc_node node, int64_t *ret);

/* A number of seconds as nanoseconds, exact to what was written: AWS timestamps
 * have millisecond fractions. 0, -EINVAL, -ERANGE. */
int jdoc_seconds_ns(const struct jdoc *doc, jdoc_node node, int64_t *ret);

#define cleanup_jdoc CLEANUP(jdoc_cleanup)
void jdoc_cleanup(struct jdoc **doc);

#endif
