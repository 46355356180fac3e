# SPDX-License-Identifier: Apache-2.0
"""A scripted AWS: Secrets Manager, SSM and STS over HTTPS, with faults on
demand.

It lives in threads of the test that uses it, so a test sets secrets, holds
answers back, breaks replies and counts calls by calling methods. It checks
that requests are signed in the right form; whether a signature is true is
for moto's server to say.

    with FakeAws(directory) as aws:
        aws.put("app", '{"password": "hunter2"}')
        ... env=aws.environment() ...
        aws.calls("app"), aws.calls("DescribeSecret")
"""

import base64
import collections
import contextlib
import http.server
import json
import os
import re
import select
import ssl
import sys
import threading
import time
import urllib.parse
import uuid
import xml.sax.saxutils

if __name__ == "__main__":
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import fake_ssm
from fake_ssm import GET_PARAMETERS, Parameters
from lib.marked import mark
from lib.pki import Authority
from lib.wait import wait_until

REGION = "eu-central-1"
ACCOUNT = "123456789012"
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/secretsfs-test"
KEY_ID = "AKIAIOSFODNN7EXAMPLE"
# each test's own: others that run now are not looked for
SECRET_KEY = base64.b64encode(os.urandom(30)).decode()

GET = "GetSecretValue"
DESCRIBE = "DescribeSecret"
BATCH = "BatchGetSecretValue"
BATCH_MAX = 20
MAY_GET = f"secretsmanager:{GET}"
MAY_DESCRIBE = f"secretsmanager:{DESCRIBE}"
MAY_BATCH = f"secretsmanager:{BATCH}"
DECRYPT = "kms:Decrypt"
ASSUME = "AssumeRoleWithWebIdentity"
ASSUME_ROLE = "AssumeRole"
SSO = "GetRoleCredentials"
SSO_TOKEN = "aoa-sso-access-token"
SSO_ROLE = "ReadSecrets"

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>\w+)/(?P<date>\d{8})/"
    r"(?P<region>[a-z0-9-]+)/(?P<service>[a-z]+)/aws4_request, ?"
    r"SignedHeaders=(?P<headers>[a-z0-9;-]+), ?"
    r"Signature=[0-9a-f]{64}")

# No answer is kept back longer than this, whatever a test forgot.
_HOLD_SECONDS = 90

CURRENT = "AWSCURRENT"
PREVIOUS = "AWSPREVIOUS"

Version = collections.namedtuple("Version", "id value created_s")
Reply = collections.namedtuple("Reply", "status body content_type headers",
                               defaults=({},))


def _json_reply(status, content, ascii_only=True):
    body = json.dumps(content, ensure_ascii=ascii_only).encode()
    return Reply(status, body, "application/x-amz-json-1.1")


def refusal(code, message="said the fake", status=400):
    """An error as the JSON protocol tells it."""
    return _json_reply(status, {"__type": code, "Message": message})


def _xml_refusal(code, message="said the fake", status=400):
    body = (f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code>"
            f"<Message>{message}</Message></Error>"
            f"<RequestId>{uuid.uuid4()}</RequestId></ErrorResponse>")
    return Reply(status, body.encode(), "text/xml")


_MEMBERS = {
    GET: {"SecretId", "VersionId", "VersionStage"},
    DESCRIBE: {"SecretId"},
    BATCH: {"SecretIdList"},
}


def _check_members(operation, asked):
    """What AWS would not take of a request; None if nothing."""
    unknown = asked.keys() - _MEMBERS[operation]
    if unknown:
        return f"unknown members {sorted(unknown)}"
    names = _names_in(asked)
    if not 1 <= len(names) <= BATCH_MAX or len(set(names)) < len(names):
        return f"names are {names}"
    if not 32 <= len(asked.get("VersionId", "x" * 32)) <= 64:
        return f"VersionId is {asked['VersionId']!r}"
    if not 1 <= len(asked.get("VersionStage", "x")) <= 256:
        return f"VersionStage is {asked['VersionStage']!r}"
    return None


def _names_in(asked):
    return asked.get("SecretIdList") or [asked["SecretId"]]


def _denial(action):
    if action == DECRYPT:
        return refusal("AccessDeniedException",
                       "Access to KMS is not allowed")
    return refusal("AccessDeniedException",
                   f"User: arn:aws:iam::{ACCOUNT}:user/test is not "
                   f"authorized to perform: {action}")


NOT_FOUND = refusal("ResourceNotFoundException",
                    "Secrets Manager can't find the specified secret.")
MARKED = refusal(
    "InvalidRequestException",
    "You can't perform this operation on the secret because it was marked "
    "for deletion.")


def secret_arn(name, region=REGION):
    return f"arn:aws:secretsmanager:{region}:{ACCOUNT}:secret:{name}-a1B2c3"


def parameter_arn(name, region=REGION):
    return fake_ssm.parameter_arn(name, region, ACCOUNT)


class Secret:
    """Its versions, and which of them has which stage."""

    def __init__(self, name):
        self.name = name
        self.deleted_s = None  # marked for deletion at that time
        self._versions = {}
        self._ids = {}  # by stage

    def put(self, value, stages):
        """Each stage moves to the new version; where AWSCURRENT came from,
        AWSPREVIOUS goes."""
        mark(value)
        version = Version(str(uuid.uuid4()), value, time.time())
        self._versions[version.id] = version
        if CURRENT in stages and CURRENT in self._ids:
            self._ids[PREVIOUS] = self._ids[CURRENT]
        self._ids.update((stage, version.id) for stage in stages)
        return version.id

    def move(self, stage, version_id):
        """The stage to a version that there is; None takes it away."""
        self._ids.pop(stage, None)
        if version_id:
            self._ids[stage] = version_id

    def stages_by_id(self):
        """As DescribeSecret tells them: without versions that have none."""
        found = {version.id: self.stages_of(version)
                 for version in self._versions.values()}
        return {name: stages for name, stages in found.items() if stages}

    def stages_of(self, version):
        return sorted(stage for stage, one in self._ids.items()
                      if one == version.id)

    def find(self, version_id, stage):
        """A version, or the refusal of AWS."""
        if not version_id:
            found = self._versions.get(self._ids.get(stage or CURRENT))
            return found or refusal(
                "ResourceNotFoundException",
                "Secrets Manager can't find the specified secret value for "
                f"staging label: {stage or CURRENT}")
        found = self._versions.get(version_id)
        if not found:
            return refusal(
                "ResourceNotFoundException",
                "Secrets Manager can't find the specified secret value for "
                f"VersionId: {version_id}")
        if stage and self._ids.get(stage) != version_id:
            return refusal(
                "InvalidRequestException",
                "You provided a VersionStage that is not associated to the "
                "provided VersionId.")
        return found


# --- Faults: what may happen to an answer. Each gets handler and reply. -----

def _silent(handler, _reply):
    handler.server.aws.closing.wait(_HOLD_SECONDS)
    handler.close_connection = True


def _slow(handler, reply):
    """A byte now and then: no single wait is long, the whole is."""
    handler.send_head(reply, len(reply.body))
    for byte in reply.body:
        if handler.server.aws.closing.wait(0.1):
            break
        handler.wfile.write(bytes([byte]))
        handler.wfile.flush()
    handler.close_connection = True


def _cut(handler, reply):
    handler.send_head(reply, len(reply.body))
    handler.wfile.write(reply.body[:len(reply.body) // 2])
    handler.close_connection = True


def _hang_up(handler, _reply):
    handler.close_connection = True


def _huge(handler, reply):
    """A reply that no secret can need, sent until nobody takes it."""
    block = b" " * 65536
    handler.send_head(reply, 1 << 30)
    for _ in range(1 << 14):
        handler.wfile.write(block)
    handler.close_connection = True


def _instead(other):
    return lambda handler, _reply: handler.send_reply(other)


def _throttled_for(wait_ms):
    reply = refusal("ThrottlingException", "Rate exceeded")
    return _instead(reply._replace(
        headers={"x-amz-retry-after": str(wait_ms)}))


FAULTS = {
    "silent": _silent,
    "slow": _slow,
    "cut": _cut,
    "hang up": _hang_up,
    "huge": _huge,
    "500": _instead(refusal("InternalServiceError", status=500)),
    "503 without a body": _instead(Reply(503, b"", "text/html")),
    "throttled": _instead(refusal("ThrottlingException", "Rate exceeded")),
    "throttled for 1.5 s": _throttled_for(1500),
    "throttled for 10 s": _throttled_for(10000),
    "denied": _instead(refusal("AccessDeniedException", "is not authorized "
                               "to perform: secretsmanager:GetSecretValue")),
    "kms denied": _instead(refusal("AccessDeniedException",
                                   "Access to KMS is not allowed")),
    "undecryptable": _instead(refusal("DecryptionFailure")),
    "deleted": _instead(refusal("InvalidRequestException",
                                "marked for deletion")),
    "unknown operation": _instead(refusal("UnknownOperationException")),
    "expired token": _instead(refusal("ExpiredTokenException",
                                      "The security token is expired")),
    "bad json": _instead(Reply(200, b'{"SecretString": "half',
                               "application/x-amz-json-1.1")),
    "no value": _instead(_json_reply(200, {"Name": "app"})),
    "html": _instead(Reply(200, b"<html>proxy</html>", "text/html")),
    "assume denied": _instead(_xml_refusal("AccessDenied", status=403)),
    "bad token": _instead(_xml_refusal("InvalidIdentityToken")),
    "no identity provider": _instead(_xml_refusal("IDPCommunicationError")),
}


# --- The server. ------------------------------------------------------------

class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def setup(self):
        self.request.do_handshake()
        super().setup()

    def log_message(self, *_):
        pass

    def send_head(self, reply, length):
        self.send_response(reply.status)
        request_id = str(uuid.uuid4())
        self.server.aws.request_ids.append(request_id)
        self.send_header("x-amzn-RequestId", request_id)
        self.send_header("Content-Type", reply.content_type)
        self.send_header("Content-Length", str(length))
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.end_headers()

    def send_reply(self, reply):
        self.send_head(reply, len(reply.body))
        self.wfile.write(reply.body)

    def do_GET(self):
        self.server.aws.answer_get(self)

    def do_POST(self):
        length = int(self.headers.get("Content-Length", 0))
        self.server.aws.answer(self, self.rfile.read(length))


def _has_ended(connection):
    """Whether the client is gone, while its request is being held: it has
    nothing to say then but goodbye."""
    try:
        return bool(select.select([connection], [], [], 0)[0])
    except (OSError, ValueError):
        return True


class _Server(http.server.ThreadingHTTPServer):
    request_queue_size = 256
    block_on_close = False

    def __init__(self, address, aws):
        self.aws = aws
        self.sockets = set()
        super().__init__(address, _Handler)

    def get_request(self):
        plain, address = super().get_request()
        self.aws.note_connection()
        # The handshake is the handler's: it must not stop the next accept.
        wrapped = self.aws.tls.wrap_socket(plain, server_side=True,
                                           do_handshake_on_connect=False)
        self.sockets.add(wrapped)
        return wrapped, address

    def shutdown_request(self, request):
        self.sockets.discard(request)
        self.close_request(request)

    def handle_error(self, _request, _address):
        """Clients that go away, or trust nobody, are what tests are about."""
        if not isinstance(sys.exc_info()[1], (OSError, ValueError)):
            super().handle_error(_request, _address)

    def open_connections(self):
        """Those whose client has not hung up yet."""
        return sum(not _has_ended(one) for one in list(self.sockets))

    def hang_up(self):
        for connection in list(self.sockets):
            with contextlib.suppress(OSError):
                connection.shutdown(2)


class FakeAws:
    """The account: its secrets, its faults, and what it was asked."""

    def __init__(self, directory, port=0, host="127.0.0.1"):
        self.authority = Authority(directory)
        self.closing = threading.Event()
        self.connections = 0
        self.complaints = []  # requests that no AWS would have taken
        self.tokens = []      # web identity tokens, as they came
        self.sso_token = SSO_TOKEN
        mark(SSO_TOKEN)
        mark(SECRET_KEY)
        self.sessions = []    # names of sessions, as they came
        self.agents = set()   # User-Agent
        self.request_ids = []
        self.most_in_flight = 0  # requests at a time
        self.session_seconds = 3600
        self.ascii_only = True
        self.latency_s = 0.0  # of every answer
        self._directory = directory
        self._lock = threading.Lock()
        self.assumed = []     # forms of AssumeRole, as they came
        self._readers = {}    # the one role that may read it, by the secret
        self._roles = {}      # that was assumed, by the key of its session
        self._asker = None    # the role of the call that is being answered
        self._here = REGION  # where what runs with the lock held is
        self._secrets_of = {REGION: {}}
        self._parameters_of = {REGION: Parameters(REGION, ACCOUNT)}
        self._faults = {}
        self._gates = {}
        self._waiting = collections.Counter()
        self._calls = collections.Counter()
        self._in_flight = 0
        self._denied = set()  # (action, name), the name None for all
        self._sessions = {}
        self._server = None
        self._thread = None
        self.host = host
        self.port = port
        self.present(*self.authority.issue("server", f"IP:{host}"))

    # -- the server's life

    def __enter__(self):
        self.listen()
        return self

    def __exit__(self, kind, *_):
        self.refuse_connections()
        if kind is None and self.complaints:
            raise AssertionError(f"bad requests: {self.complaints}")

    def listen(self):
        self.closing.clear()
        self._server = _Server((self.host, self.port), self)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever,
                                        kwargs={"poll_interval": 0.02},
                                        daemon=True)
        self._thread.start()

    def refuse_connections(self):
        """Ends every connection and takes no new ones, until listen()."""
        self.closing.set()
        for gate in self._gates.values():
            gate.set()
        if self._server:
            self._server.shutdown()
            self._server.hang_up()
            self._server.server_close()
            self._thread.join()
            self._server = None

    def present(self, certificate, key):
        """The certificate that connections get from now on."""
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(certificate, key)

    @property
    def url(self):
        return f"https://{self.host}:{self.port}"

    def environment(self, **more):
        """Environment of a client with keys of its own."""
        return {
            "AWS_ACCESS_KEY_ID": KEY_ID,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_REGION": REGION,
            "AWS_ENDPOINT_URL": self.url,
            "AWS_CA_BUNDLE": self.authority.ca,
            **more,
        }

    def bare_environment(self, **more):
        """Environment of a client without keys."""
        found = self.environment(**more)
        del found["AWS_ACCESS_KEY_ID"], found["AWS_SECRET_ACCESS_KEY"]
        return found

    def role_environment(self, token_file, **more):
        """Environment of a pod with a service account's role."""
        return self.bare_environment(AWS_ROLE_ARN=ROLE_ARN,
                                     AWS_WEB_IDENTITY_TOKEN_FILE=token_file,
                                     AWS_ROLE_SESSION_NAME="secretsfs-test",
                                     **more)

    # -- the script

    @contextlib.contextmanager
    def _in(self, region, asker=None):
        """What happens in a region, with the lock held."""
        with self._lock:
            self._here = region
            self._asker = asker
            self._secrets_of.setdefault(region, {})
            self._parameters_of.setdefault(region,
                                           Parameters(region, ACCOUNT))
            try:
                yield
            finally:
                self._here = REGION

    @property
    def _secrets(self):
        return self._secrets_of[self._here]

    @property
    def _parameters(self):
        return self._parameters_of[self._here]

    def put(self, name, value, stages=(CURRENT,), region=REGION):
        """A new version: a str is SecretString, bytes are SecretBinary. A dict
        has one str for each role that may ask: AWS has no such secrets, but
        whoever mixes up roles would be seen."""
        with self._in(region):
            secret = self._secrets.setdefault(name, Secret(name))
            return secret.put(value, stages)

    def replicate(self, name, region):
        """The secret is in that region too, with all that becomes of it."""
        secret = self._secrets[name]
        with self._in(region):
            self._secrets[name] = secret

    def delete(self, name, region=REGION):
        with self._in(region):
            del self._secrets[name]

    def put_parameter(self, name, value, kind="SecureString", region=REGION):
        """Returns the number of the new version."""
        with self._in(region):
            return self._parameters.put(name, value, kind)

    def label_parameter(self, name, label, version):
        with self._lock:
            self._parameters.label(name, label, version)

    def delete_parameter(self, name):
        with self._lock:
            self._parameters.delete(name)

    def mark_for_deletion(self, name):
        with self._lock:
            self._secrets[name].deleted_s = time.time()

    def restore(self, name):
        with self._lock:
            self._secrets[name].deleted_s = None

    def move_stage(self, name, stage, version_id):
        with self._lock:
            self._secrets[name].move(stage, version_id)

    def deny(self, action, name=None):
        """Takes a permission ("secretsmanager:DescribeSecret", "kms:Decrypt")
        away, for one secret or for all."""
        if ":" not in action:
            raise ValueError(f"no permission: {action}")
        with self._lock:
            self._denied.add((action, name))

    def only_for(self, role, name):
        """Nobody else may read the secret."""
        self._readers[name] = role

    def allow(self, action, name=None):
        with self._lock:
            self._denied.discard((action, name))

    def fail(self, what, fault, times=None):
        """Breaks the answers about a secret, or of an operation.

        With times, only so many; then all is well again.
        """
        with self._lock:
            self._faults[what] = (FAULTS[fault], times)

    def heal(self, what):
        with self._lock:
            self._faults.pop(what, None)

    def hold(self, what):
        """Keeps answers back until release(): the requests are counted."""
        self._gates[what] = threading.Event()

    def release(self, what):
        gate = self._gates.pop(what, None)
        if gate:
            gate.set()

    def wait_for_held(self, what, count=1, seconds=20):
        wait_until(lambda: self._waiting[what] >= count,
                   f"{count} requests about {what} are held", seconds)

    # -- what was asked

    def calls(self, what=None):
        """Requests about a secret (a batch is about many), of an operation,
        in a region, or all of them."""
        with self._lock:
            if what is None:
                return sum(self._calls[one] for one in (
                    GET, DESCRIBE, BATCH, GET_PARAMETERS, ASSUME,
                    ASSUME_ROLE, SSO))
            return self._calls[what]

    def open_connections(self):
        return self._server.open_connections() if self._server else 0

    def note_connection(self):
        with self._lock:
            self.connections += 1

    # -- answering; runs in a thread for each connection

    def answer(self, handler, body):
        with self._lock:
            self._in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self._in_flight)
        try:
            self._answer(handler, body)
        finally:
            with self._lock:
                self._in_flight -= 1

    def _answer(self, handler, body):
        target = handler.headers.get("X-Amz-Target", "")
        self.agents.add(handler.headers.get("User-Agent"))
        if target.startswith("secretsmanager."):
            operation, about, reply = self._secrets_manager(
                handler, target.split(".", 1)[1], body)
        elif target.startswith("AmazonSSM."):
            operation, about, reply = self._ssm(
                handler, target.split(".", 1)[1], body)
        else:
            operation, about, reply = self._sts(handler, body)
        with self._lock:
            for what in (operation, *about):
                self._calls[what] += 1
        if self.latency_s:
            self.closing.wait(self.latency_s)
        for what in (*about, operation):
            self._pass_gate(what)
        faults = map(self._fault_of, (*about, operation))
        self._send(handler, next(filter(None, faults), None), reply)

    def answer_get(self, handler):
        """The portal of SSO, which knows one role of this account."""
        path, _, query = handler.path.partition("?")
        if path != "/federation/credentials":
            handler.send_reply(Reply(404, b"", "text/plain"))
            return
        asked = dict(urllib.parse.parse_qsl(query))
        with self._lock:
            self._calls[SSO] += 1
        self._pass_gate(SSO)
        self._send(handler, self._fault_of(SSO), self._sso_reply(
            asked, handler.headers.get("x-amz-sso_bearer_token")))

    def _sso_reply(self, asked, token):
        if token != self.sso_token:
            return Reply(401, json.dumps({
                "message": "Session token not found or invalid"}).encode(),
                "application/json")
        if asked != {"account_id": ACCOUNT, "role_name": SSO_ROLE}:
            return Reply(403, b'{"message": "No access"}', "application/json")
        key, session, expires_s = self.new_session()
        return Reply(200, json.dumps({"roleCredentials": {
            "accessKeyId": key,
            "secretAccessKey": SECRET_KEY,
            "sessionToken": session,
            "expiration": int(expires_s * 1000)}}).encode(),
            "application/json")

    def new_session(self):
        """Keys that this account takes: (id, token, when they end)."""
        key = f"ASIA{uuid.uuid4().hex[:16].upper()}"
        token = base64.b64encode(os.urandom(600)).decode()
        self._sessions[key] = token
        mark(token)
        return key, token, time.time() + self.session_seconds

    def session_tokens(self):
        """All that were given out."""
        return set(self._sessions.values())

    def _pass_gate(self, what):
        gate = self._gates.get(what)
        if not gate:
            return
        with self._lock:
            self._waiting[what] += 1
        gate.wait(_HOLD_SECONDS)
        with self._lock:
            self._waiting[what] -= 1

    def _fault_of(self, what):
        with self._lock:
            fault, times = self._faults.get(what, (None, None))
            if times == 1:
                del self._faults[what]
            elif times:
                self._faults[what] = (fault, times - 1)
        return fault

    @staticmethod
    def _send(handler, fault, reply):
        if fault:
            fault(handler, reply)
        else:
            handler.send_reply(reply)

    def _complain(self, text):
        self.complaints.append(text)
        return refusal("IncompleteSignatureException", text)

    def _secrets_manager(self, handler, operation, body):
        region, bad = self._check_signature(handler, "secretsmanager")
        if bad:
            return operation, (), self._complain(bad)
        if operation not in _MEMBERS:
            return operation, (), self._complain(f"no such {operation}")
        asked = json.loads(body)
        bad = _check_members(operation, asked)
        with self._in(region, self._role_of(handler)):
            # by the name, also where an ARN was given
            about = [*(self._name_of(one) for one in _names_in(asked)),
                     region]
            if bad:
                return operation, about, self._complain(bad)
            answer = {GET: self._get, DESCRIBE: self._describe,
                      BATCH: self._batch}[operation]
            return operation, about, answer(asked)

    def _ssm(self, handler, operation, body):
        region, bad = self._check_signature(handler, "ssm")
        if not bad and operation != GET_PARAMETERS:
            bad = f"no such {operation}"
        if bad:
            return operation, (), self._complain(bad)
        asked = json.loads(body)
        bad = fake_ssm.check_members(asked)
        if bad:
            return operation, (), self._complain(bad)
        with self._in(region, self._role_of(handler)):
            about = [*map(self._parameters.name_of, asked["Names"]), region]
            return operation, about, self._get_parameters(asked["Names"])

    # -- each with the lock held

    def _name_of(self, wanted):
        return next((name for name in self._secrets
                     if secret_arn(name, self._here) == wanted), wanted)

    def _role_of(self, handler):
        found = _AUTHORIZATION.fullmatch(
            handler.headers.get("Authorization", ""))
        return self._roles.get(found["key"]) if found else None

    def _may(self, action, name):
        if self._readers.get(name, self._asker) != self._asker:
            return False
        return not {(action, None), (action, name)} & self._denied

    def _find(self, action, wanted):
        """A secret, or the refusal of AWS."""
        name = self._name_of(wanted)
        if not self._may(action, name):
            return _denial(action)
        return self._secrets.get(name, NOT_FOUND)

    def _get_parameters(self, names):
        """One that may not be had, and nobody gets anything."""
        for action in (f"ssm:{GET_PARAMETERS}", DECRYPT):
            if not all(self._may(action, self._parameters.name_of(name))
                       for name in names):
                return _denial(action)
        return _json_reply(200, self._parameters.answer(names),
                           self.ascii_only)

    def _get(self, asked):
        secret = self._find(f"secretsmanager:{GET}", asked["SecretId"])
        if isinstance(secret, Reply):
            return secret
        if secret.deleted_s:
            return MARKED
        version = secret.find(asked.get("VersionId"),
                              asked.get("VersionStage"))
        if isinstance(version, Version) and \
                not self._may(DECRYPT, secret.name):
            return _denial(DECRYPT)
        return self._value_reply(secret, version)

    def _describe(self, asked):
        secret = self._find(f"secretsmanager:{DESCRIBE}", asked["SecretId"])
        if isinstance(secret, Reply):
            return secret
        content = {
            "ARN": secret_arn(secret.name, self._here),
            "Name": secret.name,
            "VersionIdsToStages": secret.stages_by_id(),
        }
        if secret.deleted_s:
            content["DeletedDate"] = round(secret.deleted_s, 3)
        return _json_reply(200, content, self.ascii_only)

    def _batch(self, asked):
        action = f"secretsmanager:{BATCH}"
        if not self._may(action, None):
            return _denial(action)
        values = []
        errors = []
        for wanted in asked["SecretIdList"]:
            reply = self._get({"SecretId": wanted})
            content = json.loads(reply.body)
            if reply.status == 200:
                values.append(content)
            else:
                errors.append({"SecretId": wanted,
                               "ErrorCode": content["__type"],
                               "Message": content["Message"]})
        # in no order that would help anybody
        values.sort(key=lambda one: one["VersionId"])
        return _json_reply(200, {"SecretValues": values, "Errors": errors},
                           self.ascii_only)

    def _value_reply(self, secret, version):
        if isinstance(version, Reply):
            return version
        content = {
            "ARN": secret_arn(secret.name, self._here),
            "Name": secret.name,
            "VersionId": version.id,
            "VersionStages": secret.stages_of(version),
            "CreatedDate": round(version.created_s, 3),
        }
        if isinstance(version.value, bytes):
            content["SecretBinary"] = base64.b64encode(version.value).decode()
        elif isinstance(version.value, dict):
            content["SecretString"] = version.value[self._asker]
        else:
            content["SecretString"] = version.value
        return _json_reply(200, content, self.ascii_only)

    def _check_signature(self, handler, service):
        """The region, and what is wrong with the form of a signature; None if
        nothing."""
        found = _AUTHORIZATION.fullmatch(
            handler.headers.get("Authorization", ""))
        return (found["region"] if found else None,
                self._complaint_about(handler, service))

    def _complaint_about(self, handler, service):
        found = _AUTHORIZATION.fullmatch(
            handler.headers.get("Authorization", ""))
        date = handler.headers.get("X-Amz-Date", "")
        token = handler.headers.get("X-Amz-Security-Token")
        if not found:
            return "no well-formed Authorization"
        if found["service"] != service or \
                found["region"] not in self._secrets_of:
            return f"scope is {found['service']} in {found['region']}"
        if not re.fullmatch(r"\d{8}T\d{6}Z", date) or \
                not date.startswith(found["date"]):
            return f"X-Amz-Date is {date!r}"
        signed = found["headers"].split(";")
        needed = {"host", "x-amz-date"} | (
            {"x-amz-security-token"} if token else set())
        if not needed <= set(signed) or signed != sorted(signed):
            return f"signed headers are {found['headers']}"
        if self._sessions.get(found["key"]) != token:
            return "the session token is not that of the key"
        return None

    def _sts(self, handler, body):
        form = {name: values[0] for name, values in
                urllib.parse.parse_qs(body.decode()).items()}
        action = form.get("Action")
        if action not in (ASSUME, ASSUME_ROLE) or \
                form.get("Version") != "2011-06-15":
            self.complaints.append(f"unknown request {sorted(form)}")
            return "unknown", (), _xml_refusal("InvalidAction")
        if action == ASSUME:
            if handler.headers.get("Authorization"):
                self.complaints.append("signed STS call")
            self.tokens.append(form.get("WebIdentityToken"))
            mark(form.get("WebIdentityToken"))
        else:
            bad = self._complaint_about(handler, "sts")
            if bad:
                self.complaints.append(bad)
                return action, (), _xml_refusal("IncompleteSignature", bad)
            self.assumed.append(form)
        self.sessions.append(form.get("RoleSessionName"))
        if not form.get("RoleSessionName") or (
                action == ASSUME and form.get("RoleArn") != ROLE_ARN):
            return action, (), _xml_refusal("ValidationError")
        return action, (), self._session_reply(action, form["RoleArn"])

    def _session_reply(self, action, role):
        key, token, expires_s = self.new_session()
        self._roles[key] = role
        expires = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(expires_s))
        body = (
            f'<{action}Response '
            'xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
            f"<{action}Result><Credentials>"
            f"<AccessKeyId>{key}</AccessKeyId>"
            f"<SecretAccessKey>{SECRET_KEY}</SecretAccessKey>"
            f"<SessionToken>{xml.sax.saxutils.escape(token)}</SessionToken>"
            f"<Expiration>{expires}</Expiration></Credentials>"
            "<SubjectFromWebIdentityToken>system:serviceaccount:a:b"
            "</SubjectFromWebIdentityToken>"
            f"<AssumedRoleUser><Arn>{role}/x</Arn></AssumedRoleUser>"
            f"</{action}Result><ResponseMetadata><RequestId>{uuid.uuid4()}"
            f"</RequestId></ResponseMetadata></{action}Response>")
        return Reply(200, body.encode(), "text/xml")


def _serve():
    """By hand: fake_aws.py DIRECTORY PORT NAME=VALUE..."""
    with FakeAws(sys.argv[1], int(sys.argv[2])) as aws:
        for pair in sys.argv[3:]:
            aws.put(*pair.split("=", 1))
        for name, value in aws.environment().items():
            print(f"export {name}={value}", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    _serve()
