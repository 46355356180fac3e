/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scan_memory PID MARKERS: looks for whole markers and for pieces of eight
 * bytes of them, in all memory that PID has outside the pool and in the
 * registers of its threads. Each line of MARKERS is a kind and, after a blank,
 * bytes. Prints a line for each run of hits, and at last how much was searched,
 * how much was left out as the pool, and how much of what was searched is in
 * files of memory, as the annex is.
 *
 * The process is stopped meanwhile. Needs root. In the place of PID a path,
 * with a slash: of a core, or of what is swapped to.
 */
#include "base/bounce.h"
#include "base/macros.h"
#include "base/pool.h"

#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define PIECE 8
#define MARKERS_MAX 1024
#define SLOTS (1U << 21)
#define BLOCK ((size_t)1 << 20)
#define OVERLAP ((size_t)4096)
#define REGION_MAX ((uint64_t)1 << 30) /* a sanitizer's shadow is larger */
#define REGISTERS_MAX 16384

struct marker {
	char kind[32];
	size_t length;
	char bytes[OVERLAP];
};

struct scan {
	pid_t pid;
	int memory;
	struct marker markers[MARKERS_MAX];
	size_t marker_count;
	uint64_t windows[SLOTS]; /* 0: free; by hash, then the next */
	uint16_t owner[SLOTS];
	char block[BLOCK + OVERLAP];
	uint64_t searched;
	uint64_t skipped; /* the pool */
	uint64_t files;	  /* of what was searched */
};

struct region {
	uint64_t start;
	uint64_t end;
	uint64_t offset;
	bool is_readable;
	bool is_pool;
	char name[128];
};

/* Of a file; in what is searched it begins at the address. */
struct range {
	int fd;
	uint64_t start;
	uint64_t end;
	uint64_t address;
	const char *name;
};

static _Noreturn void die(const char *what)
{
	(void)fprintf(stderr, "scan_memory: %s: %s\n", what,
		      strerrordesc_np(errno));
	exit(2);
}

static uint64_t window_at(const char *bytes)
{
	uint64_t window;

	memcpy(&window, bytes, sizeof(window));
	return window;
}

static size_t slot_of(const struct scan *scan, uint64_t window)
{
	size_t slot = (window * 0x9e3779b97f4a7c15U) >> 43;

	while (scan->windows[slot] && scan->windows[slot] != window)
		slot = (slot + 1) % SLOTS;
	return slot;
}

static void add_marker(struct scan *scan, char *line)
{
	struct marker *marker = &scan->markers[scan->marker_count];
	char *bytes = strchr(line, ' ');

	if (!bytes || scan->marker_count == MARKERS_MAX)
		die("markers");
	*bytes++ = '\0';
	bytes[strcspn(bytes, "\n")] = '\0';
	marker->length = strlen(bytes);
	if (marker->length < PIECE || marker->length >= OVERLAP)
		die("length of a marker");
	(void)snprintf(marker->kind, sizeof(marker->kind), "%.31s", line);
	memcpy(marker->bytes, bytes, marker->length);
	for (size_t i = 0; i + PIECE <= marker->length; i++) {
		size_t slot = slot_of(scan, window_at(bytes + i));

		scan->windows[slot] = window_at(bytes + i);
		scan->owner[slot] = (uint16_t)scan->marker_count;
	}
	scan->marker_count++;
}

static void read_markers(struct scan *scan, const char *path)
{
	char line[OVERLAP + 64];
	FILE *file = fopen(path, "re");

	if (!file)
		die(path);
	while (fgets(line, sizeof(line), file))
		add_marker(scan, line);
	(void)fclose(file);
}

static void print_hit(const struct marker *marker, size_t length,
		      const char *where, uint64_t address)
{
	(void)printf("%s %s %zu %s 0x%" PRIx64 "\n",
		     length == marker->length ? "complete" : "piece",
		     marker->kind, length, where, address);
}

/* How much of its marker stands where a window of it was found. */
static size_t length_of_hit(const struct marker *marker, const char *at,
			    size_t left)
{
	size_t longest = PIECE;

	for (size_t i = 0; i + PIECE <= marker->length; i++) {
		size_t length = 0;

		while (length < left && i + length < marker->length &&
		       at[length] == marker->bytes[i + length])
			length++;
		if (length > longest)
			longest = length;
	}
	return longest;
}

static void search(const struct scan *scan, size_t count, size_t readable,
		   const char *where, uint64_t address)
{
	size_t i = 0;

	while (i < count && i + PIECE <= readable) {
		uint64_t window = window_at(scan->block + i);
		size_t slot = window ? slot_of(scan, window) : 0;
		const struct marker *marker = &scan->markers[scan->owner[slot]];
		size_t length = 1;

		if (window && scan->windows[slot] == window) {
			length = length_of_hit(marker, scan->block + i,
					       readable - i);
			print_hit(marker, length, where, address + i);
		}
		i += length;
	}
}

static void search_range(struct scan *scan, const struct range *range)
{
	uint64_t length = range->end - range->start;

	for (uint64_t at = 0; at < length; at += BLOCK) {
		uint64_t rest = length - at;
		size_t count = rest < BLOCK ? (size_t)rest : BLOCK;
		size_t wanted =
			rest < BLOCK + OVERLAP ? (size_t)rest : BLOCK + OVERLAP;
		ssize_t got = pread(range->fd, scan->block, wanted,
				    (off_t)(range->start + at));

		if (got <= 0)
			continue;
		scan->searched += (uint64_t)got;
		search(scan, count, (size_t)got, range->name,
		       range->address + at);
	}
}

static void search_region(struct scan *scan, const struct region *region)
{
	search_range(scan, &(struct range){
				   .fd = scan->memory,
				   .start = region->start,
				   .end = region->end,
				   .address = region->start,
				   .name = region->name,
			   });
}

/* What is there of it from at on; false: nothing. */
static bool find_data(int fd, uint64_t at, uint64_t end, struct range *range)
{
	off_t data = lseek(fd, (off_t)at, SEEK_DATA);
	off_t hole = data < 0 ? data : lseek(fd, data, SEEK_HOLE);

	if (hole < 0 || (uint64_t)data >= end)
		return false;
	range->start = (uint64_t)data;
	range->end = (uint64_t)hole < end ? (uint64_t)hole : end;
	return true;
}

/* Most of the annex is a hole, which reading it in the process would fill. */
static void search_mapped_file(struct scan *scan, const struct region *region)
{
	uint64_t end = region->offset + (region->end - region->start);
	struct range range = { .end = region->offset, .name = region->name };
	uint64_t before = scan->searched;
	char path[64];

	(void)snprintf(path, sizeof(path),
		       "/proc/%d/map_files/%" PRIx64 "-%" PRIx64, scan->pid,
		       region->start, region->end);
	range.fd = open(path, O_RDONLY | O_CLOEXEC);
	if (range.fd < 0)
		die(path);
	while (find_data(range.fd, range.end, end, &range)) {
		range.address = region->start + (range.start - region->offset);
		search_range(scan, &range);
	}
	(void)close(range.fd);
	scan->files += scan->searched - before;
}

/* The line that a region begins with; other lines begin alike at times. */
static void read_head(const char *line, struct region *ret)
{
	struct region region = { 0 };
	char rights[8];
	int name = 0;

	/* NOLINTNEXTLINE(cert-err34-c): the kernel writes these */
	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %7s %" SCNx64 " %*s %*s %n",
		   &region.start, &region.end, rights, &region.offset,
		   &name) < 4)
		return;
	region.is_readable = rights[0] == 'r';
	(void)snprintf(region.name, sizeof(region.name), "%.*s",
		       (int)strcspn(line + name, "\n"), line + name);
	for (char *at = region.name; *at; at++)
		if (*at == ' ')
			*at = '_';
	if (!region.name[0])
		(void)snprintf(region.name, sizeof(region.name), "anonymous");
	*ret = region;
}

static void end_region(struct scan *scan, const struct region *region)
{
	if (region->is_pool)
		scan->skipped += region->end - region->start;
	else if (!region->is_readable || strncmp(region->name, "[v", 2) == 0)
		return;
	else if (strncmp(region->name, "/memfd:", 7) == 0)
		search_mapped_file(scan, region);
	else if (region->end - region->start < REGION_MAX)
		search_region(scan, region);
}

/* Of what is locked, the buffer of replies and a keeper's environment are no
 * pool. Pieces of it may be regions of their own. */
static bool is_pool(const char *flags, const struct region *region)
{
	_Static_assert(BOUNCE_SIZE < POOL_RANGE, "cannot be told from a pool");

	if (strncmp(region->name, "/secretmem", 10) == 0)
		return true;
	return strstr(flags, " lo") && strstr(flags, " wf") &&
	       region->end - region->start >= POOL_RANGE;
}

static void search_memory(struct scan *scan)
{
	struct region region = { 0 };
	char path[64];
	char line[512];
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/%d/smaps", scan->pid);
	file = fopen(path, "re");
	if (!file)
		die(path);
	while (fgets(line, sizeof(line), file)) {
		if (strncmp(line, "VmFlags:", 8) == 0) {
			region.is_pool = is_pool(line, &region);
			end_region(scan, &region);
		} else {
			read_head(line, &region);
		}
	}
	(void)fclose(file);
}

static void search_registers(struct scan *scan, pid_t thread)
{
	static const unsigned sets[] = {
		NT_PRSTATUS,
		NT_PRFPREG,
#ifdef __x86_64__
		NT_X86_XSTATE,
#endif
#ifdef __aarch64__
		NT_ARM_SVE,
#endif
	};

	for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
		struct iovec room = { scan->block, REGISTERS_MAX };

		if (ptrace(PTRACE_GETREGSET, thread, (void *)(uintptr_t)sets[i],
			   &room) == 0)
			search(scan, room.iov_len, room.iov_len, "registers",
			       (uint64_t)thread);
	}
}

static void stop(struct scan *scan, pid_t thread)
{
	int status;

	if (ptrace(PTRACE_SEIZE, thread, NULL, NULL) < 0 ||
	    ptrace(PTRACE_INTERRUPT, thread, NULL, NULL) < 0 ||
	    waitpid(thread, &status, __WALL) < 0)
		die("ptrace");
	search_registers(scan, thread);
}

static void stop_all(struct scan *scan)
{
	const struct dirent *entry;
	char path[64];
	DIR *tasks;

	(void)snprintf(path, sizeof(path), "/proc/%d/task", scan->pid);
	tasks = opendir(path);
	if (!tasks)
		die(path);
	while ((entry = readdir(tasks)))
		if (entry->d_name[0] != '.')
			stop(scan, (pid_t)strtol(entry->d_name, NULL, 10));
	(void)closedir(tasks);
}

static void search_process(struct scan *scan)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/mem", scan->pid);
	scan->memory = open(path, O_RDONLY | O_CLOEXEC);
	if (scan->memory < 0)
		die(path);
	stop_all(scan);
	search_memory(scan);
}

static void search_file(struct scan *scan, const char *path)
{
	struct region region = { .name = "file" };

	scan->memory = open(path, O_RDONLY | O_CLOEXEC);
	if (scan->memory < 0)
		die(path);
	/* What is swapped to goes past the pages that are cached. */
	(void)posix_fadvise(scan->memory, 0, 0, POSIX_FADV_DONTNEED);
	region.end = (uint64_t)lseek(scan->memory, 0, SEEK_END);
	search_region(scan, &region);
}

int main(int argc, char **argv)
{
	struct scan *scan = calloc(1, sizeof(*scan));

	if (!scan || argc != 3)
		die("usage: scan_memory PID|PATH MARKERS");
	/* Or what is looked for might be found in swap because of us. */
	if (mlockall(MCL_CURRENT | MCL_FUTURE) < 0)
		die("mlockall");
	read_markers(scan, argv[2]);
	scan->pid = (pid_t)strtol(argv[1], NULL, 10);
	if (strchr(argv[1], '/'))
		search_file(scan, argv[1]);
	else
		search_process(scan);
	(void)printf("searched %" PRIu64 " skipped %" PRIu64 " files %" PRIu64
		     "\n",
		     scan->searched, scan->skipped, scan->files);
	(void)close(scan->memory);
	free(scan);
	return 0;
}
