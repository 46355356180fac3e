/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CHECK_REPORT_H
#define CHECK_REPORT_H

#include <stdbool.h>

struct class_list;
struct err;

/* What `secretsfs check` says of one file: of its classes, or where list is
 * NULL of what is wrong with it. */

/* Files as by ls -l on standard output; errors and warnings on standard error.
 * Modes and owners that the class leaves to the mount are those of a mount
 * without options, and "-". */
void check_report_text(const char *path, const struct class_list *list,
		       const struct err *err);

/* One member of a JSON array; what is not given is null. */
void check_report_json(const char *path, const struct class_list *list,
		       const struct err *err, bool is_first);

#endif
