# SPDX-License-Identifier: Apache-2.0
"""Classes with more than one region: when another one is asked, for what, and
what status says of it."""

import contextlib
import os
import sys

sys.path.insert(0, sys.path[0] + "/..")

from fake_aws import (DESCRIBE, GET, REGION, FakeAws, parameter_arn,
                      secret_arn)
from lib.class_text import class_text, object_text, parameter_text
from lib.clock import Clock
from lib import mounting
from lib.place import SOURCE, built, work_directory, write_file
from lib.process import run_ok
from lib.reading import check_error, read, wait_for_content
from lib.status import status_object, wait_for_answers
from lib.tap import case, check, check_equal, main

SECOND = "us-west-2"
THIRD = "us-east-2"


class Scene:
    def __init__(self, directory, aws):
        self.directory = directory
        self.aws = aws

    def write(self, *objects, parameters=(f"failoverRegion: {SECOND}",)):
        return write_file(os.path.join(self.directory, "c.yaml"),
                          class_text(*objects, parameters=parameters))

    @contextlib.contextmanager
    def mounted(self, *objects, options=(), **more):
        path = self.write(*objects, **more)
        with mounting.mounted_at(self.directory, path, *options,
                                 env=self.aws.environment()) as mount:
            yield mount


@contextlib.contextmanager
def _scene():
    with work_directory() as directory, FakeAws(directory) as aws:
        aws.put("app", "first")
        aws.put("app", "second", region=SECOND)
        yield Scene(directory, aws)


@case
def the_second_region_is_not_asked_while_the_first_answers():
    with _scene() as scene, scene.mounted(object_text("app")) as mount:
        check_equal(read(mount.path("app")), b"first")
        check_equal(status_object(mount.point)["region"], REGION)
        check_equal(scene.aws.calls(SECOND), 0, "calls in the second region")


@case
def the_second_region_serves_when_the_first_fails():
    with _scene() as scene:
        scene.aws.fail(REGION, "500")
        with scene.mounted(object_text("app")) as mount:
            check_equal(read(mount.path("app")), b"second")
            check_equal(status_object(mount.point)["region"], SECOND)
            shown = run_ok(built("secretsfs"), "status", mount.point)
            check(f"from {SECOND}" in shown.out.decode(), shown)


@case
def throttling_is_something_that_another_region_can_mend():
    with _scene() as scene:
        scene.aws.fail(REGION, "throttled")
        with scene.mounted(object_text("app")) as mount:
            check_equal(read(mount.path("app")), b"second")


@case
def what_the_first_region_refuses_for_certain_is_the_answer():
    with _scene() as scene:
        scene.aws.put("only-there", "x", region=SECOND)
        scene.aws.fail("app", "denied")
        with scene.mounted(object_text("app"),
                           object_text("only-there")) as mount:
            check_error(mount.path("app"), "EACCES")
            check_error(mount.path("only-there"), "ENOENT")
            check_equal(scene.aws.calls(SECOND), 0)


@case
def a_silent_region_leaves_time_for_the_next():
    with _scene() as scene:
        scene.aws.fail(REGION, "silent")
        with scene.mounted(object_text("app"),
                           options=["--timeout", "8s"]) as mount:
            check_equal(read(mount.path("app")), b"second")


@case
def where_no_region_answers_the_error_names_each():
    with _scene() as scene:
        scene.aws.fail(REGION, "500")
        with scene.mounted(object_text("absent")) as mount:
            check_error(mount.path("absent"), "EIO")
            for word in (f"{REGION}: ", f"; {SECOND}: ",
                         "ResourceNotFoundException"):
                check(word in mount.log_text(), word, mount.log_text())


@case
def a_failover_object_is_asked_for_in_the_second_region_only():
    with _scene() as scene:
        scene.aws.put("spare", "of the spare", region=SECOND)
        scene.aws.put("spare", "labelled", stages=("THEIRS",), region=SECOND)
        with scene.mounted(
                object_text("app", "objectAlias: file",
                            "failoverObject: {objectName: spare}"),
                object_text("app", "objectAlias: labelled",
                            "failoverObject: {objectName: spare, "
                            "objectVersionLabel: THEIRS}")) as mount:
            check_equal(read(mount.path("file")), b"first")
            scene.aws.fail(REGION, "500")
            check_equal(read(mount.path("labelled")), b"labelled")
            check_equal(scene.aws.calls("spare"), 1)
        with scene.mounted(object_text(
                secret_arn("app"), "objectAlias: file",
                f"failoverObject: {{objectName: "
                f"'{secret_arn('spare', SECOND)}'}}")) as mount:
            check_equal(read(mount.path("file")), b"of the spare")


@case
def an_arn_is_asked_for_as_that_of_its_replica():
    with _scene() as scene:
        scene.aws.fail(REGION, "500")
        with scene.mounted(object_text(secret_arn("app"),
                                       "objectAlias: app")) as mount:
            check_equal(read(mount.path("app")), b"second")


@case
def the_example_is_served_by_its_second_region():
    path = os.path.join(SOURCE, "docs", "examples", "failover.yaml")
    with work_directory() as directory, FakeAws(directory) as aws:
        for region in "eu-west-1", "eu-central-1":
            aws.put("shop/database", f"of {region}", region=region)
        aws.put("shop/web", "of eu-west-1", region="eu-west-1")
        aws.put("shop/web-frankfurt", "of frankfurt", region="eu-central-1")
        for failing, values in (
                (None, (b"of eu-west-1", b"of eu-west-1")),
                ("eu-west-1", (b"of eu-central-1", b"of frankfurt"))):
            if failing:
                aws.fail(failing, "500")
            with mounting.mounted_at(directory, path,
                                     env=aws.environment()) as mount:
                check_equal((read(mount.path("shop_database")),
                             read(mount.path("web.json"))), values)


@case
def more_regions_are_tried_in_their_order():
    with _scene() as scene:
        scene.aws.put("app", "third", region=THIRD)
        scene.aws.fail(REGION, "500")
        scene.aws.fail(SECOND, "500")
        with scene.mounted(object_text("app"), parameters=[
                f"failoverRegions: {SECOND}, {THIRD}"]) as mount:
            check_equal(read(mount.path("app")), b"third")
            check_equal(status_object(mount.point)["region"], THIRD)


@case
def the_first_region_serves_again_when_it_is_back():
    with _scene() as scene:
        clock = Clock(scene.directory)
        scene.aws.fail(REGION, "500")
        with scene.mounted(object_text("app"), options=[
                "--ttl", "1m", *clock.options]) as mount:
            check_equal(read(mount.path("app")), b"second")
            wait_for_answers(mount.point)
            scene.aws.heal(REGION)
            clock.advance(61)
            wait_for_content(mount.path("app"), b"first")
            check_equal(status_object(mount.point)["region"], REGION)


@case
def a_replica_confirms_what_the_first_region_gave():
    with _scene() as scene:
        scene.aws.replicate("app", SECOND)
        clock = Clock(scene.directory)
        with scene.mounted(object_text("app"), options=[
                "--ttl", "1m", *clock.options]) as mount:
            check_equal(read(mount.path("app")), b"first")
            scene.aws.fail(REGION, "500")
            before = scene.aws.calls(GET)
            clock.advance(61)
            check_equal(read(mount.path("app")), b"first")
            wait_for_answers(mount.point)
            found = status_object(mount.point)
            check_equal((found["region"], found["state"], found["error"]),
                        (SECOND, "fresh", None))
            check_equal(scene.aws.calls(GET), before, "only described")
            check(scene.aws.calls(DESCRIBE) > 0, "described")


@case
def another_version_elsewhere_replaces_nothing_in_an_outage():
    with _scene() as scene:
        clock = Clock(scene.directory)
        with scene.mounted(object_text("app"), options=[
                "--ttl", "1m", *clock.options]) as mount:
            check_equal(read(mount.path("app")), b"first")
            scene.aws.fail(REGION, "500")
            clock.advance(61)
            check_equal(read(mount.path("app")), b"first")
            wait_for_answers(mount.point)
            check("another version" in
                  status_object(mount.point)["error"]["text"], "the reason")


@case
def parameters_have_second_regions_too():
    with _scene() as scene:
        scene.aws.put_parameter("p", "first")
        scene.aws.put_parameter("q", "second", region=SECOND)
        scene.aws.fail(REGION, "500")
        with scene.mounted(
                parameter_text("p", "objectAlias: one",
                               "failoverObject: {objectName: q}"),
                parameter_text(parameter_arn("q"), "objectAlias: two")
        ) as mount:
            check_equal(read(mount.path("one")), b"second")
            check_equal(read(mount.path("two")), b"second")
            check_equal(status_object(mount.point, "p")["region"], SECOND)


@case
def a_second_region_that_is_the_first_is_refused():
    """Also where the first one is the environment's."""
    with _scene() as scene:
        path = scene.write(object_text("app"),
                           parameters=[f"failoverRegion: {REGION}"])
        result = mounting.mount(os.path.join(scene.directory, "mnt"), path,
                       env=scene.aws.environment())
        check(result.code == 1 and "failover region cannot be the same as "
              "the primary region" in result.err, result)


main()
