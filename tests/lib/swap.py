# SPDX-License-Identifier: Apache-2.0
"""Swap for the time of a with block, and processes that are pushed into it."""

import contextlib
import ctypes
import os

from lib.process import run, run_ok, status_field
from lib.tap import Skip

SIZE = 64 << 20
_PRIORITY = "32767"  # before any other swap that there is

_PROCESS_MADVISE = 440
_MADV_PAGEOUT = 21

_MCL_CURRENT, _MCL_FUTURE = 1, 2

_libc = ctypes.CDLL(None, use_errno=True)


class _Range(ctypes.Structure):
    _fields_ = [("start", ctypes.c_void_p), ("length", ctypes.c_size_t)]


def _stay_in_memory():
    """Swap is the whole machine's, and who tests has in his memory what he
    looks for."""
    if _libc.mlockall(_MCL_CURRENT | _MCL_FUTURE) < 0:
        raise OSError(ctypes.get_errno(), "mlockall")


@contextlib.contextmanager
def swap_file(directory):
    _stay_in_memory()
    path = os.path.join(directory, "swap")
    with open(path, "wb") as file:
        for _ in range(SIZE >> 20):
            file.write(bytes(1 << 20))
        os.fsync(file.fileno())
    os.chmod(path, 0o600)
    run_ok("mkswap", path)
    result = run("swapon", "--priority", _PRIORITY, path)
    if result.code != 0:
        raise Skip(f"no swap here: {result.err.strip()}")
    try:
        yield path
    finally:
        run_ok("swapoff", path)


def mappings(pid):
    """Start, end, name and flags of each, as the kernel has them."""
    found = []
    with open(f"/proc/{pid}/smaps", encoding="utf-8") as table:
        for line in table:
            words = line.split()
            if words[0] == "VmFlags:":
                found[-1].extend([set(words[1:])])
            elif "-" in words[0] and not words[0].endswith(":"):
                start, end = (int(one, 16) for one in words[0].split("-"))
                found.append([start, end, " ".join(words[5:])])
    return found


def page_out(pid):
    """Asks the kernel to, as it would for want of memory; how much of the
    process is in swap then, in KiB."""
    pidfd = os.pidfd_open(pid)
    try:
        for start, end, _, _ in mappings(pid):
            one = _Range(start, end - start)
            # Some kinds of memory it refuses, the locked for one.
            _libc.syscall(_PROCESS_MADVISE, pidfd, ctypes.byref(one), 1,
                          _MADV_PAGEOUT, 0)
    finally:
        os.close(pidfd)
    return int(status_field(pid, "VmSwap").split()[0])
