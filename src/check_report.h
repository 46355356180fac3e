/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CHECK_REPORT_H
#define CHECK_REPORT_H

#include <stdbool.h>

struct class_list;
struct err;
struct fetched_class;

/* What `secretsfs check` says of one file: of its classes, or where list is
 * NULL of what is wrong with it. fetched has what was read for each class of
 * the list; NULL: nothing was. */

/* Files as by ls -l on standard output, with lengths where they are known;
 * errors and warnings on standard error. Modes and owners that the class leaves
 * to the mount are those of a mount without options, and "-". */
void check_report_text(const char *path, const struct class_list *list,
		       const struct fetched_class *fetched,
		       const struct err *err);

/* One member of a JSON array; what is not given is null. */
void check_report_json(const char *path, const struct class_list *list,
		       const struct fetched_class *fetched,
		       const struct err *err, bool is_first);

#endif
