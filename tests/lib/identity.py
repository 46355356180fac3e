# SPDX-License-Identifier: Apache-2.0
"""Ways to be someone at AWS: what a machine needs for each, and every secret
that is shown on the way."""

import hashlib
import json
import os
import secrets
import string
import time

from fake_aws import ACCOUNT, KEY_ID, REGION, SECRET_KEY, SSO_ROLE, SSO_TOKEN
from lib.marked import mark
from lib.place import write_file

START_URL = "https://corp.awsapps.com/start"
SSO_CONFIG = f"""[profile dev]
sso_session = corp
sso_account_id = {ACCOUNT}
sso_role_name = {SSO_ROLE}
[sso-session corp]
sso_region = {REGION}
sso_start_url = {START_URL}
"""

_CHARACTERS = string.ascii_letters + string.digits

# Longer than what else is sent, so that where it is left, that shows.
LONG = 2000

# The commands of an account lend keys for a second.
_LEND = """#!/bin/sh
exec sed "s/@/$(date -u -d +1sec +%Y-%m-%dT%H:%M:%SZ)/" {}
"""


def make_home(directory, config="", credentials=""):
    """A home with files of profiles, as an environment for a mount."""
    path = os.path.join(directory, "home")
    write_file(os.path.join(path, ".aws", "config"), config)
    write_file(os.path.join(path, ".aws", "credentials"), credentials)
    return {"HOME": path, "AWS_CONFIG_FILE": "",
            "AWS_SHARED_CREDENTIALS_FILE": ""}


def log_in(directory, token=SSO_TOKEN, client_secret="y", refresh_token="z",
           seconds=3600):
    """What aws sso login leaves behind in that home."""
    name = hashlib.sha1(b"corp").hexdigest()
    ends = time.strftime("%Y-%m-%dT%H:%M:%SZ",
                         time.gmtime(time.time() + seconds))
    write_file(os.path.join(directory, "home/.aws/sso/cache", f"{name}.json"),
               json.dumps({"startUrl": START_URL, "region": REGION,
                           "accessToken": token, "expiresAt": ends,
                           "clientId": "x", "clientSecret": client_secret,
                           "refreshToken": refresh_token}))


def random_text(length=48):
    """Of so many kinds of characters that no library has eight bytes of it in
    its tables by chance."""
    return "".join(secrets.choice(_CHARACTERS) for _ in range(length))


class Identity:
    """Keys of the environment; others are lent theirs, for a second, so that
    every call asks for new ones."""
    options = ()

    def __init__(self, aws, metadata, directory):
        self.aws = aws
        self.metadata = metadata
        self.directory = directory
        self._noted = {("key", SECRET_KEY)}
        aws.session_seconds = 1
        self.renew()

    def environment(self):
        return self.aws.environment()

    def renew(self):
        """As happens in the life of a mount: another token, another login."""

    def markers(self):
        """Everything that was secret so far, each with its kind."""
        return (self._noted |
                {("session", one) for one in self.aws.session_tokens()} |
                {("instance", one) for one in self.metadata.instance_tokens})

    def _note(self, kind, length):
        text = random_text(length)
        mark(text)
        self._noted.add((kind, text))
        return text

    def _path(self, name):
        return os.path.join(self.directory, name)


class _Role(Identity):
    def renew(self):
        write_file(self._path("token"), self._note("identity", 900))

    def environment(self):
        return self.aws.role_environment(self._path("token"))


class _Profile(Identity):
    def environment(self):
        return self.aws.bare_environment(**make_home(
            self.directory, credentials="[default]\n"
            f"aws_access_key_id = {KEY_ID}\n"
            f"aws_secret_access_key = {SECRET_KEY}\n"))


class _Container(Identity):
    """EKS Pod Identity: a token in a file."""

    def renew(self):
        write_file(self._path("token"), self._note("container", LONG))

    def environment(self):
        return self.aws.bare_environment(**self.metadata.pod_identity(
            self._path("token")))


class _Task(Identity):
    """ECS: a token in the environment."""

    def environment(self):
        return self.aws.bare_environment(**self.metadata.task(
            self._note("container", LONG)))


class _Instance(Identity):
    def renew(self):
        self.metadata.forget_token()

    def environment(self):
        return self.aws.bare_environment(**self.metadata.instance())


class _Sso(Identity):
    options = ("--profile", "dev")

    def renew(self):
        self.aws.sso_token = self._note("access", LONG)
        log_in(self.directory, self.aws.sso_token, self._note("login", 400),
               self._note("login", 400))

    def environment(self):
        return self.aws.bare_environment(
            **make_home(self.directory, SSO_CONFIG))


class _Process(Identity):
    """Beside a profile that has keys, and is read too."""
    options = ("--allow-credential-process",)

    def renew(self):
        key, session, _ = self.aws.new_session()
        keys = write_file(self._path("keys.json"), json.dumps({
            "Version": 1, "AccessKeyId": key, "SecretAccessKey": SECRET_KEY,
            "SessionToken": session, "Expiration": "@"}))
        write_file(self._path("lend"), _LEND.format(keys), 0o755)

    def environment(self):
        return self.aws.bare_environment(**make_home(
            self.directory,
            f"[default]\ncredential_process = {self._path('lend')}\n",
            f"[other]\naws_access_key_id = {KEY_ID}\n"
            f"aws_secret_access_key = {self._note('key', 40)}\n"
            f"aws_session_token = {self._note('session', 900)}\n"))


IDENTITIES = {
    "role": _Role,
    "environment": Identity,
    "profile": _Profile,
    "container": _Container,
    "task": _Task,
    "instance": _Instance,
    "sso": _Sso,
    "process": _Process,
}
