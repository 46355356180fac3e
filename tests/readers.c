/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many readers at once: COUNT threads meet at a barrier, then each opens, reads
 * and closes one of the paths. One line for each of them says how that ended,
 * so that a test can judge a crowd that a thousand processes would be too slow
 * to form.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define STACK_BYTES 131072
#define READ_MAX 64

struct reader {
	pthread_t thread;
	pthread_barrier_t *start;
	const char *path;
	int error;
	unsigned char bytes[READ_MAX];
	size_t length;
	int64_t took_ms;
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int read_path(struct reader *reader)
{
	int fd = open(reader->path, O_RDONLY | O_CLOEXEC);
	ssize_t n;
	int error = 0;

	if (fd < 0)
		return errno;
	n = read(fd, reader->bytes, sizeof(reader->bytes));
	if (n < 0)
		error = errno;
	else
		reader->length = (size_t)n;
	close(fd);
	return error;
}

static void *run_reader(void *argument)
{
	struct reader *reader = argument;
	int64_t started_ms;

	pthread_barrier_wait(reader->start);
	started_ms = now_ms();
	reader->error = read_path(reader);
	reader->took_ms = now_ms() - started_ms;
	return NULL;
}

static int start_readers(struct reader *readers, unsigned count)
{
	pthread_attr_t attributes;
	int r = 0;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	for (unsigned i = 0; i < count && r == 0; i++)
		r = pthread_create(&readers[i].thread, &attributes, run_reader,
				   &readers[i]);
	pthread_attr_destroy(&attributes);
	return r;
}

/* "ERRNO MILLISECONDS HEX PATH" */
static void report(const struct reader *reader)
{
	printf("%d %" PRId64 " ", reader->error, reader->took_ms);
	for (size_t i = 0; i < reader->length; i++)
		printf("%02x", reader->bytes[i]);
	printf("%s %s\n", reader->length == 0 ? "-" : "", reader->path);
}

int main(int argc, char **argv)
{
	unsigned long count = argc > 2 ? strtoul(argv[1], NULL, 10) : 0;
	pthread_barrier_t start;
	struct reader *readers;

	if (count == 0 || count > USHRT_MAX) {
		fprintf(stderr, "usage: readers COUNT PATH...\n");
		return 2;
	}
	readers = calloc(count, sizeof(*readers));
	if (!readers || pthread_barrier_init(&start, NULL, (unsigned)count))
		_exit(1);
	for (size_t i = 0; i < count; i++) {
		readers[i].start = &start;
		readers[i].path = argv[2 + i % (size_t)(argc - 2)];
	}
	/* Without all of them the barrier never opens: nothing to wait for. */
	if (start_readers(readers, (unsigned)count) != 0)
		_exit(1);
	for (size_t i = 0; i < count; i++)
		pthread_join(readers[i].thread, NULL);
	for (size_t i = 0; i < count; i++)
		report(&readers[i]);
	pthread_barrier_destroy(&start);
	free(readers);
	return 0;
}
