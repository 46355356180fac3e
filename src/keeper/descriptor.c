/* SPDX-License-Identifier: Apache-2.0 */
/* What the other files here do with a file descriptor besides using it. */
#include "keeper/descriptor.h"
#include "base/macros.h"
#include "base/parse.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FDINFO_MAX 4096

void descriptor_done(int *fd)
{
	int saved_errno = errno;

	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	errno = saved_errno;
}

int descriptor_take(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

int descriptor_mount_id(int fd, uint64_t *ret)
{
	static const char key[] = "mnt_id:\t";
	char path[64];
	char text[FDINFO_MAX];
	cleanup_fd int info = -1;
	ssize_t length;
	char *number;

	(void)snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	info = open(path, O_RDONLY | O_CLOEXEC);
	if (info < 0)
		return -errno;
	length = read(info, text, sizeof(text) - 1);
	if (length < 0)
		return -errno;
	text[length] = '\0';
	number = strstr(text, key);
	if (!number)
		return -ENOTSUP;
	number += strlen(key);
	number[strcspn(number, "\n")] = '\0';
	return parse_decimal(number, UINT64_MAX, ret);
}
