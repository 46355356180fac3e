/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses for the most that the pool may become are reserved at once, and get
 * their pages in ranges: a range costs some milliseconds, so one is ready ahead
 * of need. A memfd_secret(2) takes one size in its life, the same maximum.
 */
#include "base/pool.h"
#include "base/blocks.h"
#include "base/macros.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Of one piece: a reply with one value of the largest size, all escaped. */
#define ROOM_WANTED ((size_t)384 << 10)

#ifndef SYS_memfd_secret
#define SYS_memfd_secret 447
#endif

/* What another process has to know of a pool: its first piece. */
struct pool_head {
	uint64_t magic;
	uint64_t mapped;
	uint64_t root; /* offset of pool_set_root()'s piece; or 0 */
};

#define HEAD_MAGIC UINT64_C(0x6f6f702d73666374)
#define HEAD_OFFSET BLOCKS_ALIGNMENT

struct pool {
	enum pool_kind kind;
	int fd; /* of POOL_SECRET */
	char *space;
	size_t mapped;
	size_t maximum;
	struct blocks blocks;
	struct pool_head *head; /* of POOL_SECRET */
	bool is_low;		/* and more has been promised */
	bool (*on_low)(void *owner);
	void *owner;
};

/* As the heap, there is one for the process. */
static struct pool *the_pool(void)
{
	static struct pool pool = { .fd = -1 };

	return &pool;
}

static size_t size_allowed(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_MEMLOCK, &limit) < 0 ||
	    limit.rlim_cur >= POOL_SIZE_MAX + POOL_SPARE)
		return POOL_SIZE_MAX;
	if (limit.rlim_cur < POOL_LOCKED_MIN + POOL_SPARE)
		return 0;
	return ((size_t)limit.rlim_cur - POOL_SPARE) / POOL_RANGE * POOL_RANGE;
}

/* With a page on either side that nobody may touch. */
static char *reserve(size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *space = mmap(NULL, size + 2 * page, PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return space == MAP_FAILED ? NULL : space + page;
}

static int map_secret(const struct pool *pool, char *at, size_t size)
{
	if (mmap(at, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
		 pool->fd, (off_t)pool->mapped) == MAP_FAILED)
		return -errno;
	return madvise(at, size, MADV_DONTFORK) < 0 ? -errno : 0;
}

static int map_anonymous(const struct pool *pool, char *at, size_t size)
{
	if (mmap(at, size, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
		return -errno;
	(void)madvise(at, size, MADV_DONTDUMP);
	(void)madvise(at, size, MADV_WIPEONFORK);
	if (pool->kind == POOL_LOCKED && mlock(at, size) < 0)
		return -errno;
	return 0;
}

/* The first touch of a page takes its time, and is done here. */
static void touch(char *at, size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	for (size_t i = 0; i < size; i += page)
		*(volatile char *)(at + i) = 0;
}

static int add_range(struct pool *pool, size_t size)
{
	char *at = pool->space + pool->mapped;
	int r;

	if (size > pool->maximum - pool->mapped)
		return -ENOMEM;
	r = pool->kind == POOL_SECRET ? map_secret(pool, at, size)
				      : map_anonymous(pool, at, size);
	if (r < 0) {
		(void)mmap(at, size, PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE |
				   MAP_FIXED,
			   -1, 0);
		return r;
	}
	touch(at, size);
	pool->mapped += size;
	blocks_grow(&pool->blocks, size);
	if (pool->head)
		pool->head->mapped = pool->mapped;
	return 0;
}

static void write_head(struct pool *pool)
{
	pool->head = blocks_take(&pool->blocks, sizeof(*pool->head));
	assert(pool->head && pool_offset(pool->head) == HEAD_OFFSET);
	pool->head->mapped = pool->mapped;
	pool->head->magic = HEAD_MAGIC;
}

/* Whether there can be a pool of that kind here. */
static bool try_kind(struct pool *pool, enum pool_kind kind)
{
	pool->kind = kind;
	if (kind == POOL_SECRET) {
		pool->fd = (int)syscall(SYS_memfd_secret, O_CLOEXEC);
		if (pool->fd >= 0 &&
		    ftruncate(pool->fd, (off_t)pool->maximum) == 0 &&
		    add_range(pool, POOL_MAPPED_FIRST) == 0) {
			write_head(pool);
			return true;
		}
		if (pool->fd >= 0)
			(void)close(pool->fd);
		pool->fd = -1;
		return false;
	}
	return add_range(pool, POOL_MAPPED_FIRST) == 0;
}

static size_t size_wanted(const struct pool_settings *settings, size_t allowed)
{
	size_t wanted = allowed ? allowed : POOL_SIZE_MAX;

	if (settings->size_max && settings->size_max < wanted)
		wanted = settings->size_max;
	return wanted < POOL_SIZE_MIN ? POOL_SIZE_MIN
				      : wanted / POOL_RANGE * POOL_RANGE;
}

int pool_open(const struct pool_settings *settings)
{
	struct pool *pool = the_pool();
	size_t allowed = size_allowed();
	enum pool_kind kind = settings->best;

	if (kind == POOL_NONE)
		kind = POOL_SECRET;
	if (allowed == 0)
		kind = POOL_UNLOCKED;
	pool->maximum = size_wanted(settings, allowed);
	pool->space = reserve(pool->maximum);
	if (!pool->space)
		return -ENOMEM;
	blocks_init(&pool->blocks, pool->space);
	for (; kind <= POOL_UNLOCKED; kind++)
		if (try_kind(pool, kind))
			return 0;
	pool->kind = POOL_NONE;
	return -ENOMEM;
}

static void tell_low(struct pool *pool)
{
	if (pool->is_low || blocks_has(&pool->blocks, ROOM_WANTED))
		return;
	pool->is_low = pool->on_low && pool->on_low(pool->owner);
}

/* Who needs more than is ready has to wait for it. */
static void *take_more(struct pool *pool, size_t size)
{
	size_t more = (size / POOL_RANGE + 1) * POOL_RANGE;
	size_t left = pool->maximum - pool->mapped;

	/* Less may do, together with what is free before it. */
	if (left == 0 || add_range(pool, more < left ? more : left) < 0)
		return NULL;
	return blocks_take(&pool->blocks, size);
}

void *pool_alloc(size_t size)
{
	struct pool *pool = the_pool();
	const struct pool_settings any = { 0 };
	void *bytes = NULL;

	if (pool->kind != POOL_NONE || pool_open(&any) == 0)
		bytes = blocks_take(&pool->blocks, size);
	if (!bytes && size < pool->maximum)
		bytes = take_more(pool, size);
	if (!bytes)
		errno = ENOMEM;
	tell_low(pool);
	return bytes;
}

bool pool_extend(void *bytes, size_t size)
{
	struct pool *pool = the_pool();

	while (!blocks_extend(&pool->blocks, bytes, size))
		if (!blocks_is_last(bytes) || add_range(pool, POOL_RANGE) < 0)
			return false;
	tell_low(pool);
	return true;
}

void pool_free(void *bytes, size_t size)
{
	(void)size;
	if (bytes)
		blocks_give(&the_pool()->blocks, bytes);
}

void pool_describe(struct pool_about *ret)
{
	const struct pool *pool = the_pool();

	*ret = (struct pool_about){
		.kind = pool->kind,
		.used = pool->blocks.used,
		.mapped = pool->mapped,
		.maximum = pool->maximum,
	};
}

int pool_fd(void)
{
	return the_pool()->fd;
}

size_t pool_offset(const void *piece)
{
	return (size_t)((const char *)piece - the_pool()->space);
}

const char *pool_map_other(int fd, size_t *ret_size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	const struct pool_head *head;
	uint64_t mapped = 0;
	char *first = mmap(NULL, page, PROT_READ, MAP_SHARED, fd, 0);
	char *all;

	if (first == MAP_FAILED)
		return NULL;
	head = (const void *)(first + HEAD_OFFSET);
	if (head->magic == HEAD_MAGIC)
		mapped = head->mapped;
	(void)munmap(first, page);
	if (mapped == 0 || mapped > POOL_SIZE_MAX) {
		errno = EBADMSG;
		return NULL;
	}
	all = mmap(NULL, mapped, PROT_READ, MAP_SHARED, fd, 0);
	if (all == MAP_FAILED)
		return NULL;
	*ret_size = mapped;
	return all;
}

void pool_set_root(const void *piece)
{
	struct pool *pool = the_pool();

	if (pool->head)
		pool->head->root = pool_offset(piece);
}

const void *pool_root_of(const char *other, size_t other_size, size_t size)
{
	const struct pool_head *head = (const void *)(other + HEAD_OFFSET);

	if (head->root == 0 || head->root % POOL_ALIGNMENT != 0 ||
	    head->root > other_size || size > other_size - head->root)
		return NULL;
	return other + head->root;
}

const char *pool_kind_name(enum pool_kind kind)
{
	static const char *const names[] = {
		[POOL_NONE] = "none",
		[POOL_SECRET] = "memfd_secret",
		[POOL_LOCKED] = "mlock",
		[POOL_UNLOCKED] = "unlocked",
	};

	return names[kind];
}

bool pool_is_locked(void)
{
	return the_pool()->kind != POOL_UNLOCKED;
}

void pool_set_on_low(bool (*on_low)(void *owner), void *owner)
{
	the_pool()->on_low = on_low;
	the_pool()->owner = owner;
	the_pool()->is_low = false;
}

bool pool_is_low(void)
{
	return the_pool()->is_low;
}

bool pool_grow(void)
{
	struct pool *pool = the_pool();
	int r = 0;

	pool->is_low = false;
	while (r == 0 && !blocks_has(&pool->blocks, ROOM_WANTED))
		r = add_range(pool, POOL_RANGE);
	return r == 0;
}
