/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KEEPER_MOUNT_H
#define KEEPER_MOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "keeper/fuse_init.h"
#include "keeper/layers.h"
#include "keeper/place.h"
#include "keeper/vacant.h"

struct err;

/*
 * One FUSE mount on its way: opened, created, attached, removed. Each step is
 * a call; a mount that is dropped between two of them leaves nothing behind.
 */
struct mount {
	struct place place;
	struct layers layers; /* dead ones that it stands on */
	int target_fd;	      /* the directory below, until it is attached */
	int fuse_fd;
	int nodes_fd; /* memory that its workers share, */
	int journal_fd;
	int tree_fd;		 /* the mount itself, until it is attached */
	uint64_t id;		 /* as in mountinfo */
	unsigned device;	 /* minor number, by which sysfs names it */
	bool is_placed;		 /* stands on its place */
	bool is_attached;	 /* and is served there */
	bool is_found;		 /* and another keeper's: see mount_find() */
	bool is_to_give_back;	 /* see mount_give_back() */
	unsigned replaced;	 /* dead ones that it stands in the place of */
	struct vacant_made made; /* see vacant.h; above stays true when it is
				  * given back, and mount_done() keeps it */
	int mark_error;		 /* negative errno: it has no mark */
	struct fuse_init_request init;
};

/* What all mounts of a keeper have in common. */
struct mount_wish {
	bool allow_other;
	const char *context; /* SELinux's, as root only, or NULL; borrowed */
};

/* One that mount_done() has nothing to do with. */
void mount_init(struct mount *mount);

/*
 * Opens the mount point and /dev/fuse, so that what is missing is known before
 * anything else happens. 0, or negative errno with err naming what is missing.
 */
int mount_open(struct mount *ret, const char *path, struct err *err);

/* The same at a place, which is taken over, also on failure; path is for err.
 */
int mount_open_at(struct mount *ret, struct place *place, const char *path,
		  struct err *err);

/* Finds the mount that stands at path and that another keeper holds; what that
 * one gives is filled in later. It is never looked into, and taken off only
 * once is_attached is set. 0, or negative errno with err filled. */
int mount_find(struct mount *ret, const char *path, struct err *err);

/* The same at a place, which is taken over, also on failure; path is for err.
 */
int mount_find_at(struct mount *ret, struct place *place, const char *path,
		  struct err *err);

/* One that was found, and has all that the other keeper gives, is this one's
 * from now on. One that was made here stays as it is. */
void mount_own(struct mount *mount);

/* The other way round: it is another keeper's, and is left as it is. */
void mount_disown(struct mount *mount);

/*
 * Makes the superblock and the mount, answers FUSE_INIT, and leaves the mount
 * unattached: nobody sees it yet. source is what mountinfo shows. 0, or
 * negative errno with err filled.
 */
int mount_create(struct mount *mount, const char *source,
		 const struct mount_wish *wish, struct err *err);

/* Puts the mount on its mount point, whose directory it marks as of vacant.h
 * where it can. Without root it stands there since mount_create(), and who
 * looks waits until it is served: fusermount.h. 0, or negative errno with err
 * filled. */
int mount_attach(struct mount *mount, struct err *err);

/*
 * How a notifier changes the file system of the attached mount, whatever the
 * mount itself forbids: a descriptor of the root of a private clone, which is
 * seen nowhere but keeps the file system alive, with "" as the name. Without
 * root there are no clones: the directory that the mount stands in, with the
 * mount's name there. Or negative errno: as of place_enter_mount().
 */
int mount_open_way(const struct mount *mount, const char **ret_name);

/* Takes the mount off its place if it is still there; see place_unmount().
 * Its descriptors stay open. */
int mount_detach(struct mount *mount);

/* What its workers share is copied, so that one that still has it has it alone.
 * 0, or negative errno with err filled, and then nothing has changed. */
int mount_part(struct mount *mount, struct err *err);

/* Logs what whoever looks after the machine should know of its place. */
void mount_report(const struct mount *mount);

/*
 * After mount_detach(), where all ends well: takes the dead mounts off that it
 * stood on, and the mark off the directory. One that was never attached has
 * none; but a directory that was made for it is removed. Logs what fails.
 */
void mount_give_back(struct mount *mount);

/* Closes everything: who still uses the file system gets ENOTCONN. May be
 * called twice. */
void mount_done(struct mount *mount);

#endif
