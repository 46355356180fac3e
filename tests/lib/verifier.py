# SPDX-License-Identifier: Apache-2.0
"""A reader in a process of its own that reads and checks until it is told to
stop: python3 verifier.py WARM|COLD PATH=HEX...

COLD drops a file's pages before each read, so that each asks the worker. At
the end it says how many reads there were, how many failed or brought wrong
bytes, the first complaint, and how long the slowest took, as JSON.
"""

import json
import os
import select
import sys
import time


def _read(path, is_cold):
    file = os.open(path, os.O_RDONLY)
    try:
        if is_cold:
            os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
        return os.read(file, 1 << 16)
    finally:
        os.close(file)


def _serve(is_cold, wanted):
    told = {"reads": 0, "wrong": 0, "complaint": "", "slowest_ms": 0}
    while not select.select([sys.stdin], [], [], 0)[0]:
        for path, content in wanted.items():
            began = time.monotonic()
            try:
                got = _read(path, is_cold)
                complaint = "" if got == content else repr(got[:100])
            except OSError as error:
                complaint = str(error)
            took_ms = int((time.monotonic() - began) * 1000)
            told["reads"] += 1
            told["wrong"] += bool(complaint)
            told["complaint"] = told["complaint"] or complaint
            told["slowest_ms"] = max(told["slowest_ms"], took_ms)
    return told


def _main():
    wanted = {}
    for argument in sys.argv[2:]:
        path, content = argument.rsplit("=", 1)
        wanted[path] = bytes.fromhex(content)
    print(json.dumps(_serve(sys.argv[1] == "COLD", wanted)))


if __name__ == "__main__":
    _main()
