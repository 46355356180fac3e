# SPDX-License-Identifier: Apache-2.0
"""Reading files, with errors as errno names.

Each call here lets other threads of the test run while it waits, as the fake
AWS lives in one of them. A page fault would not: mmap belongs in a process
of its own.
"""

import errno
import os

from lib.tap import check_equal
from lib.wait import PATIENCE_S, wait_until


def read(path, limit=1 << 20):
    """The whole content of a file, in as few reads as the kernel gives."""
    fd = os.open(path, os.O_RDONLY)
    try:
        parts = []
        while part := os.read(fd, limit):
            parts.append(part)
        return b"".join(parts)
    finally:
        os.close(fd)


def error_of(function, *arguments):
    """The name of the errno that a call ends with; "" if it succeeds."""
    try:
        function(*arguments)
    except OSError as error:
        return errno.errorcode[error.errno]
    return ""


def check_error(path, wanted):
    check_equal(error_of(read, path), wanted, f"reading {path}")


def wait_for_content(path, wanted, seconds=PATIENCE_S):
    """Until a reader of the path sees the wanted bytes."""
    def seen():
        try:
            return read(path) == wanted
        except OSError:
            return False
    wait_until(seen, f"{path} shows {wanted!r:.100}", seconds)
