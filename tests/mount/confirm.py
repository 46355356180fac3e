# SPDX-License-Identifier: Apache-2.0
"""Which calls freshness costs: a description where that is enough, a value
where it is not, and many values at once where AWS allows it."""

import contextlib
import json
import os
import sys

sys.path.insert(0, sys.path[0] + "/..")

from fake_aws import (ASSUME, BATCH, DECRYPT, DESCRIBE, GET, MAY_BATCH,
                      MAY_DESCRIBE, MAY_GET, FakeAws, secret_arn)
from lib.clock import Clock
from lib.mounting import mounted_at
from lib.place import work_directory, write_file
from lib.reading import check_error, read
from lib.scene import PASSWORD, aws_mount
from lib.tap import case, check, check_equal, main
from lib.wait import wait_until

NEW = json.dumps({"username": "ada", "password": "new and longer value"})
TTL = 60

COUNT = 45


def _calls(aws):
    check_equal(aws.calls(ASSUME), 0, "STS calls")
    return tuple(aws.calls(one) for one in (DESCRIBE, GET, BATCH))


@contextlib.contextmanager
def _aged(*options, then=lambda aws: None):
    """A mount of a secret that was read, whose TTL is over; before it was,
    something happened to the AWS."""
    with work_directory() as directory:
        clock = Clock(directory)
        with aws_mount("--ttl", f"{TTL}s", *clock.options, *options) as scene:
            check_equal(read(scene.path("password")), PASSWORD)
            check_equal(_calls(scene.aws), (0, 1, 0), "calls at first")
            then(scene.aws)
            clock.advance(TTL + 1)
            scene.clock = clock
            yield scene


def _check_calls(scene, wanted, what):
    check_equal(_calls(scene.aws), wanted, f"{what}: (describe, get, batch)")


@case
def an_unchanged_secret_costs_a_description():
    with _aged() as scene:
        for turn in range(1, 6):
            check_equal(read(scene.path("password")), PASSWORD)
            check_equal(read(scene.path("username")), b"ada")
            _check_calls(scene, (turn, 1, 0), "unchanged")
            scene.clock.advance(TTL + 1)


@case
def a_moved_stage_costs_a_description_and_a_value():
    with _aged(then=lambda aws: aws.put("app", NEW)) as scene:
        check_equal(read(scene.path("password")), b"new and longer value")
        _check_calls(scene, (1, 2, 0), "moved")


@case
def a_stage_that_another_version_got_changes_nothing():
    with _aged(then=lambda aws: aws.put("app", NEW, stages=(
            "AWSPENDING",))) as scene:
        check_equal(read(scene.path("password")), PASSWORD)
        _check_calls(scene, (1, 1, 0), "another stage")


@case
def after_verify_access_it_is_a_value_without_a_description():
    with _aged("--verify-access", f"{TTL + 1}s") as scene:
        check_equal(read(scene.path("password")), PASSWORD)
        _check_calls(scene, (0, 2, 0), "verified")
        scene.clock.advance(TTL)
        check_equal(read(scene.path("password")), PASSWORD)
        _check_calls(scene, (1, 2, 0), "after that")


@case
def without_permission_to_describe_it_is_asked_once_an_hour():
    with _aged(then=lambda aws: aws.deny(MAY_DESCRIBE)) as scene:
        for turn in range(1, 6):
            # a read waits for the attempt, so none is on its way after it
            check_equal(read(scene.path("password")), PASSWORD)
            _check_calls(scene, (1, 1 + turn, 0), "denied")
            if turn < 5:
                scene.clock.advance(TTL + 1)
        scene.aws.allow(MAY_DESCRIBE)
        scene.clock.advance(3600)
        # older than --verify-access by now: a value, then descriptions again
        check_equal(read(scene.path("password")), PASSWORD)
        scene.clock.advance(TTL + 1)
        check_equal(read(scene.path("password")), PASSWORD)
        _check_calls(scene, (2, 7, 0), "allowed again")


@case
def an_endpoint_without_descriptions_is_asked_for_values():
    with _aged(then=lambda aws: aws.fail(
            DESCRIBE, "unknown operation")) as scene:
        for turn in range(1, 4):
            check_equal(read(scene.path("password")), PASSWORD)
            _check_calls(scene, (1, 1 + turn, 0), "unknown")
            scene.clock.advance(TTL + 1)


@case
def a_secret_marked_for_deletion_ends_after_the_grace_without_a_value_asked():
    with _aged(then=lambda aws: aws.mark_for_deletion("app")) as scene:
        check_equal(read(scene.path("password")), PASSWORD)
        _check_calls(scene, (1, 1, 0), "marked")
        scene.clock.advance(61)
        check_error(scene.path("password"), "ENOENT")
        check("marked for deletion" in scene.mount.log_text(), "the reason")
        scene.aws.restore("app")
        scene.clock.advance(6)
        check_equal(read(scene.path("password")), PASSWORD)


@case
def a_withdrawn_permission_to_read_shows_after_verify_access():
    for action in (MAY_GET, DECRYPT):
        with _aged("--verify-access", "5m", then=lambda aws, action=action:
                   aws.deny(action, "app")) as scene:
            check_equal(read(scene.path("password")), PASSWORD)
            _check_calls(scene, (1, 1, 0), "not seen yet")
            scene.clock.advance(300)
            check_equal(read(scene.path("password")), PASSWORD)
            _check_calls(scene, (1, 2, 0), "grace")
            scene.clock.advance(61)
            check_error(scene.path("password"), "EACCES")


@case
def a_description_that_does_not_come_costs_the_patience_at_most():
    with _aged(then=lambda aws: aws.fail(DESCRIBE, "500")) as scene:
        check_equal(read(scene.path("password")), PASSWORD)
        # after the patience the others may still be to come
        wait_until(lambda: scene.aws.calls(DESCRIBE) == 3, "three attempts")
        _check_calls(scene, (3, 1, 0), "failing")


def _names():
    return [f"team/app{number:02}" for number in range(COUNT)]


def _class_text():
    objects = "".join(f"      - objectName: {name}\n"
                      "        objectType: secretsmanager\n"
                      for name in _names())
    return ("apiVersion: secrets-store.csi.x-k8s.io/v1\n"
            "kind: SecretProviderClass\n"
            "metadata:\n"
            "  name: many\n"
            "spec:\n"
            "  provider: aws\n"
            "  parameters:\n"
            "    objects: |\n" + objects)


@contextlib.contextmanager
def _many(*options):
    with work_directory() as directory, FakeAws(directory) as aws:
        for number, name in enumerate(_names()):
            aws.put(name, json.dumps({f"key{number:02}": f"value {number}"}))
        source = write_file(os.path.join(directory, "many.yaml"),
                            _class_text())
        with mounted_at(directory, source, *options,
                        env=aws.environment()) as mount:
            yield aws, mount


def _check_keys(mount, but=()):
    listed = set(os.listdir(mount.point))
    wanted = {f"key{number:02}" for number in range(COUNT)} - set(but)
    check(wanted <= listed, "names that are missing:", wanted - listed)
    check(not set(but) & listed, "names too many:", set(but) & listed)


def _check_values(mount, but=()):
    for number in range(COUNT):
        if number not in but:
            check_equal(read(mount.path(f"key{number:02}")),
                        f"value {number}".encode())


@case
def what_a_batch_brought_carries_its_ARN():
    with _many("-o", "xattr") as (aws, mount):
        _check_keys(mount)
        check_equal(_calls(aws), (0, 0, 3), "(describe, get, batch)")
        for number, name in enumerate(_names()):
            check_equal(os.getxattr(mount.path(f"key{number:02}"),
                                    "user.secretsfs.arn"),
                        secret_arn(name).encode())


@case
def ls_of_45_secrets_is_three_batches():
    with _many() as (aws, mount):
        _check_keys(mount)
        check_equal(_calls(aws), (0, 0, 3), "(describe, get, batch)")
        _check_values(mount)
        check_equal(_calls(aws), (0, 0, 3), "(describe, get, batch)")


@case
def without_permission_for_batches_one_is_refused():
    with _many() as (aws, mount):
        aws.deny(MAY_BATCH)
        _check_keys(mount)
        _check_values(mount)
        check_equal(_calls(aws), (0, COUNT, 1), "(describe, get, batch)")


@case
def an_endpoint_without_batches_is_asked_once():
    with _many() as (aws, mount):
        aws.fail(BATCH, "unknown operation")
        _check_keys(mount)
        _check_values(mount)
        check_equal(_calls(aws), (0, COUNT, 1), "(describe, get, batch)")


@case
def one_secret_that_is_refused_disturbs_no_other_of_its_batch():
    with _many() as (aws, mount):
        aws.deny(MAY_GET, "team/app03")
        aws.deny(DECRYPT, "team/app21")
        aws.mark_for_deletion("team/app44")
        _check_values(mount, but=(3, 21, 44))
        check_equal(_calls(aws), (0, 0, 3), "(describe, get, batch)")
        log = mount.log_text()
        for words in ("Access to KMS is not allowed", "marked for deletion",
                      "is not authorized to perform: " + MAY_GET):
            check(words in log, "the log lacks", words)


@case
def a_batch_that_cannot_be_read_is_asked_for_one_by_one():
    for fault in ("bad json", "huge"):
        with _many() as (aws, mount):
            aws.fail(BATCH, fault)
            _check_keys(mount)
            _check_values(mount)
            check_equal(_calls(aws), (0, COUNT, 3), "(describe, get, batch)")


main()
