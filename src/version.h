/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VERSION_H
#define VERSION_H

#include "config.h"

/* Which build this is. The tests make another one, to follow it. */
#ifndef SECRETSFS_VERSION
#define SECRETSFS_VERSION PACKAGE_VERSION
#endif

#endif
