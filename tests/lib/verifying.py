# SPDX-License-Identifier: Apache-2.0
"""Readers that must see nothing wrong, and mounts that must stay."""

import contextlib
import json
import os
import subprocess
import sys

from lib.place import SOURCE
from lib.process import environment
from lib.tap import check, check_equal


def mount_ids(path):
    """The ids of what is mounted there, lowest first."""
    with open("/proc/self/mountinfo", encoding="utf-8") as table:
        return [line.split()[0] for line in table if line.split()[4] == path]


_HERE = (sys.executable, os.path.join(SOURCE, "tests", "lib", "verifier.py"))


class _Verifier:
    """A process of lib/verifier.py."""

    def __init__(self, command, kind, wanted):
        self._process = subprocess.Popen(
            [*command, kind,
             *(f"{path}={content.hex()}" for path, content in wanted.items())],
            env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def wait_for_reads(self):
        self._process.stdout.readline()

    def stop(self):
        out, _ = self._process.communicate(b"stop", timeout=60)
        return json.loads(out)


@contextlib.contextmanager
def verified(*kinds, wanted, command=_HERE):
    """Readers for the time of a with block that must see nothing wrong; what
    each told is in the list then. The command runs lib/verifier.py, perhaps
    elsewhere."""
    told = []
    readers = [_Verifier(command, kind, wanted) for kind in kinds]
    try:
        for reader in readers:
            reader.wait_for_reads()
        yield told
    finally:
        told += [reader.stop() for reader in readers]
    for kind, its in zip(kinds, told):
        print(f"# {kind}: {its}", flush=True)
        check(its["reads"] > 0, "no reads")
        check_equal((its["wrong"], its["complaint"]), (0, ""), kind)
