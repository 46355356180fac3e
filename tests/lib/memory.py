# SPDX-License-Identifier: Apache-2.0
"""Bytes in the memory of another process, as root sees them."""

import re

from lib.place import built

_MAPPING = re.compile(r"([0-9a-f]+)-([0-9a-f]+) (....) \S+ \S+ \S+ *(.*)")

# Pages of the kernel's own; reading them as a file is no use or an error.
_KERNELS = ("[vvar]", "[vvar_vclock]", "[vsyscall]")

# What a sanitizer notes of all memory takes terabytes, and is no copy of it.
_LENGTH_MAX = 1 << 30


def _regions(pid):
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps:
        for line in maps:
            start, end, rights, name = _MAPPING.match(line).groups()
            start, end = int(start, 16), int(end, 16)
            if rights[0] == "r" and name not in _KERNELS and \
                    end - start < _LENGTH_MAX:
                yield start, end, name


def keeps_freed_memory():
    """Whether the worker has a sanitizer that gives no memory back for a while:
    what a library frees unwiped, and would soon overwrite, is seen then."""
    with open(built("secretsfs-worker"), "rb") as file:
        program = file.read()
    return b"__asan_init" in program or b"__tsan_init" in program


def find_in_memory(pid, wanted):
    """Where the bytes stand, in locked pages too: (region, address) each.

    The process runs on meanwhile; a region that it gives back during the
    search holds nothing any more.
    """
    found = []
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for start, end, name in _regions(pid):
            at = _find_in_region(memory, start, end, wanted)
            found.extend((name or "anonymous", hex(one)) for one in at)
    return found


def _find_in_region(memory, start, end, wanted):
    block = 1 << 20
    overlap = len(wanted) - 1
    at = start
    while at < end:
        try:
            memory.seek(at)
            data = memory.read(min(block + overlap, end - at))
        except (OSError, ValueError):
            return
        position = data.find(wanted)
        while position >= 0:
            if position < block:
                yield at + position
            position = data.find(wanted, position + 1)
        at += block
