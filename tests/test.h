/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_TEST_H
#define TESTS_TEST_H

/* What every unit test includes: cmocka needs these headers before its own. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants the four above first */
#include <cmocka.h>

/* Skips the test that runs; tests/tap shows why. A format as printf(3)'s. */
#define skip_because(...)                                                      \
	do {                                                                   \
		print_message("# skipped: " __VA_ARGS__);                      \
		print_message("\n");                                           \
		skip();                                                        \
	} while (0)

#endif
