# SPDX-License-Identifier: Apache-2.0
"""What hands out keys on a machine: the agents of ECS and of EKS Pod Identity,
and the instance metadata service in version 2; over plain http on loopback.

    with FakeMetadata(aws) as metadata:
        ... env=aws.bare_environment(**metadata.pod_identity(token_file)) ...
        metadata.calls["container"], metadata.tokens

Replies have the shapes that were recorded of the real ones.
"""

import base64
import collections
import datetime
import http.server
import json
import os
import socket
import threading

from fake_aws import SECRET_KEY
from lib.marked import mark

CONTAINER = "container"
INSTANCE = "instance"

CONTAINER_PATH = "/v1/credentials"
_TOKEN_PATH = "/latest/api/token"
_ROLES_PATH = "/latest/meta-data/iam/security-credentials/"
NODE_ROLE = "node-role"
POD_ROLE = "arn:aws:iam::123456789012:role/pod-role"


def _utc(seconds, fraction=""):
    moment = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S") + fraction + "Z"


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def _reply(self, status, body, kind="text/plain"):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def do_PUT(self):
        metadata = self.server.metadata
        if metadata.wait_while_silent():
            self.close_connection = True
        elif self.path != _TOKEN_PATH or not self.headers.get(
                "X-aws-ec2-metadata-token-ttl-seconds"):
            self._reply(400, "")
        else:
            self._reply(200, metadata.new_token())

    def do_GET(self):
        metadata = self.server.metadata
        if metadata.wait_while_silent():
            self.close_connection = True
        elif self.path == CONTAINER_PATH:
            self._container(metadata)
        elif not metadata.takes(
                self.headers.get("X-aws-ec2-metadata-token")):
            self._reply(401, "")
        elif self.path == _ROLES_PATH:
            self._reply(200, NODE_ROLE)
        elif self.path == _ROLES_PATH + NODE_ROLE:
            self._instance(metadata)
        else:
            self._reply(404, "")

    def _container(self, metadata):
        metadata.calls[CONTAINER] += 1
        token = self.headers.get("Authorization")
        metadata.tokens.append(token)
        mark(token)
        if metadata.refusal:
            self._reply(*metadata.refusal)
            return
        key, session, expires_s = metadata.aws.new_session()
        self._reply(200, json.dumps({
            "AccessKeyId": key,
            "SecretAccessKey": SECRET_KEY,
            "Token": session,
            "AccountId": "123456789012",
            "RoleArn": POD_ROLE,
            "Expiration": _utc(expires_s, ".123456789"),
        }), "application/json")

    def _instance(self, metadata):
        metadata.calls[INSTANCE] += 1
        key, session, expires_s = metadata.aws.new_session()
        self._reply(200, json.dumps({
            "Code": "Success",
            "LastUpdated": _utc(expires_s - 3600),
            "Type": "AWS-HMAC",
            "AccessKeyId": key,
            "SecretAccessKey": SECRET_KEY,
            "Token": session,
            "Expiration": _utc(expires_s),
        }), "text/plain")


class _Server(http.server.ThreadingHTTPServer):
    block_on_close = False
    address_family = socket.AF_INET6  # of either kind

    def handle_error(self, _request, _address):
        """Clients go away while they are kept waiting."""


class FakeMetadata:
    def __init__(self, aws, port=0):
        self.aws = aws
        self._port = port
        self.calls = collections.Counter()
        self.tokens = []     # of containers, as they came
        self.instance_tokens = []  # as they were given
        self._instance_token = None
        self.refusal = None  # (status, text) for containers
        self._silent = False
        self._closing = threading.Event()

    def __enter__(self):
        self._server = _Server(("::", self._port), _Handler)
        self._server.metadata = self
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever,
                         kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()

    def be_silent(self):
        self._silent = True

    def wait_while_silent(self):
        """Whether to hang up without a word, once the test is over."""
        if self._silent:
            self._closing.wait(90)
        return self._silent

    def new_token(self):
        """Of an instance: the one that is taken from now on. Longer than
        real ones, as a short one that is left is soon written over."""
        self._instance_token = base64.b64encode(os.urandom(600)).decode()
        self.instance_tokens.append(self._instance_token)
        mark(self._instance_token)
        return self._instance_token

    def takes(self, token):
        return token is not None and token == self._instance_token

    def forget_token(self):
        """Whoever has one is refused, and has to ask for another."""
        self._instance_token = None

    def pod_identity(self, token_file, url=None):
        """What the webhook of EKS Pod Identity puts into a pod."""
        return {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI":
                (url or self.url) + CONTAINER_PATH,
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": token_file,
        }

    def task(self, token):
        """What an agent of ECS puts into a container."""
        return {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": self.url + CONTAINER_PATH,
            "AWS_CONTAINER_AUTHORIZATION_TOKEN": token,
        }

    def instance(self):
        return {
            "AWS_EC2_METADATA_DISABLED": "false",
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": self.url,
        }
