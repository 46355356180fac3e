/* SPDX-License-Identifier: Apache-2.0 */
/* The pool is everybody's and knows nobody: here it meets the loop, which has
 * time for it, and the keeper, which outlives it. */
#include "secret_memory.h"
#include "base/annex.h"
#include "base/err.h"
#include "base/log.h"
#include "base/macros.h"
#include "base/parked.h"
#include "base/pool.h"
#include "base/privacy.h"
#include "base/seal.h"
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

int secret_memory_hide(struct err *err)
{
	int r = privacy_begin(err);

	if (r < 0)
		return r;
	environ = environment_for_worker(environ);
	if (!environ || environment_lock_away(environ) < 0)
		return err_set(err, -ENOMEM, "no memory");
	return 0;
}

int secret_memory_open(const struct options *options, struct err *err)
{
	int r = test_pool_open(options->test_pool, err);

	if (r < 0)
		return r;
	r = seal_prepare();
	return r < 0 ? err_set(err, r, "no key to seal secrets with") : 0;
}

static void on_room(void *owner)
{
	struct secret_memory *memory = owner;

	bool has_room = secrets_make_room();

	memory->make_room = NULL;
	if (!has_room && !memory->is_full)
		log_warn("the memory for secrets is full", NULL);
	memory->is_full = !has_room;
}

/* Not at once: who needs memory is in the middle of something. */
static bool on_low(void *owner)
{
	struct secret_memory *memory = owner;

	if (!memory->make_room)
		memory->make_room = loop_soon(memory->loop, on_room, memory);
	return memory->make_room != NULL;
}

void secret_memory_begin(struct secret_memory *memory, struct loop *loop,
			 struct cache *cache)
{
	memory->loop = loop;
	memory->cache = cache;
	memory->annex_fd = -1;
	pool_set_on_low(on_low, memory);
}

static void close_annex(struct secret_memory *memory)
{
	if (memory->annex_fd >= 0)
		(void)close(memory->annex_fd);
	memory->annex_fd = -1;
}

void secret_memory_end(struct secret_memory *memory)
{
	if (!memory->loop)
		return;
	pool_set_on_low(NULL, NULL);
	loop_timer_cancel(TAKE(memory->make_room));
	close_annex(memory);
}

static void park(int keeper_fd, int part, int fd)
{
	struct message message;

	if (fd < 0)
		return;
	message_fill(&message, MESSAGE_POOL, MESSAGE_NO_MOUNT, NULL, 0);
	message.number = part;
	if (message_send(keeper_fd, &message, fd) < 0)
		log_debug("the keeper does not listen", NULL);
}

void secret_memory_park(int keeper_fd)
{
	park(keeper_fd, MESSAGE_POOL_ANNEX, annex_fd());
	park(keeper_fd, MESSAGE_POOL_PLAIN, pool_fd());
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

	if (secrets_make_room() &&
	    cache_adopt(adoption->cache, about, bytes, length) == 0)
		adoption->count++;
	else
		adoption->lost++;
}

static void adopt(struct secret_memory *memory, int fd)
{
	struct adoption adoption = { .cache = memory->cache };
	int r = parked_read(fd, memory->annex_fd, on_parked, &adoption);

	memory->adopted_count = adoption.count;
	if (r < 0)
		log_warn("what the last worker had is fetched again",
			 "error=%s", strerrordesc_np(-r));
	else
		log_info("took over what the last worker had",
			 "secrets=%zu lost=%zu", adoption.count, adoption.lost);
}

void secret_memory_adopt(struct secret_memory *memory, int part, int fd)
{
	if (part == MESSAGE_POOL_ANNEX) {
		close_annex(memory);
		memory->annex_fd = fd;
		return;
	}
	adopt(memory, fd);
	(void)close(fd);
	close_annex(memory);
}
