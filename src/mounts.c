/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Of each mount that came the keeper is told once that it has gone: until then
 * it gives its number to no other.
 */
#include "mounts.h"
#include "base/err.h"
#include "base/log.h"
#include "base/macros.h"
#include "classes.h"
#include "config/options.h"
#include "fs/session.h"
#include "fs/tree.h"
#include "served.h"
#include "shown.h"
#include "tell.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct mounts {
	struct mounts_settings settings;
	struct classes *classes; /* or NULL */
	struct served *list[MOUNTS_MAX];
	bool is_owed[MOUNTS_MAX]; /* that its going is told */
	/* of the mount that comes next, or -1, or NULL */
	int nodes_fd;
	int journal_fd;
	bool is_writable;
	char *next_name;
	uint32_t restarts;
};

struct mounts *mounts_new(const struct mounts_settings *settings)
{
	struct mounts *mounts = calloc(1, sizeof(*mounts));

	if (!mounts)
		return NULL;
	mounts->settings = *settings;
	mounts->nodes_fd = mounts->journal_fd = -1;
	return mounts;
}

static void hold(int *held, int fd)
{
	if (*held >= 0)
		(void)close(*held);
	*held = fd;
}

void mounts_free(struct mounts *mounts)
{
	if (!mounts)
		return;
	for (size_t i = 0; i < MOUNTS_MAX; i++)
		if (mounts->list[i])
			served_free(mounts->list[i]);
	classes_free(mounts->classes);
	hold(&mounts->nodes_fd, -1);
	hold(&mounts->journal_fd, -1);
	free(mounts->next_name);
	free(mounts);
}

struct classes *mounts_classes(const struct mounts *mounts)
{
	return mounts->classes;
}

uint32_t mounts_restarts(const struct mounts *mounts)
{
	return mounts->restarts;
}

struct served *mounts_find(const struct mounts *mounts, uint32_t index)
{
	return index < MOUNTS_MAX ? mounts->list[index] : NULL;
}

static void drop(struct mounts *mounts, uint32_t index)
{
	mounts->is_owed[index] = false;
	served_free(TAKE(mounts->list[index]));
	if (mounts->classes)
		classes_on_gone(mounts->classes, index);
}

static void on_gone(void *owner, struct served *served)
{
	struct mounts *mounts = owner;

	for (uint32_t i = 0; i < MOUNTS_MAX; i++)
		if (mounts->list[i] == served)
			drop(mounts, i);
}

static bool may_serve(void *owner)
{
	const struct mounts *mounts = owner;

	return mounts->settings.may_serve(mounts->settings.owner);
}

/* What the mount is to show; NULL: it is not wanted any more. */
static const struct shown *shown_for(struct mounts *mounts, uint32_t index)
{
	const struct shown *shown = NULL;

	if (!mounts->classes)
		return mounts->settings.shown;
	if (mounts->next_name)
		shown = classes_on_mount(mounts->classes, mounts->next_name,
					 index);
	free(TAKE(mounts->next_name));
	return shown;
}

/* Takes fd over. */
static int add(struct mounts *mounts, const struct message *message,
	       const struct shown *shown, int fd, struct err *err)
{
	const struct served_settings settings = {
		.loop = mounts->settings.loop,
		.cache = mounts->settings.cache,
		.shown = shown,
		.index = message->mount,
		.keeper_fd = KEEPER_FD,
		.is_asked_always = mounts->settings.is_asked_always,
		.has_extended = mounts->settings.options->xattr,
		.has_no_epochs = mounts->settings.options->test_no_epochs,
		.on_gone = on_gone,
		.may_serve = may_serve,
		.owner = mounts,
	};
	const struct served_mount mount = {
		.fuse_fd = fd,
		.nodes_fd = mounts->nodes_fd,
		.journal_fd = mounts->journal_fd,
		.is_writable = mounts->is_writable,
		.init = message,
	};

	mounts->nodes_fd = mounts->journal_fd = -1;
	return served_new(&settings, &mount, &mounts->list[message->mount],
			  err);
}

static void on_mount(struct mounts *mounts, const struct message *message,
		     int fd)
{
	const struct shown *shown;
	struct err err;

	if (fd < 0 || message->mount >= MOUNTS_MAX ||
	    mounts->list[message->mount]) {
		log_err("a mount came that cannot be", "mount=%u",
			message->mount);
		if (fd >= 0)
			(void)close(fd);
		return;
	}
	mounts->is_owed[message->mount] = true;
	mounts->restarts = (uint32_t)message->number;
	shown = shown_for(mounts, message->mount);
	if (!shown) {
		(void)close(fd);
		tell_keeper(MESSAGE_REMOVE, message->mount, "", 0);
	} else if (add(mounts, message, shown, fd, &err) < 0) {
		tell_keeper(MESSAGE_FAILED, message->mount, err.text, 1);
	} else {
		tell_keeper(MESSAGE_SERVING, message->mount, "", 0);
	}
}

/* The last one's is closed: it is gone. Without fd there is none. */
static void on_notifier(const struct mounts *mounts,
			const struct message *message, int fd)
{
	struct served *mount = mounts_find(mounts, message->mount);

	if (!mount) {
		if (fd >= 0)
			(void)close(fd);
		return;
	}
	tree_set_notifier(served_tree(mount), fd, message->number);
	log_debug("notifier", "mount=%u pid=%d", message->mount,
		  fd >= 0 ? message->number : -1);
}

/* It is off its place. */
static void on_remove(struct mounts *mounts, uint32_t index)
{
	const struct served *mount = mounts_find(mounts, index);
	bool is_owed = index < MOUNTS_MAX && mounts->is_owed[index] &&
		       !(mount && served_has_gone(mount));

	if (mount)
		drop(mounts, index);
	if (!is_owed)
		return;
	mounts->is_owed[index] = false;
	tell_keeper(MESSAGE_GONE, index, "", 0);
}

static void on_refused(struct mounts *mounts, const struct message *message)
{
	size_t length = strlen(message->body);

	if (mounts->classes)
		classes_on_refused(mounts->classes, message->body,
				   length < message->length
					   ? message->body + length + 1
					   : "");
}

/* Of those that come without a descriptor. */
static bool on_plain_message(struct mounts *mounts,
			     const struct message *message)
{
	if (message->type == MESSAGE_REMOVE) {
		on_remove(mounts, message->mount);
	} else if (message->type == MESSAGE_REFUSED) {
		on_refused(mounts, message);
	} else if (message->type == MESSAGE_ADD) {
		free(mounts->next_name);
		mounts->next_name = strdup(message->body);
	} else {
		return false;
	}
	return true;
}

bool mounts_on_message(struct mounts *mounts, const struct message *message,
		       int fd)
{
	if (message->type == MESSAGE_MOUNT) {
		on_mount(mounts, message, fd);
		return true;
	}
	if (message->type == MESSAGE_NODES) {
		hold(&mounts->nodes_fd, fd);
		mounts->is_writable = message->number == MESSAGE_NODES_WRITABLE;
		return true;
	}
	if (message->type == MESSAGE_JOURNAL) {
		hold(&mounts->journal_fd, fd);
		return true;
	}
	if (message->type == MESSAGE_NOTIFIER) {
		on_notifier(mounts, message, fd);
		return true;
	}
	if (!on_plain_message(mounts, message))
		return false;
	if (fd >= 0)
		(void)close(fd);
	return true;
}

void mounts_expire_names(const struct mounts *mounts)
{
	for (size_t i = 0; i < MOUNTS_MAX; i++)
		if (mounts->list[i])
			(void)session_expire_names(
				served_session(mounts->list[i]));
}

/* Names may all have changed meaning; where the kernel cannot be told at once,
 * it asks when their time is over. */
static void show(const struct mounts *mounts, uint32_t index,
		 const struct shown *shown)
{
	const struct served *mount = mounts_find(mounts, index);

	if (!mount)
		return;
	tree_set_layout(served_tree(mount), shown->layout);
	(void)session_expire_names(served_session(mount));
}

void mounts_show_again(const struct mounts *mounts)
{
	for (uint32_t i = 0; i < MOUNTS_MAX; i++)
		show(mounts, i, mounts->settings.shown);
}

static void add_class(void *owner, const char *name, const char *label)
{
	char body[MESSAGE_BODY_MAX];
	int length = snprintf(body, sizeof(body), "%.*s%c%.*s",
			      MESSAGE_BODY_MAX / 2 - 1, name, '\0',
			      MESSAGE_BODY_MAX / 2 - 1, label);

	(void)owner;
	tell_keeper_bytes(MESSAGE_ADD, MESSAGE_NO_MOUNT, body, (size_t)length);
}

static void remove_class(void *owner, uint32_t mount)
{
	(void)owner;
	tell_keeper(MESSAGE_REMOVE, mount, "", 0);
}

static void change_class(void *owner, uint32_t mount, const struct shown *shown)
{
	show(owner, mount, shown);
}

/* In the foreground the log is what whoever mounts reads. */
static void warn_of_class(void *owner, const char *line)
{
	const struct mounts *mounts = owner;

	if (!mounts->settings.options->foreground)
		tell_keeper(MESSAGE_WARNING, MESSAGE_NO_MOUNT, line, 0);
}

int mounts_start_classes(struct mounts *mounts, struct err *err)
{
	const struct mounts_settings *settings = &mounts->settings;

	return classes_new(
		&(struct classes_settings){ .loop = settings->loop,
					    .provider = settings->provider,
					    .options = settings->options,
					    .path = settings->options->source,
					    .add = add_class,
					    .remove = remove_class,
					    .change = change_class,
					    .warn = warn_of_class,
					    .owner = mounts },
		&mounts->classes, err);
}
