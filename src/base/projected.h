/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_PROJECTED_H
#define BASE_PROJECTED_H

/*
 * Opens a file for reading that somebody else puts there: a token, a class. It
 * never waits, as it would for a pipe; it is never reached through a magic link
 * of /proc; and in a volume that Kubernetes projects (the directory has a
 * "..data") links lead nowhere outside of it. Links elsewhere are followed.
 *
 * A descriptor, or negative errno: -EXDEV for a link that leads out, -ELOOP,
 * -EISDIR, -EINVAL for what is no regular file.
 */
int projected_open(const char *path);

#endif
