/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A counter makes the nonces, which must never come twice under one key: the
 * key lives as long as the process, and a counter of 64 bits longer.
 */
#include "base/seal.h"
#include "base/annex.h"
#include "base/macros.h"
#include "base/pool.h"

#include <assert.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <string.h>
#include <sys/random.h>

#define KEY_SIZE 32

struct sealed {
	struct sealed_head head;
	unsigned char bytes[];
};

struct seal_key {
	uint64_t count; /* of what it has sealed */
	unsigned char bytes[KEY_SIZE];
};

static void context_done(EVP_CIPHER_CTX **context)
{
	EVP_CIPHER_CTX_free(*context);
}

/* In the pool; one for the process. */
static struct seal_key **the_key(void)
{
	static struct seal_key *key;

	return &key;
}

int seal_prepare(void)
{
	struct seal_key *key;

	if (*the_key())
		return 0;
	key = pool_alloc(sizeof(*key));
	if (!key)
		return -ENOMEM;
	if (getrandom(key->bytes, KEY_SIZE, 0) != KEY_SIZE) {
		pool_free(key, sizeof(*key));
		return -EIO;
	}
	pool_set_root(key);
	annex_open();
	*the_key() = key;
	return 0;
}

static bool fill_sealed(const struct seal_key *key, struct sealed *sealed,
			const void *bytes)
{
	CLEANUP(context_done)
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	int length;

	return context &&
	       EVP_EncryptInit_ex(context, EVP_aes_256_gcm(), NULL, key->bytes,
				  sealed->head.sum.nonce) == 1 &&
	       EVP_EncryptUpdate(context, sealed->bytes, &length, bytes,
				 (int)sealed->head.length) == 1 &&
	       EVP_EncryptFinal_ex(context, sealed->bytes + sealed->head.length,
				   &length) == 1 &&
	       EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, SEAL_TAG_SIZE,
				   sealed->head.sum.tag) == 1;
}

static void next_nonce(struct seal_key *key, struct seal_sum *sum)
{
	key->count++;
	memcpy(sum->nonce, &key->count, sizeof(key->count));
}

struct sealed *seal(const void *bytes, size_t length)
{
	struct seal_key *key = *the_key();
	struct sealed *sealed;

	assert(key);
	sealed = annex_take(ANNEX_SEALED, sizeof(*sealed) + length);
	if (!sealed)
		return NULL;
	sealed->head.length = length;
	next_nonce(key, &sealed->head.sum);
	if (!fill_sealed(key, sealed, bytes)) {
		annex_give(ANNEX_SEALED, sealed);
		errno = EIO;
		return NULL;
	}
	return sealed;
}

int seal_open_with(const struct seal_key *key, const struct sealed *sealed,
		   void *out)
{
	CLEANUP(context_done)
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	unsigned char tag[SEAL_TAG_SIZE];
	unsigned char *plain = out;
	int length;

	memcpy(tag, sealed->head.sum.tag, SEAL_TAG_SIZE);
	if (!context || !key ||
	    EVP_DecryptInit_ex(context, EVP_aes_256_gcm(), NULL, key->bytes,
			       sealed->head.sum.nonce) != 1 ||
	    EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, SEAL_TAG_SIZE,
				tag) != 1)
		return -EIO;
	if (EVP_DecryptUpdate(context, plain, &length, sealed->bytes,
			      (int)sealed->head.length) == 1 &&
	    EVP_DecryptFinal_ex(context, plain + length, &length) == 1)
		return 0;
	explicit_bzero(out, sealed->head.length);
	return -EBADMSG;
}

int seal_open(const struct sealed *sealed, void *out)
{
	return seal_open_with(*the_key(), sealed, out);
}

void sealed_free(struct sealed *sealed)
{
	annex_give(ANNEX_SEALED, sealed);
}

const struct sealed_head *sealed_head_of(const struct sealed *sealed)
{
	return &sealed->head;
}

/* A cipher that is given nothing to encrypt sums up what it is told beside. */
static bool make_tag(const struct seal_key *key, struct seal_sum *sum,
		     const struct iovec *parts, int count)
{
	CLEANUP(context_done)
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	unsigned char none[SEAL_TAG_SIZE];
	int length;

	if (!context || !key ||
	    EVP_EncryptInit_ex(context, EVP_aes_256_gcm(), NULL, key->bytes,
			       sum->nonce) != 1)
		return false;
	for (int i = 0; i < count; i++)
		if (EVP_EncryptUpdate(context, NULL, &length, parts[i].iov_base,
				      (int)parts[i].iov_len) != 1)
			return false;
	return EVP_EncryptFinal_ex(context, none, &length) == 1 &&
	       EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, SEAL_TAG_SIZE,
				   sum->tag) == 1;
}

int seal_sum(const struct iovec *parts, int count, struct seal_sum *ret)
{
	struct seal_sum sum = { 0 };

	assert(*the_key());
	next_nonce(*the_key(), &sum);
	if (!make_tag(*the_key(), &sum, parts, count))
		return -EIO;
	*ret = sum;
	return 0;
}

bool seal_sum_is(const struct seal_key *key, const struct iovec *parts,
		 int count, const struct seal_sum *sum)
{
	struct seal_sum mine = *sum;

	return make_tag(key, &mine, parts, count) &&
	       CRYPTO_memcmp(mine.tag, sum->tag, SEAL_TAG_SIZE) == 0;
}

const struct seal_key *seal_key_of(const char *pool, size_t pool_size)
{
	return pool_root_of(pool, pool_size, sizeof(struct seal_key));
}

const struct sealed *sealed_at(const char *annex, size_t annex_size,
			       size_t offset, size_t length)
{
	const struct sealed *sealed;

	if (offset % POOL_ALIGNMENT != 0 || offset > annex_size ||
	    sizeof(*sealed) > annex_size - offset ||
	    length > annex_size - offset - sizeof(*sealed))
		return NULL;
	sealed = (const void *)(annex + offset);
	return sealed->head.length == length ? sealed : NULL;
}
