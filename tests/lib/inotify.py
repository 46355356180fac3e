# SPDX-License-Identifier: Apache-2.0
"""What inotify(7) says of a directory or a file."""

import ctypes
import os
import select
import struct
import time

from lib.wait import PATIENCE_S

ATTRIB = 0x4
MOVED_FROM = 0x40
MOVED_TO = 0x80
DELETE = 0x200
DELETE_SELF = 0x400

_CHANGES = ATTRIB | MOVED_FROM | MOVED_TO | 0x100 | DELETE | DELETE_SELF
_EVENT = struct.Struct("=iIII")
_libc = ctypes.CDLL(None, use_errno=True)


class Watch:
    """A watch for changes; use it in a with block."""

    def __init__(self, path):
        self._fd = _libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self._fd < 0 or _libc.inotify_add_watch(
                self._fd, os.fsencode(path), _CHANGES) < 0:
            raise OSError(ctypes.get_errno(), "inotify")
        self.seen = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self._fd)

    def read(self, milliseconds=0):
        """All events (mask, name) so far, after a wait for the first new."""
        poll = select.poll()
        poll.register(self._fd, select.POLLIN)
        if poll.poll(milliseconds):
            data = os.read(self._fd, 1 << 16)
            while data:
                _, mask, _, length = _EVENT.unpack_from(data)
                end = _EVENT.size + length
                name = data[_EVENT.size:end].rstrip(b"\0").decode()
                self.seen.append((mask, name))
                data = data[end:]
        return self.seen

    def wait_for(self, *event, seconds=PATIENCE_S):
        end = time.monotonic() + seconds
        while event not in self.read(100):
            if time.monotonic() > end:
                raise AssertionError(f"no event {event}: {self.seen}")
