/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "base/annex.h"
#include "base/parked.h"
#include "base/pool.h"
#include "base/secret.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define FOUND_MAX 8
#define MARKS_MAX (64 << 20) /* of annex.c */
#define SECRETS 30	     /* large ones: more than the pool holds */

struct found {
	size_t count;
	struct {
		char key[64];
		char version[PARKED_VERSION_MAX + 1];
		char bytes[64];
		char arn[64];
		struct parked_about about;
	} one[FOUND_MAX];
};

static void on_found(void *owner, const struct parked_about *about,
		     const void *bytes, size_t length)
{
	struct found *found = owner;

	assert_true(found->count < FOUND_MAX);
	assert_true(about->key_length < 64 && length < 64);
	memcpy(found->one[found->count].key, about->key, about->key_length);
	memcpy(found->one[found->count].bytes, bytes, length);
	(void)snprintf(found->one[found->count].version, PARKED_VERSION_MAX + 1,
		       "%s", about->version);
	(void)snprintf(found->one[found->count].arn, 64, "%s", about->arn);
	found->one[found->count].about = *about;
	found->count++;
}

static struct found find(void)
{
	struct found found = { 0 };

	assert_int_equal(parked_read(pool_fd(), annex_fd(), on_found, &found),
			 0);
	return found;
}

static struct parked *park(struct secret *secret, const char *key)
{
	const struct parked_about about = {
		.key = key,
		.key_length = strlen(key),
		.version = "v1",
		.arn = "arn:a",
		.created_ns = 11,
		.is_binary = true,
		.times = { 33, 44, 77, 22 },
	};

	return parked_new(&about, secret);
}

static void need_secret_memory(void)
{
	struct secret *secret = secret_new("x", 1);

	secret_unref(secret);
	if (pool_fd() < 0)
		skip_because("the pool is no secret memory here");
}

static void a_mark_is_found_with_all_that_was_said(void **state)
{
	struct secret *secret;
	struct parked *parked;
	struct found found;

	(void)state;
	need_secret_memory();
	secret = secret_new("hunter2", 7);
	parked = park(secret, "identity/app");
	assert_non_null(parked);
	found = find();
	assert_int_equal(found.one[0].about.times.end_ms, 22);
	parked_set_times(parked, &(struct parked_times){ 55, 66, 88, 99 });
	found = find();
	assert_int_equal(found.count, 1);
	assert_string_equal(found.one[0].key, "identity/app");
	assert_string_equal(found.one[0].version, "v1");
	assert_string_equal(found.one[0].bytes, "hunter2");
	assert_string_equal(found.one[0].arn, "arn:a");
	assert_int_equal(found.one[0].about.created_ns, 11);
	assert_true(found.one[0].about.is_binary);
	assert_int_equal(found.one[0].about.times.confirmed_ms, 55);
	assert_int_equal(found.one[0].about.times.verified_ms, 66);
	assert_int_equal(found.one[0].about.times.refused_ms, 88);
	assert_int_equal(found.one[0].about.times.end_ms, 99);
	parked_free(parked);
	assert_int_equal(find().count, 0);
	secret_unref(secret);
}

static void what_does_not_sum_up_is_not_there(void **state)
{
	struct secret *secret;
	struct secret *other;
	struct parked *parked[2];
	unsigned char *bytes;

	(void)state;
	need_secret_memory();
	secret = secret_new("hunter2", 7);
	other = secret_new("other", 5);
	parked[0] = park(secret, "a");
	parked[1] = park(other, "b");
	assert_int_equal(find().count, 2);
	bytes = (unsigned char *)(uintptr_t)secret_bytes(secret);
	bytes[6] ^= 1;
	assert_int_equal(find().count, 1);
	assert_string_equal(find().one[0].key, "b");
	bytes[6] ^= 1;
	assert_int_equal(find().count, 2);
	/* As if the process had died while it let the secret go. */
	explicit_bzero(bytes, 7);
	assert_int_equal(find().count, 1);
	parked_free(parked[0]);
	parked_free(parked[1]);
	secret_unref(secret);
	secret_unref(other);
}

static void every_byte_of_a_mark_counts(void **state)
{
	struct secret *secret;
	struct parked *parked;
	unsigned char *mark;

	(void)state;
	need_secret_memory();
	secret = secret_new("hunter2", 7);
	parked = park(secret, "key");
	mark = (unsigned char *)parked;
	for (size_t i = 0; i < 264 + 3 + 6; i++) {
		/* the times, where it was sealed, and who watches */
		if ((i >= 16 && i < 48) || (i >= 84 && i < 152))
			continue;
		mark[i] ^= 0x80;
		assert_int_equal(find().count, 0);
		mark[i] ^= 0x80;
	}
	assert_int_equal(find().count, 1);
	parked_free(parked);
	secret_unref(secret);
}

#define LARGE 60000

/* Has the secrets sealed that were there before. */
static void fill_pool(struct secret *ret[SECRETS])
{
	static const char bytes[LARGE] = { 'x' };

	for (size_t i = 0; i < SECRETS; i++) {
		ret[i] = secret_new(bytes, LARGE);
		assert_non_null(ret[i]);
		assert_true(secrets_make_room());
	}
}

static void empty_pool(struct secret *secrets[SECRETS])
{
	for (size_t i = 0; i < SECRETS; i++)
		secret_unref(secrets[i]);
}

static void a_secret_is_found_sealed_and_opened_again(void **state)
{
	struct secret *others[SECRETS];
	struct secret *secret;
	struct parked *parked;

	(void)state;
	need_secret_memory();
	secret = secret_new("hunter2", 7);
	parked = park(secret, "key");
	fill_pool(others);
	assert_true(secrets_sealed() > 0);
	assert_int_equal(find().count, 1);
	assert_string_equal(find().one[0].bytes, "hunter2");
	assert_memory_equal(secret_bytes(secret), "hunter2", 7);
	assert_int_equal(find().count, 1);
	assert_string_equal(find().one[0].bytes, "hunter2");
	empty_pool(others);
	parked_free(parked);
	assert_int_equal(find().count, 0);
	secret_unref(secret);
}

static void one_that_is_sealed_already_can_be_parked(void **state)
{
	struct secret *others[SECRETS];
	struct secret *secret;
	struct parked *parked;

	(void)state;
	need_secret_memory();
	secret = secret_new("hunter2", 7);
	fill_pool(others);
	parked = park(secret, "key");
	assert_non_null(parked);
	assert_string_equal(find().one[0].bytes, "hunter2");
	empty_pool(others);
	parked_free(parked);
	secret_unref(secret);
}

struct finder {
	struct secret_watch watch;
	unsigned moves;
};

static void find_now(struct secret_watch *watch, const unsigned char *bytes,
		     const struct sealed *sealed)
{
	struct finder *finder = (void *)watch;

	assert_true(!bytes != !sealed);
	if (finder->moves++ == 0)
		return;
	assert_int_equal(find().count, 1);
	assert_string_equal(find().one[0].bytes, "hunter2");
}

static void while_it_moves_it_is_found_at_any_moment(void **state)
{
	struct finder before = { .watch.on_place = find_now };
	struct finder after = { .watch.on_place = find_now };
	struct secret *others[SECRETS];
	struct secret *secret;
	struct parked *parked;

	(void)state;
	need_secret_memory();
	secret = secret_new("hunter2", 7);
	/* who was added last is told first */
	secret_watch_add(secret, &after.watch);
	parked = park(secret, "key");
	secret_watch_add(secret, &before.watch);
	fill_pool(others);
	assert_non_null(secret_bytes(secret));
	assert_int_equal(before.moves, 3);
	assert_int_equal(after.moves, 3);
	empty_pool(others);
	secret_watch_remove(&before.watch);
	secret_watch_remove(&after.watch);
	parked_free(parked);
	secret_unref(secret);
}

static void every_byte_of_what_is_sealed_counts(void **state)
{
	struct secret *others[SECRETS];
	struct secret *secret;
	struct parked *parked;
	unsigned char *space;

	(void)state;
	need_secret_memory();
	secret = secret_new("hunter2", 7);
	parked = park(secret, "key");
	fill_pool(others);
	assert_int_equal(find().count, 1);
	space = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, annex_fd(),
		     MARKS_MAX);
	assert_ptr_not_equal(space, MAP_FAILED);
	/* It was sealed first: behind the head of its block its own, and the
	 * bytes. */
	for (size_t i = 16; i < 16 + 40 + 7; i++) {
		space[i] ^= 0x80;
		assert_int_equal(find().count, 0);
		space[i] ^= 0x80;
	}
	assert_int_equal(find().count, 1);
	(void)munmap(space, 4096);
	empty_pool(others);
	parked_free(parked);
	secret_unref(secret);
}

static void one_without_bytes_is_found_as_well(void **state)
{
	struct secret *secret;
	struct parked *parked;

	(void)state;
	need_secret_memory();
	secret = secret_new("", 0);
	parked = park(secret, "key");
	assert_int_equal(find().count, 1);
	assert_string_equal(find().one[0].key, "key");
	parked_free(parked);
	secret_unref(secret);
}

static void other_memory_is_no_pool(void **state)
{
	struct found found = { 0 };
	int fd = memfd_create("other", MFD_CLOEXEC);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, 1 << 20), 0);
	assert_int_equal(parked_read(fd, annex_fd(), on_found, &found),
			 -EBADMSG);
	assert_int_equal(found.count, 0);
	(void)close(fd);
}

static void other_memory_is_no_annex(void **state)
{
	struct found found = { 0 };
	int fd = memfd_create("other", MFD_CLOEXEC);

	(void)state;
	need_secret_memory();
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, MARKS_MAX), 0);
	assert_int_equal(parked_read(pool_fd(), fd, on_found, &found),
			 -EBADMSG);
	assert_int_equal(found.count, 0);
	(void)close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mark_is_found_with_all_that_was_said),
		cmocka_unit_test(what_does_not_sum_up_is_not_there),
		cmocka_unit_test(every_byte_of_a_mark_counts),
		cmocka_unit_test(a_secret_is_found_sealed_and_opened_again),
		cmocka_unit_test(one_that_is_sealed_already_can_be_parked),
		cmocka_unit_test(while_it_moves_it_is_found_at_any_moment),
		cmocka_unit_test(every_byte_of_what_is_sealed_counts),
		cmocka_unit_test(one_without_bytes_is_found_as_well),
		cmocka_unit_test(other_memory_is_no_pool),
		cmocka_unit_test(other_memory_is_no_annex),
	};
	const struct pool_settings small = { .size_max = POOL_SIZE_MIN };

	if (pool_open(&small) < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
