/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AWS_COMMANDS_H
#define AWS_COMMANDS_H

#include <stddef.h>
#include <stdint.h>

struct err;
struct loop;

/* Commands that give keys, run by a process of their own (command_runner.h). */

struct commands;
struct command_call;

#define COMMANDS_TIMEOUT_MS 60000L /* as Go's SDK */

/* Forks: so call it before there are secrets, threads, or a sandbox. loop is
 * borrowed; timeout_ms is for each command. -ENOMEM or another code with err
 * filled. */
int commands_new(struct loop *loop, int64_t timeout_ms, struct commands **ret,
		 struct err *err);

/* Every call must have ended. Ends the process, and what it runs. NULL is
 * allowed. */
void commands_free(struct commands *commands);

/* output is what the command wrote, wiped after this returns, and NULL exactly
 * where err is not: -ENOKEY where it failed, with how it ended and never a word
 * of what it wrote; -ENOMEM. */
typedef void command_on_output(void *owner, const char *output, size_t length,
			       const struct err *err);

/*
 * Runs a command by /bin/sh -c, after those that were started before it. Ends
 * exactly once: in on_output, never before this returns, or in
 * command_cancel(), where the command itself goes on. NULL with err filled
 * where it could not begin.
 */
struct command_call *command_start(struct commands *commands,
				   const char *command,
				   command_on_output *on_output, void *owner,
				   struct err *err);

/* NULL is allowed. */
void command_cancel(struct command_call *call);

#endif
