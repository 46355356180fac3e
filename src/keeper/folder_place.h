/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KEEPER_FOLDER_PLACE_H
#define KEEPER_FOLDER_PLACE_H

#include <stdbool.h>
#include <stddef.h>

#include "keeper/place.h"
#include "keeper/vacant.h"

struct err;
struct folder;

/*
 * Where in a folder the mount of a name stands: one that folder_is_name() lets
 * pass. Names are looked up below the folder's descriptor, one component at a
 * time, and never within a mount.
 */

/* Of SPACE/NAME the length of SPACE, else 0. */
size_t folder_place_space_length(const char *name);

/* Makes what directories are missing, and tells in made, also on failure. What
 * is not for mounts is refused. 0 with a place for place_done(), or negative
 * errno with err filled. */
int folder_place_make(const struct folder *folder, const char *name,
		      struct place *ret, struct vacant_made *made,
		      struct err *err);

/* The same, but nothing is made. */
int folder_place_find(const struct folder *folder, const char *name,
		      struct place *ret, struct err *err);

/* Removes the directory of the name's space, which was made for mounts, if it
 * is empty. */
void folder_place_leave(const struct folder *folder, const char *name);

#endif
