/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KEEPER_REPORT_H
#define KEEPER_REPORT_H

struct err;

/*
 * Tells whoever started the keeper how it went: the process that waits in the
 * terminal while the keeper goes to the background, and a service manager.
 */

/*
 * Forks and returns in the child, the leader of a new session, with a
 * descriptor for report_ready() or report_failure(). The parent wipes what its
 * environment has for a worker, waits for one of them, prints the failure's
 * line, and exits; it never returns. A descriptor, or negative errno with err
 * filled.
 */
int report_detach(struct err *err);

/* The parent exits with 0. -EPIPE: it has gone, so nobody wants this mount any
 * more. */
int report_ready(int fd);

/* The parent exits with code after the line; without a parent (fd is -1) the
 * line goes to standard error. */
void report_failure(int fd, int code, const char *line);

/* To standard error, while that is still the one of whoever mounts. */
void report_warning(const char *line);

/* Tells the service manager whose socket that is, as of sd_notify(3): a path,
 * or "@name" for an abstract one. NULL is allowed; failures are ignored. */
void report_to_manager(const char *socket_path);

#endif
