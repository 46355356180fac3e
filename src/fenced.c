/* SPDX-License-Identifier: Apache-2.0 */
/* One load from shared memory, so that it may be asked at every request. It is
 * ordered after what was read before it: where stores may pass loads, the
 * keeper could else copy a journal without a request that this worker goes on
 * with. */
#include "fenced.h"
#include "keeper/message.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int fenced_adopt(struct fenced *fenced, const struct message *message, int fd)
{
	void *word = MAP_FAILED;
	int code = -EPROTO;

	if (fd >= 0 && message->length == sizeof(fenced->number)) {
		word = mmap(NULL, sizeof(*fenced->word), PROT_READ, MAP_SHARED,
			    fd, 0);
		code = -errno;
	}
	if (fd >= 0)
		(void)close(fd);
	if (word == MAP_FAILED)
		return code;
	fenced_done(fenced);
	fenced->word = word;
	memcpy(&fenced->number, message->body, sizeof(fenced->number));
	return 0;
}

bool fenced_is_out(const struct fenced *fenced)
{
	if (!fenced->word)
		return false;
	atomic_thread_fence(memory_order_seq_cst);
	return atomic_load(fenced->word) != fenced->number;
}

void fenced_done(struct fenced *fenced)
{
	if (fenced->word)
		(void)munmap((void *)(uintptr_t)fenced->word,
			     sizeof(*fenced->word));
	fenced->word = NULL;
}
