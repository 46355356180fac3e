# SPDX-License-Identifier: Apache-2.0
"""How big the keeper is, and what it and its children may do."""

import contextlib
import glob
import os
import re
import subprocess

from lib.mounting import mounted_at
from lib.place import SOURCE, built, work_directory, write_file
from lib.process import environment, status_field
from lib.reading import read
from lib.wait import wait_until

CAPABILITIES = ("CapEff", "CapPrm", "CapInh", "CapBnd", "CapAmb")
NAMES = {1: "DAC_OVERRIDE", 5: "KILL", 6: "SETGID", 7: "SETUID",
         21: "SYS_ADMIN"}

_NOTIFIER = re.compile(r"notifier mount=0 pid=(\d+)")
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)


def lines_of_keeper():
    """Lines of C: all, and those that are neither blank nor a comment."""
    total = code = 0
    for path in glob.glob(os.path.join(SOURCE, "src", "keeper", "*.c")):
        with open(path, encoding="utf-8") as file:
            text = file.read()
        total += text.count("\n")
        code += sum(1 for line in _COMMENT.sub("", text).splitlines()
                    if line.strip())
    return total, code


def libraries(program):
    """Names of what the program finds at run time; none, if it is static."""
    done = subprocess.run(["ldd", built(program)], env=environment(),
                          stdin=subprocess.DEVNULL, capture_output=True,
                          check=False)
    words = done.stdout.decode() + done.stderr.decode()
    if "statically linked" in words or "not a dynamic" in words:
        return []
    if done.returncode:
        raise AssertionError(words)
    return sorted({os.path.basename(line.split()[0])
                   for line in words.splitlines()} - {"linux-vdso.so.1"})


def kilobytes(pid, field):
    """Of /proc/PID/status."""
    return int(status_field(pid, field).split()[0])


def capabilities(pid):
    """The sets of a process as names, "" where there are none."""
    found = {}
    for name in CAPABILITIES:
        bits = int(status_field(pid, name), 16)
        found[name] = " ".join(NAMES.get(bit, str(bit)) for bit in range(64)
                               if bits >> bit & 1)
    return found


@contextlib.contextmanager
def processes():
    """Of a mount that has been read from and rests: their pids by name."""
    with work_directory() as directory:
        source = write_file(os.path.join(directory, "app.json"),
                            '{"password": "x"}')
        with mounted_at(directory, "file:" + source) as mount:
            read(mount.path("password"))
            wait_until(lambda: _NOTIFIER.search(mount.log_text()),
                       "a notifier")
            notifier = int(_NOTIFIER.search(mount.log_text())[1])
            wait_until(lambda: not capabilities(notifier)["CapInh"],
                       "the notifier's sandbox")
            yield {"keeper": mount.keeper_pid(), "worker": mount.worker_pid(),
                   "notifier": notifier}
