/* SPDX-License-Identifier: Apache-2.0 */
/* By the ids that count for files alone: no signal and no limit changes hands,
 * and the other children of this process are untouched. */
#include "keeper/owner.h"
#include "keeper/privileges.h"

#include <sys/fsuid.h>
#include <unistd.h>

void owner_become(struct owner *owner, const struct stat *about)
{
	owner->capabilities = privileges_effective();
	(void)setfsgid(about->st_gid);
	(void)setfsuid(about->st_uid);
}

void owner_leave(const struct owner *owner)
{
	(void)setfsuid(geteuid());
	(void)setfsgid(getegid());
	privileges_keep_effective(owner->capabilities);
}
