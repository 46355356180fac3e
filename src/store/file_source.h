/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_FILE_SOURCE_H
#define STORE_FILE_SOURCE_H

struct err;
struct loop;
struct source;

/*
 * Secrets from a directory: the file NAME.json, or else NAME, is the secret
 * NAME, and subdirectories are the '/' in names. A file without .json is raw
 * and has no keys. Names that start with a dot are not secrets.
 *
 * Other versions are files beside it: NAME@STAGE.json or NAME@STAGE for a stage
 * other than AWSCURRENT, NAME@VERSION.json or NAME@VERSION for a version. With
 * both, the version's file is it: which stages that has, no folder tells. In
 * listings such files are secrets of that name, as all files are.
 *
 * A changed file is a new version, whose id is made of the file's inode, times
 * and length. inotify tells of changes; without it the second that a value
 * lives does. Links are followed inside the directory only (openat2(2),
 * RESOLVE_BENEATH). Files are to be replaced by rename: what a reader sees of
 * one that is written in place is whatever stands there at that moment.
 */

/* directory is opened now and kept. 0, or negative errno with err filled. */
int file_source_new(struct loop *loop, const char *directory,
		    struct source **ret, struct err *err);

#endif
