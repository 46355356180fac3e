/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FS_RIGHTS_H
#define FS_RIGHTS_H

#include <sys/types.h>

/* Who may read a file or directory: what stat(2) says, and what the kernel
 * holds every caller to (default_permissions). */
struct rights {
	uid_t uid;
	gid_t gid;
	mode_t mode; /* permission bits */
};

#endif
