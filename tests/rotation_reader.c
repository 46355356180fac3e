/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A reader that verifies while a secret rotates: in turns it opens the files
 * "user" and "password" of a directory and judges what it was promised, until
 * its standard input ends. Then it prints what it saw as "name value" lines.
 * With "cold" it drops the pages of what it reads first.
 *
 * A content is "VERSION SUM PADDING": the sum is over version, the file's name
 * and the padding, so that bytes of two versions in one file give it away.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define CONTENT_MAX 65536
#define HEAD_LENGTH 18 /* eight digits of each, and a space after each */

/* The two names, and what was seen last of each. */
struct file {
	const char *name;
	bool is_cold;
	int fd;
	int64_t took_ns; /* so far */
	long version;
	int64_t modified_ns;
	int error;
};

struct counts {
	long pairs;
	long errors;
	long wrong;	    /* the sum does not fit: bytes of two versions */
	long mixed;	    /* equal mtimes, two versions */
	long backwards;	    /* an older version, or mtime, after a newer one */
	long versions;	    /* how often another one was seen */
	long differing;	    /* pairs with two mtimes */
	int64_t slowest_ns; /* from before open to the last byte */
	int64_t longest_ns;
	int64_t differs_ns;
};

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* FNV-1a. */
static uint32_t sum(uint32_t so_far, const void *bytes, size_t length)
{
	const unsigned char *at = bytes;

	for (size_t i = 0; i < length; i++)
		so_far = (so_far ^ at[i]) * 16777619U;
	return so_far;
}

/* -1: this is no content as it was written. */
static long judge(const struct file *file, char *content, ssize_t length)
{
	uint32_t expected = 2166136261U;
	char head[HEAD_LENGTH + 1];

	if (length < HEAD_LENGTH)
		return -1;
	expected = sum(expected, content, 8);
	expected = sum(expected, file->name, strlen(file->name));
	expected = sum(expected, content + HEAD_LENGTH,
		       (size_t)length - HEAD_LENGTH);
	(void)snprintf(head, sizeof(head), "%.8s %08" PRIx32 " ", content,
		       expected);
	if (memcmp(head, content, HEAD_LENGTH) != 0)
		return -1;
	return strtol(content, NULL, 10);
}

static void fail(struct file *file, const char *what)
{
	if (!file->error)
		fprintf(stderr, "%s %s: %s\n", what, file->name,
			strerror(errno));
	file->error = errno;
}

static void look(int directory, struct file *file)
{
	int64_t started_ns = now_ns();

	file->error = 0;
	file->fd = openat(directory, file->name, O_RDONLY | O_CLOEXEC);
	if (file->fd < 0)
		fail(file, "open");
	file->took_ns = now_ns() - started_ns;
}

static ssize_t read_all(const struct file *file, char *content, size_t size)
{
	if (file->is_cold)
		(void)posix_fadvise(file->fd, 0, 0, POSIX_FADV_DONTNEED);
	return read(file->fd, content, size);
}

/* A version has one modification time, and later ones have later ones. */
static bool is_backwards(const struct file *file, long version,
			 int64_t modified_ns)
{
	if (version == file->version)
		return modified_ns != file->modified_ns;
	return version < file->version || modified_ns <= file->modified_ns;
}

static void tell_backwards(const struct file *file, long version,
			   int64_t modified_ns, ino_t inode)
{
	fprintf(stderr,
		"backwards %s: version %ld of %" PRId64
		" (inode %ju), after version %ld of %" PRId64 "\n",
		file->name, version, modified_ns, (uintmax_t)inode,
		file->version, file->modified_ns);
}

static void take(struct file *file, struct counts *counts)
{
	static char content[CONTENT_MAX];
	int64_t started_ns = now_ns();
	struct stat state;
	int64_t modified_ns;
	ssize_t length;
	long version;

	if (fstat(file->fd, &state) < 0) {
		fail(file, "fstat");
		return;
	}
	length = read_all(file, content, sizeof(content));
	if (length < 0) {
		fail(file, "read");
		return;
	}
	file->took_ns += now_ns() - started_ns;
	if (file->took_ns > counts->slowest_ns)
		counts->slowest_ns = file->took_ns;
	version = judge(file, content, length);
	modified_ns = (int64_t)state.st_mtim.tv_sec * 1000000000 +
		      state.st_mtim.tv_nsec;
	counts->wrong += version < 0 || length != state.st_size;
	if (is_backwards(file, version, modified_ns)) {
		counts->backwards++;
		tell_backwards(file, version, modified_ns, state.st_ino);
	}
	counts->versions += version != file->version;
	file->version = version;
	file->modified_ns = modified_ns;
}

static void compare(const struct file *files, struct counts *counts,
		    int64_t *differs_since_ns)
{
	int64_t now = now_ns();

	if (files[0].modified_ns == files[1].modified_ns) {
		counts->mixed += files[0].version != files[1].version;
		if (*differs_since_ns) {
			int64_t took_ns = now - *differs_since_ns;

			counts->differs_ns += took_ns;
			if (took_ns > counts->longest_ns)
				counts->longest_ns = took_ns;
		}
		*differs_since_ns = 0;
		return;
	}
	counts->differing++;
	if (!*differs_since_ns)
		*differs_since_ns = now;
}

static void read_pair(int directory, struct file *files, struct counts *counts,
		      int64_t *differs_since_ns)
{
	counts->pairs++;
	for (int i = 0; i < 2; i++)
		look(directory, &files[i]);
	for (int i = 0; i < 2; i++)
		if (!files[i].error)
			take(&files[i], counts);
	for (int i = 0; i < 2; i++) {
		counts->errors += files[i].error != 0;
		if (files[i].fd >= 0)
			close(files[i].fd);
	}
	if (!files[0].error && !files[1].error)
		compare(files, counts, differs_since_ns);
}

static bool is_over(void)
{
	struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };

	return poll(&input, 1, 0) != 0;
}

static void print(const struct counts *counts, int64_t took_ns)
{
	printf("pairs %ld\nerrors %ld\nwrong %ld\nmixed %ld\nbackwards %ld\n"
	       "versions %ld\ndiffering %ld\n",
	       counts->pairs, counts->errors, counts->wrong, counts->mixed,
	       counts->backwards, counts->versions, counts->differing);
	printf("longest_us %" PRId64 "\ndiffers_us %" PRId64
	       "\ntook_us %" PRId64 "\nslowest_us %" PRId64 "\n",
	       counts->longest_ns / 1000, counts->differs_ns / 1000,
	       took_ns / 1000, counts->slowest_ns / 1000);
}

int main(int argc, char **argv)
{
	struct file files[2] = { { .name = "user", .version = -1 },
				 { .name = "password", .version = -1 } };
	struct counts counts = { 0 };
	int64_t differs_since_ns = 0;
	int64_t started_ns = now_ns();
	int directory;

	if (argc < 2 || argc > 3) {
		fprintf(stderr, "usage: rotation_reader DIRECTORY [cold]\n");
		return 2;
	}
	files[0].is_cold = files[1].is_cold = argc == 3;
	directory = open(argv[1], O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0) {
		perror(argv[1]);
		return 2;
	}
	while (!is_over())
		read_pair(directory, files, &counts, &differs_since_ns);
	print(&counts, now_ns() - started_ns);
	return 0;
}
