/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KEEPER_VACANT_H
#define KEEPER_VACANT_H

#include <stdbool.h>

/*
 * The directory below a mount, marked so that nobody takes it for an empty set
 * of secrets where the mount is not: a file in it says so, and as root its mode
 * is 0000. The file also keeps the mode that it had, so that the mark of a
 * keeper that was killed can be taken away by another.
 *
 * All is done on the one descriptor, for which O_PATH is enough, and as the
 * directory's owner.
 */

/* What was made for a mount, and goes with it. */
struct vacant_made {
	bool place; /* the directory itself */
	bool above; /* and the one that it is in, when that is empty */
};

#define VACANT_FILE "NOT-MOUNTED"

/* 0: the directory has the mark, or nothing in it; -ENOTEMPTY; or negative
 * errno. */
int vacant_check(int directory_fd);

/* The mark also keeps what was made. 0; 1: it was marked already, and stays as
 * it was marked; or negative errno, and then nothing has changed. */
int vacant_mark(int directory_fd, struct vacant_made made);

/* Takes the mark away. 0; 1: there was none, or a file of that name that is
 * no mark; or negative errno. ret_made is set with 0. */
int vacant_unmark(int directory_fd, struct vacant_made *ret_made);

#endif
