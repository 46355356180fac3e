/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long a warm read takes, beside another file system. Two files are read
 * in turns, a batch of one and a batch of the other, so that whatever the
 * machine does meanwhile meets both. Prints the nanoseconds of each operation
 * of each batch, a line for a pair.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define CONTENT_MAX 65536

typedef bool operation(const char *path, size_t length);

static bool read_once(const char *path, size_t length)
{
	static char content[CONTENT_MAX];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return false;
	n = read(fd, content, sizeof(content));
	return close(fd) == 0 && n == (ssize_t)length;
}

static bool stat_once(const char *path, size_t length)
{
	struct stat found;

	return stat(path, &found) == 0 && found.st_size == (off_t)length;
}

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Nanoseconds of one operation in a batch; negative when one failed. */
static double time_batch(operation *operate, const char *path, size_t length,
			 unsigned long batch)
{
	int64_t started_ns = now_ns();

	for (unsigned long i = 0; i < batch; i++)
		if (!operate(path, length))
			return -1;
	return (double)(now_ns() - started_ns) / (double)batch;
}

int main(int argc, char **argv)
{
	if (argc != 7) {
		fprintf(stderr, "usage: warm_read read|stat LENGTH PAIRS BATCH "
				"PATH OTHER-PATH\n");
		return 2;
	}

	operation *operate = strcmp(argv[1], "stat") ? read_once : stat_once;
	size_t length = strtoul(argv[2], NULL, 10);
	unsigned long pairs = strtoul(argv[3], NULL, 10);
	unsigned long batch = strtoul(argv[4], NULL, 10);

	for (unsigned long i = 0; i < pairs; i++) {
		double ours = time_batch(operate, argv[5], length, batch);
		double other = time_batch(operate, argv[6], length, batch);

		if (ours < 0 || other < 0) {
			perror(ours < 0 ? argv[5] : argv[6]);
			return 1;
		}
		printf("%.1f %.1f\n", ours, other);
	}
	return 0;
}
