/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AWS_DIGEST_H
#define AWS_DIGEST_H

#include <stddef.h>

/* The hashes that AWS's protocols are made of. All return 0, or -ENOMEM also
 * where OpenSSL fails, which it does for nothing else. */

#define DIGEST_LENGTH 32 /* SHA-256 */
#define DIGEST_HEX_SIZE (2 * DIGEST_LENGTH + 1)

struct digest {
	unsigned char bytes[DIGEST_LENGTH];
};

/* In lower-case hexadecimal digits. */
void digest_hex(const struct digest *digest, char ret[DIGEST_HEX_SIZE]);

int digest_sha256(const void *bytes, size_t length, char ret[DIGEST_HEX_SIZE]);

/* For names of files that other programs have chosen; it protects nothing. */
int digest_sha1(const char *text, char ret[DIGEST_HEX_SIZE]);

/* HMAC-SHA-256. */
int digest_hmac(const void *key, size_t key_length, const char *text,
		struct digest *ret);

#endif
