/* SPDX-License-Identifier: Apache-2.0 */
/* The seals leave one mapping that can be written to: the keeper's. */
#include "keeper/fence.h"
#include "base/err.h"
#include "keeper/descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL)

void fence_init(struct fence *fence)
{
	fence->fd = -1;
	fence->word = NULL;
}

int fence_make(struct fence *fence, struct err *err)
{
	void *word = MAP_FAILED;

	fence->fd = memfd_create("fence", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fence->fd >= 0 && ftruncate(fence->fd, sizeof(*fence->word)) == 0)
		word = mmap(NULL, sizeof(*fence->word), PROT_READ | PROT_WRITE,
			    MAP_SHARED, fence->fd, 0);
	if (word == MAP_FAILED || fcntl(fence->fd, F_ADD_SEALS, SEALS) < 0)
		return err_set(err, -errno, "no memory for a fence: %s",
			       strerrordesc_np(errno));
	fence->word = word;
	return 0;
}

uint64_t fence_next(const struct fence *fence)
{
	uint64_t number = atomic_fetch_add(fence->word, 1) + 1;

	/* What is copied after this has all that a worker did whose look found
	 * the number before: the other half is in fenced_is_out(). */
	atomic_thread_fence(memory_order_seq_cst);
	return number;
}

void fence_done(struct fence *fence)
{
	if (fence->word)
		(void)munmap(fence->word, sizeof(*fence->word));
	fence->word = NULL;
	descriptor_done(&fence->fd);
}
