# SPDX-License-Identifier: Apache-2.0
"""A class that is read as a role: what STS is asked, and that nothing goes
from one identity to another."""

import contextlib
import os
import signal
import sys

sys.path.insert(0, sys.path[0] + "/..")

from fake_aws import ACCOUNT, ASSUME, ASSUME_ROLE, FakeAws
from lib.class_text import class_text, object_text, parameter_text
from lib.etc import known_host
from lib.mounting import Mount, check_log, mount, mounted_at
from lib.place import SOURCE, built, work_directory, write_file
from lib.process import run
from lib.reading import check_error, read
from lib.tap import case, check, check_equal, main
from lib.wait import wait_until

READER = f"arn:aws:iam::{ACCOUNT}:role/reader"
OTHER = f"arn:aws:iam::{ACCOUNT}:role/other"


@contextlib.contextmanager
def _aws():
    with work_directory() as directory, FakeAws(directory) as aws:
        aws.put("app", "value")
        aws.only_for(READER, "app")
        yield directory, aws


def _class(role, *more, name="app"):
    return class_text(object_text("app", "jmesPath: []"), name=name,
                      parameters=[f"assumeRoleArn: {role}", *more])


def _write(directory, text):
    return write_file(os.path.join(directory, "c.yaml"), text)


@case
def a_secret_that_only_the_role_may_read_is_read_as_it():
    with _aws() as (directory, aws):
        path = _write(directory, _class(
            READER, "assumeRoleExternalId: shop",
            "assumeRoleDurationSeconds: 1800"))
        with mounted_at(directory, path, env=aws.environment()) as found:
            check_equal(read(found.path("app")), b"value")
        (form,) = aws.assumed
        check_equal((form["RoleArn"], form["ExternalId"],
                     form["DurationSeconds"]), (READER, "shop", "1800"))
        check(form["RoleSessionName"].startswith("secretsfs"), form)


@case
def without_the_role_it_may_not_be_read():
    with _aws() as (directory, aws):
        path = _write(directory, class_text(object_text("app")))
        with mounted_at(directory, path, env=aws.environment()) as found:
            check_error(found.path("app"), "EACCES")


@case
def parameters_are_read_as_the_role_too():
    with _aws() as (directory, aws):
        aws.put_parameter("p", "parameter")
        aws.only_for(READER, "p")
        path = _write(directory, class_text(
            parameter_text("p"), parameters=[f"assumeRoleArn: {READER}"]))
        with mounted_at(directory, path, env=aws.environment()) as found:
            check_equal(read(found.path("p")), b"parameter")


@case
def secrets_and_parameters_share_the_keys_of_a_role():
    with _aws() as (directory, aws):
        aws.put_parameter("p", "parameter")
        aws.only_for(READER, "p")
        path = _write(directory, class_text(
            object_text("app"), parameter_text("p"),
            parameters=[f"assumeRoleArn: {READER}"]))
        with mounted_at(directory, path, env=aws.environment()) as found:
            check_equal(read(found.path("app")), b"value")
            check_equal(read(found.path("p")), b"parameter")
        check_equal(len(aws.assumed), 1, "questions to STS")


@case
def the_role_of_a_pod_assumes_that_of_the_class():
    with _aws() as (directory, aws):
        token = write_file(os.path.join(directory, "t", "token"), "x.y")
        path = _write(directory, _class(READER))
        with mounted_at(directory, path,
                        env=aws.role_environment(token)) as found:
            check_equal(read(found.path("app")), b"value")
        check_equal((aws.calls(ASSUME), aws.calls(ASSUME_ROLE)), (1, 1))


@case
def a_role_that_may_not_be_assumed_is_EACCES_in_the_words_of_AWS():
    with _aws() as (directory, aws):
        aws.fail(ASSUME_ROLE, "assume denied")
        path = _write(directory, _class(READER))
        with mounted_at(directory, path, env=aws.environment()) as found:
            check_error(found.path("app"), "EACCES")
            check(READER in found.log_text() and
                  "AccessDenied" in found.log_text(), found.log_text())


@case
def what_one_role_read_is_not_shown_to_another():
    with _aws() as (directory, aws):
        path = _write(directory, _class(READER))
        with mounted_at(directory, path, "--ttl", "1h",
                        env=aws.environment()) as found:
            check_equal(read(found.path("app")), b"value")
            _write(directory, _class(OTHER))
            os.kill(found.keeper_pid(), signal.SIGHUP)
            wait_until(lambda: "was read again" in found.log_text(),
                       "the class is read again")
            wait_until(lambda: _is_refused(found.path("app")),
                       "the other role is refused")
            check_equal([form["RoleArn"] for form in aws.assumed],
                        [READER, OTHER])
            # and back: what is cached for the first one is its own
            _write(directory, _class(READER))
            os.kill(found.keeper_pid(), signal.SIGHUP)
            wait_until(lambda: not _is_refused(found.path("app")),
                       "the first role reads")
            check_equal(read(found.path("app")), b"value")


@case
def the_example_is_read_as_its_role():
    role = "arn:aws:iam::444455556666:role/shop-reader"
    path = os.path.join(SOURCE, "docs", "examples", "assume-role.yaml")
    with _aws() as (directory, aws):
        aws.put("shop/web", '{"color": "red"}')
        aws.only_for(role, "shop/web")
        with mounted_at(directory, path, env=aws.environment()) as found:
            check_equal(read(found.path("color")), b"red")
        (form,) = aws.assumed
        check_equal((form["RoleArn"], form["ExternalId"],
                     form["DurationSeconds"]), (role, "shop", "3600"))


def _is_refused(path):
    try:
        read(path)
    except PermissionError:
        return True
    return False


@case
def several_roles_work_side_by_side_in_one_worker():
    with _aws() as (directory, aws):
        aws.put("two", "of other")
        aws.only_for(OTHER, "two")
        classes = os.path.join(directory, "classes")
        for name, role in ("reader", READER), ("other", OTHER):
            write_file(os.path.join(classes, f"{name}.yaml"), class_text(
                object_text("app"), object_text("two"), name=name,
                parameters=[f"assumeRoleArn: {role}"]))
        found = Mount(os.path.join(directory, "mnt"),
                      os.path.join(directory, "log"))
        result = mount(found.point, classes, env=aws.environment(),
                       log=found.log)
        check_equal(result.code, 0, result)
        try:
            check_equal(read(found.path("reader", "app")), b"value")
            check_equal(read(found.path("other", "two")), b"of other")
            # what is in the cache for one is refused to the other
            check_error(found.path("reader", "two"), "EACCES")
            check_error(found.path("other", "app"), "EACCES")
        finally:
            ended = found.unmount()
        check_equal(ended.code, 0, ended)
        check_log(found)
        check_equal(sorted(form["RoleArn"] for form in aws.assumed),
                    sorted([READER, OTHER]))


@case
def several_roles_work_side_by_side_in_one_process():
    with _aws() as (directory, aws):
        path = _write(directory, "---\n".join(
            [_class(READER, name="first"), _class(OTHER, name="second"),
             class_text(object_text("app"), name="third")]))
        result = run(built("secretsfs"), "check", "--fetch", path,
                     env=aws.environment())
        check_equal(result.code, 3, repr(result))
        check_equal(sorted(form["RoleArn"] for form in aws.assumed),
                    sorted([READER, OTHER]))
        lengths = [line.split()[-2] for line in
                   result.out.decode().splitlines()
                   if line.endswith(" app")]
        check_equal(lengths, ["5", "-", "-"], repr(result))


@case
def the_same_place_in_other_words_is_the_same_place():
    with _aws() as (directory, aws):
        aws.put("two", "value")
        env = aws.environment()
        texts = [class_text(object_text("two", "jmesPath: []"),
                            parameters=parameters)
                 for parameters in ([], [f"region: {env['AWS_REGION']}"])]
        path = _write(directory, texts[0])
        with mounted_at(directory, path, "--ttl", "1h", env=env) as mount:
            check_equal(read(mount.path("two")), b"value")
            _write(directory, texts[1])
            os.kill(mount.keeper_pid(), signal.SIGHUP)
            wait_until(lambda: "was read again" in mount.log_text(),
                       "the class is read again")
            check_equal(read(mount.path("two")), b"value")
            check("serving again" not in mount.log_text(), mount.log_text())


@contextlib.contextmanager
def _two_roles(directory, aws):
    """A mount each of two classes that differ in nothing but their role; AWS
    has a name, so that the worker has threads, which look it up."""
    classes = os.path.join(directory, "classes")
    for name, role in _ROLES.items():
        write_file(os.path.join(classes, f"{name}.yaml"),
                   _class(role, name=name))
    found = Mount(os.path.join(directory, "mnt"),
                  os.path.join(directory, "log"))
    aws.present(*aws.authority.issue("named", f"DNS:{NAME}"))
    env = aws.environment(AWS_ENDPOINT_URL=f"https://{NAME}:{aws.port}")
    result = mount(found.point, classes, "--ttl", "1s", "--test-restarts", "0",
                   env=env, log=found.log)
    try:
        check_equal(result.code, 0, repr(result))
        yield found
    finally:
        run(built("secretsfs"), "unmount", found.point)
        for name in _ROLES:
            run("umount", "-l", found.path(name))
    check_log(found, expect_death=True)


_ROLES = {"first": READER, "second": OTHER}
NAME = "aws.secretsfs.test"
ROUNDS = 12


def _own_values(mounted, number):
    """Reads from the worker until each role has the value of that round."""
    for name in _ROLES:
        def is_own(path=mounted.path(name, "app"), name=name):
            value = read(path).decode()
            check(value.startswith(f"of {name} "), name, "got", value)
            return value == f"of {name} in {number}"
        wait_until(is_own, f"{name} has the value of {number}")


@case
def two_roles_never_get_each_others_value_however_often_workers_die():
    with work_directory() as directory, FakeAws(directory) as aws:
        def put(number):
            aws.put("app", {role: f"of {name} in {number}"
                            for name, role in _ROLES.items()})
        put(0)
        with known_host(directory, NAME), \
                _two_roles(directory, aws) as mounted:
            for number in range(ROUNDS):
                _own_values(mounted, number)
                killed = mounted.worker_pid()
                # the next worker has what this one had cached of both
                put(number + 1)
                os.kill(killed, signal.SIGKILL)
                wait_until(lambda killed=killed: mounted.worker_pid() != killed,
                           "another worker serves")
            _own_values(mounted, ROUNDS)
            check_equal(aws.complaints, [])


main()
