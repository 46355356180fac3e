# SPDX-License-Identifier: Apache-2.0
"""A core that was forced out of a worker has nothing secret in it."""

import os
import resource
import signal
import sys

sys.path.insert(0, sys.path[0] + "/..")

from lib.place import work_directory, write_file
from lib.process import is_alive, status_field
from lib.tap import Skip, case, check, main
from lib.used import FILES, scan, test_programs, used_mount
from lib.wait import wait_until


def _needs_plain_cores():
    with open("/proc/sys/kernel/core_pattern", encoding="ascii") as file:
        pattern = file.read().strip()
    if pattern.startswith("|") or "/" in pattern:
        raise Skip(f"cores go elsewhere here: {pattern}")
    if resource.getrlimit(resource.RLIMIT_CORE)[1] == 0:
        raise Skip("who runs this may have no core")


# What a worker waits in: epoll_wait, epoll_pwait.
_WAITS = {"x86_64": ("232", "281"), "aarch64": ("22",)}[os.uname().machine]


def _is_stopped_waiting(pid):
    os.kill(pid, signal.SIGSTOP)
    wait_until(lambda: status_field(pid, "State").startswith("T"),
               "it has stopped")
    with open(f"/proc/{pid}/syscall", encoding="ascii") as file:
        if file.read().split()[0] in _WAITS:
            return True
    os.kill(pid, signal.SIGCONT)
    return False


def _force_core(mount, directory):
    worker = mount.worker_pid()
    # In the middle of its work it has in registers what it works with.
    wait_until(lambda: _is_stopped_waiting(worker), "the worker waits")
    os.kill(worker, signal.SIGABRT)
    os.kill(worker, signal.SIGCONT)
    wait_until(lambda: not is_alive(worker), "the worker has died")
    cores = os.listdir(directory)
    check(len(cores) == 1, "cores:", cores)
    return os.path.join(directory, cores[0])


@case
def no_marker_is_in_a_core_with_either_kind_of_pool():
    _needs_plain_cores()
    for kind in ("memfd_secret", "mlock"):
        with work_directory() as cores, test_programs(
                worker="dumpable_worker", keeper="dumpable_keeper"):
            os.chmod(cores, 0o777)
            with used_mount("--test-pool", kind, expect_death=True,
                            AWS_TEST_CORES=cores) as (mount, markers):
                core = _force_core(mount, cores)
                found = scan(core, markers)
                check(found.searched > 1 << 20, "a core of", found.searched)
                check(not found.hits, kind, *found.hits[:20])
                # what is no secret is in it
                names = write_file(os.path.join(cores, "names"), "".join(
                    f"name {name}\n" for name in FILES if len(name) > 7))
                check(scan(core, names).hits, "not even names are in it")


main()
