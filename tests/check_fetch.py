# SPDX-License-Identifier: Apache-2.0
"""secretsfs check --fetch: what it reads, says of it, and never says."""

import contextlib
import json
import os

from fake_aws import BATCH, GET, FakeAws, secret_arn
from lib.class_text import class_text, object_text
from lib.place import SOURCE, built, work_directory, write_file
from lib.process import run
from lib.tap import case, check, check_equal, main


class Scene:
    def __init__(self, directory, aws):
        self.directory = directory
        self.aws = aws

    def check(self, text, *options, env=None):
        self.path = write_file(os.path.join(self.directory, "c.yaml"), text)
        return run(built("secretsfs"), "check", "--fetch", *options,
                   self.path, env=env or self.aws.environment())


@contextlib.contextmanager
def _scene():
    with work_directory() as directory, FakeAws(directory) as aws:
        yield Scene(directory, aws)


def _names(result):
    """Lengths by file name, as they are printed."""
    return {line.split(maxsplit=3)[3]: line.split(maxsplit=3)[2]
            for line in result.out.decode().splitlines()
            if line.startswith("  ")}


@case
def files_and_keys_are_listed_with_their_lengths_and_no_value():
    with _scene() as scene:
        scene.aws.put("app", '{"password": "hunter2", "port": 5432}')
        result = scene.check(class_text(object_text(
            "app", 'filePermission: "0440"')))
        check_equal((result.code, result.err), (0, ""))
        check_equal(result.out.decode().splitlines(), [
            f"{scene.path}:1: class app",
            "  -r--r----- -:-              37 app",
            "  -r--r----- -:-               7 password",
            "  -r--r----- -:-               4 port",
        ])
        check(b"hunter2" not in result.out, "a value was printed")
        check_equal(scene.aws.calls(), 1, "AWS calls")


@case
def what_AWS_refuses_is_said_in_its_words_beside_what_it_gives():
    with _scene() as scene:
        scene.aws.put("good", "plain")
        scene.aws.put("bad", "unseen")
        scene.aws.fail("bad", "denied")
        result = scene.check(class_text(object_text("bad"),
                                         object_text("good")))
        check_equal(result.code, 3, repr(result))
        check(f"{scene.path}:8: bad: " in result.err, result.err)
        check("AccessDeniedException" in result.err and
              "is not authorized to perform" in result.err, result.err)
        check_equal(len(result.err.splitlines()), 1, "lines of errors")
        check_equal(_names(result), {
            "bad": "-", "<every key of bad>": "-", "good": "5"})


@case
def a_path_that_points_to_nothing_is_named():
    with _scene() as scene:
        scene.aws.put("app", '{"password": "hunter2"}')
        result = scene.check(class_text(object_text(
            "app", "jmesPath:", "- {path: password, objectAlias: p}",
            "- {path: passwort, objectAlias: q}")))
        check_equal(result.code, 3, repr(result))
        check_equal(result.err, f"secretsfs: {scene.path}:12: q: JMES Path - "
                    "passwort does not point to a valid object\n")
        check_equal(_names(result), {"app": "23", "p": "7", "q": "-"})


@case
def an_optional_secret_that_is_missing_is_right():
    with _scene() as scene:
        result = scene.check(class_text(object_text("absent",
                                                     "optional: true")))
        check_equal(result.code, 0, repr(result))
        check("optional: absent: " in result.err and
              "ResourceNotFoundException" in result.err, result.err)


@case
def a_missing_secret_ends_with_3_and_a_wrong_class_with_1():
    with _scene() as scene:
        check_equal(scene.check(class_text(object_text("absent"))).code, 3)
        check_equal(scene.check(class_text("- objectName: a")).code, 1)


@case
def keys_that_are_hidden_are_warnings():
    with _scene() as scene:
        scene.aws.put("first", '{"user": "ada", "extra": "1"}')
        scene.aws.put("second", '{"user": "bob", "extra": "2", "own": "3"}')
        text = class_text(object_text("first") + object_text("second") +
                      object_text("third", "objectAlias: extra",
                              "jmesPath: []"))
        scene.aws.put("third", "whole")
        result = scene.check(text)
        check_equal(result.code, 0, repr(result))
        check_equal(_names(result), {
            "first": "29", "user": "3", "second": "41", "own": "1",
            "extra": "5"})
        for secret, key in (("first", "extra"), ("second", "user"),
                            ("second", "extra")):
            check(f"key '{key}' of {secret} is hidden by another file" in
                  result.err, result.err)
        check_equal(scene.check(text, "--strict").code, 1)


@case
def keys_are_named_as_in_the_mount():
    with _scene() as scene:
        scene.aws.put("a", json.dumps({"x/y": "1", ".dot": "2", "": "3",
                                       "k" * 300: "4"}))
        result = scene.check(class_text(object_text("a"), parameters=[
            "layout: tree"]))
        check_equal(result.code, 3, repr(result))
        check_equal(set(_names(result)), {"a/.value", "a/x%2Fy", "a/%2Edot"})
        check_equal(result.err.count("a key makes no file name"), 2)


@case
def values_that_cannot_be_decoded_are_named():
    with _scene() as scene:
        scene.aws.put("a", '{"good": "aGk=", "bad": "hunter2!"}')
        result = scene.check(class_text(object_text("a", "decode: base64")))
        check_equal(result.code, 3, repr(result))
        check_equal(_names(result), {"a": "35", "good": "2", "bad": "-"})
        check("bad: the value is not base64" in result.err and
              "hunter2" not in result.err, result.err)


@case
def an_AWS_that_hangs_up_is_an_error_of_each_secret():
    with _scene() as scene:
        for name in ("a", "b"):
            scene.aws.put(name, name)
        for operation in (BATCH, GET):
            scene.aws.fail(operation, "hang up")
        result = scene.check(class_text(object_text("a"), object_text("b")),
                             "--timeout", "2s")
        check_equal(result.code, 3, repr(result))
        check_equal(len(result.err.splitlines()), 2, result.err)


@case
def every_class_of_a_file_is_read():
    with _scene() as scene:
        scene.aws.put("one", "1")
        scene.aws.put("two", "22")
        result = scene.check(class_text(object_text("one")) + "---\n" +
                             class_text(object_text("two"), name="other"))
        check_equal((result.code, result.err), (0, ""))
        check_equal(_names(result), {"one": "1", "two": "2"})


@case
def a_thousand_objects_are_read_a_few_at_a_time():
    with _scene() as scene:
        names = [f"s{i}" for i in range(1000)]
        for name in names:
            scene.aws.put(name, name)
        result = scene.check(class_text(*(
            object_text(name, "jmesPath: []") for name in names)))
        check_equal((result.code, result.err), (0, ""))
        check_equal(_names(result), {name: str(len(name)) for name in names})
        # sixteen in flight are one batch, and the last eight another
        check_equal((scene.aws.calls(BATCH), scene.aws.calls(GET)), (63, 0),
                    "AWS calls")
        check(scene.aws.connections <= 64,
              scene.aws.connections, "connections")


@case
def json_says_what_was_found():
    with _scene() as scene:
        version = scene.aws.put("app", '{"password": "hunter2"}')
        text = class_text(object_text("app", "raw: false") +
                      object_text("gone", "optional: true"))
        result = scene.check(text, "--json")
        check_equal((result.code, result.err), (0, ""))
        check(b"hunter2" not in result.out, "a value was printed")
        (found,) = json.loads(result.out)
        (one,) = found["classes"]
        check_equal(one["fetchError"], None)
        app, gone = (entry["fetched"] for entry in one["objects"])
        check_equal(app, {"error": None, "absent": False, "version": version,
                          "files": [{"bytes": 7, "name": "password",
                                     "error": None, "hidden": False}]})
        check_equal((gone["absent"], gone["version"], gone["files"]),
                    (True, None, []))
        check("ResourceNotFoundException" in gone["error"], gone)


@case
def an_ARN_of_another_region_than_the_mount_is_refused():
    with _scene() as scene:
        result = scene.check(class_text(
            f"- objectName: {secret_arn('app')}\n  objectAlias: app"),
            "--region", "eu-west-1")
        check_equal(result.code, 3, repr(result))
        check("ARN is of region eu-central-1, but --region" in result.err,
              result.err)


@case
def offline_a_directory_stands_in_and_no_credentials_are_needed():
    result = run(built("secretsfs"), "check", "--fetch", "--offline",
                 os.path.join(SOURCE, "contrib", "demo.d"),
                 os.path.join(SOURCE, "docs/examples/kontox-secrets.yaml"))
    check_equal((result.code, result.err), (0, ""))
    check_equal(set(_names(result)),
                {"Kontox-secret", "username", "password", "port", "replicas"})


@case
def without_credentials_it_says_what_it_looked_for():
    with _scene() as scene:
        result = scene.check(class_text(object_text("app")),
                             env={"AWS_REGION": "eu-west-1"})
        check_equal(result.code, 3, repr(result))
        check("no AWS credentials" in result.err, result.err)


@case
def a_silent_AWS_ends_with_the_timeout():
    with _scene() as scene:
        scene.aws.put("app", "x")
        scene.aws.fail("app", "silent")
        result = scene.check(class_text(object_text("app")),
                             "--timeout", "300ms")
        check_equal(result.code, 3, repr(result))
        check(result.seconds < 20, result)


@case
def options_of_a_mount_need_fetch_and_are_checked():
    for options, words in (
            (("--region", "eu-west-1"), "--region needs --fetch"),
            (("--offline=x",), "--offline=x needs --fetch"),
            (("--fetch", "--timeout", "x"), "--timeout takes a duration"),
            (("--fetch", "--ttl", "5m"), "unknown option '--ttl'")):
        result = run(built("secretsfs"), "check", "c.yaml", *options)
        check_equal((result.code, result.out), (2, b""), repr(result))
        check(words in result.err, result.err)


main(mounts=False)
