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
 * answers each with one packet, in their order.
 */

#define COMMAND_TEXT_MAX 16384U
#define COMMAND_OUTPUT_MAX 65536U
#define COMMAND_ERROR_MAX 200U

/* What stands before the output and what was written to standard error. */
struct command_answer {
	int32_t code; /* 0: it ran; else a negative errno: -ETIMEDOUT, -EFBIG */
	int32_t exit; /* its exit code, or 128 and the signal that ended it */
	uint32_t output_length;
	uint32_t error_length;
};

#define COMMAND_ANSWER_MAX                                                     \
	(sizeof(struct command_answer) + COMMAND_OUTPUT_MAX + COMMAND_ERROR_MAX)

/* Serves until the other end of the socket is closed, each command for at most
 * timeout_ms; never returns. */
void command_runner_serve(int socket_fd, int64_t timeout_ms)
	__attribute__((noreturn));

#endif
