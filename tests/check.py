# SPDX-License-Identifier: Apache-2.0
"""secretsfs check: what it prints, to whom, and how it ends."""

import contextlib
import json
import os

from lib.place import built, work_directory, write_file
from lib.process import run
from lib.tap import case, check, check_equal, main

HEAD = """apiVersion: secrets-store.csi.x-k8s.io/v1
kind: SecretProviderClass
metadata: {name: NAME}
spec:
  provider: aws
  parameters:
    objects: |
"""

PLAIN = """- objectName: team/app
  objectType: secretsmanager
"""


def _class(objects, name="app"):
    lines = "".join(f"      {line}\n" for line in objects.splitlines())
    return HEAD.replace("NAME", name) + lines


@contextlib.contextmanager
def _files(**texts):
    """Paths of files that stand in a directory of their own."""
    with work_directory() as directory:
        yield [write_file(os.path.join(directory, name + ".yaml"), text)
               for name, text in texts.items()]


def _check(*arguments):
    return run(built("secretsfs"), "check", *arguments)


def _check_usage(*arguments):
    result = _check(*arguments)
    check_equal((result.code, result.out), (2, b""), repr(result))
    check_equal(len(result.err.splitlines()), 1, f"lines of {result}")
    return result.err


@case
def a_class_is_listed_with_modes_and_owners():
    objects = PLAIN + """  owner: "1000"
- objectName: db
  objectType: secretsmanager
  filePermission: "0640"
  jmesPath:
  - {path: a, objectAlias: db-a, owner: "7:8", filePermission: "0755"}
"""
    with _files(app=_class(objects)) as (path,):
        result = _check(path)
        check_equal((result.code, result.err), (0, ""))
        check_equal(result.out.decode().splitlines(), [
            f"{path}:1: class app",
            "  -r-------- 1000:-      team_app",
            "  -r-------- 1000:-      <every key of team/app>",
            "  -r--r----- -:-         db",
            "  -r-xr-xr-x 7:8         db-a",
        ])


@case
def an_error_names_file_line_and_reason_and_ends_with_1():
    with _files(app=_class("- objectName: a")) as (path,):
        result = _check(path)
        check_equal((result.code, result.out), (1, b""))
        check_equal(result.err,
                    f"secretsfs: {path}:8: Must use objectType when a full "
                    "ARN is not specified: a\n")


@case
def other_files_are_checked_after_one_that_is_wrong():
    with _files(bad="- ", good=_class(PLAIN)) as (bad, good):
        result = _check(bad, good)
        check_equal(result.code, 1)
        check(f"{bad}: there is no SecretProviderClass" in result.err,
              result.err)
        check(f"{good}:1: class app".encode() in result.out, result.out)


@case
def a_file_that_is_not_there_ends_with_1():
    result = _check("/nonexistent/c.yaml")
    check_equal(result.code, 1)
    check_equal(result.err, "secretsfs: /nonexistent/c.yaml: No such file or "
                            "directory\n")


@case
def warnings_are_errors_only_when_strict():
    with _files(app=_class(PLAIN + "  colour: red\n")) as (path,):
        line = (f"secretsfs: {path}:10: warning: unknown object field "
                "'colour' does nothing\n")
        for options, code in (((), 0), (("--strict",), 1)):
            result = _check(*options, path)
            check_equal((result.code, result.err), (code, line))


@case
def json_says_all_of_it():
    objects = """- objectName: arn:aws:secretsmanager:eu-west-1:1:secret:a-AbCdEf
  objectAlias: a
  objectVersionLabel: AWSPREVIOUS
  optional: true
  decode: base64
  colour: red
  jmesPath:
  - {path: 'b."c"', objectAlias: b, filePermission: "0444", owner: "1:2"}
"""
    with _files(app=_class(objects), bad="kind: \"\\x07") as (path, bad):
        result = _check("--json", path, bad)
        check_equal((result.code, result.err), (1, ""))
        good, wrong = json.loads(result.out)
    check_equal(wrong["error"],
                f"{bad}:1: Failed to load SecretProviderClass: found "
                "unexpected end of stream")
    check_equal((wrong["classes"], wrong["warnings"]), ([], []))
    check_equal((good["file"], good["error"]), (path, None))
    check_equal(good["warnings"],
                [{"line": 13,
                  "text": "unknown object field 'colour' does nothing"}])
    (entry,) = good["classes"][0].pop("objects")
    check_equal(good["classes"][0],
                {"line": 1, "namespace": None, "name": "app", "region": None,
                 "layout": "flat", "ttlMs": None, "maxStaleMs": None,
                 "verifyAccessMs": None, "fetchError": None})
    raw, key = entry.pop("files")
    check_equal(entry,
                {"line": 8, "secret": "a", "version": None,
                 "name": "arn:aws:secretsmanager:eu-west-1:1:secret:a-AbCdEf",
                 "stage": "AWSPREVIOUS", "optional": True, "expands": False,
                 "folder": "", "decode": "base64", "mode": None, "uid": None,
                 "gid": None, "fetched": None})
    check_equal(raw, {"line": 8, "name": "a", "path": None,
                      "decode": "base64", "mode": None, "uid": None,
                      "gid": None})
    check_equal(key, {"line": 15, "name": "b", "path": 'b."c"',
                      "decode": "base64", "mode": "0444", "uid": 1, "gid": 2})


@case
def json_is_JSON_whatever_a_file_is_called():
    result = _check("--json", b"/nonexistent/\xff\"\\\x01")
    check_equal(result.code, 1)
    check_equal(json.loads(result.out)[0]["file"],
                "/nonexistent/\ufffd\"\\\x01")


@case
def wrong_usage_ends_with_2():
    check("CLASS is missing" in _check_usage())
    check("CLASS is missing" in _check_usage("--strict"))
    check("'--bogus'" in _check_usage("--bogus", "c.yaml"))


@case
def identity_takes_no_class():
    check("--identity takes no CLASS" in
          _check_usage("--identity", "c.yaml"))
    check("--identity takes no CLASS" in
          _check_usage("--identity", "--fetch"))


@case
def help_goes_to_standard_output():
    result = _check("--help")
    check_equal((result.code, result.err), (0, ""))
    check(b"secretsfs check [--strict] [--json] CLASS..." in result.out)
    check(max(map(len, result.out.decode().splitlines())) <= 80)


@case
def a_dash_dash_ends_options():
    result = _check("--", "--strict")
    check_equal(result.code, 1)
    check("--strict: No such file" in result.err, result.err)


main(mounts=False)
