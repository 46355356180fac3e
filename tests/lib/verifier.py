# SPDX-License-Identifier: Apache-2.0
"""A reader in a process of its own that reads and checks until it is told to
stop: python3 verifier.py WARM|COLD|RISING PATH=HEX...

COLD drops a file's pages before each read, so that each asks the worker. To
RISING, the bytes are a number again and again, which never falls; HEX is of no
account. An empty line says that it has begun. At the end it says how many reads
there were, how many failed or brought wrong bytes, the first complaint, and how
long the slowest took, as JSON.
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


class _Rising:
    """What a content has to be that is a number, again and again."""

    def __init__(self):
        self.last = -1

    def __eq__(self, got):
        numbers = {int(word) for word in got.split()}
        is_fine = len(numbers) == 1 and min(numbers) >= self.last
        self.last = max(numbers, default=self.last)
        return is_fine


def _serve(is_cold, wanted):
    told = {"reads": 0, "wrong": 0, "complaint": "", "slowest_ms": 0}
    while not select.select([sys.stdin], [], [], 0)[0]:
        for path, content in wanted.items():
            began = time.monotonic()
            try:
                got = _read(path, is_cold)
                complaint = "" if content == got else repr(got[:100])
            except OSError as error:
                complaint = str(error)
            took_ms = int((time.monotonic() - began) * 1000)
            told["reads"] += 1
            told["wrong"] += bool(complaint)
            told["complaint"] = told["complaint"] or complaint
            told["slowest_ms"] = max(told["slowest_ms"], took_ms)
        if told["reads"] == len(wanted):
            print(flush=True)
    return told


def _main():
    wanted = {}
    for argument in sys.argv[2:]:
        path, content = argument.rsplit("=", 1)
        wanted[path] = _Rising() if sys.argv[1] == "RISING" else \
            bytes.fromhex(content)
    print(json.dumps(_serve(sys.argv[1] != "WARM", wanted)))


if __name__ == "__main__":
    _main()
