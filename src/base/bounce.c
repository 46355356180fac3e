/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel pins the pages of a reply to /dev/fuse, and pins none of secret
 * memory. So there is one buffer of the next best kind. */
#include "base/bounce.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static char *new_buffer(void)
{
	char *buffer = mmap(NULL, BOUNCE_SIZE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (buffer == MAP_FAILED)
		return NULL;
	/* Where it cannot be locked, the pool cannot either, which is told. */
	(void)mlock(buffer, BOUNCE_SIZE);
	(void)madvise(buffer, BOUNCE_SIZE, MADV_DONTDUMP);
	(void)madvise(buffer, BOUNCE_SIZE, MADV_WIPEONFORK);
	return buffer;
}

/* One for the process, for its whole life. */
static char *the_buffer(void)
{
	static char *buffer;

	if (!buffer)
		buffer = new_buffer();
	return buffer;
}

ssize_t bounce_writev(int fd, const struct iovec *parts, int count)
{
	char *buffer = the_buffer();
	size_t length = 0;
	ssize_t written;

	if (!buffer)
		return -1;
	for (int i = 0; i < count; i++) {
		if (parts[i].iov_len > BOUNCE_SIZE - length) {
			explicit_bzero(buffer, length);
			errno = E2BIG;
			return -1;
		}
		memcpy(buffer + length, parts[i].iov_base, parts[i].iov_len);
		length += parts[i].iov_len;
	}
	written = write(fd, buffer, length);
	explicit_bzero(buffer, length);
	return written;
}
