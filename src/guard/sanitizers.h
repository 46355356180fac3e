/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GUARD_SANITIZERS_H
#define GUARD_SANITIZERS_H

/* A program that is built with AddressSanitizer looks at itself and at its
 * libraries, and at its end traces its threads: what that takes is in the
 * tables under this word, and in no other build. */

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define GUARD_HAS_SANITIZERS 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define GUARD_HAS_SANITIZERS 1
#endif

#endif
