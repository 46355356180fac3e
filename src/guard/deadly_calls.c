/* SPDX-License-Identifier: Apache-2.0 */
/* An attempt is a proof that the process is not ours any more, so it ends: a
 * refusal would let whoever has it try the next thing. */
#include "guard/deadly_calls.h"
#include "base/macros.h"
#include "guard/call_filter.h"

#include <sys/syscall.h>

#define NEVER(name, why)                                                       \
	{                                                                      \
		.number = SYS_##name, .verdict = CALL_DEADLY, .reason = (why)  \
	}

static const struct call_rule rules[] = {
	NEVER(ptrace, "another process's memory and registers"),
	NEVER(process_vm_readv, "another process's memory"),
	NEVER(process_vm_writev, "another process's memory"),
	NEVER(kcmp, "what other processes share"),
#ifdef SYS_pidfd_getfd
	NEVER(pidfd_getfd, "another process's descriptors"),
#endif
	NEVER(bpf, "code in the kernel"),
	NEVER(perf_event_open, "a large part of the kernel to attack"),
	NEVER(userfaultfd, "holds the kernel up in the middle of a copy"),
#ifdef SYS_io_uring_setup
	NEVER(io_uring_setup, "does what this filter never sees"),
	NEVER(io_uring_enter, "does what this filter never sees"),
	NEVER(io_uring_register, "does what this filter never sees"),
#endif
	NEVER(add_key, "keys of the user"),
	NEVER(request_key, "keys of the user"),
	NEVER(keyctl, "keys of the user"),
	NEVER(init_module, "code in the kernel"),
	NEVER(finit_module, "code in the kernel"),
	NEVER(delete_module, "code in the kernel"),
	NEVER(kexec_load, "another kernel"),
#ifdef SYS_kexec_file_load
	NEVER(kexec_file_load, "another kernel"),
#endif
	NEVER(reboot, "the machine"),
	NEVER(swapon, "the machine's memory on a disk"),
	NEVER(swapoff, "the machine's memory on a disk"),
	NEVER(acct, "a log of every process"),
	NEVER(syslog, "the kernel's log"),
	NEVER(settimeofday, "the machine's time"),
	NEVER(clock_settime, "the machine's time"),
	NEVER(clock_adjtime, "the machine's time"),
	NEVER(adjtimex, "the machine's time"),
	NEVER(sethostname, "the machine's name"),
	NEVER(setdomainname, "the machine's name"),
	NEVER(quotactl, "the machine's disks"),
	NEVER(setns, "another's namespaces"),
	NEVER(unshare, "namespaces, in which everybody is root"),
	NEVER(pivot_root, "another root directory"),
	NEVER(chroot, "another root directory"),
	NEVER(open_by_handle_at, "files past every directory's rights"),
	NEVER(name_to_handle_at, "files past every directory's rights"),
	NEVER(fanotify_init, "others' accesses to files"),
	NEVER(personality, "memory without its protections"),
	NEVER(move_pages, "another process's memory"),
	NEVER(migrate_pages, "another process's memory"),
	NEVER(vhangup, "the terminal"),
#ifdef SYS_iopl
	NEVER(iopl, "the machine's ports"),
#endif
#ifdef SYS_ioperm
	NEVER(ioperm, "the machine's ports"),
#endif
#ifdef SYS_modify_ldt
	NEVER(modify_ldt, "segments, which nothing uses any more"),
#endif
};

const struct call_table *deadly_calls(void)
{
	static const struct call_table table = { rules, ARRAY_SIZE(rules) };

	return &table;
}
