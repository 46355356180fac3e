/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KEEPER_SUCCEED_H
#define KEEPER_SUCCEED_H

#include <stdint.h>

#include "keeper/runtime.h"

struct err;

/*
 * Who serves what this keeper is to serve, be it a keeper in another mount
 * namespace: they have the directory of runtime.h in common. All are 1 with the
 * socket's path; 0: nobody does; or negative errno with err filled: it cannot
 * be told.
 */

/* The mount of that device. */
int succeed_find(uint32_t device, char ret[RUNTIME_PATH_MAX], struct err *err);

/* Those in the directory that fd is of. */
int succeed_find_directory(int fd, char ret[RUNTIME_PATH_MAX], struct err *err);

#endif
