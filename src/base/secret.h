/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include <stddef.h>

/*
 * Immutable plaintext with a length, counted, in pool memory, wiped with its
 * last reference. There is deliberately no way to print one.
 */

/* The largest value: the quota of Secrets Manager, "Length of a secret value"
 * (AWS Secrets Manager quotas). */
#define SECRET_LENGTH_MAX 65536

struct secret;

/* Copies. NULL with errno set: EFBIG past SECRET_LENGTH_MAX, ENOMEM. */
struct secret *secret_new(const void *bytes, size_t length);

struct secret *secret_ref(struct secret *secret);

/* NULL is allowed. */
void secret_unref(struct secret *secret);

/* Borrowed, valid while a reference is held; not terminated. */
const unsigned char *secret_bytes(const struct secret *secret);
size_t secret_length(const struct secret *secret);

#endif
