/* SPDX-License-Identifier: Apache-2.0 */
/* The pool is everybody's and knows nobody: here it meets the loop, which has
 * time for it, and the keeper, which outlives it. */
#include "secret_memory.h"
#include "base/err.h"
#include "base/log.h"
#include "base/macros.h"
#include "base/parked.h"
#include "base/pool.h"
#include "base/privacy.h"
#include "base/secret.h"
#include "config/options.h"
#include "keeper/environment.h"
#include "keeper/message.h"
#include "loop/loop.h"
#include "store/cache.h"
#include "test_pool.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

int secret_memory_open(const struct options *options, struct err *err)
{
	int r = privacy_begin(err);

	if (r < 0)
		return r;
	environ = environment_for_worker(environ);
	if (!environ || environment_lock_away(environ) < 0)
		return err_set(err, -ENOMEM, "no memory");
	return test_pool_open(options->test_pool, err);
}

static void on_room(void *owner)
{
	struct secret_memory *memory = owner;

	memory->make_room = NULL;
	if (!secrets_make_room())
		log_warn("the memory for secrets is full", NULL);
}

/* Not at once: who needs memory is in the middle of something. */
static void on_low(void *owner)
{
	struct secret_memory *memory = owner;

	if (!memory->make_room)
		memory->make_room = loop_soon(memory->loop, on_room, memory);
}

void secret_memory_begin(struct secret_memory *memory, struct loop *loop)
{
	memory->loop = loop;
	pool_set_on_low(on_low, memory);
}

void secret_memory_end(struct secret_memory *memory)
{
	pool_set_on_low(NULL, NULL);
	loop_timer_cancel(TAKE(memory->make_room));
}

void secret_memory_park(int keeper_fd)
{
	struct message message;

	if (pool_fd() < 0)
		return;
	message_fill(&message, MESSAGE_POOL, MESSAGE_NO_MOUNT, NULL, 0);
	if (message_send(keeper_fd, &message, pool_fd()) < 0)
		log_debug("the keeper does not listen", NULL);
}

struct adoption {
	struct cache *cache;
	size_t count;
	size_t lost;
};

static void on_parked(void *owner, const struct parked_about *about,
		      const void *bytes, size_t length)
{
	struct adoption *adoption = owner;

	if (cache_adopt(adoption->cache, about, bytes, length) < 0)
		adoption->lost++;
	else
		adoption->count++;
}

void secret_memory_adopt(struct secret_memory *memory, struct cache *cache,
			 int fd)
{
	struct adoption adoption = { .cache = cache };
	int r = parked_read(fd, on_parked, &adoption);

	memory->adopted_count = adoption.count;
	if (r < 0)
		log_warn("what the last worker had is fetched again",
			 "error=%s", strerrordesc_np(-r));
	else
		log_info("took over what the last worker had",
			 "secrets=%zu lost=%zu", adoption.count, adoption.lost);
}
