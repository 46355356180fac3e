/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TELL_H
#define TELL_H

#include <stddef.h>
#include <stdint.h>

#include "keeper/message.h"

/* What the worker says to its keeper. One that does not listen is gone, which
 * the worker learns in another way. */

#define KEEPER_FD 3

void tell_keeper(enum message_type type, uint32_t mount, const char *text,
		 int number);

/* The same with bytes of any kind. */
void tell_keeper_bytes(enum message_type type, uint32_t mount,
		       const void *bytes, size_t length);

#endif
