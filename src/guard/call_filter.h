/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GUARD_CALL_FILTER_H
#define GUARD_CALL_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Which system calls a process may make, as tables that people read, made into
 * a seccomp filter. For x86-64 and arm64. Of the numbers of another
 * architecture, x32 included, each is deadly.
 */

enum call_verdict {
	CALL_ABSENT, /* ENOSYS, as of an older kernel: libraries go on */
	CALL_ALLOWED,
	CALL_DEADLY, /* ends the process by SIGSYS */
};

/* (argument & mask) == value, of the lower 32 bits, which are all there is in
 * the arguments that are looked at. A mask of 0: no condition. */
struct call_condition {
	unsigned argument;
	uint32_t mask;
	uint32_t value;
	bool is_own_pid; /* the value is that of the process */
};

#define CALL_CONDITIONS_MAX 2

struct call_rule {
	int number;
	enum call_verdict verdict;
	struct call_condition when[CALL_CONDITIONS_MAX]; /* all must hold */
	const char *reason;
};

struct call_table {
	const struct call_rule *rules;
	size_t count;
};

#define CALL_POLICY_TABLES_MAX 3

/* The first rule that fits decides. */
struct call_policy {
	struct call_table tables[CALL_POLICY_TABLES_MAX];
	enum call_verdict otherwise;
};

/* What the filter says of a call, told by the tables alone. */
enum call_verdict call_policy_verdict(const struct call_policy *policy,
				      int number, const uint64_t arguments[6]);

/* For good, for every thread of the process and all its children; needs
 * no_new_privs. 0; -EOPNOTSUPP where kernel or architecture have no filters;
 * or negative errno. */
int call_filter_install(const struct call_policy *policy);

#endif
