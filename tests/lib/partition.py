# SPDX-License-Identifier: Apache-2.0
"""Two network namespaces and the one cable between them.

The caller's own is one: it has nothing but a loopback and this cable, so a
program whose threads or children need the machine's network must not do this.
"""

import contextlib
import ctypes
import os
import threading

from lib.process import run_ok, running
from lib.wait import wait_until

NEAR, FAR = "10.99.0.1", "10.99.0.2"

_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def _checked(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _enter(pid):
    fd = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        _checked(_libc.setns(fd, _CLONE_NEWNET))
    finally:
        os.close(fd)


class Cable:
    def __init__(self, pid):
        self._pid = pid

    def _far(self, *arguments):
        run_ok("nsenter", "-t", str(self._pid), "-n", "ip", *arguments)

    def lay(self):
        run_ok("ip", "link", "set", "lo", "up")
        run_ok("ip", "link", "add", "near", "type", "veth",
               "peer", "name", "far", "netns", str(self._pid))
        run_ok("ip", "address", "add", f"{NEAR}/24", "dev", "near")
        run_ok("ip", "link", "set", "near", "up")
        self._far("address", "add", f"{FAR}/24", "dev", "far")
        self._far("link", "set", "lo", "up")
        self.mend()

    def lead_through(self, network):
        """The way to these addresses is through the cable, whose far end hands
        nothing on. The neighbour is known, so that nobody is told that it does
        not answer."""
        run_ok("ip", "neighbour", "replace", FAR, "dev", "near", "nud",
               "permanent", "lladdr", "02:00:00:00:00:01")
        run_ok("ip", "route", "add", network, "via", FAR)

    def cut(self):
        """From now on nothing arrives, and nobody is told so."""
        self._far("link", "set", "far", "down")

    def mend(self):
        self._far("link", "set", "far", "up")

    def at_far_end(self, function):
        """Calls it with sockets of the far end; what it returns or raises."""
        outcome = {}

        def call():
            try:
                _enter(self._pid)
                outcome["value"] = function()
            except Exception as error:  # for the caller, not for this thread
                outcome["error"] = error

        thread = threading.Thread(target=call)
        thread.start()
        thread.join()
        if "error" in outcome:
            raise outcome["error"]
        return outcome["value"]


def enter_own_network(*addresses):
    """Takes the caller's thread, for good, into a network that is nothing but
    a loopback, which has these addresses too."""
    _checked(_libc.unshare(_CLONE_NEWNET))
    run_ok("ip", "link", "set", "lo", "up")
    for address in addresses:
        run_ok("ip", "address", "add", address, "dev", "lo")


@contextlib.contextmanager
def cable():
    """Takes the caller's thread into a network of its own, for good."""
    _checked(_libc.unshare(_CLONE_NEWNET))
    with running("unshare", "-n", "sleep", "600") as far:
        own = os.readlink("/proc/thread-self/ns/net")
        wait_until(lambda: os.readlink(f"/proc/{far.pid}/ns/net") != own,
                   "the far end's network")
        found = Cable(far.pid)
        found.lay()
        yield found
