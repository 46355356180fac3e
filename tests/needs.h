/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_NEEDS_H
#define TESTS_NEEDS_H

/*
 * What a test needs of the kernel, or of what stands in for it: an emulator of
 * another architecture's processes lacks some calls. Each asks by a call of its
 * own, not by the code that is tested, and skips the test that runs with a
 * reason that is shown.
 */

void need_openat2(void);
void need_call_filters(void);
void need_landlock(void);

#endif
