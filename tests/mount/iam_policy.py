# SPDX-License-Identifier: Apache-2.0
"""The policy that the Terraform module makes: it suffices for every call, and
nothing of it is left over. moto enforces it, with resources and conditions."""

import contextlib
import os
import sys

sys.path.insert(0, sys.path[0] + "/..")

from lib import moto, terraform
from lib.class_text import class_text, object_text, parameter_text
from lib.clock import Clock
from lib.mounting import mounted_at
from lib.place import work_directory, write_file
from lib.reading import check_error, read
from lib.status import status, wait_for_answers
from lib.tap import Skip, case, check, check_equal, main

TTL_S = 60
HOSTS = parameter_text("/team/hosts", "objectAlias: hosts")
ALL = class_text(object_text("Kontox-secret"), object_text("team/api"), HOSTS)


def _statements(server, key):
    """The module's, for what is put into the account below."""
    role = server.account["role"]
    return terraform.policy(
        {"secrets": ["Kontox-secret", "team/*"], "parameters": ["/team/*"],
         "kms_key_arns": [key], "assume_role_arns": [role]},
        data=terraform.whereabouts(account=role.split(":")[4]))


def _document(statements):
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _without(action, statements):
    """The policy, but for this action."""
    return _document(
        {**one, "Action": [name for name in one["Action"] if name != action]}
        for one in statements.values() if one["Action"] != [action])


class Scene:
    """A server that enforces policies, with roles that are named after what
    they lack: of the module's policy that action, or nothing."""

    def __init__(self, directory, server):
        self._directory = directory
        self._server = server
        key = server.key()
        server.fill(
            ["put", "Kontox-secret", '{"password": "kontox"}', key],
            ["put", "team/api", '{"token": "t"}'],
            ["put", "other/app", '{"hidden": "h"}'],
            ["put_parameter", "/team/hosts", "a,b", "SecureString", "", key],
            ["put_parameter", "/other/hosts", "c", "String"])
        statements = _statements(server, key)
        self.actions = {action for one in statements.values()
                        for action in one["Action"]}
        self._keys = server.roles({
            "nothing": _document(statements.values()),
            **{action.replace(":", "-"): _without(action, statements)
               for action in self.actions}})
        server.verify()

    @contextlib.contextmanager
    def mounted(self, source, lacks="nothing"):
        """The mount, and a function that goes past the TTL."""
        name = lacks.replace(":", "-")
        directory = os.path.join(self._directory, f"at-{name}")
        os.makedirs(directory, exist_ok=True)
        clock = Clock(directory)
        if "\n" in source:
            source = write_file(os.path.join(directory, "class.yaml"), source)
        with mounted_at(directory, source, "--ttl", f"{TTL_S}s",
                        *clock.options, env=self._server.environment(
                            self._keys[name])) as mount:
            def later():
                wait_for_answers(mount.point)
                clock.advance(TTL_S + 1)
            yield mount, later

    def with_role(self):
        return class_text(object_text("team/api"), parameters=[
            f"assumeRoleArn: {self._server.account['role']}"])


@contextlib.contextmanager
def _scene():
    reason = moto.why_not() or terraform.why_not()
    if reason:
        raise Skip(reason)
    with work_directory() as directory, \
            moto.moto_server(directory, whole_iam=True) as server:
        yield Scene(directory, server)


def _calls(mount):
    """{operation: (times that it was answered, times that it was refused)}"""
    wait_for_answers(mount.point)
    return {one["name"]: (one["ok"], one["refused"])
            for endpoint in status(mount.point)["endpoints"]
            for one in endpoint["operations"]}


def _check_calls(mount, *names):
    """That these were made, and each was answered."""
    calls = _calls(mount)
    check_equal(set(calls), set(names), "calls")
    for name, (answered, refused) in calls.items():
        check(answered > 0 and refused == 0, name, calls)


@case
def it_suffices_for_every_call():
    with _scene() as scene:
        with scene.mounted("Kontox-secret") as (mount, later):
            check_equal(read(mount.path("password")), b"kontox")
            later()
            check_equal(read(mount.path("password")), b"kontox")
            _check_calls(mount, "GetSecretValue", "DescribeSecret")
        with scene.mounted(ALL) as (mount, _):
            check(set(os.listdir(mount.point)) >=
                  {"password", "token", "hosts"}, os.listdir(mount.point))
            for name, value in (("password", b"kontox"), ("token", b"t"),
                                ("hosts", b"a,b")):
                check_equal(read(mount.path(name)), value)
            _check_calls(mount, "BatchGetSecretValue", "GetParameters")
        with scene.mounted(scene.with_role()) as (mount, _):
            check_equal(read(mount.path("token")), b"t")
            _check_calls(mount, "AssumeRole", "GetSecretValue")


@case
def nothing_that_was_not_named_can_be_read():
    with _scene() as scene:
        with scene.mounted("other/app") as (mount, _):
            check_error(mount.path("hidden"), "EACCES")
        source = class_text(
            object_text("team/api"), object_text("other/app", "optional: true"),
            parameter_text("/other/hosts", "objectAlias: hosts"))
        with scene.mounted(source) as (mount, _):
            check_equal(read(mount.path("token")), b"t")
            check_error(mount.path("hidden"), "EACCES")
            check_error(mount.path("hosts"), "EACCES")


def _no_value(mount, _later):
    check_error(mount.path("password"), "EACCES")
    check_equal(_calls(mount)["GetSecretValue"][0], 0, "answered")


def _no_confirmation(mount, later):
    check_equal(read(mount.path("password")), b"kontox")
    later()
    check_equal(read(mount.path("password")), b"kontox")
    check_equal(_calls(mount)["DescribeSecret"], (0, 1))


def _no_batch(mount, _later):
    check_equal(read(mount.path("password")), b"kontox")
    check_equal(_calls(mount)["BatchGetSecretValue"], (0, 1))


def _no_parameter(mount, _later):
    check_error(mount.path("hosts"), "EACCES")
    check_equal(read(mount.path("password")), b"kontox")


def _nothing_encrypted(mount, _later):
    check_error(mount.path("password"), "EACCES")
    check_error(mount.path("hosts"), "EACCES")
    check_equal(read(mount.path("token")), b"t")


def _no_role(mount, _later):
    check_error(mount.path("token"), "EACCES")
    check_equal(_calls(mount)["AssumeRole"][0], 0, "answered")


# What is mounted without an action, and what is missed then.
MISSED = {
    "secretsmanager:GetSecretValue": (lambda _: "Kontox-secret", _no_value),
    "secretsmanager:DescribeSecret": (lambda _: "Kontox-secret",
                                      _no_confirmation),
    "secretsmanager:BatchGetSecretValue": (lambda _: ALL, _no_batch),
    "ssm:GetParameters": (lambda _: ALL, _no_parameter),
    "kms:Decrypt": (lambda _: ALL, _nothing_encrypted),
    "sts:AssumeRole": (Scene.with_role, _no_role),
}


@case
def without_any_one_action_what_needs_it_fails():
    with _scene() as scene:
        check_equal(set(MISSED), scene.actions, "actions of the policy")
        for action, (source, misses) in MISSED.items():
            print(f"# without {action}", flush=True)
            with scene.mounted(source(scene), lacks=action) as (mount, later):
                misses(mount, later)


main()
