/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GUARD_REACH_H
#define GUARD_REACH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * What a process will go on reading, and where it will connect, once its
 * sandbox is closed. Whole directories, with all that is below them: a file is
 * replaced by a rename, and the new one would not be what was granted.
 */

#define REACH_DIRECTORIES_MAX 64
#define REACH_PORTS_MAX 32

struct reach_directory {
	int fd; /* O_PATH; -1 once the sandbox is closed */
	bool is_file;
	dev_t device;
	ino_t inode;
};

struct reach {
	struct reach_directory directories[REACH_DIRECTORIES_MAX];
	size_t directory_count;
	uint16_t ports[REACH_PORTS_MAX];
	size_t port_count;
	uint16_t listen_port; /* the one it may listen at, or 0 */
};

/*
 * Below, what is not there is no error: there is nothing to read then. 0;
 * -E2BIG: more than fits; or -ENOMEM.
 */

/* The directory that path leads to. */
int reach_directory(struct reach *reach, const char *path);

/*
 * The directory of path, which is absolute, and where path is a link, that of
 * each name on the way to the file. Where a directory on the way is a link to
 * below the one that it stands in, as "..data" of a projected volume is, that
 * one. Where the directory is not there yet, the nearest above it that is.
 * Never the root directory: of a file in that, the file alone, as of a device.
 */
int reach_file(struct reach *reach, const char *path);

int reach_port(struct reach *reach, uint16_t port);

/*
 * The port of a URL, "[SCHEME://][USER@]HOST[:PORT][/...]"; port_otherwise
 * where it names none, and if that is 0, 80 for http and 443 for anything else.
 * As reach_port(), -EINVAL or -ERANGE.
 */
int reach_url(struct reach *reach, const char *url, uint16_t port_otherwise);

/* Whether path, or what it leads to, is below a directory of it; also true of
 * what cannot be found. */
bool reach_holds(const struct reach *reach, const char *path);

/* Closes the descriptors; reach_holds() goes on. May be called twice. */
void reach_close(struct reach *reach);

#endif
