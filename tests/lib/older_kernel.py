# SPDX-License-Identifier: Apache-2.0
"""Runs a program on a kernel that seems to lack a system call, and says what
the kernel has.

    older_kernel.py NUMBER[,NUMBER...] PROGRAM [ARGUMENT...]
"""

import ctypes
import errno
import os
import struct
import sys

LANDLOCK_CREATE_RULESET = 444
MEMFD_SECRET = 447
SECCOMP = {"x86_64": 317, "aarch64": 277}.get(os.uname().machine)

_PR_SET_SECCOMP, _MODE_FILTER = 22, 2
_LOAD_NUMBER = (0x20, 0, 0, 0)
_IS, _RETURN = 0x15, 0x06
_ERRNO, _ALLOW = 0x00050000, 0x7fff0000

_libc = ctypes.CDLL(None, use_errno=True)


def landlock_abi():
    """0 where there is none."""
    return max(0, _libc.syscall(LANDLOCK_CREATE_RULESET, None, 0, 1))


def _lack(numbers):
    code = [_LOAD_NUMBER]
    for number in numbers:
        code += [(_IS, 0, 1, number), (_RETURN, 0, 0, _ERRNO | errno.ENOSYS)]
    code.append((_RETURN, 0, 0, _ALLOW))
    packed = ctypes.create_string_buffer(
        b"".join(struct.pack("HBBI", *one) for one in code))
    program = struct.pack("HxxxxxxP", len(code), ctypes.addressof(packed))
    if _libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, program, 0, 0) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


if __name__ == "__main__":
    _lack(int(number) for number in sys.argv[1].split(","))
    os.execv(sys.argv[2], sys.argv[2:])
