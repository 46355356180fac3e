/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KEEPER_STREAM_H
#define KEEPER_STREAM_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/macros.h"

/* What the C library opens, and is to close at the end of a block. NULL is
 * none. */

static inline void stream_close_file(FILE **file)
{
	if (*file)
		(void)fclose(*file);
}

static inline void stream_close_listing(DIR **listing)
{
	if (*listing)
		(void)closedir(*listing);
}

/* Of getline(3). */
static inline void stream_free_line(char **line)
{
	free(*line);
}

#define cleanup_file CLEANUP(stream_close_file)
#define cleanup_listing CLEANUP(stream_close_listing)
#define cleanup_line CLEANUP(stream_free_line)

#endif
