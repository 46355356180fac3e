/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_SEAL_H
#define BASE_SEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

/*
 * Plaintext as ciphertext, AES-256-GCM, in ordinary memory (annex.h): what the
 * pool has no room for. The key is the process's own, and never leaves
 * the pool.
 */

struct sealed;
struct seal_key;

/* Makes the key, while there is room for it, and opens the annex: until then
 * nothing can be sealed. 0, -ENOMEM, -EIO. */
int seal_prepare(void);

/* NULL with errno ENOMEM, or EIO where there is no cipher or no chance. */
struct sealed *seal(const void *bytes, size_t length);

/* Writes as many bytes as were sealed. 0; -EBADMSG where it is not what was
 * sealed, -EIO, and out is wiped. */
int seal_open(const struct sealed *sealed, void *out);

/* NULL is allowed. */
void sealed_free(struct sealed *sealed);

/* A sum that nobody without the key makes, or tries bytes against. */
#define SEAL_TAG_SIZE 16
struct seal_sum {
	unsigned char nonce[12];
	unsigned char tag[SEAL_TAG_SIZE];
};

/* Over all parts, whose lengths the first one should say. 0, -EIO. */
int seal_sum(const struct iovec *parts, int count, struct seal_sum *ret);

/*
 * For parked.h: what another process has sealed. The key is in its pool; what
 * was sealed of that length is at that offset in its annex. Both are NULL where
 * they are not there, or not whole. Opening is as above.
 */
struct sealed_head {
	size_t length;
	struct seal_sum sum; /* of the bytes behind it */
};

const struct sealed_head *sealed_head_of(const struct sealed *sealed);
const struct seal_key *seal_key_of(const char *pool, size_t pool_size);
bool seal_sum_is(const struct seal_key *key, const struct iovec *parts,
		 int count, const struct seal_sum *sum);
const struct sealed *sealed_at(const char *annex, size_t annex_size,
			       size_t offset, size_t length);
int seal_open_with(const struct seal_key *key, const struct sealed *sealed,
		   void *out);

#endif
