/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COMMAND_H
#define COMMAND_H

struct options;

/*
 * The commands of secretsfs, each in a file of its own. Each prints its own
 * errors, one line each, and returns the exit code.
 */

#define EXIT_USAGE 2

/* Prints "secretsfs: " and a line to standard error. */
void command_complain(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

/* secretsfs [OPTION...] SOURCE MOUNTPOINT: becomes the keeper, so it returns
 * on failure only, or after --help and --version. */
int command_mount(int argc, char **argv);

/* secretsfs check [OPTION...] CLASS...; argv is reordered. */
int command_check(int argc, char **argv);

/* secretsfs refresh MOUNTPOINT [NAME...] */
int command_refresh(int argc, char **argv);

/* secretsfs upgrade MOUNTPOINT */
int command_upgrade(int argc, char **argv);

/* secretsfs status [--json] MOUNTPOINT */
int command_status(int argc, char **argv);

/* secretsfs unmount MOUNTPOINT */
int command_unmount(int argc, char **argv);

#endif
