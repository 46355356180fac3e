/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROGRAM_H
#define PROGRAM_H

struct err;

/* Where another program of ours is, in ret of PATH_MAX bytes: beside this one,
 * as in a build tree, or where it is installed. 0, or negative errno with err
 * filled. */
int program_find(const char *name, char *ret, struct err *err);

#endif
