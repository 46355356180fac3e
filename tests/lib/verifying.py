# SPDX-License-Identifier: Apache-2.0
"""Processes of lib/verifier.py, for the time of a with block."""

import contextlib
import json
import os
import subprocess
import sys

from lib.place import SOURCE
from lib.process import environment
from lib.tap import check, check_equal


class _Verifier:
    def __init__(self, kind, wanted):
        program = os.path.join(SOURCE, "tests", "lib", "verifier.py")
        self.kind = kind
        self._process = subprocess.Popen(
            [sys.executable, program, kind,
             *(f"{path}={content.hex()}" for path, content in wanted.items())],
            env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def stop(self):
        out, _ = self._process.communicate(b"stop", timeout=60)
        return json.loads(out)


@contextlib.contextmanager
def verified(*kinds, wanted):
    """Readers that must see nothing wrong; what each told is in the list
    then."""
    told = []
    readers = [_Verifier(kind, wanted) for kind in kinds]
    try:
        yield told
    finally:
        told += [reader.stop() for reader in readers]
    for kind, its in zip(kinds, told):
        print(f"# {kind}: {its}", flush=True)
        check(its["reads"] > 0, "no reads")
        check_equal((its["wrong"], its["complaint"]), (0, ""), kind)
