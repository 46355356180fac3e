/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLASSES_PRIVATE_H
#define CLASSES_PRIVATE_H

/* What classes.c and classes_read.c share. */

#include "base/err.h"
#include "classes.h"
#include "shown.h"

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

#define CLASSES_NAME_MAX 512
#define NO_MOUNT UINT32_MAX

/* By which a file is taken for unchanged. */
struct stamp {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec modified;
	struct timespec changed;
};

struct class_file_entry {
	char name[NAME_MAX + 1];
	struct stamp stamp;
	char fault[ERR_TEXT_MAX]; /* "": it is in force */
};

struct class_entry {
	char name[CLASSES_NAME_MAX];
	char file[NAME_MAX + 1];
	struct shown shown;
	bool is_new; /* shown is of this reading */
	uint32_t mount;
	enum class_state state;
	char why[ERR_TEXT_MAX];
};

struct class_set {
	struct class_entry **entries;
	size_t count;
};

struct file_set {
	struct class_file_entry **entries;
	size_t count;
};

struct classes {
	struct classes_settings settings;
	struct class_set set;
	struct file_set files;
	bool is_started; /* classes_new() has returned */
	unsigned warnings;
	struct dir_watch *watch;
	int directory_fd;
	struct loop_timer *due;
};

struct class_entry *class_set_find(const struct class_set *set,
				   const char *name);
void class_set_done(struct class_set *set);
void file_set_done(struct file_set *files);

/*
 * Reads the directory into ret, and what is known of its files into
 * ret_files; both are empty before. Classes of files that are wrong, or look
 * unchanged, are taken out of what there is, unless all are to be read. 0, or
 * negative errno with err filled and nothing changed.
 */
int classes_read(struct classes *classes, bool reads_all, struct class_set *ret,
		 struct file_set *ret_files, struct err *err);

#endif
