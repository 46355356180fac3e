/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STATUS_TABLE_H
#define STATUS_TABLE_H

#include <stddef.h>

struct err;

/* Prints the document of ops/status.h for people, to standard output. 0, or
 * negative errno with err filled where it is no such document. */
int status_table_print(const char *text, size_t length, struct err *err);

#endif
