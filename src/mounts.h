/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MOUNTS_H
#define MOUNTS_H

#include <stdbool.h>
#include <stdint.h>

#include "keeper/message.h"

struct cache;
struct classes;
struct err;
struct loop;
struct options;
struct provider;
struct served;
struct shown;

/* The mounts that the worker serves, as the keeper hands them over and takes
 * them back. Part of the worker's wiring. */

#define MOUNTS_MAX MESSAGE_MOUNTS_MAX

struct mounts;

/* All borrowed. */
struct mounts_settings {
	struct loop *loop;
	struct cache *cache;
	struct provider *provider;
	const struct options *options;
	const struct shown *shown; /* of every mount that is of no class */
	bool is_asked_always;	   /* as in struct session_settings */
	/* Likewise; asked with owner. */
	bool (*may_serve)(void *owner);
	void *owner;
};

/* NULL: no memory. */
struct mounts *mounts_new(const struct mounts_settings *settings);

/* Ends all of them. NULL is allowed. */
void mounts_free(struct mounts *mounts);

/* SOURCE is a directory of classes: asks for a mount for each, now and later.
 * 0, or negative errno with err filled, as of classes_new(). */
int mounts_start_classes(struct mounts *mounts, struct err *err);

/* Borrowed, or NULL. */
struct classes *mounts_classes(const struct mounts *mounts);

/* Takes a message that is about a mount, with its fd, which may be -1. Whether
 * it was one. */
bool mounts_on_message(struct mounts *mounts, const struct message *message,
		       int fd);

/* How many workers have died before this one, as the keeper said. */
uint32_t mounts_restarts(const struct mounts *mounts);

/* NULL: there is none. */
struct served *mounts_find(const struct mounts *mounts, uint32_t index);

/* Whoever looks a name up in one of them is not answered from before. */
void mounts_expire_names(const struct mounts *mounts);

/* All of them show what settings.shown has now. */
void mounts_show_again(const struct mounts *mounts);

#endif
