/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AWS_COMMAND_RUNNER_H
#define AWS_COMMAND_RUNNER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * The process that runs commands (credential_process), forked before there are
 * secrets and before the process that asks is fenced in, so that what it runs
 * is not. It reads requests from a socket of packets, one command each, and
 * answers each with one packet, in their order. What a command writes to
 * standard error goes to /dev/null; what it gives is kept in locked pages, and
 * wiped once it is sent.
 */

#define COMMAND_TEXT_MAX 16384U
#define COMMAND_OUTPUT_MAX 65536U

/* What stands before the output. */
struct command_answer {
	int32_t code; /* 0: it ran; else a negative errno: -ETIMEDOUT, -EFBIG */
	int32_t exit; /* its exit code, or minus the signal that ended it */
	uint32_t output_length;
};

#define COMMAND_ANSWER_MAX (sizeof(struct command_answer) + COMMAND_OUTPUT_MAX)

/* Serves until the other end of the socket is closed, each command for at most
 * timeout_ms; never returns. */
void command_runner_serve(int socket_fd, int64_t timeout_ms)
	__attribute__((noreturn));

#endif
