# SPDX-License-Identifier: Apache-2.0
"""A pod's role: keys come from STS for the token in a file."""

import os
import sys

sys.path.insert(0, sys.path[0] + "/..")

from fake_aws import ASSUME, GET
from lib.clock import Clock
from lib.mounting import Mount, mount, mounted_at
from lib.place import write_file
from lib.reading import check_error, read, wait_for_content
from lib.scene import PASSWORD, aws_directory
from lib.status import status
from lib.tap import case, check, check_equal, main


def _token_path(directory):
    return os.path.join(directory, "token", "token")


@case
def a_token_file_is_enough_to_read():
    with aws_directory() as (directory, aws):
        token = write_file(_token_path(directory), "a.b.c\n")
        with mounted_at(directory, "app",
                        env=aws.role_environment(token)) as found:
            check_equal(aws.calls(), 0, "AWS calls of mounting")
            check_equal(read(found.path("password")), PASSWORD)
            check_equal(aws.calls(ASSUME), 1, "STS calls")
            check_equal([one.strip() for one in aws.tokens], ["a.b.c"])
            counted = {one["name"]: one["ok"]
                       for endpoint in status(found.point)["endpoints"]
                       for one in endpoint["operations"]}
            check_equal(counted, {ASSUME: 1, GET: 1}, "counted by status")
            for word in ("a.b.c", "wJalrXUtn"):
                check(word not in found.log_text(), "logged:", word)


@case
def the_token_file_is_read_again_for_each_call():
    with aws_directory() as (directory, aws):
        # So short that every use asks for new keys.
        aws.session_seconds = 1
        token = write_file(_token_path(directory), "first")
        with mounted_at(directory, "app", "--ttl", "1s",
                        env=aws.role_environment(token)) as found:
            read(found.path("password"))
            write_file(token, "second")
            aws.put("app", '{"password": "new"}')
            wait_for_content(found.path("password"), b"new")
            check_equal(aws.tokens[0].strip(), "first")
            check_equal(aws.tokens[-1].strip(), "second")


@case
def keys_that_last_are_kept():
    with aws_directory() as (directory, aws):
        token = write_file(_token_path(directory), "token")
        with mounted_at(directory, "app", "--ttl", "1s",
                        env=aws.role_environment(token)) as found:
            read(found.path("password"))
            aws.put("app", '{"password": "new"}')
            wait_for_content(found.path("password"), b"new")
            check_equal(aws.calls(ASSUME), 1, "STS calls")


@case
def a_missing_token_file_is_told_at_once_and_EACCES_later():
    with aws_directory() as (directory, aws):
        token = _token_path(directory)
        env = aws.role_environment(token)
        point = os.path.join(directory, "mnt")
        result = mount(point, "app", env=env)
        try:
            check_equal(result.code, 0, "exit code")
            check_equal(len(result.err.splitlines()), 1, "lines of warning")
            check(token in result.err, "the file is named:", result.err)
            check_error(os.path.join(point, "password"), "EACCES")
            check_equal(aws.calls(), 0, "AWS calls")
            write_file(token, "late")
            wait_for_content(os.path.join(point, "password"), PASSWORD)
        finally:
            ended = Mount(point, None).unmount()
        check_equal(ended.code, 0, "unmount")


@case
def a_token_file_that_the_worker_may_not_read_is_told():
    with aws_directory() as (directory, aws):
        token = write_file(_token_path(directory), "token", mode=0o600)
        point = os.path.join(directory, "mnt")
        result = mount(point, "app", env=aws.role_environment(token))
        try:
            check_equal(result.code, 0, "exit code")
            check(token in result.err, "the file is named:", result.err)
            check_error(os.path.join(point, "password"), "EACCES")
        finally:
            Mount(point, None).unmount()


@case
def a_CA_file_that_the_worker_may_not_read_is_told():
    with aws_directory() as (directory, aws):
        env = aws.environment()
        with open(env["AWS_CA_BUNDLE"], encoding="ascii") as bundle:
            closed = write_file(os.path.join(directory, "closed.pem"),
                                bundle.read(), mode=0o600)
        point = os.path.join(directory, "mnt")
        result = mount(point, "app", env={**env, "AWS_CA_BUNDLE": closed})
        try:
            check_equal(result.code, 0, "exit code")
            check_equal(len(result.err.splitlines()), 1, "lines of warning")
            for word in ("AWS_CA_BUNDLE", closed):
                check(word in result.err, word, "is named:", result.err)
            check_error(os.path.join(point, "password"), "EACCES")
            os.chmod(closed, 0o644)
            wait_for_content(os.path.join(point, "password"), PASSWORD)
        finally:
            Mount(point, None).unmount()


@case
def a_role_that_may_not_be_assumed_is_EACCES():
    for fault in ("assume denied", "bad token"):
        with aws_directory() as (directory, aws):
            aws.fail(ASSUME, fault)
            token = write_file(_token_path(directory), "token")
            clock = Clock(directory)
            with mounted_at(directory, "app", "--timeout", "3s",
                            *clock.options,
                            env=aws.role_environment(token)) as found:
                check_error(found.path("password"), "EACCES")
                aws.heal(ASSUME)
                clock.advance(10)  # the cache's memory is shorter than that
                check_error(found.path("password"), "EACCES")
                check_equal(aws.calls(ASSUME), 1, "STS calls")
                clock.advance(21)
                check_equal(read(found.path("password")), PASSWORD)


@case
def STS_that_is_silent_is_EIO_by_the_deadline():
    with aws_directory() as (directory, aws):
        aws.fail(ASSUME, "silent")
        token = write_file(_token_path(directory), "token")
        with mounted_at(directory, "app", "--timeout", "1s",
                        env=aws.role_environment(token)) as found:
            check_error(found.path("password"), "EIO")


@case
def keys_that_AWS_calls_expired_are_fetched_anew():
    with aws_directory() as (directory, aws):
        aws.fail("app", "expired token", times=1)
        token = write_file(_token_path(directory), "token")
        with mounted_at(directory, "app",
                        env=aws.role_environment(token)) as found:
            wait_for_content(found.path("password"), PASSWORD)
            check_equal(aws.calls(ASSUME), 2, "STS calls")


main()
