/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KEEPER_ENVIRONMENT_H
#define KEEPER_ENVIRONMENT_H

/*
 * What of an environment a worker gets: AWS_*, HOME, NODE_NAME and TZ, the
 * variables that name a proxy, and in a build with sanitizers their options.
 * Everything else, LD_PRELOAD and secrets of others among it, stays behind.
 *
 * The array is NULL-terminated and for free(3); its strings are borrowed.
 * NULL: no memory.
 */
char **environment_for_worker(char *const *environment);

/*
 * Moves the strings of such an array into memory of their own that is never
 * swapped nor in a core file, and nowhere in /proc where the kernel has
 * memfd_secret(2); each is wiped where it stood, which for a process's own
 * environment is what /proc/PID/environ shows. A forked child has the same
 * ones, to execute with: wiped by one of the two, they are gone from both. For
 * good. 0 or -ENOMEM.
 */
int environment_lock_away(char **environment);

/* Wipes where they stand the strings that a worker would get of the process's
 * own environment, for who starts none and needs none of them. For good. */
void environment_forget(char *const *environment);

#endif
