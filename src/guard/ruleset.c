/* SPDX-License-Identifier: Apache-2.0 */
/* A right that an older kernel does not know must not be named to it, so what
 * is handled grows with the ABI. */
#include "guard/ruleset.h"

#include <errno.h>
#include <linux/landlock.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ABI_MAX 6
#define ABI_PORTS 4
#define ABI_SCOPES 6

/* Of newer kernels than some headers know; see landlock(7). */
#define NET_BIND_TCP 1ULL
#define NET_CONNECT_TCP 2ULL
#define NET_ALL 3ULL
#define SCOPED_ALL 3ULL
#define RULE_NET_PORT 2

struct attributes {
	uint64_t handled_files;
	uint64_t handled_net; /* since ABI 4 */
	uint64_t scoped;      /* since ABI 6 */
};

struct port_rule {
	uint64_t allowed;
	uint64_t port;
};

/* How many rights on files an ABI knows: see LANDLOCK_ACCESS_FS_*. */
static unsigned count_rights(long abi)
{
	static const unsigned counts[ABI_MAX + 1] = {
		0, 13, 14, 15, 15, 16, 16
	};

	return counts[abi];
}

static size_t attributes_size(long abi)
{
	if (abi < ABI_PORTS)
		return offsetof(struct attributes, handled_net);
	return abi < ABI_SCOPES ? offsetof(struct attributes, scoped)
				: sizeof(struct attributes);
}

int ruleset_new(struct ruleset *ret)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0,
			   LANDLOCK_CREATE_RULESET_VERSION);
	struct attributes attributes = { .handled_net = NET_ALL,
					 .scoped = SCOPED_ALL };
	long fd;

	if (abi < 0)
		return errno == ENOSYS ? -EOPNOTSUPP : -errno;
	if (abi > ABI_MAX)
		abi = ABI_MAX;
	attributes.handled_files = (1ULL << count_rights(abi)) - 1;
	fd = syscall(SYS_landlock_create_ruleset, &attributes,
		     attributes_size(abi), 0);
	if (fd < 0)
		return -errno;
	*ret = (struct ruleset){ .fd = (int)fd, .abi = (int)abi };
	return 0;
}

void ruleset_done(struct ruleset *ruleset)
{
	if (ruleset->fd >= 0)
		(void)close(ruleset->fd);
	ruleset->fd = -1;
}

int ruleset_allow_beneath(const struct ruleset *ruleset, int fd,
			  uint64_t rights)
{
	const struct landlock_path_beneath_attr rule = {
		.allowed_access = rights,
		.parent_fd = fd,
	};

	return syscall(SYS_landlock_add_rule, ruleset->fd,
		       LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0
		       ? -errno
		       : 0;
}

bool ruleset_has_ports(const struct ruleset *ruleset)
{
	return ruleset->abi >= ABI_PORTS;
}

bool ruleset_has_scopes(const struct ruleset *ruleset)
{
	return ruleset->abi >= ABI_SCOPES;
}

static int add_port(const struct ruleset *ruleset, uint64_t allowed,
		    uint16_t port)
{
	const struct port_rule rule = { .allowed = allowed, .port = port };

	return syscall(SYS_landlock_add_rule, ruleset->fd, RULE_NET_PORT, &rule,
		       0) < 0
		       ? -errno
		       : 0;
}

int ruleset_allow_port(const struct ruleset *ruleset, uint16_t port)
{
	return add_port(ruleset, NET_CONNECT_TCP, port);
}

int ruleset_allow_listening(const struct ruleset *ruleset, uint16_t port)
{
	return add_port(ruleset, NET_BIND_TCP, port);
}

int ruleset_enforce(const struct ruleset *ruleset)
{
	return syscall(SYS_landlock_restrict_self, ruleset->fd, 0) < 0 ? -errno
								       : 0;
}
