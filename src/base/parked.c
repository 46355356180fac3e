/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nothing that the allocator keeps is believed, since a process may die within
 * it: each place where a mark could begin is looked at, and only what sums up
 * is taken.
 */
#include "base/parked.h"
#include "base/annex.h"
#include "base/macros.h"
#include "base/pool.h"
#include "base/seal.h"
#include "base/secret.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>

/* Change with struct parked. */
#define MAGIC_0 UINT64_C(0x8c1d0b64f0a7e522)
#define MAGIC_1 UINT64_C(0x317ce9a2d54b0f03)
#define KEY_MAX 4096

struct parked {
	uint64_t magic[2]; /* written last */
	struct parked_times times;
	/* While the bytes move, both are right. */
	struct parked_place {
		uint64_t offset; /* 0: nowhere */
		struct seal_sum sum;
	} in_pool, in_annex;
	struct secret_watch watch; /* nothing to who reads this later */
	struct parked_fixed {
		uint64_t length;
		uint64_t key_length; /* behind it the ARN and a NUL */
		uint64_t arn_length;
		int64_t created_ns;
		uint64_t is_binary;
		char version[PARKED_VERSION_MAX + 8];
	} fixed;
	char key[];
};

static size_t size_of(size_t key_length, size_t arn_length)
{
	return sizeof(struct parked) + key_length + arn_length + 1;
}

#define PARTS 4

/* What is summed up: bytes at that place, or the head of what is sealed there,
 * which sums up the rest. */
static void list_parts(struct iovec parts[PARTS], const struct parked *parked,
		       const struct parked_place *place, const void *bytes,
		       size_t length)
{
	const void *begins[PARTS] = { &parked->fixed, parked->key,
				      &place->offset, bytes };
	const size_t lengths[PARTS] = { sizeof(parked->fixed),
					parked->fixed.key_length +
						parked->fixed.arn_length + 1,
					sizeof(place->offset), length };

	for (int i = 0; i < PARTS; i++)
		parts[i] = (struct iovec){ (void *)(uintptr_t)begins[i],
					   lengths[i] };
}

static bool is_right(const struct parked *parked,
		     const struct parked_place *place,
		     const struct seal_key *key, const void *bytes,
		     size_t length)
{
	struct iovec parts[PARTS];

	list_parts(parts, parked, place, bytes, length);
	return seal_sum_is(key, parts, PARTS, &place->sum);
}

static void set_place(const struct parked *parked, struct parked_place *place,
		      size_t offset, const void *bytes, size_t length)
{
	struct parked_place now = { .offset = offset };
	struct iovec parts[PARTS];

	list_parts(parts, parked, &now, bytes, length);
	if (seal_sum(parts, PARTS, &now.sum) < 0)
		now.offset = 0;
	*place = now;
	/* Before the bytes leave where they were. */
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

static void on_place(struct secret_watch *watch, const unsigned char *bytes,
		     const struct sealed *sealed)
{
	struct parked *parked = CONTAINER_OF(watch, struct parked, watch);

	if (bytes)
		set_place(parked, &parked->in_pool, pool_offset(bytes), bytes,
			  parked->fixed.length);
	else
		set_place(parked, &parked->in_annex, annex_offset(sealed),
			  sealed_head_of(sealed), sizeof(struct sealed_head));
}

static void write_fixed(struct parked *parked, const struct parked_about *about,
			size_t arn_length, size_t length)
{
	parked->fixed.length = length;
	parked->fixed.key_length = about->key_length;
	parked->fixed.created_ns = about->created_ns;
	parked->fixed.is_binary = about->is_binary;
	memcpy(parked->fixed.version, about->version,
	       strnlen(about->version, PARKED_VERSION_MAX));
	parked->fixed.arn_length = arn_length;
	memcpy(parked->key, about->key, about->key_length);
	if (arn_length)
		memcpy(parked->key + about->key_length, about->arn, arn_length);
}

struct parked *parked_new(const struct parked_about *about,
			  struct secret *secret)
{
	size_t arn_length = about->arn ? strlen(about->arn) : 0;
	struct parked *parked;

	if (annex_fd() < 0 || about->key_length > KEY_MAX ||
	    arn_length > KEY_MAX)
		return NULL;
	parked =
		annex_take(ANNEX_MARKS, size_of(about->key_length, arn_length));
	if (!parked)
		return NULL;
	write_fixed(parked, about, arn_length, secret_length(secret));
	parked_set_times(parked, &about->times);
	parked->watch.on_place = on_place;
	secret_watch_add(secret, &parked->watch);
	parked->magic[0] = MAGIC_0;
	parked->magic[1] = MAGIC_1;
	return parked;
}

void parked_set_times(struct parked *parked, const struct parked_times *times)
{
	if (parked)
		parked->times = *times;
}

void parked_free(struct parked *parked)
{
	if (!parked)
		return;
	secret_watch_remove(&parked->watch);
	annex_give(ANNEX_MARKS, parked);
}

struct reading {
	struct annex_other annex;
	const char *pool;
	size_t pool_size;
	const struct seal_key *key;
	unsigned char *opened; /* SECRET_LENGTH_MAX, or NULL */
	parked_on_found *on_found;
	void *owner;
};

/* What begins there as a mark does, and is whole. */
static const struct parked *mark_at(const struct annex_other *annex, size_t at)
{
	const struct parked *parked = (const void *)(annex->bytes + at);
	const struct parked_fixed *fixed = &parked->fixed;

	if (parked->magic[0] != MAGIC_0 || parked->magic[1] != MAGIC_1)
		return NULL;
	if (fixed->key_length > KEY_MAX || fixed->arn_length > KEY_MAX ||
	    size_of(fixed->key_length, fixed->arn_length) >
		    annex->marks_end - at ||
	    fixed->length > SECRET_LENGTH_MAX)
		return NULL;
	return parked;
}

static const void *find_plain(const struct reading *reading,
			      const struct parked *parked)
{
	const struct parked_place *place = &parked->in_pool;
	size_t length = parked->fixed.length;
	const char *bytes;

	if (place->offset == 0 || place->offset > reading->pool_size ||
	    length > reading->pool_size - place->offset)
		return NULL;
	bytes = reading->pool + place->offset;
	return is_right(parked, place, reading->key, bytes, length) ? bytes
								    : NULL;
}

static const void *find_sealed(const struct reading *reading,
			       const struct parked *parked)
{
	const struct parked_place *place = &parked->in_annex;
	const struct sealed *sealed;

	if (place->offset == 0 || !reading->opened)
		return NULL;
	sealed = sealed_at(reading->annex.bytes, reading->annex.size,
			   place->offset, parked->fixed.length);
	if (!sealed ||
	    !is_right(parked, place, reading->key, sealed_head_of(sealed),
		      sizeof(struct sealed_head)) ||
	    seal_open_with(reading->key, sealed, reading->opened) < 0)
		return NULL;
	return reading->opened;
}

static void tell(const struct reading *reading, const struct parked *parked,
		 const void *bytes)
{
	const char *arn = parked->key + parked->fixed.key_length;
	char version[PARKED_VERSION_MAX + 1] = { 0 };

	if (arn[parked->fixed.arn_length])
		return; /* sums up, and is not ours */
	memcpy(version, parked->fixed.version, PARKED_VERSION_MAX);
	reading->on_found(reading->owner,
			  &(struct parked_about){
				  .key = parked->key,
				  .key_length = parked->fixed.key_length,
				  .version = version,
				  .arn = parked->fixed.arn_length ? arn : NULL,
				  .created_ns = parked->fixed.created_ns,
				  .is_binary = parked->fixed.is_binary != 0,
				  .times = parked->times,
			  },
			  bytes, parked->fixed.length);
}

static void look_at(const struct reading *reading, size_t at)
{
	const struct parked *parked = mark_at(&reading->annex, at);
	const void *bytes = parked ? find_plain(reading, parked) : NULL;

	if (parked && !bytes)
		bytes = find_sealed(reading, parked);
	if (bytes)
		tell(reading, parked, bytes);
}

static void read_all(struct reading *reading)
{
	reading->key = seal_key_of(reading->pool, reading->pool_size);
	/* First, before the pool is full of what is found. */
	reading->opened = pool_alloc(SECRET_LENGTH_MAX);
	for (size_t at = 0;
	     at + sizeof(struct parked) <= reading->annex.marks_end;
	     at += POOL_ALIGNMENT)
		look_at(reading, at);
	pool_free(reading->opened, SECRET_LENGTH_MAX);
}

int parked_read(int pool_fd, int annex_fd, parked_on_found *on_found,
		void *owner)
{
	struct reading reading = { .on_found = on_found, .owner = owner };
	int r;

	reading.pool = pool_map_other(pool_fd, &reading.pool_size);
	if (!reading.pool)
		return -errno;
	r = annex_map_other(annex_fd, &reading.annex);
	if (r == 0) {
		read_all(&reading);
		annex_unmap_other(&reading.annex);
	}
	(void)munmap((void *)(uintptr_t)reading.pool, reading.pool_size);
	return r;
}
