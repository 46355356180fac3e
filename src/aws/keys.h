/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AWS_KEYS_H
#define AWS_KEYS_H

#include "base/macros.h"

#include <stdint.h>

/*
 * One set of AWS credentials: immutable, counted, in wiped memory. Who signs
 * holds a reference, so that no signature mixes two sets.
 */

struct keys;

struct keys_text {
	const char *id;
	const char *secret;
	const char *token; /* NULL or "": none */
};

/*
 * Copies. expires_s counts since 1970; 0: never. -EINVAL where id or secret is
 * empty, or where a text holds anything but printable ASCII without blanks:
 * all of them become part of headers. -ENOMEM.
 */
int keys_new(const struct keys_text *text, int64_t expires_s,
	     struct keys **ret);

struct keys *keys_ref(struct keys *keys);

/* NULL is allowed. */
void keys_unref(struct keys *keys);

/* Borrowed for as long as a reference is held; the token is "" for none. */
const char *keys_id(const struct keys *keys);
const char *keys_secret(const struct keys *keys);
const char *keys_token(const struct keys *keys);
int64_t keys_expires_s(const struct keys *keys);

void keys_cleanup(struct keys **keys);
#define cleanup_keys CLEANUP(keys_cleanup)

#endif
