/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each rule becomes a block of its own: compare the number, then the
 * arguments, then say the verdict; who does not fit falls to the next block.
 * The kernel remembers which numbers are allowed whatever their arguments, so
 * that the length of the program costs nothing.
 */
#include "guard/call_filter.h"
#include "base/macros.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define OWN_ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OWN_ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

/* Here begin the numbers of x32; no other architecture has so many. */
#define NUMBERS_END 0x40000000U

static bool holds(const struct call_condition *condition,
		  const uint64_t arguments[6])
{
	uint32_t value =
		condition->is_own_pid ? (uint32_t)getpid() : condition->value;

	return ((uint32_t)arguments[condition->argument] & condition->mask) ==
	       value;
}

static bool fits(const struct call_rule *rule, int number,
		 const uint64_t arguments[6])
{
	if (rule->number != number)
		return false;
	for (size_t i = 0; i < CALL_CONDITIONS_MAX; i++)
		if (rule->when[i].mask && !holds(&rule->when[i], arguments))
			return false;
	return true;
}

enum call_verdict call_policy_verdict(const struct call_policy *policy,
				      int number, const uint64_t arguments[6])
{
	if (number < 0 || (uint32_t)number >= NUMBERS_END)
		return CALL_DEADLY;
	for (size_t i = 0; i < CALL_POLICY_TABLES_MAX; i++) {
		const struct call_table *table = &policy->tables[i];

		for (size_t k = 0; k < table->count; k++)
			if (fits(&table->rules[k], number, arguments))
				return table->rules[k].verdict;
	}
	return policy->otherwise;
}

#ifdef OWN_ARCHITECTURE

#define LOAD (BPF_LD | BPF_W | BPF_ABS)
#define MASK (BPF_ALU | BPF_AND | BPF_K)
#define IS (BPF_JMP | BPF_JEQ | BPF_K)
#define IS_AT_LEAST (BPF_JMP | BPF_JGE | BPF_K)
#define RETURN (BPF_RET | BPF_K)
#define NUMBER_OFFSET offsetof(struct seccomp_data, nr)

/* The lower half, on machines that keep it in front. */
#define ARGUMENT_OFFSET(argument)                                              \
	(offsetof(struct seccomp_data, args) + (argument) * sizeof(uint64_t))

#define INSTRUCTIONS_MAX 1024
#define BLOCK_MAX (3 * CALL_CONDITIONS_MAX + 3)

struct program {
	struct sock_filter code[INSTRUCTIONS_MAX];
	unsigned short length;
};

static void put(struct program *program, struct sock_filter instruction)
{
	program->code[program->length++] = instruction;
}

static uint32_t action_of(enum call_verdict verdict)
{
	switch (verdict) {
	case CALL_ALLOWED:
		return SECCOMP_RET_ALLOW;
	case CALL_ABSENT:
		return SECCOMP_RET_ERRNO | ENOSYS;
	case CALL_DEADLY:
		break;
	}
	return SECCOMP_RET_KILL_PROCESS;
}

static void put_return(struct program *program, enum call_verdict verdict)
{
	put(program, (struct sock_filter)BPF_STMT(RETURN, action_of(verdict)));
}

static void put_load(struct program *program, size_t offset)
{
	put(program, (struct sock_filter)BPF_STMT(LOAD, (uint32_t)offset));
}

/* left: how many instructions of the block follow this condition, the last of
 * which loads the number again. */
static void put_condition(struct program *program,
			  const struct call_condition *condition, size_t left)
{
	uint32_t value =
		condition->is_own_pid ? (uint32_t)getpid() : condition->value;

	put_load(program, ARGUMENT_OFFSET(condition->argument));
	put(program, (struct sock_filter)BPF_STMT(MASK, condition->mask));
	put(program,
	    (struct sock_filter)BPF_JUMP(IS, value, 0, (uint8_t)(left - 1)));
}

static void put_rule(struct program *program, const struct call_rule *rule)
{
	size_t left = 1;

	for (size_t i = 0; i < CALL_CONDITIONS_MAX; i++)
		left += rule->when[i].mask ? 3 : 0;
	if (left > 1)
		left++;
	put(program, (struct sock_filter)BPF_JUMP(IS, (uint32_t)rule->number, 0,
						  (uint8_t)left));
	for (size_t i = 0; i < CALL_CONDITIONS_MAX; i++) {
		if (!rule->when[i].mask)
			continue;
		left -= 3;
		put_condition(program, &rule->when[i], left);
	}
	put_return(program, rule->verdict);
	if (left > 1)
		put_load(program, NUMBER_OFFSET);
}

static void put_head(struct program *program)
{
	put_load(program, offsetof(struct seccomp_data, arch));
	/* Numbers mean other calls on another architecture. */
	put(program, (struct sock_filter)BPF_JUMP(IS, OWN_ARCHITECTURE, 1, 0));
	put_return(program, CALL_DEADLY);
	put_load(program, NUMBER_OFFSET);
	put(program,
	    (struct sock_filter)BPF_JUMP(IS_AT_LEAST, NUMBERS_END, 0, 1));
	put_return(program, CALL_DEADLY);
}

static int compile(struct program *program, const struct call_policy *policy)
{
	put_head(program);
	for (size_t i = 0; i < CALL_POLICY_TABLES_MAX; i++) {
		const struct call_table *table = &policy->tables[i];

		for (size_t k = 0; k < table->count; k++) {
			if (program->length + BLOCK_MAX >= INSTRUCTIONS_MAX)
				return -E2BIG;
			put_rule(program, &table->rules[k]);
		}
	}
	put_return(program, policy->otherwise);
	return 0;
}

int call_filter_install(const struct call_policy *policy)
{
	struct program program = { .length = 0 };
	struct sock_fprog given = { .filter = program.code };
	int r = compile(&program, policy);
	long thread;

	if (r < 0)
		return r;
	given.len = program.length;
	thread = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
			 SECCOMP_FILTER_FLAG_TSYNC, &given);
	if (thread < 0)
		return errno == EINVAL || errno == ENOSYS ? -EOPNOTSUPP
							  : -errno;
	/* it has a filter that ours does not extend */
	return thread > 0 ? -EBUSY : 0;
}

#else

int call_filter_install(const struct call_policy *policy)
{
	(void)policy;
	return -EOPNOTSUPP;
}

#endif
