/* SPDX-License-Identifier: Apache-2.0 */
/* The environment is an input from strangers: what is not named here is cut. */
#include "keeper/environment.h"
#include "base/macros.h"
#include "base/scrub.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_memfd_secret
#define SYS_memfd_secret 447
#endif

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAVE_SANITIZERS 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define HAVE_SANITIZERS 1
#endif

/* A text that ends in '=' is a whole name, another one is how names begin. What
 * names a proxy is used only where an option or a class asks for that, and
 * classes are the worker's to read. */
static const char *const allowed[] = {
	"AWS_",		 "HOME=",	  "NODE_NAME=",	    "TZ=",
	"http_proxy=",	 "https_proxy=",  "no_proxy=",	    "HTTP_PROXY=",
	"HTTPS_PROXY=",	 "NO_PROXY=",
#ifdef HAVE_SANITIZERS
	"ASAN_OPTIONS=", "LSAN_OPTIONS=", "UBSAN_OPTIONS=",
#endif
};

static bool is_allowed(const char *variable)
{
	for (size_t i = 0; i < ARRAY_SIZE(allowed); i++)
		if (strncmp(variable, allowed[i], strlen(allowed[i])) == 0)
			return true;
	return false;
}

char **environment_for_worker(char *const *environment)
{
	size_t count = 0;
	char **kept;

	while (environment[count])
		count++;
	kept = calloc(count + 1, sizeof(*kept));
	if (!kept)
		return NULL;
	count = 0;
	for (; *environment; environment++)
		if (is_allowed(*environment))
			kept[count++] = *environment;
	return kept;
}

static void *map_secret(size_t size)
{
	int fd = (int)syscall(SYS_memfd_secret, O_CLOEXEC);
	void *bytes = MAP_FAILED;

	if (fd < 0)
		return NULL;
	if (ftruncate(fd, (off_t)size) == 0)
		bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			     0);
	(void)close(fd);
	return bytes == MAP_FAILED ? NULL : bytes;
}

static void *map_locked(size_t size)
{
	/* As secret memory is: shared with who is forked, so that what is wiped
	 * here is wiped there. A copy would be locked nowhere. */
	void *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (bytes == MAP_FAILED)
		return NULL;
	/* Where little may be locked, the pool of secrets says so. */
	(void)mlock(bytes, size);
	(void)madvise(bytes, size, MADV_DONTDUMP);
	return bytes;
}

static size_t size_of(char *const *environment)
{
	size_t size = 0;

	for (; *environment; environment++)
		size += strlen(*environment) + 1;
	return size;
}

int environment_lock_away(char **environment)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t size = (size_of(environment) / page + 1) * page;
	char *at = map_secret(size);

	if (!at)
		at = map_locked(size);
	if (!at)
		return -ENOMEM;
	for (; *environment; environment++) {
		size_t length = strlen(*environment);

		memcpy(at, *environment, length);
		explicit_bzero(*environment, length);
		*environment = at;
		at += length + 1;
	}
	/* A keeper that waits would have the last long one in them for good. */
	scrub_registers();
	return 0;
}

void environment_forget(char *const *environment)
{
	for (; *environment; environment++)
		if (is_allowed(*environment))
			explicit_bzero(*environment, strlen(*environment));
}
