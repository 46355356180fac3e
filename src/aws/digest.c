/* SPDX-License-Identifier: Apache-2.0 */
/* The one file of this room that knows OpenSSL. */
#include "aws/digest.h"

#include <errno.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#define SHA1_LENGTH 20

static void write_hex(const unsigned char *bytes, size_t length, char *to)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < length; i++) {
		*to++ = digits[bytes[i] >> 4];
		*to++ = digits[bytes[i] & 15];
	}
	*to = '\0';
}

void digest_hex(const struct digest *digest, char ret[DIGEST_HEX_SIZE])
{
	write_hex(digest->bytes, DIGEST_LENGTH, ret);
}

int digest_sha256(const void *bytes, size_t length, char ret[DIGEST_HEX_SIZE])
{
	struct digest digest;

	if (!EVP_Digest(bytes, length, digest.bytes, NULL, EVP_sha256(), NULL))
		return -ENOMEM;
	digest_hex(&digest, ret);
	return 0;
}

int digest_sha1(const char *text, char ret[DIGEST_HEX_SIZE])
{
	unsigned char bytes[SHA1_LENGTH];

	if (!EVP_Digest(text, strlen(text), bytes, NULL, EVP_sha1(), NULL))
		return -ENOMEM;
	write_hex(bytes, SHA1_LENGTH, ret);
	return 0;
}

int digest_hmac(const void *key, size_t key_length, const char *text,
		struct digest *ret)
{
	if (!HMAC(EVP_sha256(), key, (int)key_length,
		  (const unsigned char *)text, strlen(text), ret->bytes, NULL))
		return -ENOMEM;
	return 0;
}
