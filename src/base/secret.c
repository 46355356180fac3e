/* SPDX-License-Identifier: Apache-2.0 */
/* Header and bytes share one piece of the pool, so both go at once. */
#include "base/secret.h"
#include "base/pool.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

struct secret {
	unsigned references;
	size_t length;
	unsigned char bytes[];
};

struct secret *secret_new(const void *bytes, size_t length)
{
	struct secret *secret;

	if (length > SECRET_LENGTH_MAX) {
		errno = EFBIG;
		return NULL;
	}
	secret = pool_alloc(sizeof(*secret) + length);
	if (!secret)
		return NULL;
	secret->references = 1;
	secret->length = length;
	if (length)
		memcpy(secret->bytes, bytes, length);
	return secret;
}

struct secret *secret_ref(struct secret *secret)
{
	secret->references++;
	return secret;
}

void secret_unref(struct secret *secret)
{
	if (!secret)
		return;
	assert(secret->references > 0);
	if (--secret->references == 0)
		pool_free(secret, sizeof(*secret) + secret->length);
}

const unsigned char *secret_bytes(const struct secret *secret)
{
	return secret->bytes;
}

size_t secret_length(const struct secret *secret)
{
	return secret->length;
}
