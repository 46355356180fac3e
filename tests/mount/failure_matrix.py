# SPDX-License-Identifier: Apache-2.0
"""The failure matrix of the design: each row that is about AWS and about what
a secret is, under its own name. What a row promises in full is in the tests of
its subject; here is what nobody may ever lose."""

import contextlib
import json
import os
import shutil
import sys
import threading

sys.path.insert(0, sys.path[0] + "/..")

from fake_aws import ASSUME, BATCH, DECRYPT, DESCRIBE, GET
from lib.class_text import class_text, object_text
from lib.clock import Clock
from lib.mounting import mounted_at
from lib.pki import Authority
from lib.place import built, work_directory, write_file
from lib.process import run_ok, running
from lib.reading import check_error, error_of, read, wait_for_content
from lib.scene import PASSWORD, aws_directory, aws_mount
from lib.status import status_object, wait_for_answers
from lib.tap import case, check, check_equal, main
from lib.wait import BUSY_S, Stopwatch, wait_until

TTL_S = 60
GRACE_S = 60
DEADLINE_S = 20.0
RECOVERY_S = 2.0
NEW = '{"username": "ada", "password": "new"}'
OPERATIONS = (GET, DESCRIBE, BATCH)


def row(name):
    """A case with the name of a row."""
    def register(function):
        function.__name__ = name
        return case(function)
    return register


@contextlib.contextmanager
def _cached(*options, **keywords):
    """A mount of a secret that was read, and a clock."""
    with work_directory() as directory:
        clock = Clock(directory)
        with aws_mount("--ttl", f"{TTL_S}s", *clock.options, *options,
                       **keywords) as scene:
            scene.clock = clock
            read(scene.path("app"))
            yield scene


def _check_stale(scene):
    """What was read is read on after its TTL."""
    scene.clock.advance(TTL_S + 1)
    for _ in range(3):
        check_equal(read(scene.path("password")), PASSWORD, "old value")
        scene.clock.advance(1)


def _check_cold(path, wanted="EIO", deadline_s=DEADLINE_S):
    with Stopwatch() as watch:
        check_error(path, wanted)
    check(watch.s < deadline_s + BUSY_S, "the error took", watch.s)


def _check_recovery(scene, wanted):
    with Stopwatch() as watch:
        wait_for_content(scene.path("password"), wanted)
    check(watch.s < RECOVERY_S + BUSY_S, "recovery took", watch.s)


@row("AWS down / 5xx")
def _down():
    with _cached() as scene:
        for operation in OPERATIONS:
            scene.aws.fail(operation, "500")
        _check_stale(scene)
        for operation in OPERATIONS:
            scene.aws.heal(operation)
        scene.aws.refuse_connections()
        _check_stale(scene)
        with mounted_at(scene.directory, "cold", name="other",
                        env=scene.aws.environment()) as mount:
            check_equal(os.listdir(mount.point), ["cold"], "ls")
            _check_cold(mount.path("cold"))


@row("throttled")
def _throttled():
    with _cached() as scene:
        for operation in OPERATIONS:
            scene.aws.fail(operation, "throttled")
        _check_stale(scene)
    with aws_mount() as scene:
        scene.aws.fail("app", "throttled", times=1)
        out = run_ok(built("tests/readers"), "1000",
                     scene.path("password")).out
        for line in out.splitlines():
            check(line.split()[0] == b"0", "a reader got", line)
        check_equal(scene.aws.calls("app"), 2, "the throttled and the good")


@row("slow (drip)")
def _slow():
    with aws_mount("--timeout", "2s") as scene:
        scene.aws.fail("app", "slow")
        _check_cold(scene.path("password"), deadline_s=2)
        with running("cat", scene.path("password")) as reader:
            scene.mount.wait_for_requests(2, "LOOKUP", name="password")
            with Stopwatch() as watch:
                reader.kill()
                reader.wait(10)
            check(watch.s < BUSY_S, "a killed reader took", watch.s)


@row("expired STS creds")
def _expired():
    with aws_directory() as (directory, aws):
        token = write_file(os.path.join(directory, "token", "token"), "t")
        aws.fail("app", "expired token", times=1)
        with mounted_at(directory, "app",
                        env=aws.role_environment(token)) as mount:
            check_equal(read(mount.path("password")), PASSWORD)
            check_equal(aws.calls(ASSUME), 2, "STS calls")


@row("web identity token rotated")
def _token():
    with aws_directory() as (directory, aws):
        clock = Clock(directory)
        aws.session_seconds = 1  # each call wants new keys
        token = write_file(os.path.join(directory, "token", "token"),
                           "first")
        with mounted_at(directory, "app", "--ttl", f"{TTL_S}s",
                        *clock.options,
                        env=aws.role_environment(token)) as mount:
            check_equal(read(mount.path("password")), PASSWORD)
            write_file(token, "")
            clock.advance(TTL_S + 1)
            check_equal(read(mount.path("password")), PASSWORD, "half done")
            write_file(token, "second")
            aws.put("app", NEW)
            clock.advance(TTL_S + 1)
            wait_for_content(mount.path("password"), b"new")
            check_equal(aws.tokens[-1].strip(), "second")


@row("DNS failure")
def _dns():
    with aws_directory() as (directory, aws):
        env = {**aws.environment(),
               "AWS_ENDPOINT_URL": "https://nowhere.invalid"}
        source = write_file(os.path.join(directory, "c.yaml"),
                            class_text(object_text("app")))
        with mounted_at(directory, source, "--timeout", "3s",
                        env=env) as mount, \
                running("cat", mount.path("app")):
            mount.wait_for_requests(1, "LOOKUP", name="app")
            with Stopwatch() as watch:
                os.stat(mount.point)
                check_error(mount.path(".hidden"), "ENOENT")
            check(watch.s < BUSY_S, "others took", watch.s)
            _check_cold(mount.path("app"), deadline_s=3)


@row("TLS cert expired / wrong host / CA rotated")
def _tls():
    with _cached() as scene:
        aws = scene.aws
        stranger = Authority(scene.directory, "stranger")
        before = aws.calls()
        for pair in (aws.authority.issue_expired("expired"),
                     aws.authority.issue("wrong", "DNS:elsewhere.invalid"),
                     stranger.issue("another")):
            aws.refuse_connections()
            aws.present(*pair)
            aws.listen()
            _check_stale(scene)
        check("certificate has expired" in scene.mount.log_text(),
              "no word of the first one")
        check_equal(aws.calls(), before, "requests to a stranger")
        # the file is read for each new connection
        shutil.copyfile(stranger.ca, aws.authority.ca)
        aws.put("app", NEW)
        _check_recovery(scene, b"new")


def _pair(scene):
    """What two fds hold, and whether they say that it is one version."""
    with open(scene.path("username"), "rb") as user, \
            open(scene.path("password"), "rb") as password:
        same = os.fstat(user.fileno()).st_mtime_ns == \
            os.fstat(password.fileno()).st_mtime_ns
        return user.read(), password.read(), same


@row("rotation during reads")
def _rotation():
    def text(number):
        return json.dumps({"username": str(number) * 50,
                           "password": str(number) * 50})

    with _cached(value=text(0)) as scene:
        ended = threading.Event()
        faults = []

        def read_on():
            while not ended.is_set():
                user, password, same = _pair(scene)
                for value in (user, password):
                    if len(set(value)) != 1 or len(value) != 50:
                        faults.append(value)
                if same and user != password:
                    faults.append((user, password))
        reader = threading.Thread(target=read_on)
        reader.start()
        try:
            for number in range(30):
                scene.aws.put("app", text(number % 10))
                scene.clock.advance(TTL_S)
                wait_for_content(scene.path("password"),
                                 str(number % 10).encode() * 50)
                wait_for_answers(scene.mount.point)
        finally:
            ended.set()
            reader.join(20)
        check_equal(faults, [], "mixed or torn reads")


@row("secret grows / shrinks")
def _sizes():
    with _cached() as scene:
        for length in (65536, 1, 65536, 1):
            with open(scene.path("app"), "rb") as held:
                before = os.fstat(held.fileno()).st_size
                scene.aws.put("app", "x" * length)
                scene.clock.advance(TTL_S + 1)
                wait_for_content(scene.path("app"), b"x" * length)
                wait_for_answers(scene.mount.point)
                check_equal(os.stat(scene.path("app")).st_size, length)
                check_equal(len(held.read()), before, "the open file")


@row("secret deleted / access revoked")
def _revoked():
    def mark(aws):
        aws.mark_for_deletion("app")

    ways = {
        "deleted": (lambda aws: aws.delete("app"), "ENOENT"),
        "marked": (mark, "ENOENT"),
        "read denied": (lambda aws: aws.deny(f"secretsmanager:{GET}"),
                        "EACCES"),
        "KMS denied": (lambda aws: aws.deny(DECRYPT), "EACCES"),
    }
    for name, (revoke, wanted) in ways.items():
        with _cached("--verify-access", f"{TTL_S}s") as scene:
            revoke(scene.aws)
            scene.clock.advance(TTL_S + 1)
            check_equal(read(scene.path("password")), PASSWORD, name)
            wait_for_answers(scene.mount.point)
            check(status_object(scene.mount.point)["error"], name, "unseen")
            scene.clock.advance(GRACE_S + 1)
            wait_until(lambda: error_of(read, scene.path("password")) ==
                       wanted, f"{name}: {wanted}")
            check_equal(status_object(scene.mount.point)["versionId"], None,
                        name)


@row("huge / binary secret")
def _huge():
    exact = bytes(range(256)) * 4 + b"\0\0"
    with aws_directory() as (directory, aws):
        aws.put("huge", "x" * 65537)
        aws.put("binary", exact)
        source = write_file(os.path.join(directory, "c.yaml"),
                            class_text(*map(object_text,
                                            ("huge", "binary", "app"))))
        with mounted_at(directory, source, env=aws.environment()) as mount:
            check_error(mount.path("huge"), "EFBIG")
            check_equal(read(mount.path("binary")), exact)
            check(read(mount.path("app")), "another secret")


main()
