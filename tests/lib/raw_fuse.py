# SPDX-License-Identifier: Apache-2.0
"""A FUSE server of a few requests, in a thread, on a borrowed connection.

It stands where the worker stands: its programs lend it the fuse descriptor
and what comes from the keeper. It answers as the worker is to answer its
notifier, and notes every request. Layouts: linux/fuse.h.
"""

import errno
import os
import select
import stat
import struct
import threading

(LOOKUP, FORGET, GETATTR, UNLINK, RENAME, OPEN, READ, OPENDIR, READDIR,
 RELEASEDIR, INTERRUPT, BATCH_FORGET, READDIRPLUS) = (
     1, 2, 3, 10, 12, 14, 15, 27, 28, 29, 36, 42, 44)
_NAMES = {value: name for name, value in list(globals().items())
          if name.isupper() and isinstance(value, int)}
_SILENT = (FORGET, INTERRUPT, BATCH_FORGET)
_HEADER = struct.Struct("=IIQQIIIHH")
_LONG = 3600
ROOT = 1


class Node:
    """One version of a file, or a directory."""

    def __init__(self, number, content=None):
        self.number = number
        self.content = content
        self.names = {}  # of a directory
        self.is_current = True

    def attributes(self):
        is_file = self.content is not None
        size = len(self.content) if is_file else 0
        mode = stat.S_IFREG | 0o444 if is_file else stat.S_IFDIR | 0o555
        links = int(self.is_current) if is_file else 2
        return struct.pack("=6Q10I", self.number, size, 0, 0, 0, 0, 0, 0, 0,
                           mode, links, 0, 0, 0, 4096, 0)


class RawFuse:
    """The tree may be changed by the test while it serves."""

    def __init__(self, fd):
        self.notifier = None  # the pid whose changes are let through
        self.nodes = {ROOT: Node(ROOT)}
        self.fresh = {}  # names that only the notifier finds
        self.parked_names = set()
        self.requests = []
        self._parked = []
        self._fd = fd
        self._lock = threading.Lock()
        self._wake = os.pipe()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def add(self, content=None):
        """A node that no name leads to; content None: a directory."""
        with self._lock:
            node = Node(max(self.nodes) + 1, content)
            self.nodes[node.number] = node
        return node

    def count(self, kind, node=None, name=None):
        return sum(found == kind and node in (None, its_node) and
                   name in (None, its_name)
                   for found, its_node, its_name in list(self.requests))

    def release(self):
        """Answers what was parked: there is no such name."""
        self.parked_names.clear()
        while self._parked:
            self._reply(self._parked.pop(), errno.ENOENT)

    def close(self):
        """Without an answer to what is parked, as a worker that dies."""
        if self._fd >= 0:
            os.write(self._wake[1], b"x")
            self._thread.join()
            os.close(self._fd)
            self._fd = -1

    def _serve(self):
        poll = select.poll()
        poll.register(self._fd, select.POLLIN)
        poll.register(self._wake[0], select.POLLIN)
        while True:
            ready = dict(poll.poll())
            if self._wake[0] in ready:
                return
            try:
                request = os.read(self._fd, 1 << 16)
            except BlockingIOError:
                continue
            except OSError as error:
                if error.errno == errno.ENODEV:
                    return
                if error.errno in (errno.ENOENT, errno.EINTR):
                    continue
                raise
            with self._lock:
                self._answer(request)

    def _reply(self, unique, error=0, body=b""):
        try:
            os.write(self._fd, struct.pack("=IiQ", 16 + len(body), -error,
                                           unique) + body)
        except OSError:
            pass  # the caller has gone

    def _answer(self, request):
        (length, opcode, unique, number, _, _, pid, _, _) = \
            _HEADER.unpack_from(request)
        body = request[_HEADER.size:length]
        kind = _NAMES.get(opcode, str(opcode))
        name = None
        if opcode in (LOOKUP, UNLINK):
            name = body.split(b"\0")[0].decode()
        elif opcode == RENAME:
            name = body[8:].split(b"\0")[0].decode()
        self.requests.append((kind, number, name))
        if opcode in _SILENT:
            return
        handler = getattr(self, "_on_" + kind.lower(), None)
        if opcode == LOOKUP and name in self.parked_names:
            self._parked.append(unique)
        elif handler is None:
            self._reply(unique, errno.EROFS if opcode < OPEN or
                        opcode == 45 else errno.ENOSYS)
        else:
            result = handler(self.nodes[number], body, pid)
            if isinstance(result, int):
                self._reply(unique, result)
            else:
                self._reply(unique, 0, result)

    def _on_lookup(self, directory, body, pid):
        name = body.split(b"\0")[0].decode()
        node = directory.names.get(name)
        if pid == self.notifier:
            node = self.fresh.get(name, node)
        if node is None:
            return errno.ENOENT
        return struct.pack("=4Q2I", node.number, 0, _LONG, _LONG, 0, 0) + \
            node.attributes()

    def _on_getattr(self, node, _body, _pid):
        return struct.pack("=Q2I", _LONG, 0, 0) + node.attributes()

    def _on_opendir(self, _node, _body, _pid):
        return bytes(16)

    def _on_readdir(self, _node, _body, _pid):
        return b""

    _on_readdirplus = _on_releasedir = _on_readdir

    def _on_read(self, node, body, _pid):
        offset, size = struct.unpack_from("=QI", body, 8)
        return node.content[offset:offset + size]

    def _on_rename(self, directory, body, pid):
        source, target = (part.decode() for part in body[8:].split(b"\0")[:2])
        if pid != self.notifier or source not in self.fresh:
            return errno.EROFS
        if target in directory.names:
            directory.names[target].is_current = False
        directory.names[target] = self.fresh.pop(source)
        return 0

    def _on_unlink(self, directory, body, pid):
        name = body.split(b"\0")[0].decode()
        if pid != self.notifier:
            return errno.EROFS
        if self.fresh.pop(name, None) is None:
            directory.names.pop(name).is_current = False
        return 0
