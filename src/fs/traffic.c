/* SPDX-License-Identifier: Apache-2.0 */
/* One line for each request: how tests and operators see what reaches us. The
 * counters are what is left of that without the debug log. */
#include "fs/traffic.h"
#include "base/log.h"
#include "base/macros.h"

#include <assert.h>
#include <string.h>
#include <unistd.h>

/* FUSE_NOTIFY_INC_EPOCH of linux/fuse.h since 7.44. */
#define NOTIFY_INC_EPOCH 8
#define NOTIFY_INC_EPOCH_SINCE 44

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

bool traffic_next_epoch(int fd)
{
	/* struct fuse_out_header of linux/fuse.h; libfuse has no call for it
	 * before 3.18 */
	const struct {
		uint32_t length;
		int32_t notification;
		uint64_t unique;
	} message = { .length = sizeof(message),
		      .notification = NOTIFY_INC_EPOCH };

	return write(fd, &message, sizeof(message)) == (ssize_t)sizeof(message);
}
