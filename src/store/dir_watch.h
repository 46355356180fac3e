/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_DIR_WATCH_H
#define STORE_DIR_WATCH_H

struct loop;

/* inotify(7) over some directories that are open. */

struct dir_watch;

/* The name in the directory prefix ("" or "a/b/") is not what it was. prefix
 * NULL: anything may be, since events were lost or a directory moved. */
typedef void dir_watch_on_change(void *owner, const char *prefix,
				 const char *name);

/* NULL with errno set. */
struct dir_watch *dir_watch_new(struct loop *loop,
				dir_watch_on_change *on_change, void *owner);

/* NULL is allowed. */
void dir_watch_free(struct dir_watch *watch);

/* Watches one more directory, "" or "a/b/", of which directory_fd is a
 * descriptor, needed for this call only; again is no fault. Failing is silent:
 * what is not watched is seen by its age. */
void dir_watch_add(struct dir_watch *watch, int directory_fd,
		   const char *prefix);

#endif
