# SPDX-License-Identifier: Apache-2.0
"""moto's server as an independent AWS: it verifies our signatures.

It lives in a virtual environment that contrib/check makes; SECRETSFS_MOTO
names that, else it is looked for in the build directory.
"""

import contextlib
import json
import os
import re
import ssl
import subprocess
import urllib.request

from lib.pki import Authority
from lib.place import BUILD, SOURCE
from lib.process import PATIENCE, environment, run_ok
from lib.wait import wait_until

REGION = "eu-central-1"
VENV = os.environ.get("SECRETSFS_MOTO", os.path.join(BUILD, "moto"))
_SERVER = os.path.join(VENV, "bin", "moto_server")
_PYTHON = os.path.join(VENV, "bin", "python")


def why_not():
    """Why there is no server to be had; None if there is."""
    if os.path.exists(_SERVER):
        return None
    return f"moto is not installed in {VENV} (contrib/check does that)"


class Moto:
    """One server with an account in it; whole_iam: its policies are asked
    for resources and conditions, too (tests/moto_iam.py)."""

    def __init__(self, directory, whole_iam=False):
        self.authority = Authority(directory)
        self._log = os.path.join(directory, "moto.log")
        certificate, key = self.authority.issue("moto")
        server = ([_PYTHON, os.path.join(SOURCE, "tests", "moto_iam.py")]
                  if whole_iam else [_SERVER])
        with open(self._log, "wb") as log:
            self._process = subprocess.Popen(
                [*server, "-H", "127.0.0.1", "-p", "0",
                 "-c", certificate, "-k", key],
                env=environment(), stdin=subprocess.DEVNULL,
                stdout=log, stderr=log)
        self.url = None
        self.account = None

    def start(self):
        self.url = wait_until(self._find_url, "moto's server starts", 60)
        # The role's ARN, and keys of the users reader, batcher, writer,
        # stranger.
        founder = {"AWS_ACCESS_KEY_ID": "AKIAFOUNDER",
                   "AWS_SECRET_ACCESS_KEY": "unchecked"}
        self.account = json.loads(self._account(founder, "create"))

    def _find_url(self):
        if self._process.poll() is not None:
            raise AssertionError(self.log_text())
        found = re.search(r"Running on (https://127\.0\.0\.1:\d+)",
                          self.log_text())
        return found and found[1]

    def log_text(self):
        with open(self._log, encoding="utf-8", errors="replace") as log:
            return log.read()

    def end(self):
        self._process.kill()
        self._process.wait(PATIENCE)

    def environment(self, keys, region=REGION):
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_CA_BUNDLE": self.authority.ca,
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            **keys,
        }

    def _account(self, keys, *arguments, region=REGION):
        return run_ok(_PYTHON,
                      os.path.join(SOURCE, "tests", "moto_account.py"),
                      *arguments, env=self.environment(keys, region)).out

    def put(self, name, text, region=REGION):
        self._account(self.account["writer"], "put", name, text,
                      region=region)

    def put_parameter(self, *arguments):
        """Name, text and type, and perhaps a label for it."""
        self._account(self.account["writer"], "put_parameter", *arguments)

    def fill(self, *calls):
        """Several at once: lists of put or put_parameter and what follows
        there, which may end in a key."""
        self._account(self.account["writer"], "fill", json.dumps(calls))

    def key(self):
        """The ARN of a new key of KMS."""
        return self._account(self.account["writer"], "key").decode().strip()

    def roles(self, policies):
        """A new role for each policy, by name: its keys; before verify()."""
        return json.loads(self._account(self.account["writer"], "roles",
                                        json.dumps(policies)))

    def verify(self):
        """From now on signatures, tokens and policies are checked."""
        request = urllib.request.Request(
            f"{self.url}/moto-api/reset-auth", method="POST",
            data=b"0",
            headers={"Content-Type": "text/plain"})
        trust = ssl.create_default_context(cafile=self.authority.ca)
        urllib.request.urlopen(request, context=trust, timeout=30).close()


@contextlib.contextmanager
def moto_server(directory, **keywords):
    moto = Moto(directory, **keywords)
    try:
        moto.start()
        yield moto
    finally:
        moto.end()
