/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KEEPER_ENVIRONMENT_H
#define KEEPER_ENVIRONMENT_H

/*
 * What of an environment a worker gets: AWS_*, HOME and TZ, the variables
 * that name a proxy; in a build with sanitizers their options.
 * Everything else, LD_PRELOAD and secrets of others among it, stays behind.
 *
 * The array is NULL-terminated and for free(3); its strings are borrowed.
 * NULL: no memory.
 */
char **environment_for_worker(char *const *environment);

#endif
