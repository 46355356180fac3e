/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FS_TRAFFIC_H
#define FS_TRAFFIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What reaches us of the kernel's: counted by kind, and a line in the debug log
 * each. What goes to the kernel without being asked. */

#define TRAFFIC_KINDS 14

struct traffic {
	uint64_t counts[TRAFFIC_KINDS];
};

/* "LOOKUP"; the last kind is "OTHER". */
const char *traffic_kind(size_t index);

struct traffic_request {
	const char *kind;
	const char *name; /* or NULL */
	uint64_t node;
	pid_t pid;
};
void traffic_note(struct traffic *traffic,
		  const struct traffic_request *request);

/* Whether a kernel of that minor protocol version knows the call below. */
bool traffic_has_epochs(unsigned protocol_minor);

/* Whether the kernel has sent the request before (FUSE_NOTIFY_RESEND). */
bool traffic_came_again(uint64_t unique);

/* Whether the kernel waits for an answer to the request, which somebody has
 * read. If its caller was interrupted, the kernel says so once more. */
bool traffic_is_awaited(int fd, uint64_t unique);

/* Has the kernel ask again for every name of the mount behind the descriptor;
 * whether it does. */
bool traffic_next_epoch(int fd);

#endif
