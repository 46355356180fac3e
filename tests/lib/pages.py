# SPDX-License-Identifier: Apache-2.0
"""What the kernel's page cache has of a file."""

import ctypes
import mmap

from lib.tap import check, check_equal

_PAGE = mmap.PAGESIZE


def is_cached(file):
    """Whether it has the first page, as mincore(2) tells of a fresh mapping
    of the descriptor."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int,
                          ctypes.c_int, ctypes.c_int, ctypes.c_long)
    at = libc.mmap(None, _PAGE, mmap.PROT_READ, mmap.MAP_SHARED, file, 0)
    check(at not in (None, ctypes.c_void_p(-1).value), "mmap")
    vector = (ctypes.c_ubyte * 1)()
    result = libc.mincore(ctypes.c_void_p(at), ctypes.c_size_t(_PAGE), vector)
    libc.munmap(ctypes.c_void_p(at), ctypes.c_size_t(_PAGE))
    check_equal(result, 0, "mincore")
    return bool(vector[0] & 1)
