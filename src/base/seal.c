/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A counter makes the nonces, which must never come twice under one key: the
 * key lives as long as the process, and a counter of 64 bits longer.
 */
#include "base/seal.h"
#include "base/macros.h"
#include "base/pool.h"

#include <assert.h>
#include <errno.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define KEY_SIZE 32
#define NONCE_SIZE 12
#define TAG_SIZE 16

struct sealed {
	size_t length;
	unsigned char nonce[NONCE_SIZE];
	unsigned char tag[TAG_SIZE];
	unsigned char bytes[];
};

struct sealer {
	uint64_t count;
	unsigned char key[KEY_SIZE];
};

static void context_done(EVP_CIPHER_CTX **context)
{
	EVP_CIPHER_CTX_free(*context);
}

/* In the pool; one for the process. */
static struct sealer **the_sealer(void)
{
	static struct sealer *sealer;

	return &sealer;
}

int seal_prepare(void)
{
	struct sealer *sealer;

	if (*the_sealer())
		return 0;
	sealer = pool_alloc(sizeof(*sealer));
	if (!sealer)
		return -ENOMEM;
	if (getrandom(sealer->key, KEY_SIZE, 0) != KEY_SIZE) {
		pool_free(sealer, sizeof(*sealer));
		return -EIO;
	}
	*the_sealer() = sealer;
	return 0;
}

static bool fill_sealed(const struct sealer *sealer, struct sealed *sealed,
			const void *bytes)
{
	CLEANUP(context_done)
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	int length;

	return context &&
	       EVP_EncryptInit_ex(context, EVP_aes_256_gcm(), NULL, sealer->key,
				  sealed->nonce) == 1 &&
	       EVP_EncryptUpdate(context, sealed->bytes, &length, bytes,
				 (int)sealed->length) == 1 &&
	       EVP_EncryptFinal_ex(context, sealed->bytes + sealed->length,
				   &length) == 1 &&
	       EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, TAG_SIZE,
				   sealed->tag) == 1;
}

struct sealed *seal(const void *bytes, size_t length)
{
	struct sealer *sealer = *the_sealer();
	struct sealed *sealed;

	assert(sealer);
	sealed = calloc(1, sizeof(*sealed) + length);
	if (!sealed)
		return NULL;
	sealed->length = length;
	sealer->count++;
	memcpy(sealed->nonce, &sealer->count, sizeof(sealer->count));
	if (!fill_sealed(sealer, sealed, bytes)) {
		free(sealed);
		errno = EIO;
		return NULL;
	}
	return sealed;
}

int seal_open(const struct sealed *sealed, void *out)
{
	CLEANUP(context_done)
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	const struct sealer *sealer = *the_sealer();
	unsigned char tag[TAG_SIZE];
	unsigned char *plain = out;
	int length;

	memcpy(tag, sealed->tag, TAG_SIZE);
	if (!context || !sealer ||
	    EVP_DecryptInit_ex(context, EVP_aes_256_gcm(), NULL, sealer->key,
			       sealed->nonce) != 1 ||
	    EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, TAG_SIZE, tag) !=
		    1)
		return -EIO;
	if (EVP_DecryptUpdate(context, plain, &length, sealed->bytes,
			      (int)sealed->length) == 1 &&
	    EVP_DecryptFinal_ex(context, plain + sealed->length, &length) == 1)
		return 0;
	explicit_bzero(out, sealed->length);
	return -EBADMSG;
}

void sealed_free(struct sealed *sealed)
{
	free(sealed);
}
