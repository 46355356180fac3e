/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_CLASS_FIXTURE_H
#define TESTS_CLASS_FIXTURE_H

#include "tests/test.h"

#include "base/err.h"
#include "config/class.h"

/*
 * Class files from the lines that matter. Without parameters of its own,
 * `objects` stands in line 8 and its text begins in line 9.
 */

/* parameters and objects: lines without indentation, each with its end. An
 * error names the file "c.yaml". */
int class_of(const char *parameters, const char *objects,
	     struct class_list **ret, struct err *err);

/* A whole file. */
int class_of_file(const char *text, struct class_list **ret, struct err *err);

/* One row: what is refused with which text, or taken with which warning. */
struct class_case {
	const char *name;
	const char *parameters;
	const char *objects;
	const char *text; /* without "c.yaml:"; NULL: taken without a warning */
	bool is_warning;  /* text is "LINE: " and the one warning */
};

/* Runs each row as a test of its name. Returns how many failed. */
int class_cases_run(const char *group, const struct class_case *cases,
		    size_t count);

#endif
