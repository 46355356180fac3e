# SPDX-License-Identifier: Apache-2.0
"""Mounts that always end, and that tell what reached the worker.

The worker's debug log has one line for each request of the kernel, so the
log is also the instrument that counts them.
"""

import contextlib
import os
import re

from lib.marked import check_logs, mark_files
from lib.place import built, is_mounted
from lib.process import run, run_ok, status_field, wait_for_end
from lib.tap import check
from lib.wait import PATIENCE_S, wait_until

_REQUEST = re.compile(r"request kind=(\S+)(?: name=(\S+))?")
_WORKER = re.compile(r"worker_pid=(\d+)")
_BROKEN = re.compile(r"(?:ERROR|WARNING): \w+Sanitizer|"
                     r"Sanitizer has encountered|runtime error:|Assertion|"
                     r"the worker died")


class Mount:
    """One mount, with its log."""

    def __init__(self, point, log):
        self.point = point
        self.log = log

    def path(self, *names):
        return os.path.join(self.point, *names)

    def log_text(self):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return log.read()

    def requests(self, *kinds, name=None):
        """How many requests of these kinds, or of any, reached the worker."""
        found = _REQUEST.findall(self.log_text())
        return sum((not kinds or kind in kinds) and
                   (name is None or name == its_name)
                   for kind, its_name in found)

    def wait_for_requests(self, count, *kinds, name=None, seconds=PATIENCE_S):
        wait_until(lambda: self.requests(*kinds, name=name) >= count,
                   f"{count} of {kinds} {name or ''} reach the worker",
                   seconds)

    def worker_pid(self):
        # the command returns a moment before the keeper logs it
        wait_until(lambda: _WORKER.search(self.log_text()),
                   "the keeper names its worker")
        return int(_WORKER.findall(self.log_text())[-1])

    def keeper_pid(self):
        return int(status_field(self.worker_pid(), "PPid"))

    def unmount(self):
        return run(built("secretsfs"), "unmount", self.point)


def mount(point, source, *options, env=None, log=None, under=()):
    """Runs the command, under: by way of another, and says how it ended; for
    mounts that may fail."""
    if not is_mounted(point):  # where it would ask who may be dead
        os.makedirs(point, exist_ok=True)
    mark_files(source, options)
    logging = ("--log-level", "debug", "--log-file", log) if log else ()
    return run(*under, built("secretsfs"), *logging, *options, source, point,
               env=env)


def _end(mounted, pids):
    """Unmounts, by force at last, and waits for the processes to be gone."""
    try:
        if is_mounted(mounted.point):
            result = mounted.unmount()
            check(result.code == 0, "unmount:", result)
        for what, pid in pids.items():
            wait_for_end(pid, what)
    finally:
        while is_mounted(mounted.point):
            run_ok("umount", "-l", mounted.point)


def _show_log(mounted):
    for line in mounted.log_text().splitlines()[-40:]:
        print(f"# log: {line}", flush=True)


def check_log(mounted, expect_death=False):
    """No report of a sanitizer, no worker that died, nothing secret."""
    text = mounted.log_text()
    broken = [line for line in text.splitlines() if _BROKEN.search(line) and
              not (expect_death and "the worker died" in line)]
    check(not broken, "the log says:", *broken)
    check_logs(mounted.log)


@contextlib.contextmanager
def mounted_at(directory, source, *options, env=None, name="mnt",
               expect_death=False, under=()):
    """A mount for the time of a with block, below a work directory.

    At its end nothing may be left: no mount, no process, no report of a
    sanitizer, no worker that died.
    """
    found = Mount(os.path.join(directory, name),
                  os.path.join(directory, f"{name}.log"))
    result = mount(found.point, source, *options, env=env, log=found.log,
                   under=under)
    check(result.code == 0, "mount:", result)
    pids = {}
    try:
        try:
            pids["worker"] = found.worker_pid()
            pids["keeper"] = found.keeper_pid()
            yield found
        finally:
            _end(found, pids)
        mark_files(source, options)  # they may have changed
        check_log(found, expect_death)
    except BaseException:
        _show_log(found)
        raise

