/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_SCRUB_H
#define BASE_SCRUB_H

/*
 * Wipes what calls that have returned left on the stack below the caller, 128
 * KiB of it, and in the vector registers: for a moment when nothing is being
 * done, before a wait that shows both to the kernel, and in a core or to a
 * debugger for as long as it lasts. Some microseconds.
 */
void scrub(void);

/* The registers alone: for who has copied a secret and keeps little stack. */
void scrub_registers(void);

#endif
