/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "base/parked.h"
#include "base/pool.h"
#include "base/secret.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define FOUND_MAX 8

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

	assert_int_equal(parked_read(pool_fd(), on_found, &found), 0);
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
		.keep_ms = 22,
		.is_binary = true,
		.times = { 33, 44 },
	};

	return parked_new(&about, secret);
}

#define FORGED_SIZE 512

/* The bytes of a mark as another process has it, whose pool came to be as this
 * one does: first, since this process has no pool before. */
static void read_mark_of_another(char ret[FORGED_SIZE])
{
	int ends[2];
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		const void *mark = park(secret_new("evil", 4), "identity/app");
		char bytes[FORGED_SIZE] = { 0 };

		if (mark)
			memcpy(bytes, mark, sizeof(bytes));
		_exit(write(ends[1], bytes, sizeof(bytes)) !=
		      (ssize_t)sizeof(bytes));
	}
	assert_int_equal(read(ends[0], ret, FORGED_SIZE), FORGED_SIZE);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

static void a_secret_that_looks_like_a_mark_is_none(void **state)
{
	struct secret *first;
	struct secret *forged;
	char bytes[FORGED_SIZE];

	(void)state;
	read_mark_of_another(bytes);
	first = secret_new("evil", 4);
	forged = secret_new(bytes, sizeof(bytes));
	if (pool_fd() < 0)
		skip();
	assert_non_null(forged);
	assert_true(bytes[0]);
	assert_int_equal(find().count, 0);
	secret_unref(forged);
	secret_unref(first);
}

static void need_secret_memory(void)
{
	struct secret *secret = secret_new("x", 1);

	secret_unref(secret);
	if (pool_fd() < 0)
		skip();
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
	parked_set_times(parked, &(struct parked_times){ 55, 66 });
	found = find();
	assert_int_equal(found.count, 1);
	assert_string_equal(found.one[0].key, "identity/app");
	assert_string_equal(found.one[0].version, "v1");
	assert_string_equal(found.one[0].bytes, "hunter2");
	assert_string_equal(found.one[0].arn, "arn:a");
	assert_int_equal(found.one[0].about.created_ns, 11);
	assert_int_equal(found.one[0].about.keep_ms, 22);
	assert_true(found.one[0].about.is_binary);
	assert_int_equal(found.one[0].about.times.confirmed_ms, 55);
	assert_int_equal(found.one[0].about.times.verified_ms, 66);
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
	/* As if the process had died between the two. */
	secret_unref(secret);
	assert_int_equal(find().count, 1);
	parked_free(parked[0]);
	parked_free(parked[1]);
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
	for (size_t i = 0; i < 24 + 16 + 128 + 3 + 6; i++) {
		if (i >= 24 && i < 40) /* the times may change */
			continue;
		mark[i] ^= 0x80;
		assert_int_equal(find().count, 0);
		mark[i] ^= 0x80;
	}
	assert_int_equal(find().count, 1);
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
	assert_int_equal(parked_read(fd, on_found, &found), -EBADMSG);
	assert_int_equal(found.count, 0);
	(void)close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_secret_that_looks_like_a_mark_is_none),
		cmocka_unit_test(a_mark_is_found_with_all_that_was_said),
		cmocka_unit_test(what_does_not_sum_up_is_not_there),
		cmocka_unit_test(every_byte_of_a_mark_counts),
		cmocka_unit_test(other_memory_is_no_pool),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
