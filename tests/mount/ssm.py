# SPDX-License-Identifier: Apache-2.0
"""Parameters of SSM in mounts: what they show, what they cost, and what one
that is refused does to the others."""

import contextlib
import os
import sys

sys.path.insert(0, sys.path[0] + "/..")

from fake_aws import DECRYPT, FakeAws, parameter_arn
from fake_ssm import GET_PARAMETERS
from lib.class_text import class_text, object_text, parameter_text
from lib.clock import Clock
from lib.mounting import mounted_at
from lib.place import SOURCE, work_directory, write_file
from lib.reading import check_error, read, wait_for_content
from lib.scene import ClassScene
from lib.status import status_object
from lib.tap import case, check, check_equal, main


@contextlib.contextmanager
def _scene(**parameters):
    with work_directory() as directory, FakeAws(directory) as aws:
        for name, value in parameters.items():
            aws.put_parameter(name, value)
        yield ClassScene(directory, aws)


@case
def one_parameter_is_mounted_by_its_name_or_its_arn():
    with _scene() as scene:
        scene.aws.put_parameter("/prod/db", '{"password": "s3cret"}')
        for source in ("ssm:/prod/db", "ssm:" + parameter_arn("/prod/db"),
                       parameter_arn("/prod/db")):
            with mounted_at(scene.directory, source,
                            env=scene.aws.environment()) as mount:
                check_equal(read(mount.path("password")), b"s3cret", source)
                check_equal(len(os.listdir(mount.point)), 2, source)


@case
def values_of_every_type_are_shown_as_they_are():
    with _scene() as scene:
        scene.aws.put_parameter("plain", "text\n", "String")
        scene.aws.put_parameter("list", "a,b,c", "StringList")
        scene.aws.put_parameter("secure", "grün", "SecureString")
        with scene.mounted(*map(parameter_text,
                                ("plain", "list", "secure"))) as mount:
            check_equal(read(mount.path("plain")), b"text\n")
            check_equal(read(mount.path("list")), b"a,b,c")
            check_equal(read(mount.path("secure")), "grün".encode())


@case
def a_name_with_slashes_is_translated_like_any_other():
    with _scene() as scene:
        scene.aws.put_parameter("/prod/db", "x")
        with scene.mounted(parameter_text("/prod/db")) as mount:
            check_equal(os.listdir(mount.point), ["_prod_db"])
            check_equal(read(mount.path("_prod_db")), b"x")
        with scene.mounted(parameter_text("/prod/db"),
                           parameters=["pathTranslation: 'False'"]) as mount:
            check_equal(read(mount.path("prod", "db")), b"x")


@case
def versions_and_labels_choose_what_is_shown():
    with _scene() as scene:
        for value in ("one", "two", "three"):
            scene.aws.put_parameter("p", value)
        scene.aws.label_parameter("p", "live", 2)
        with scene.mounted(
                parameter_text("p"),
                parameter_text("p", "objectAlias: first", "objectVersion: 1"),
                parameter_text("p", "objectAlias: live",
                               "objectVersionLabel: live"),
                parameter_text("p", "objectAlias: none",
                               "objectVersion: 9")) as mount:
            check_equal(read(mount.path("p")), b"three")
            check_equal(read(mount.path("first")), b"one")
            check_equal(read(mount.path("live")), b"two")
            check_error(mount.path("none"), "ENOENT")


@case
def a_key_of_a_parameter_is_found_by_jmespath():
    with _scene(p='{"a": {"b": "deep"}}') as scene:
        with scene.mounted(parameter_text(
                "p", "jmesPath:",
                "- {path: a.b, objectAlias: key}")) as mount:
            check_equal(read(mount.path("key")), b"deep")


@case
def the_example_shows_what_its_comments_say():
    path = os.path.join(SOURCE, "docs", "examples", "parameters.yaml")
    with _scene() as scene:
        aws = scene.aws
        for value in "first", "second":
            aws.put_parameter("/shop/database/password", value)
        for value in "live", "later":
            aws.put_parameter("/shop/features", value, "StringList")
        aws.label_parameter("/shop/features", "live", 1)
        aws.put("shop/keystore", "of the secret")
        with mounted_at(scene.directory, path,
                        env=aws.environment()) as mount:
            for name, value in (("password", b"second"),
                                ("password.first", b"first"),
                                ("features", b"live"),
                                ("shop_keystore", b"of the secret")):
                check_equal(read(mount.path(name)), value, name)


@case
def secrets_and_parameters_of_one_name_are_two_things():
    with _scene(app="of ssm") as scene:
        scene.aws.put("app", "of secrets manager")
        with scene.mounted(object_text("app"), parameter_text(
                "app", "objectAlias: parameter")) as mount:
            check_equal(read(mount.path("app")), b"of secrets manager")
            check_equal(read(mount.path("parameter")), b"of ssm")


@case
def listing_many_asks_ten_at_a_time():
    names = [f"p{i:02}" for i in range(25)]
    with _scene(**{name: name for name in names}) as scene:
        with scene.mounted(*map(parameter_text, names)) as mount:
            check_equal(sorted(os.listdir(mount.point)), names)
            check_equal(scene.aws.calls(GET_PARAMETERS), 3, "calls")
            for name in names:
                check_equal(read(mount.path(name)), name.encode())
            check_equal(scene.aws.calls(GET_PARAMETERS), 3, "calls")


@case
def one_that_may_not_be_read_hides_no_other():
    with _scene(a="1", b="2", c="3") as scene:
        scene.aws.deny(DECRYPT, "b")
        with scene.mounted(*map(parameter_text, "abc")) as mount:
            os.listdir(mount.point)
            check_equal(read(mount.path("a")), b"1")
            check_error(mount.path("b"), "EACCES")
            check_equal(read(mount.path("c")), b"3")


@case
def a_new_version_shows_after_the_ttl():
    with _scene(p="old") as scene:
        clock = Clock(scene.directory)
        with scene.mounted(parameter_text("p"),
                           options=["--ttl", "1m", *clock.options]) as mount:
            check_equal(read(mount.path("p")), b"old")
            scene.aws.put_parameter("p", "new")
            clock.advance(61)
            wait_for_content(mount.path("p"), b"new")
            # who makes it again begins again at version 1
            scene.aws.delete_parameter("p")
            scene.aws.put_parameter("p", "again")
            clock.advance(61)
            wait_for_content(mount.path("p"), b"again")


@case
def status_and_attributes_tell_of_a_parameter():
    with _scene(p="x") as scene:
        with scene.mounted(parameter_text("p"),
                           options=["--xattr"]) as mount:
            read(mount.path("p"))
            found = status_object(mount.point, "p")
            check(found["versionId"].startswith("1@"), found)
            version = os.getxattr(mount.path("p"), "user.secretsfs.version")
            check_equal(version.decode(), found["versionId"])
            check("user.secretsfs.stage" not in os.listxattr(mount.path("p")),
                  "a parameter has no AWSCURRENT")


@case
def an_optional_parameter_may_be_missing():
    with _scene(a="1") as scene:
        with scene.mounted(parameter_text("a"), parameter_text(
                "b", "optional: true")) as mount:
            check_equal(read(mount.path("a")), b"1")
            check_error(mount.path("b"), "ENOENT")


@case
def offline_a_directory_stands_in():
    with work_directory() as directory:
        files = os.path.join(directory, "files")
        write_file(os.path.join(files, "prod", "db.json"), '{"k": "v"}')
        path = write_file(os.path.join(directory, "c.yaml"),
                          class_text(parameter_text("/prod/db")))
        with mounted_at(directory, path, "--offline", files) as mount:
            check_equal(read(mount.path("k")), b"v")


main()
