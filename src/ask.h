/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ASK_H
#define ASK_H

#include <stdio.h>

#include "keeper/message.h"

struct err;

/* How a command has something answered by who serves a mount. */

#define ASK_TIMEOUT_S 10
#define ASK_ANSWER_MAX (8U << 20)

struct asking {
	const char *mount_point; /* as a person wrote it */
	enum message_type type;	 /* MESSAGE_STATUS, _REFRESH or _UPGRADE */
	const char *name;	 /* or NULL */
	FILE *out;		 /* takes the text, if there is one */
	const int *fd;		 /* goes with the question, or NULL */
	unsigned timeout_s;	 /* 0: ASK_TIMEOUT_S */
};

/* 0, with the number that came with the answer; or negative errno with err
 * filled, which names the mount point. */
int ask(const struct asking *asking, unsigned *ret_number, struct err *err);

#endif
