/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Secrets that are open hang in a list, the one looked at last in front; what
 * has to be sealed is taken from its end.
 */
#include "base/secret.h"
#include "base/pool.h"
#include "base/seal.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct secret {
	unsigned references;
	size_t length;
	unsigned char *bytes;  /* NULL while it is sealed */
	struct sealed *sealed; /* NULL while it is open */
	struct secret *newer;
	struct secret *older;
	LIST_HEAD(, secret_watch) watches;
};

struct secrets {
	struct secret *newest;
	struct secret *oldest;
	size_t sealed_count;
};

/* As the pool, there is one for the process. */
static struct secrets *all(void)
{
	static struct secrets secrets;

	return &secrets;
}

static void take_out(struct secret *secret)
{
	if (secret->newer)
		secret->newer->older = secret->older;
	else
		all()->newest = secret->older;
	if (secret->older)
		secret->older->newer = secret->newer;
	else
		all()->oldest = secret->newer;
	secret->newer = secret->older = NULL;
}

static void put_first(struct secret *secret)
{
	secret->older = all()->newest;
	if (secret->older)
		secret->older->newer = secret;
	else
		all()->oldest = secret;
	all()->newest = secret;
}

static int fill(struct secret *secret, const void *bytes)
{
	/* One byte more, so that an empty one has a place too. */
	secret->bytes = pool_alloc(secret->length + 1);
	if (secret->bytes) {
		if (secret->length)
			memcpy(secret->bytes, bytes, secret->length);
		put_first(secret);
		return 0;
	}
	secret->sealed = seal(bytes, secret->length);
	if (!secret->sealed)
		return -errno;
	all()->sealed_count++;
	return 0;
}

struct secret *secret_new(const void *bytes, size_t length)
{
	struct secret *secret;
	int r = seal_prepare();

	if (r < 0) {
		errno = -r;
		return NULL;
	}
	if (length > SECRET_LENGTH_MAX) {
		errno = EFBIG;
		return NULL;
	}
	secret = calloc(1, sizeof(*secret));
	if (!secret)
		return NULL;
	secret->references = 1;
	secret->length = length;
	r = fill(secret, bytes);
	if (r < 0) {
		free(secret);
		errno = -r;
		return NULL;
	}
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
	if (--secret->references > 0)
		return;
	if (secret->bytes) {
		take_out(secret);
		pool_free(secret->bytes, secret->length + 1);
	} else {
		sealed_free(secret->sealed);
		all()->sealed_count--;
	}
	free(secret);
}

static void tell_place(const struct secret *secret, const unsigned char *bytes,
		       const struct sealed *sealed)
{
	struct secret_watch *watch;

	LIST_FOREACH(watch, &secret->watches, link)
	watch->on_place(watch, bytes, sealed);
}

static bool open_again(struct secret *secret)
{
	unsigned char *bytes = pool_alloc(secret->length + 1);

	if (!bytes || seal_open(secret->sealed, bytes) < 0) {
		pool_free(bytes, secret->length + 1);
		return false;
	}
	tell_place(secret, bytes, NULL);
	sealed_free(secret->sealed);
	secret->sealed = NULL;
	secret->bytes = bytes;
	all()->sealed_count--;
	return true;
}

const unsigned char *secret_bytes(struct secret *secret)
{
	if (secret->bytes)
		take_out(secret);
	else if (!open_again(secret))
		return NULL;
	put_first(secret);
	return secret->bytes;
}

size_t secret_length(const struct secret *secret)
{
	return secret->length;
}

static bool seal_oldest(void)
{
	struct secret *secret = all()->oldest;

	if (!secret)
		return false;
	secret->sealed = seal(secret->bytes, secret->length);
	if (!secret->sealed)
		return false;
	tell_place(secret, NULL, secret->sealed);
	take_out(secret);
	pool_free(secret->bytes, secret->length + 1);
	secret->bytes = NULL;
	all()->sealed_count++;
	return true;
}

bool secrets_make_room(void)
{
	while (!pool_grow())
		if (!seal_oldest())
			return false;
	return true;
}

void secret_watch_add(struct secret *secret, struct secret_watch *watch)
{
	LIST_INSERT_HEAD(&secret->watches, watch, link);
	watch->on_place(watch, secret->bytes, secret->sealed);
}

void secret_watch_remove(struct secret_watch *watch)
{
	LIST_REMOVE(watch, link);
}

size_t secrets_sealed(void)
{
	return all()->sealed_count;
}
