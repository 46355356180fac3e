/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KEEPER_LAYERS_H
#define KEEPER_LAYERS_H

#include <stdbool.h>
#include <stdint.h>

#include "keeper/place.h"

struct err;
struct mountinfo;

/*
 * The mounts of ours that stand on one place, one on the other, left by keepers
 * that died. They are mounted upon and not taken off first: a container that
 * holds a dead mount itself gets the new one only through the dead one.
 */

#define LAYERS_MAX 8 /* then someone has to look why keepers die */
#define LAYERS_FSTYPE "fuse.secretsfs"

struct layers {
	uint64_t ids[LAYERS_MAX]; /* the top one first */
	unsigned count;
	uint64_t below_id; /* of the mount that all of them stand on */
};

/*
 * Those at a place, of which target_fd is what place_enter() found; from the
 * mount table alone. 0; -EBUSY with err filled: LAYERS_MAX of them are there;
 * or negative errno with err filled.
 */
int layers_read(const struct place *place, int target_fd, struct layers *ret,
		struct err *err);

/* The same below a mount of ours that serves. 0, or negative errno. */
int layers_below(const struct place *place, const struct mountinfo *mount,
		 struct layers *ret);

/* -EBUSY with err filled where the keeper of one lives: what is mounted upon is
 * taken off at the end. 0: all are dead. */
int layers_check(const struct layers *layers, const char *path,
		 struct err *err);

/* Detaches them, the top one first, as place_unmount() does, and removes their
 * sockets of runtime.h. 0 or negative errno. */
int layers_unmount(const struct layers *layers, const struct place *place);

/*
 * Takes the mark of vacant.h off the directory of the place, which goes if it
 * was made for the mount; *is_above_made is set where the one above was, and
 * else left. -EBUSY where something is mounted there that is not below_id; 0;
 * 1: there was no mark; or negative errno.
 */
int layers_give_back(const struct place *place, uint64_t below_id,
		     bool *is_above_made);

#endif
