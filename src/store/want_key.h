/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_WANT_KEY_H
#define STORE_WANT_KEY_H

#include <stddef.h>

#include "store/source.h"

struct cache_want;

/*
 * What says which secret or listing is wanted, in one piece of bytes, to be the
 * key of a map: who asks, what kind, and name, version and stage. Wants that
 * differ in any of these have keys that differ, and none begins with another.
 * A stage that is named is not that which is meant without one: who takes them
 * for the same leaves it out.
 */

size_t want_key_length(const struct cache_want *want);

/* Of what a key begins with, and no version or stage changes: who, kind and
 * name. */
size_t want_key_name_length(const struct cache_want *want);

/* Writes want_key_length() bytes. Returns what is asked for, in texts that
 * stand in the key. */
struct source_want want_key_write(const struct cache_want *want, char *key);

#endif
