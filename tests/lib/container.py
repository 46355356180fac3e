# SPDX-License-Identifier: Apache-2.0
"""Mount namespaces that stand for containers."""

import os
import subprocess

from lib.process import environment
from lib.seen import seen
from lib.tap import check_equal

_SCRIPT = """set -e
mount -t tmpfs tmpfs "$2"
mount --rbind "$1" "$2"
mount --make-$3 "$2"
echo ready
exec sleep 1000
"""

_BOTH_WAYS = """mount --rbind "$1" "$2" && shift 2 && exec "$@" """


def both_ways(source, inside):
    """What stands before a program that is to run in a container which has
    source at inside, with mounts that go both ways, as Kubernetes'
    Bidirectional. inside is in no mount that is shared."""
    return ("unshare", "-m", "--propagation", "unchanged", "sh", "-c",
            _BOTH_WAYS, "sh", source, inside)


class Container:
    """A process in a mount namespace with one volume."""

    def __init__(self, source, inside, how):
        self._inside = inside
        self._process = subprocess.Popen(
            ["unshare", "-m", "--propagation", "slave", "sh", "-c", _SCRIPT,
             "sh", source, inside, how],
            env=environment(), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE)
        check_equal(self._process.stdout.readline(), b"ready\n")

    def path(self, *names):
        """Of what is in its volume, as seen from here."""
        return os.path.join(f"/proc/{self._process.pid}/root",
                            self._inside[1:], *names)

    def table(self):
        """What its mountinfo says of the secretsfs mounts in its volume."""
        with open(f"/proc/{self._process.pid}/mountinfo",
                  encoding="utf-8") as table:
            return [line for line in table if " fuse.secretsfs " in line and
                    f"{line.split()[4]}/".startswith(self._inside + "/")]

    def sees(self, *names):
        """The directory of these names in its volume, as it finds it."""
        return seen(self.path(*names))

    def end(self):
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()
