/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WORKER_ATTACH_H
#define WORKER_ATTACH_H

/*
 * A worker that someone else has started, with "--attach SOCKET" in front of
 * its other arguments, goes to the keeper by itself: connects there, for which
 * it waits half a minute, makes that fd, and says its version. It gives up what
 * a keeper would have taken from it, any way to more rights, and hides its
 * credentials first (secret_memory_hide()). It is not to be root.
 *
 * 1, with the two arguments taken off; 0: the keeper has started it; negative
 * errno, and standard error has a line.
 */
int worker_attach(int *argc, char ***argv, int fd);

#endif
