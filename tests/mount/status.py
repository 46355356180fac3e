# SPDX-License-Identifier: Apache-2.0
"""status says how each secret is and why; refresh has them asked for again."""

import json
import os
import re
import signal
import sys

sys.path.insert(0, sys.path[0] + "/..")

from fake_aws import DESCRIBE, GET, secret_arn
from lib.clock import Clock
from lib.mounting import mounted_at
from lib.place import built, work_directory, write_file
from lib.process import run, run_ok
from lib.reading import check_error, error_of, read
from lib.scene import (DISTINCT_SECRET, DISTINCT_TEXTS, PASSWORD,
                       aws_mount)
from lib.status import kill_notifiers, status, status_object
from lib.tap import Skip, case, check, check_equal, main
from lib.wait import BUSY_S, wait_until

NEW_PASSWORD = b"battery staple"
NEW = '{"username": "ada", "password": "battery staple", "port": 5432}'
TTL_S = 60
STRANGER = 54321


def _table(point):
    return run_ok(built("secretsfs"), "status", point).out.decode()


def _refuses(code, named, *arguments):
    result = run(built("secretsfs"), *arguments)
    check_equal(result.code, code, f"exit code of {result}")
    check_equal(result.out, b"", "standard output")
    check_equal(len(result.err.splitlines()), 1, f"lines of {result}")
    check(named in result.err, repr(named), "is named by", result)
    return result


@case
def what_nobody_has_read_is_empty_and_asks_nobody():
    with aws_mount() as scene:
        found = status_object(scene.mount.point)
        check_equal(found["state"], "empty")
        check_equal((found["versionId"], found["ageMs"]), (None, None))
        check_equal(found["files"], ["app"])
        check_equal(scene.aws.calls(), 0, "AWS calls")


@case
def what_was_read_is_fresh_and_its_value_is_not_shown():
    with aws_mount("--ttl", "5m", value=DISTINCT_SECRET) as scene:
        read(scene.path("password"))
        found = status_object(scene.mount.point)
        check_equal((found["state"], found["error"]), ("fresh", None))
        check_equal(found["keys"], 3, "keys")
        check(re.fullmatch(r"[0-9a-f-]{36}", found["versionId"]), found)
        check(0 <= found["ageMs"] < 60000, found)
        shown = json.dumps(status(scene.mount.point))
        table = _table(scene.mount.point)
        for text in DISTINCT_TEXTS:
            check(text not in shown, text, "is shown")
            check(text not in table, text, "is in the table")


@case
def the_mount_its_processes_and_counters_are_told():
    with aws_mount("--ttl", "7m", "--max-stale", "3h") as scene:
        read(scene.path("password"))
        found = status(scene.mount.point)
        mount = found["mount"]
        check_equal(mount["mountPoint"], scene.mount.point)
        check_equal((mount["source"], mount["class"]), ("app", None))
        check_equal((mount["ttlMs"], mount["maxStaleMs"]),
                    (420000, 10800000))
        check(mount["nodes"] >= 2, mount)
        check_equal(found["pids"]["worker"], scene.mount.worker_pid())
        check_equal(found["pids"]["keeper"], scene.mount.keeper_pid())
        for kind in ("LOOKUP", "READ", "OPEN", "GETATTR"):
            check_equal(found["requests"][kind], scene.mount.requests(kind),
                        kind)
        check_equal(found["cache"]["fetches"], 1, "fetches")
        check_equal(len(found["endpoints"]), 1, "endpoints")
        endpoint = found["endpoints"][0]
        check_equal((endpoint["breaker"], endpoint["failures"]),
                    ("closed", 0))
        check_equal(endpoint["requests"], 1, "requests to it")


def _operations(scene):
    """Counts by operation, without those that are zero."""
    found = {}
    for endpoint in status(scene.mount.point)["endpoints"]:
        for one in endpoint["operations"]:
            name = one.pop("name")
            check(name not in found, name, "is told twice")
            found[name] = {what: n for what, n in one.items() if n}
    return found


@case
def what_AWS_was_asked_is_counted_by_operation_and_outcome():
    with work_directory() as directory:
        clock = Clock(directory)
        with aws_mount("--ttl", f"{TTL_S}s", *clock.options) as scene:
            scene.aws.fail("app", "throttled", times=1)
            check_equal(read(scene.path("password")), PASSWORD)
            wanted = {GET: {"attempts": 2, "retries": 1, "throttled": 1,
                            "ok": 1}}
            check_equal(_operations(scene), wanted)
            clock.advance(TTL_S + 1)
            check_equal(read(scene.path("password")), PASSWORD)
            wanted[DESCRIBE] = {"attempts": 1, "ok": 1}
            check_equal(_operations(scene), wanted)
            scene.aws.deny(f"secretsmanager:{DESCRIBE}")
            clock.advance(TTL_S + 1)
            check_equal(read(scene.path("password")), PASSWORD)
            wanted[DESCRIBE] = {"attempts": 2, "ok": 1, "refused": 1}
            wanted[GET].update(attempts=3, ok=2)
            check_equal(_operations(scene), wanted)
            table = _table(scene.mount.point)
            check(f"{DESCRIBE}: attempts 2, ok 1, refused 1\n" in table,
                  table)
            check(f"{GET}: attempts 3, retries 1, ok 2, throttled 1\n" in
                  table, table)


@case
def how_watchers_are_told_follows_the_notifier():
    with aws_mount() as scene:
        def told(how):
            found = status(scene.mount.point)
            return (found["mount"]["notifies"] in how and
                    (found["pids"]["notifier"] is not None) ==
                    ("notifier" in how))
        wait_until(lambda: told(["notifier"]), "there is a notifier")
        kill_notifiers(scene.mount.point)
        wait_until(lambda: told(["epoch", "none"]), "there is none any more")


@case
def with_AWS_down_what_was_read_is_stale_and_says_why():
    with work_directory() as directory:
        clock = Clock(directory)
        with aws_mount("--ttl", f"{TTL_S}s", "--timeout", "2s",
                       *clock.options) as scene:
            read(scene.path("password"))
            scene.aws.fail("app", "500")
            clock.advance(TTL_S + 1)
            check_equal(read(scene.path("password")), PASSWORD)
            found = wait_until(
                lambda: (one := status_object(scene.mount.point))["error"]
                and one,
                "the attempt failed")
            check_equal(found["state"], "stale")
            check_equal(found["error"]["code"], "EIO")
            check(found["ageMs"] >= TTL_S * 1000, found)
            check("stale" in _table(scene.mount.point), "the table")


@case
def an_endpoint_that_refuses_connections_is_shown():
    with aws_mount("--timeout", "2s") as scene:
        scene.aws.refuse_connections()
        check_equal(error_of(read, scene.path("password")), "EIO")
        endpoint = status(scene.mount.point)["endpoints"][0]
        check(endpoint["failures"] > 0, endpoint)
        check_equal(endpoint["lastError"]["code"], "EIO")
        check(endpoint["lastError"]["text"] in _table(scene.mount.point),
              "the table tells why")


@case
def a_refusal_is_shown_in_the_words_of_AWS_with_its_request_id():
    with aws_mount() as scene:
        scene.aws.fail("app", "denied")
        check_error(scene.path("password"), "EACCES")
        found = status_object(scene.mount.point)
        check_equal((found["state"], found["versionId"]), ("failed", None))
        check_equal(found["error"]["code"], "EACCES")
        check("AccessDenied" in found["error"]["text"], found)
        check("request" in found["error"]["text"], found)
        table = _table(scene.mount.point)
        check("failed" in table, table)
        check(found["error"]["text"][:60] in table, table)


@case
def below_a_prefix_what_is_known_is_shown():
    with work_directory() as directory:
        secrets = os.path.join(directory, "secrets")
        write_file(os.path.join(secrets, "team", "api.json"), '{"a": "b"}')
        write_file(os.path.join(secrets, "other.json"), '{"c": "d"}')
        with mounted_at(directory, f"file:{secrets}") as mount:
            read(mount.path("team", "api"))
            found = {(one["kind"], one["name"]): one["state"]
                     for one in status(mount.point)["objects"]}
            check_equal(found.get(("secret", "team/api")), "fresh")
            check_equal(found.get(("listing", "team/")), "fresh")
            check(("secret", "other") not in found, found)
            run_ok(built("secretsfs"), "refresh", mount.point, "team/api")
            _refuses(1, "other", "refresh", mount.point, "other")


@case
def a_stranger_is_refused():
    with aws_mount("--allow-other") as scene:
        for command in ("status", "refresh"):
            result = run("setpriv", "--reuid", str(STRANGER), "--regid",
                         str(STRANGER), "--clear-groups",
                         built("secretsfs"), command, scene.mount.point)
            check_equal((result.code, result.out), (1, b""), command)
            check_equal(len(result.err.splitlines()), 1, f"lines of {result}")
            check("root may ask" in result.err, result)


def _check_rotation(ask):
    """After ask(mount) the next open sees what has changed, long before the
    end of the TTL."""
    with work_directory() as directory:
        clock = Clock(directory)
        with aws_mount("--ttl", "1h", *clock.options) as scene:
            path = scene.path("password")
            check_equal(read(path), PASSWORD)
            scene.aws.put("app", NEW)
            check_equal(read(path), PASSWORD, "before")
            ask(scene.mount)
            check_equal(read(path), NEW_PASSWORD, "after")


def _refresh(*names):
    def ask(mount):
        result = run_ok(built("secretsfs"), "refresh", mount.point, *names)
        check(re.match(rb"\d+ secrets? (is|are) asked for now", result.out),
              result.out)
        check_equal(result.err, "")
    return ask


@case
def a_refresh_shows_a_rotation_to_the_next_open():
    _check_rotation(_refresh())


@case
def a_secret_is_refreshed_by_its_name_and_by_those_of_its_files():
    for name in ("app", "password", "username"):
        _check_rotation(_refresh(name))
    _check_rotation(_refresh("app", "port"))


@case
def SIGUSR1_to_the_keeper_refreshes_all():
    def ask(mount):
        os.kill(mount.keeper_pid(), signal.SIGUSR1)
        wait_until(lambda: "refreshing what is in use" in mount.log_text(),
                   "the worker heard of it")
    _check_rotation(ask)


def _kernel():
    return tuple(map(int, re.match(r"(\d+)\.(\d+)",
                                   os.uname().release).groups()))


@case
def a_refresh_ends_what_the_kernel_believes():
    if _kernel() < (6, 16):
        raise Skip("FUSE_NOTIFY_INC_EPOCH needs Linux 6.16")
    with aws_mount("--ttl", "1h") as scene:
        path = scene.path("password")
        check_equal(read(path), PASSWORD)
        scene.aws.put("app", NEW)
        run_ok(built("secretsfs"), "refresh", scene.mount.point)
        wait_until(lambda: read(path) == NEW_PASSWORD,
                   "the next open sees it")


@case
def an_unknown_name_is_refused_and_others_are_refreshed():
    with aws_mount() as scene:
        read(scene.path("password"))
        result = _refuses(1, "'nothing'", "refresh", scene.mount.point,
                          "nothing")
        for text in ("username", "password", PASSWORD.decode()):
            check(text not in result.err, result)
        result = run(built("secretsfs"), "refresh", scene.mount.point,
                     "nothing", "app")
        check_equal(result.code, 1)
        _refuses(1, "too long", "refresh", scene.mount.point, "x" * 1000)


@case
def a_worker_that_stands_still_is_told_after_ten_seconds():
    with aws_mount() as scene:
        read(scene.path("password"))
        worker = scene.mount.worker_pid()
        os.kill(worker, signal.SIGSTOP)
        try:
            result = _refuses(1, "does not answer", "status",
                              scene.mount.point)
        finally:
            os.kill(worker, signal.SIGCONT)
        check(9.0 < result.seconds < 10.0 + BUSY_S, result)
        check_equal(status_object(scene.mount.point)["state"], "fresh")


PREFIX = "user.secretsfs."


def _extended(file):
    return {name: os.getxattr(file, name).decode()
            for name in os.listxattr(file)}


@case
def with_xattr_a_file_carries_its_version_and_state():
    with work_directory() as directory:
        clock = Clock(directory)
        with aws_mount("-o", "xattr", "--ttl", f"{TTL_S}s", "--timeout", "2s",
                       *clock.options) as scene:
            path = scene.path("password")
            check_equal(read(path), PASSWORD)
            found = _extended(path)
            check_equal(sorted(found), [PREFIX + name for name in (
                "arn", "expires", "fetched", "stage", "state", "version")])
            check_equal(found[PREFIX + "arn"], secret_arn("app"))
            check_equal(status_object(scene.mount.point)["arn"],
                        secret_arn("app"))
            check_equal(found[PREFIX + "version"],
                        status_object(scene.mount.point)["versionId"])
            check_equal((found[PREFIX + "stage"], found[PREFIX + "state"]),
                        ("AWSCURRENT", "fresh"))
            for name in ("fetched", "expires"):
                check(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
                                   found[PREFIX + name]), found)
            check(found[PREFIX + "fetched"] < found[PREFIX + "expires"],
                  found)
            check_equal(os.listxattr(scene.mount.point), [], "directories")
            check_equal(error_of(os.getxattr, path, "user.other"), "ENODATA")
            with open(path, "rb") as file:
                _replace(scene, path)
                check_equal(os.getxattr(file.fileno(), PREFIX + "state"),
                            b"replaced")
            scene.aws.fail("app", "500")
            clock.advance(TTL_S + 1)
            read(path)
            wait_until(lambda: PREFIX + "error" in os.listxattr(path),
                       "the attempt failed")
            check_equal(_extended(path)[PREFIX + "state"], "stale")


def _replace(scene, path):
    scene.aws.put("app", NEW)
    run_ok(built("secretsfs"), "refresh", scene.mount.point)
    wait_until(lambda: read(path) == NEW_PASSWORD, "the new version")


@case
def what_has_no_ARN_has_no_attribute_of_it():
    with work_directory() as directory:
        secrets = os.path.join(directory, "secrets")
        write_file(os.path.join(secrets, "app.txt"), "text")
        with mounted_at(directory, f"file:{secrets}", "-o",
                        "xattr") as mount:
            path = mount.path("app.txt")
            check_equal(read(path), b"text")
            check(PREFIX + "version" in os.listxattr(path), "its version")
            check_equal(error_of(os.getxattr, path, PREFIX + "arn"),
                        "ENODATA")
            check(all(one["arn"] is None
                      for one in status(mount.point)["objects"]), "status")


@case
def a_file_that_was_revoked_tells_why_and_no_version():
    with work_directory() as directory:
        clock = Clock(directory)
        with aws_mount("-o", "xattr", "--ttl", f"{TTL_S}s",
                       *clock.options) as scene:
            path = scene.path("password")
            with open(path, "rb") as file:
                check_equal(file.read(), PASSWORD)
                worker = scene.mount.worker_pid()
                scene.aws.delete("app")
                run_ok(built("secretsfs"), "refresh", scene.mount.point)
                wait_until(lambda: status_object(scene.mount.point)["error"],
                           "the refusal")
                clock.advance(61)
                wait_until(lambda: "no longer shown" in
                           scene.mount.log_text(), "the end of the grace")
                found = _extended(file.fileno())
                check(PREFIX + "version" not in found, found)
                check("ResourceNotFound" in found[PREFIX + "error"], found)
                check_equal(scene.mount.worker_pid(), worker, "the worker")


@case
def without_xattr_the_kernel_asks_once():
    with aws_mount() as scene:
        read(scene.path("password"))
        for _ in range(3):
            check_equal(error_of(os.getxattr, scene.path("password"),
                                 PREFIX + "state"), "ENOTSUP")
        check_equal(scene.mount.requests("GETXATTR"), 0, "requests")


@case
def wrong_usage_is_named():
    with work_directory() as directory:
        for command in ("status", "refresh"):
            _refuses(2, "MOUNTPOINT", command)
            _refuses(2, "--bogus", command, "--bogus", directory)
            _refuses(1, directory, command, directory)
            result = run_ok(built("secretsfs"), command, "--help")
            check(b"usage: secretsfs " + command.encode() in result.out,
                  result.out)
        _refuses(2, "MOUNTPOINT", "status", directory, directory)
        _refuses(2, "empty", "refresh", directory, "")


main()
