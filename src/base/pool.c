/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One mapping for each piece keeps plaintext away from the heap, where freed
 * bytes live on, and makes giving it back final: the pages leave the process.
 */
#include "base/pool.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static atomic_bool lock_failed;

static size_t whole_pages(size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (size + page - 1) / page * page;
}

void *pool_alloc(size_t size)
{
	size_t length = whole_pages(size ? size : 1);
	void *bytes = mmap(NULL, length, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (bytes == MAP_FAILED)
		return NULL;
	if (mlock(bytes, length) < 0)
		atomic_store(&lock_failed, true);
	(void)madvise(bytes, length, MADV_DONTDUMP);
	(void)madvise(bytes, length, MADV_WIPEONFORK);
	return bytes;
}

void pool_free(void *bytes, size_t size)
{
	if (!bytes)
		return;
	explicit_bzero(bytes, size);
	(void)munmap(bytes, whole_pages(size ? size : 1));
}

bool pool_is_locked(void)
{
	return !atomic_load(&lock_failed);
}
