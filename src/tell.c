/* SPDX-License-Identifier: Apache-2.0 */
/* The socket to the keeper is where every worker finds it. */
#include "tell.h"
#include "base/log.h"

#include <string.h>

static void send_to_keeper(const struct message *message)
{
	if (message_send(KEEPER_FD, message, -1) < 0)
		log_debug("the keeper does not listen", NULL);
}

void tell_keeper(enum message_type type, uint32_t mount, const char *text,
		 int number)
{
	struct message message;

	message_fill(&message, type, mount, text, strlen(text));
	message.number = number;
	send_to_keeper(&message);
}

void tell_keeper_bytes(enum message_type type, uint32_t mount,
		       const void *bytes, size_t length)
{
	struct message message;

	message_fill(&message, type, mount, bytes, length);
	send_to_keeper(&message);
}
