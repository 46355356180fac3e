/* SPDX-License-Identifier: Apache-2.0 */
/* One line for each request: how tests and operators see what reaches us. The
 * counters are what is left of that without the debug log. */
#include "fs/traffic.h"
#include "base/log.h"
#include "base/macros.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

/* FUSE_NOTIFY_INC_EPOCH of linux/fuse.h since 7.44. */
#define NOTIFY_INC_EPOCH 8
#define NOTIFY_INC_EPOCH_SINCE 44

/* FUSE_UNIQUE_RESEND of it since 7.40, and what it has no name for: the number
 * of a request's INTERRUPT. */
#define UNIQUE_CAME_AGAIN (UINT64_C(1) << 63)
#define UNIQUE_INTERRUPT 1U

static const char *const kinds[] = {
	"LOOKUP",  "FORGET",   "GETATTR",     "OPEN",	    "READ",
	"OPENDIR", "READDIR",  "READDIRPLUS", "RELEASEDIR", "RENAME",
	"UNLINK",  "GETXATTR", "LISTXATTR",   "OTHER",
};

static_assert(ARRAY_SIZE(kinds) == TRAFFIC_KINDS, "a counter for each");

const char *traffic_kind(size_t index)
{
	return kinds[index];
}

static size_t index_of(const char *kind)
{
	size_t index = 0;

	while (index < TRAFFIC_KINDS - 1 && strcmp(kinds[index], kind) != 0)
		index++;
	return index;
}

void traffic_note(struct traffic *traffic,
		  const struct traffic_request *request)
{
	traffic->counts[index_of(request->kind)]++;
	if (!log_has(LOG_LEVEL_DEBUG))
		return;
	if (request->name)
		log_debug("request", "kind=%s name=%s node=%llu pid=%d",
			  request->kind, request->name,
			  (unsigned long long)request->node, request->pid);
	else
		log_debug("request", "kind=%s node=%llu pid=%d", request->kind,
			  (unsigned long long)request->node, request->pid);
}

bool traffic_has_epochs(unsigned protocol_minor)
{
	return protocol_minor >= NOTIFY_INC_EPOCH_SINCE;
}

/* struct fuse_out_header of linux/fuse.h; libfuse has no calls for these. */
static bool say(int fd, int32_t what, uint64_t unique)
{
	const struct {
		uint32_t length;
		int32_t what;
		uint64_t unique;
	} message = { .length = sizeof(message),
		      .what = what,
		      .unique = unique };

	return write(fd, &message, sizeof(message)) == (ssize_t)sizeof(message);
}

bool traffic_next_epoch(int fd)
{
	return say(fd, NOTIFY_INC_EPOCH, 0);
}

bool traffic_came_again(uint64_t unique)
{
	return unique & UNIQUE_CAME_AGAIN;
}

/*
 * An answer to the INTERRUPT of a request, as if it had come before the request
 * itself: the kernel looks for that, and sends the INTERRUPT again if there was
 * one; if there was none it says EINVAL.
 */
bool traffic_is_awaited(int fd, uint64_t unique)
{
	return say(fd, -EAGAIN, unique | UNIQUE_INTERRUPT) || errno != ENOENT;
}
