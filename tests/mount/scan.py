# SPDX-License-Identifier: Apache-2.0
"""After many reads, rotations, errors and refreshes no memory of any process
but the pool has a value, a key or a token, nor eight bytes of one."""

import contextlib
import os
import shutil
import sys
import uuid

sys.path.insert(0, sys.path[0] + "/..")

import lib.place
from fake_aws import GET, SECRET_KEY, FakeAws
from lib.memory import keeps_freed_memory
from lib.mounting import mounted_at
from lib.place import built, work_directory, write_file
from lib.process import run_ok
from lib.reading import error_of
from lib.status import status
from lib.tap import Skip, case, check, main
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


def _random(length=48):
    text = ""
    while len(text) < length:
        text += uuid.uuid4().hex
    return text[:length]


class _Account:
    """Secrets whose every value is noted."""

    def __init__(self, aws):
        self.aws = aws
        self.markers = {("key", SECRET_KEY)}
        for name in ("keys", "plain", "picked", "large"):
            self.rotate(name)

    def _value(self, length=48):
        value = _random(length)
        self.markers.add(("value", value))
        return value

    def rotate(self, name):
        if name == "keys":
            value = (f'{{"password": "{self._value()}", '
                     f'"token": "{self._value(2000)}"}}')
        elif name == "picked":
            value = f'{{"database": {{"password": "{self._value()}"}}}}'
        elif name == "large":
            value = "x" * 30000 + self._value(200) + "y" * 30000
        else:
            value = self._value()
        self.aws.put(name, value)

    def write(self, directory):
        """Everything that was secret, the sessions' tokens included."""
        found = self.markers | {("session", token)
                                for token in self.aws._sessions.values()}
        lines = [f"{kind} {text}\n" for kind, text in sorted(found)]
        return write_file(os.path.join(directory, "markers"),
                          "".join(lines))


def _read(path):
    """From the worker, not from the kernel's pages."""
    with open(path, "rb", buffering=0) as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        return file.read()


def _disturb(number, account, mount):
    """One of the things that happen to a mount."""
    aws = account.aws
    what = number % 8
    if what in (0, 1, 2, 3):
        account.rotate(("keys", "plain", "picked", "large")[what])
        run_ok(built("secretsfs"), "refresh", mount.point)
    elif what == 4:
        aws.deny(GET, "plain")
        account.rotate("plain")
        run_ok(built("secretsfs"), "refresh", mount.point)
        error_of(_read, mount.path("plain"))
        aws.allow(GET, "plain")
    elif what == 5:
        aws.fail(GET, ("throttled", "cut")[number // 8 % 2], times=1)
        account.rotate("keys")
        run_ok(built("secretsfs"), "refresh", mount.point)
    elif what == 6:
        error_of(_read, mount.path("nothing"))
        os.listdir(mount.point)
    else:
        status(mount.point)


def _use(account, mount):
    count = 0
    for number in range(READS):
        if number % ROUND == 0:
            _disturb(number // ROUND, account, mount)
        name = FILES[number % len(FILES)]
        count += error_of(_read, mount.path(name)) == ""
    check(count > READS // 2, count, "of", READS, "reads succeeded")


def _processes(mount):
    wait_until(lambda: "notifier mount=0 pid=" in mount.log_text(),
               "a notifier")
    keeper = mount.keeper_pid()
    with open(f"/proc/{keeper}/task/{keeper}/children",
              encoding="ascii") as children:
        return [keeper, *map(int, children.read().split())]


def _scan(pid, markers):
    """The hits, and how much was searched and left out as the pool."""
    lines = run_ok(_SCANNER, str(pid), markers).out.decode().splitlines()
    words = lines.pop().split()
    return lines, int(words[1]), int(words[3])


@contextlib.contextmanager
def _unwiped_programs():
    """The programs, with a worker that wipes nothing."""
    before = lib.place.BUILD
    with work_directory() as directory:
        for name in ("secretsfs", "secretsfs-keeper", "secretsfs-notifier"):
            shutil.copy(built(name), directory)
        shutil.copy(built("tests/unwiped_worker"),
                    os.path.join(directory, "secretsfs-worker"))
        lib.place.BUILD = directory
        try:
            yield
        finally:
            lib.place.BUILD = before


def _identity(account, aws, directory):
    """The environment of a pod with a role."""
    # So short that every call asks for new keys.
    aws.session_seconds = 1
    identity = _random(900)
    account.markers.add(("identity", identity))
    return aws.role_environment(
        write_file(os.path.join(directory, "token"), identity))


@contextlib.contextmanager
def _used_mount(*options, has_role=True):
    with work_directory() as directory, FakeAws(directory) as aws:
        account = _Account(aws)
        env = (_identity(account, aws, directory) if has_role
               else aws.environment())
        source = write_file(os.path.join(directory, "class.yaml"), _CLASS)
        with mounted_at(directory, source, "--ttl", "1s", *options,
                        env=env) as mount:
            if keeps_freed_memory(mount.worker_pid()):
                raise Skip("a sanitizer keeps what is freed")
            _use(account, mount)
            yield mount, account.write(directory)


def _nothing_is_left(kind, has_role):
    with _used_mount("--test-pool", kind, has_role=has_role) as (mount,
                                                                 markers):
        if status(mount.point)["memory"]["kind"] != kind:
            raise Skip(f"no {kind} here")
        for pid in _processes(mount):
            hits, searched, _ = _scan(pid, markers)
            check(searched > 1 << 19, pid, "has more than", searched)
            check(not hits, f"process {pid}:", *hits[:20])
        _, _, pool = _scan(mount.worker_pid(), markers)
        check(0 < pool < 8 << 20, "the pool has", pool)


@case
def nothing_is_left_outside_secret_memory():
    _nothing_is_left("memfd_secret", has_role=True)


@case
def nothing_is_left_outside_secret_memory_of_keys_of_the_environment():
    _nothing_is_left("memfd_secret", has_role=False)


@case
def nothing_is_left_outside_locked_memory():
    _nothing_is_left("mlock", has_role=True)


@case
def of_each_kind_something_is_left_where_nothing_is_wiped():
    found = set()
    for has_role in (True, False):
        with _unwiped_programs(), \
                _used_mount(has_role=has_role) as (mount, markers):
            hits, _, _ = _scan(mount.worker_pid(), markers)
            found |= {tuple(hit.split()[:2]) for hit in hits}
    for kind in ("value", "key"):
        check(("complete", kind) in found, "no whole", kind, "in", found)
    for kind in ("session", "identity"):
        check({("complete", kind), ("piece", kind)} & found,
              "nothing of", kind, "in", found)


main()
