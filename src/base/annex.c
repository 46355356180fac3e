/* SPDX-License-Identifier: Apache-2.0 */
/*
 * As in the pool, addresses for the most that it may become are reserved, and
 * get their pages in ranges, since a page that the machine cannot give is an
 * error then, and a signal where it is touched.
 */
#include "base/annex.h"
#include "base/blocks.h"
#include "base/pool.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define RANGE ((size_t)1 << 20)
#define MARKS_MAX ((size_t)64 << 20)
#define SEALED_MAX BLOCKS_SPACE_MAX
#define SIZE (MARKS_MAX + SEALED_MAX)

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

/* What another process has to know of an annex: its first piece. */
struct annex_head {
	uint64_t magic;
	uint64_t marks_end;
};

#define HEAD_MAGIC UINT64_C(0x78656e6e61736673)
#define HEAD_OFFSET BLOCKS_ALIGNMENT

struct annex {
	int fd;
	char *space;
	struct annex_head *head;
	struct blocks parts[ANNEX_SEALED + 1];
};

/* As the pool, there is one for the process. */
static struct annex *the_annex(void)
{
	static struct annex annex = { .fd = -1 };

	return &annex;
}

static int add_ranges(struct annex *annex, enum annex_part part, size_t size)
{
	struct blocks *blocks = &annex->parts[part];
	size_t maximum = part == ANNEX_MARKS ? MARKS_MAX : SEALED_MAX;
	size_t more = (size / RANGE + 1) * RANGE;

	if (more > maximum - blocks->size ||
	    madvise(blocks->space + blocks->size, more, MADV_POPULATE_WRITE) <
		    0)
		return -ENOMEM;
	blocks_grow(blocks, more);
	if (part == ANNEX_MARKS && annex->head)
		annex->head->marks_end = blocks->size;
	return 0;
}

static void *take(struct annex *annex, enum annex_part part, size_t size)
{
	void *piece = blocks_take(&annex->parts[part], size);

	if (!piece && size < SIZE && add_ranges(annex, part, size) == 0)
		piece = blocks_take(&annex->parts[part], size);
	return piece;
}

static int begin(struct annex *annex)
{
	if (ftruncate(annex->fd, (off_t)SIZE) < 0)
		return -errno;
	annex->space = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_NORESERVE, annex->fd, 0);
	if (annex->space == MAP_FAILED)
		return -errno;
	blocks_init(&annex->parts[ANNEX_MARKS], annex->space);
	blocks_init(&annex->parts[ANNEX_SEALED], annex->space + MARKS_MAX);
	annex->head = take(annex, ANNEX_MARKS, sizeof(*annex->head));
	if (!annex->head) {
		(void)munmap(annex->space, SIZE);
		return -ENOMEM;
	}
	assert(annex_offset(annex->head) == HEAD_OFFSET);
	annex->head->marks_end = annex->parts[ANNEX_MARKS].size;
	annex->head->magic = HEAD_MAGIC;
	return 0;
}

void annex_open(void)
{
	struct annex *annex = the_annex();

	if (annex->fd >= 0 || pool_fd() < 0)
		return;
	annex->fd = memfd_create("annex", MFD_CLOEXEC);
	if (annex->fd < 0 || begin(annex) == 0)
		return;
	(void)close(annex->fd);
	annex->fd = -1;
}

void *annex_take(enum annex_part part, size_t size)
{
	struct annex *annex = the_annex();
	void *piece;

	if (annex->fd < 0)
		return calloc(1, size);
	piece = take(annex, part, size);
	if (!piece)
		errno = ENOMEM;
	return piece;
}

void annex_give(enum annex_part part, void *piece)
{
	struct annex *annex = the_annex();

	if (annex->fd < 0)
		free(piece);
	else if (piece)
		blocks_give(&annex->parts[part], piece);
}

int annex_fd(void)
{
	return the_annex()->fd;
}

size_t annex_offset(const void *piece)
{
	return (size_t)((const char *)piece - the_annex()->space);
}

int annex_map_other(int fd, struct annex_other *ret)
{
	const struct annex_head *head;
	struct stat about;
	const char *all;

	if (fstat(fd, &about) < 0)
		return -errno;
	if (about.st_size != (off_t)SIZE)
		return -EBADMSG;
	all = mmap(NULL, SIZE, PROT_READ, MAP_SHARED | MAP_NORESERVE, fd, 0);
	if (all == MAP_FAILED)
		return -errno;
	head = (const void *)(all + HEAD_OFFSET);
	*ret = (struct annex_other){ all, SIZE, head->marks_end };
	if (head->magic == HEAD_MAGIC && ret->marks_end <= MARKS_MAX)
		return 0;
	annex_unmap_other(ret);
	return -EBADMSG;
}

void annex_unmap_other(const struct annex_other *other)
{
	(void)munmap((void *)(uintptr_t)other->bytes, other->size);
}
