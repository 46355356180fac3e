# SPDX-License-Identifier: Apache-2.0
"""Mounts that have had every kind of secret in their hands, and the search for
what they left behind."""

import collections
import contextlib
import os
import shutil

import lib.place
from fake_aws import GET, MAY_GET, FakeAws
from fake_metadata import FakeMetadata
from lib.identity import IDENTITIES, random_text
from lib.memory import keeps_freed_memory
from lib.mounting import mounted_at
from lib.place import built, work_directory, write_file
from lib.process import run_ok, status_field
from lib.reading import error_of
from lib.status import status, wait_for_answers
from lib.tap import Skip, check
from lib.wait import wait_until

_SCANNER = built("tests/scan_memory")

READS = 1000
ROUND = 40

_CLASS = """apiVersion: secrets-store.csi.x-k8s.io/v1
kind: SecretProviderClass
metadata:
  name: class
spec:
  provider: aws
  parameters:
    objects: |
      - objectName: keys
        objectType: secretsmanager
      - objectName: plain
        objectType: secretsmanager
        jmesPath: []
      - objectName: picked
        objectType: secretsmanager
        jmesPath:
          - path: database.password
            objectAlias: picked-password
      - objectName: large
        objectType: secretsmanager
        jmesPath: []
"""
FILES = ("password", "token", "keys", "plain", "picked-password", "picked",
         "large")


_MORE = """      - objectName: {0}
        objectType: secretsmanager
        jmesPath: []
"""


class _Account:
    """Secrets whose every value is noted."""

    def __init__(self, aws, more):
        self.aws = aws
        self.markers = set()
        self.files = (*FILES, *more)
        for name in ("keys", "plain", "picked", "large", *more):
            self.rotate(name)

    def _value(self, length=48):
        value = random_text(length)
        self.markers.add(("value", value))
        return value

    def rotate(self, name):
        if name == "keys":
            value = (f'{{"password": "{self._value()}", '
                     f'"token": "{self._value(2000)}"}}')
        elif name == "picked":
            value = f'{{"database": {{"password": "{self._value()}"}}}}'
        elif name.startswith("large"):
            value = "x" * 30000 + self._value(200) + "y" * 30000
        else:
            value = self._value()
        self.aws.put(name, value)


def _write(directory, markers):
    lines = [f"{kind} {text}\n" for kind, text in sorted(markers)]
    return write_file(os.path.join(directory, "markers"), "".join(lines))


def _read(path):
    """From the worker, not from the kernel's pages."""
    with open(path, "rb", buffering=0) as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        return file.read()


def _disturb(number, account, someone, mount):
    """One of the things that happen to a mount."""
    aws = account.aws
    what = number % 8
    if what in (0, 1, 2, 3):
        account.rotate(("keys", "plain", "picked", "large")[what])
        run_ok(built("secretsfs"), "refresh", mount.point)
    elif what == 4:
        aws.deny(MAY_GET, "plain")
        account.rotate("plain")
        run_ok(built("secretsfs"), "refresh", mount.point)
        error_of(_read, mount.path("plain"))
        aws.allow(MAY_GET, "plain")
    elif what == 5:
        aws.fail(GET, ("throttled", "cut")[number // 8 % 2], times=1)
        account.rotate("keys")
        run_ok(built("secretsfs"), "refresh", mount.point)
    elif what == 6:
        error_of(_read, mount.path("nothing"))
        os.listdir(mount.point)
    else:
        status(mount.point)
        someone.renew()


def _use(account, someone, mount):
    count = 0
    for number in range(READS):
        if number % ROUND == 0:
            _disturb(number // ROUND, account, someone, mount)
        name = account.files[number % len(account.files)]
        count += error_of(_read, mount.path(name)) == ""
    check(count > READS // 2, count, "of", READS, "reads succeeded")


def processes(mount):
    wait_until(lambda: "notifier mount=0 pid=" in mount.log_text(),
               "a notifier")
    return _with_children(mount.keeper_pid())


def _with_children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="utf-8") as file:
        children = map(int, file.read().split())
    return [pid, *(one for child in children
                   for one in _with_children(child))]


def _are_asleep(pids):
    return all((status_field(pid, "State") or "gone").startswith("S")
               for pid in pids)


def _is_answered(found):
    """Whether AWS and its like have answered all that they were asked: keys are
    renewed ahead of need, while nobody waits for them."""
    return not any(one["inFlight"] for one in found["objects"]) and all(
        one["attempts"] == sum(count for name, count in one.items()
                               if name not in ("name", "attempts", "retries"))
        for endpoint in found["endpoints"] for one in endpoint["operations"])


def _at_rest(mount, count):
    try:
        pids = processes(mount)
        if len(pids) != count or not _are_asleep(pids):
            return None
        # which has the worker take what a command has said before
        is_answered = _is_answered(status(mount.point))
        at_last = processes(mount)
    except FileNotFoundError:
        return None
    return pids if is_answered and pids == at_last and _are_asleep(pids) \
        else None


def processes_at_rest(mount, count):
    """That many, the keeper first: when none of them has anything to do, runs a
    command, or waits for an answer."""
    return wait_until(lambda: _at_rest(mount, count),
                      f"{count} processes rest", 30)


# searched, and of that in files of memory as the annex; left out as the pool
Scan = collections.namedtuple("Scan", "hits searched pool files")


def scan(where, markers):
    """Of a process or a file; lengths are in bytes."""
    lines = run_ok(_SCANNER, str(where), markers).out.decode().splitlines()
    words = lines.pop().split()
    return Scan(lines, *(int(words[at]) for at in (1, 3, 5)))


@contextlib.contextmanager
def test_programs(**replaced):
    """The programs, of which some are the tests' own."""
    before = lib.place.BUILD
    with work_directory() as directory:
        shutil.copy(built("secretsfs"), directory)
        for name in ("keeper", "notifier", "worker"):
            program = (f"tests/{replaced[name]}" if name in replaced
                       else f"secretsfs-{name}")
            shutil.copy(built(program),
                        os.path.join(directory, f"secretsfs-{name}"))
        lib.place.BUILD = directory
        try:
            yield
        finally:
            lib.place.BUILD = before


def need_wiping():
    if keeps_freed_memory():
        raise Skip("a sanitizer keeps what is freed")


@contextlib.contextmanager
def used_mount(*options, identity="role", expect_death=False, under=(),
               large=(), **more):
    """identity: one of IDENTITIES; large: names of more secrets of that size.
    Gives the mount, and a file of all that was secret."""
    need_wiping()
    with work_directory() as directory, FakeAws(directory) as aws, \
            FakeMetadata(aws) as metadata:
        account = _Account(aws, large)
        someone = IDENTITIES[identity](aws, metadata, directory)
        source = write_file(os.path.join(directory, "class.yaml"),
                            _CLASS + "".join(map(_MORE.format, large)))
        with mounted_at(directory, source, "--ttl", "1h", *someone.options,
                        *options, expect_death=expect_death, under=under,
                        env={**someone.environment(), **more}) as mount:
            _use(account, someone, mount)
            wait_for_answers(mount.point)
            yield mount, _write(directory, account.markers | someone.markers())
