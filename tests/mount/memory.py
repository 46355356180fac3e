# SPDX-License-Identifier: Apache-2.0
"""Which memory holds secrets is told, each kind serves, and one that is full
serves what it had no room for."""

import contextlib
import os
import signal
import sys
import threading

sys.path.insert(0, sys.path[0] + "/..")

from fake_aws import FakeAws
from lib.mounting import mounted_at
from lib.place import built, work_directory
from lib.process import run_ok
from lib.reading import read
from lib.scene import PASSWORD, Scene, aws_mount, write_class
from lib.status import status
from lib.tap import case, check, check_equal, main
from lib.wait import wait_until

SECRETS = 48
LENGTH = 50000
POOL = 1 << 20

# threads of ours that wait for each other and not for a mount
FUTEX = {"x86_64": "202", "aarch64": "98"}[os.uname().machine]


def _value(number):
    return f"{number:05d}" * (LENGTH // 5)


@contextlib.contextmanager
def _many():
    names = [f"large-{number}" for number in range(SECRETS)]
    with work_directory() as directory, FakeAws(directory) as aws:
        for number, name in enumerate(names):
            aws.put(name, _value(number))
        with mounted_at(directory, write_class(directory, *names),
                        "--test-pool", f"mlock:{POOL}",
                        env=aws.environment()) as mount:
            yield Scene(directory, aws, mount), names


def _read_from_worker(path):
    """Not from the kernel's pages."""
    with open(path, "rb", buffering=0) as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        return file.read()


@case
def each_kind_of_memory_is_told_and_serves():
    for kind in ("mlock", "unlocked"):
        with aws_mount("--test-pool", kind) as scene:
            check_equal(read(scene.path("password")), PASSWORD)
            found = status(scene.mount.point)
            check_equal(found["memory"]["kind"], kind)
            check_equal(found["memoryLocked"], kind != "unlocked")
            check(0 < found["memory"]["usedBytes"] <
                  found["memory"]["mappedBytes"] <=
                  found["memory"]["maxBytes"], found["memory"])
            text = run_ok(built("secretsfs"), "status", scene.mount.point).out
            check(f"({kind})".encode() in text, text)


@case
def what_has_no_room_is_sealed_and_served_without_asking_again():
    with _many() as (scene, names):
        for number, name in enumerate(names):
            check_equal(read(scene.path(name)).decode(), _value(number))
        calls = scene.aws.calls()
        found = status(scene.mount.point)["memory"]
        check(found["sealed"] >= SECRETS - POOL // LENGTH, found)
        check_equal(found["maxBytes"], POOL)
        for number, name in enumerate(names):
            check_equal(_read_from_worker(scene.path(name)).decode(),
                        _value(number))
        check_equal(scene.aws.calls(), calls, "AWS calls")
        check(scene.mount.requests("READ") >= 2 * SECRETS, "READs")


class _Reader(threading.Thread):
    """Reads from the worker."""

    def __init__(self, path):
        super().__init__()
        self.path = path
        self.result = None

    def run(self):
        try:
            self.result = _read_from_worker(self.path)
        except OSError as error:
            self.result = error

    def is_waiting(self):
        with open(f"/proc/self/task/{self.native_id}/syscall",
                  encoding="ascii") as call:
            return call.read().split()[0] not in (FUTEX, "running")


@case
def many_that_are_asked_for_at_once_are_all_opened():
    with _many() as (scene, names):
        for name in names:
            read(scene.path(name))
        readers = [_Reader(scene.path(name)) for name in names]
        worker = scene.mount.worker_pid()
        os.kill(worker, signal.SIGSTOP)
        try:
            for reader in readers:
                reader.start()
            wait_until(lambda: all(reader.is_waiting() for reader in readers),
                       "all of them wait")
        finally:
            os.kill(worker, signal.SIGCONT)
        for number, reader in enumerate(readers):
            reader.join(20)
            check_equal(reader.result, _value(number).encode(), reader.path)


main()
