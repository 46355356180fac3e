# SPDX-License-Identifier: Apache-2.0
"""What AWS no longer gives is gone everywhere once the grace is over: for who
holds the file open, in the page cache, in the store, in the worker's memory."""

import contextlib
import json
import os
import sys
import uuid

sys.path.insert(0, sys.path[0] + "/..")

from fake_aws import DECRYPT, DESCRIBE, GET
from lib.clock import Clock
from lib.memory import find_in_memory, keeps_freed_memory
from lib.pages import is_cached
from lib.place import work_directory
from lib.reading import check_error, error_of, read
from lib.scene import aws_mount
from lib.status import status_object, wait_for_answers
from lib.tap import case, check, check_equal, main
from lib.wait import wait_until

TTL_S = 60
VERIFY_S = 300
GRACE_S = 60


class _Held:
    """A mount of a secret that no other has, open and read and cached."""

    def __init__(self, scene, clock, value, file):
        self.aws = scene.aws
        self.mount = scene.mount
        self.path = scene.path("password")
        self.clock = clock
        self.value = value
        self.file = file

    def pread(self):
        return os.pread(self.file, 999, 0)

    def confirm(self, seconds=TTL_S):
        """Until AWS has been asked after so much time."""
        wait_for_answers(self.mount.point)
        before = self.aws.calls()
        self.clock.advance(seconds)
        wait_until(lambda: self.aws.calls() > before, "a confirmation")

    def wait_for_failure(self, code):
        def failed():
            error = status_object(self.mount.point)["error"]
            return error and error["code"] == code
        wait_until(failed, f"the object's error is {code}")

    def in_memory(self):
        return find_in_memory(self.mount.worker_pid(), self.value)


@contextlib.contextmanager
def _held():
    value = f"taken{uuid.uuid4().hex}back".encode()
    with work_directory() as directory:
        clock = Clock(directory)
        secret = json.dumps({"filler": "x" * 3000,
                             "password": value.decode()})
        with aws_mount("--ttl", f"{TTL_S}s", "--verify-access",
                       f"{VERIFY_S}s", *clock.options,
                       # a pool that can be searched
                       "--test-pool", "mlock",
                       value=secret) as scene:
            wait_until(lambda: "notifier mount=0 pid=" in
                       scene.mount.log_text(), "a notifier")
            file = os.open(scene.path("password"), os.O_RDONLY)
            try:
                held = _Held(scene, clock, value, file)
                check_equal(held.pread(), value)
                _check_there(held)
                yield held
            finally:
                os.close(file)


def _check_there(held):
    """Also what shows that the checks below can fail."""
    check_equal(held.pread(), held.value)
    check(is_cached(held.file), "no page")
    check(status_object(held.mount.point)["versionId"], "no version is held")
    check(held.in_memory(), "the value is not found in memory")


def _check_gone(held, path_error, read_error):
    wait_until(lambda: error_of(held.pread) == read_error,
               f"reads of the held file end with {read_error}")
    wait_until(lambda: not is_cached(held.file), "no page is left")
    found = status_object(held.mount.point)
    check_equal((found["versionId"], found["keys"]), (None, None), "held")
    check_equal(found["state"], "failed")
    # OpenSSL's buffer of a record is wiped by its next use only
    if keeps_freed_memory():
        print("# not searched: the worker's memory, which a sanitizer keeps",
              flush=True)
    else:
        check_equal(held.in_memory(), [], "the value in the worker's memory")
    check_error(held.path, path_error)


def _check_revoked(revoke, until_seen_s, path_error, read_error):
    with _held() as held:
        revoke(held.aws)
        for _ in range(until_seen_s // TTL_S - 1):
            held.confirm()
            check_equal(held.pread(), held.value, "not to be seen yet")
        held.confirm()
        held.wait_for_failure(path_error)
        held.clock.advance(GRACE_S - 5)
        check_equal(read(held.path), held.value, "in its grace")
        _check_there(held)
        held.clock.advance(5)
        _check_gone(held, path_error, read_error)


@case
def a_deleted_secret_is_gone_after_the_TTL_and_the_grace():
    _check_revoked(lambda aws: aws.delete("app"), TTL_S, "ENOENT", "ESTALE")


@case
def one_marked_for_deletion_is_gone_after_the_TTL_and_the_grace():
    _check_revoked(lambda aws: aws.mark_for_deletion("app"), TTL_S, "ENOENT",
                   "ESTALE")


@case
def with_GetSecretValue_denied_it_is_gone_after_verify_access_and_the_grace():
    _check_revoked(lambda aws: aws.deny(f"secretsmanager:{GET}", "app"),
                   VERIFY_S, "EACCES", "EACCES")


@case
def with_KMS_denied_it_is_gone_after_verify_access_and_the_grace():
    _check_revoked(lambda aws: aws.deny(DECRYPT, "app"), VERIFY_S, "EACCES",
                   "EACCES")


@case
def with_DescribeSecret_denied_it_stays():
    with _held() as held:
        held.aws.deny(f"secretsmanager:{DESCRIBE}", "app")
        gets = held.aws.calls(GET)
        for _ in range(2 * VERIFY_S // TTL_S):
            held.confirm()
            check_equal(read(held.path), held.value)
        wait_until(lambda: held.aws.calls(GET) - gets >= 9,
                   "the value is asked for instead")
        check_equal(held.aws.calls(DESCRIBE), 1, "descriptions")
        held.clock.advance(GRACE_S + 1)
        _check_there(held)
        check_equal(status_object(held.mount.point)["error"], None)


main()
