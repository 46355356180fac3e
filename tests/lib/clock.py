# SPDX-License-Identifier: Apache-2.0
"""Time of a mount that a test moves forward (--test-clock)."""

import os
import struct


class Clock:
    """A file that says how far the worker's clock is ahead of the machine's.

    With it the kernel believes no name for any time, since its own clock
    cannot be moved: each open asks the worker.
    """

    def __init__(self, directory):
        self.path = os.path.join(directory, "clock")
        self._ahead_ms = 0
        self._write()
        os.chmod(self.path, 0o644)

    @property
    def options(self):
        return ("--test-clock", self.path)

    def advance(self, seconds):
        self._ahead_ms += int(seconds * 1000)
        self._write()

    def _write(self):
        flags = os.O_WRONLY | os.O_CREAT
        file = os.open(self.path, flags, 0o644)
        try:
            os.pwrite(file, struct.pack("=q", self._ahead_ms), 0)
        finally:
            os.close(file)
