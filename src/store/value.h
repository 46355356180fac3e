/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_VALUE_H
#define STORE_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct jdoc;
struct secret;

/*
 * One immutable version of one secret, counted.
 *
 * Where the bytes are a JSON object, its top-level members are the value's
 * keys: found once, decoded when they are read. A member that is a string
 * reads as its bytes, anything else as its JSON text as written.
 */

#define VALUE_VERSION_MAX 64 /* longest VersionId of Secrets Manager */
#define VALUE_ARN_MAX 2048   /* longest SecretId of Secrets Manager */

struct value;

struct value_about {
	const char *version; /* the source's name for it; longer ones are cut */
	const char *arn;     /* the secret's name for good, as the source told
			      * it with the value, in printable ASCII of at most
			      * VALUE_ARN_MAX bytes; NULL: it has none */
	int64_t created_ns;  /* since 1970; 0: not known */
	bool is_binary;	     /* SecretBinary: never has keys */
};

/* Takes its own references and copies. NULL: no memory. */
struct value *value_new(struct secret *bytes, const struct value_about *about);

struct value *value_ref(struct value *value);

/* NULL is allowed. */
void value_unref(struct value *value);

const char *value_version(const struct value *value);

/* Borrowed from the value, which has a copy of its own. NULL: the source told
 * none. */
const char *value_arn(const struct value *value);

int64_t value_created_ns(const struct value *value);

/* Gives it a later date than after_ns, if it has none, as long as nobody else
 * has the value. */
void value_date_after(struct value *value, int64_t after_ns);

struct secret *value_bytes(const struct value *value);

/* The bytes as JSON, whatever its type; NULL where they are not JSON, and for
 * SecretBinary. Borrowed from the value. */
const struct jdoc *value_document(const struct value *value);

/* Whether it is SecretBinary. */
bool value_is_binary(const struct value *value);

/* Whether the bytes are a JSON object, so that keys can be asked for. */
bool value_has_keys(const struct value *value);

/* Keys in the order of the text, repeated names once. */
size_t value_key_count(const struct value *value);

/* The decoded name, borrowed; NULs and any UTF-8 may be in it. */
const char *value_key_name(const struct value *value, size_t key,
			   size_t *ret_length);

/* How many bytes the key reads as. */
size_t value_key_length(const struct value *value, size_t key);

/* Appends what the key reads as. 0, -EFBIG, -ENOMEM. */
int value_key_read(const struct value *value, size_t key, struct buf *out);

#endif
