/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_SEAL_H
#define BASE_SEAL_H

#include <stddef.h>

/*
 * Plaintext as ciphertext, AES-256-GCM, in ordinary memory: what the pool has
 * no room for. The key is the process's own, and never leaves the pool.
 */

struct sealed;

/* Makes the key, while there is room for it: until then nothing can be sealed.
 * 0, -ENOMEM, -EIO. */
int seal_prepare(void);

/* NULL with errno ENOMEM, or EIO where there is no cipher or no chance. */
struct sealed *seal(const void *bytes, size_t length);

/* Writes as many bytes as were sealed. 0; -EBADMSG where it is not what was
 * sealed, -EIO, and out is wiped. */
int seal_open(const struct sealed *sealed, void *out);

/* NULL is allowed. */
void sealed_free(struct sealed *sealed);

#endif
