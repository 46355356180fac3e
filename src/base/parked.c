/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nothing that the allocator keeps is believed, since a process may die within
 * it: each place where a mark could begin is looked at, and only what sums up
 * is taken.
 */
#include "base/parked.h"
#include "base/pool.h"
#include "base/secret.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

/* Change with struct parked. */
#define MAGIC_0 UINT64_C(0x8c1d0b64f0a7e521)
#define MAGIC_1 UINT64_C(0x317ce9a2d54b0f02)
#define KEY_MAX 4096

struct parked {
	uint64_t magic[2]; /* written last */
	uint64_t sum;
	int64_t confirmed_ms;
	int64_t verified_ms;
	struct parked_fixed {
		uint64_t offset; /* of the bytes, in the pool */
		uint64_t length;
		uint64_t key_length; /* behind it the ARN and a NUL */
		uint64_t arn_length;
		int64_t created_ns;
		int64_t keep_ms;
		uint64_t is_binary;
		char version[PARKED_VERSION_MAX + 8];
	} fixed;
	char key[];
};

static uint64_t add(uint64_t sum, const void *bytes, size_t length)
{
	const unsigned char *at = bytes;
	uint64_t word;

	for (; length >= sizeof(word); length -= sizeof(word)) {
		memcpy(&word, at, sizeof(word));
		sum = (sum ^ word) * UINT64_C(0x9e3779b97f4a7c15);
		sum ^= sum >> 29;
		at += sizeof(word);
	}
	for (; length > 0; length--)
		sum = (sum ^ *at++) * UINT64_C(0x100000001b3);
	return sum;
}

/* From the pool's seed on, so that no secret can have a mark in its bytes. */
static uint64_t sum_of(const struct parked *parked, const void *bytes,
		       uint64_t seed)
{
	uint64_t sum = add(seed, &parked->fixed, sizeof(parked->fixed));

	sum = add(sum, parked->key,
		  parked->fixed.key_length + parked->fixed.arn_length + 1);
	return add(sum, bytes, parked->fixed.length);
}

static size_t size_of(size_t key_length, size_t arn_length)
{
	return sizeof(struct parked) + key_length + arn_length + 1;
}

struct parked *parked_new(const struct parked_about *about,
			  struct secret *secret)
{
	const unsigned char *bytes = secret_bytes(secret);
	size_t arn_length = about->arn ? strlen(about->arn) : 0;
	struct parked *parked;

	if (pool_fd() < 0 || !bytes || about->key_length > KEY_MAX ||
	    arn_length > KEY_MAX)
		return NULL;
	parked = pool_alloc(size_of(about->key_length, arn_length));
	if (!parked)
		return NULL;
	parked->fixed.offset = pool_offset(bytes);
	parked->fixed.length = secret_length(secret);
	parked->fixed.key_length = about->key_length;
	parked->fixed.created_ns = about->created_ns;
	parked->fixed.keep_ms = about->keep_ms;
	parked->fixed.is_binary = about->is_binary;
	memcpy(parked->fixed.version, about->version,
	       strnlen(about->version, PARKED_VERSION_MAX));
	parked->fixed.arn_length = arn_length;
	memcpy(parked->key, about->key, about->key_length);
	if (arn_length)
		memcpy(parked->key + about->key_length, about->arn, arn_length);
	parked_set_times(parked, &about->times);
	parked->sum = sum_of(parked, bytes, pool_seed());
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	parked->magic[0] = MAGIC_0;
	parked->magic[1] = MAGIC_1;
	return parked;
}

void parked_set_times(struct parked *parked, const struct parked_times *times)
{
	if (!parked)
		return;
	parked->confirmed_ms = times->confirmed_ms;
	parked->verified_ms = times->verified_ms;
}

void parked_free(struct parked *parked)
{
	if (parked)
		pool_free(parked, size_of(parked->fixed.key_length,
					  parked->fixed.arn_length));
}

/* The mark at that place, if there is one that lies within the pool. */
static const struct parked *mark_at(const char *pool, size_t size, size_t at,
				    uint64_t seed)
{
	const struct parked *parked = (const void *)(pool + at);
	const struct parked_fixed *fixed = &parked->fixed;

	if (parked->magic[0] != MAGIC_0 || parked->magic[1] != MAGIC_1)
		return NULL;
	if (fixed->key_length > KEY_MAX || fixed->arn_length > KEY_MAX ||
	    size_of(fixed->key_length, fixed->arn_length) > size - at ||
	    fixed->length > SECRET_LENGTH_MAX || fixed->length > size ||
	    fixed->offset > size - fixed->length)
		return NULL;
	return parked->sum == sum_of(parked, pool + fixed->offset, seed)
		       ? parked
		       : NULL;
}

static void tell(const struct parked *parked, const char *pool,
		 parked_on_found *on_found, void *owner)
{
	const char *arn = parked->key + parked->fixed.key_length;
	char version[PARKED_VERSION_MAX + 1] = { 0 };

	if (arn[parked->fixed.arn_length])
		return; /* sums up, and is not ours */
	memcpy(version, parked->fixed.version, PARKED_VERSION_MAX);
	on_found(owner,
		 &(struct parked_about){
			 .key = parked->key,
			 .key_length = parked->fixed.key_length,
			 .version = version,
			 .arn = parked->fixed.arn_length ? arn : NULL,
			 .created_ns = parked->fixed.created_ns,
			 .keep_ms = parked->fixed.keep_ms,
			 .is_binary = parked->fixed.is_binary != 0,
			 .times = { parked->confirmed_ms, parked->verified_ms },
		 },
		 pool + parked->fixed.offset, parked->fixed.length);
}

int parked_read(int fd, parked_on_found *on_found, void *owner)
{
	size_t size;
	uint64_t seed;
	const char *pool = pool_map_other(fd, &size, &seed);

	if (!pool)
		return -errno;
	for (size_t at = 0; at + sizeof(struct parked) <= size;
	     at += POOL_ALIGNMENT) {
		const struct parked *parked = mark_at(pool, size, at, seed);

		if (parked)
			tell(parked, pool, on_found, owner);
	}
	(void)munmap((void *)(uintptr_t)pool, size);
	return 0;
}
