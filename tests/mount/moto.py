# SPDX-License-Identifier: Apache-2.0
"""Reads from moto's server, which recomputes every signature of ours."""

import contextlib
import os
import re
import sys

sys.path.insert(0, sys.path[0] + "/..")

from lib.class_text import class_text, object_text, parameter_text
from lib.clock import Clock
from lib.moto import REGION, moto_server, why_not
from lib.mounting import mounted_at
from lib.place import work_directory, write_file
from lib.reading import check_error, read, wait_for_content
from lib.tap import Skip, case, check, check_equal, main

SECRET = '{"password": "grün", "port": 5432}'


@contextlib.contextmanager
def _account():
    reason = why_not()
    if reason:
        raise Skip(reason)
    with work_directory() as directory, moto_server(directory) as moto:
        moto.put("team/app", SECRET)
        yield directory, moto, moto.account


@case
def a_signature_of_ours_is_verified():
    with _account() as (directory, moto, account):
        moto.verify()
        env = moto.environment(account["reader"])
        with mounted_at(directory, "secretsmanager:team/app", "--ttl", "1s",
                        env=env) as mount:
            check_equal(read(mount.path("password")), "grün".encode())
            check_equal(read(mount.path("port")), b"5432")


@case
def a_file_carries_the_ARN_that_moto_gave_the_secret():
    with _account() as (directory, moto, account):
        moto.verify()
        env = moto.environment(account["reader"])
        with mounted_at(directory, "team/app", "-o", "xattr",
                        env=env) as mount:
            check_equal(read(mount.path("port")), b"5432")
            arn = os.getxattr(mount.path("port"), "user.secretsfs.arn")
            check(re.fullmatch(
                rb"arn:aws:secretsmanager:%s:\d{12}:secret:"
                rb"team/app-[A-Za-z0-9]{6}" % REGION.encode(), arn), arn)


@case
def a_wrong_secret_key_is_EACCES():
    with _account() as (directory, moto, account):
        moto.verify()
        keys = {**account["reader"], "AWS_SECRET_ACCESS_KEY": "x" * 40}
        with mounted_at(directory, "team/app",
                        env=moto.environment(keys)) as mount:
            check_error(mount.path("password"), "EACCES")
            check("SignatureDoesNotMatch" in mount.log_text(), "AWS's word")


@case
def a_user_without_permission_is_EACCES():
    with _account() as (directory, moto, account):
        moto.verify()
        env = moto.environment(account["stranger"])
        with mounted_at(directory, "team/app", env=env) as mount:
            check_error(mount.path("password"), "EACCES")


@case
def a_secret_that_does_not_exist_is_ENOENT():
    with _account() as (directory, moto, account):
        moto.verify()
        env = moto.environment(account["reader"])
        with mounted_at(directory, "team/absent", env=env) as mount:
            check_error(mount.path("password"), "ENOENT")


@case
def keys_of_a_role_sign_what_moto_verifies():
    with _account() as (directory, moto, account):
        token = write_file(os.path.join(directory, "token", "token"),
                           "header.payload.signature")
        env = moto.environment({
            "AWS_ROLE_ARN": account["role"],
            "AWS_WEB_IDENTITY_TOKEN_FILE": token,
            "AWS_ROLE_SESSION_NAME": "secretsfs-test",
        })
        with mounted_at(directory, "team/app", "--ttl", "1s",
                        env=env) as mount:
            # moto takes the unsigned call for keys only while it does not
            # verify; what is read after that is verified.
            check_equal(read(mount.path("port")), b"5432")
            moto.verify()
            moto.put("team/app", '{"password": "verified"}')
            wait_for_content(mount.path("password"), b"verified")


def _class_of_role(directory, role):
    return write_file(os.path.join(directory, "role.yaml"), class_text(
        object_text("team/app"), parameter_text("hosts"),
        parameters=[f"assumeRoleArn: {role}",
                    "assumeRoleExternalId: shop",
                    "assumeRoleDurationSeconds: 1800"]))


@case
def the_role_of_a_class_is_assumed_and_signs_what_moto_verifies():
    with _account() as (directory, moto, account):
        moto.put_parameter("hosts", "a,b", "StringList")
        moto.verify()
        # who may do nothing but assume the role
        env = moto.environment(account["assumer"])
        with mounted_at(directory, "team/app", env=env) as mount:
            check_error(mount.path("password"), "EACCES")
        source = _class_of_role(directory, account["role"])
        with mounted_at(directory, source, env=env) as mount:
            check_equal(read(mount.path("port")), b"5432")
            check_equal(read(mount.path("hosts")), b"a,b")


@case
def who_may_not_assume_the_role_of_a_class_is_EACCES():
    with _account() as (directory, moto, account):
        moto.verify()
        source = _class_of_role(directory, account["role"])
        env = moto.environment(account["stranger"])
        with mounted_at(directory, source, env=env) as mount:
            check_error(mount.path("port"), "EACCES")
            check(f"AssumeRole '{account['role']}'" in mount.log_text(),
                  mount.log_text())


CLASS = """
apiVersion: secrets-store.csi.x-k8s.io/v1
kind: SecretProviderClass
metadata:
  name: two
spec:
  provider: aws
  parameters:
    objects: |
      - objectName: team/app
        objectType: secretsmanager
      - objectName: team/api
        objectType: secretsmanager
"""


@case
def batches_and_descriptions_of_motos_are_understood():
    with _account() as (directory, moto, account):
        moto.put("team/api", '{"token": "t"}')
        moto.verify()
        clock = Clock(directory)
        source = write_file(os.path.join(directory, "two.yaml"), CLASS)
        with mounted_at(directory, source, "--ttl", "1m", *clock.options,
                        env=moto.environment(account["batcher"])) as mount:
            listed = set(os.listdir(mount.point))
            check({"password", "port", "token"} <= listed, "names:", listed)
            check_equal(read(mount.path("token")), b"t")
            clock.advance(61)
            check_equal(read(mount.path("password")), "grün".encode())
            check("AccessDenied" not in mount.log_text(), "nothing refused")
            # what moved is fetched alone, which this user may not
            moto.put("team/app", '{"password": "new"}')
            clock.advance(61)
            check_equal(read(mount.path("password")), "grün".encode())
            check("GetSecretValue 'team/app': AccessDenied" in
                  mount.log_text(), "what moved is noticed")


PARAMETERS = """
apiVersion: secrets-store.csi.x-k8s.io/v1
kind: SecretProviderClass
metadata:
  name: parameters
spec:
  provider: aws
  parameters:
    objects: |
      - objectName: /team/db/password
        objectType: ssmparameter
        objectAlias: latest
      - objectName: /team/db/password
        objectType: ssmparameter
        objectAlias: first
        objectVersion: 1
      - objectName: /team/db/password
        objectType: ssmparameter
        objectAlias: live
        objectVersionLabel: live
      - objectName: hosts
        objectType: ssmparameter
      - objectName: absent
        objectType: ssmparameter
      - objectName: team/app
        objectType: secretsmanager
"""


@case
def parameters_of_motos_are_read_beside_a_secret():
    with _account() as (directory, moto, account):
        moto.put_parameter("/team/db/password", "one", "SecureString", "live")
        moto.put_parameter("/team/db/password", "two", "SecureString")
        moto.put_parameter("hosts", "a,b,c", "StringList")
        moto.verify()
        source = write_file(os.path.join(directory, "p.yaml"), PARAMETERS)
        with mounted_at(directory, source,
                        env=moto.environment(account["reader"])) as mount:
            for name, value in (("latest", b"two"), ("first", b"one"),
                                ("live", b"one"), ("hosts", b"a,b,c"),
                                ("password", "grün".encode())):
                check_equal(read(mount.path(name)), value)
            check_error(mount.path("absent"), "ENOENT")


main()
