# SPDX-License-Identifier: Apache-2.0
"""moto's server with what its IAM leaves out: resources and conditions.

moto asks of a policy only whether it allows an action on anything. Here each
call is about the ARN of what it names, each member of a batch is asked for by
itself, and what a key of the account encrypts also wants kms:Decrypt, through
the service that was called: as AWS does. Users, roles and policies are moto's,
and policies are read by moto; but "?" stands for one character.

Runs in the virtual environment that has moto, with moto_server's arguments.
"""

import json
import re
import sys

from moto.core.exceptions import AccessDeniedError
from moto.iam import access_control
from moto.iam.access_control import (IAMPolicy, IAMPolicyStatement, IAMRequest,
                                     PermissionResult)
from moto.secretsmanager.models import secretsmanager_backends
from moto.secretsmanager.responses import SecretsManagerResponse
from moto.server import main
from moto.ssm.models import ssm_backends

BATCH = "secretsmanager:BatchGetSecretValue"
GET = "secretsmanager:GetSecretValue"


def _match(pattern, text):
    escaped = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(escaped, text)


def _is_allowed(policies, action, arn, context):
    found = [IAMPolicy(one).is_action_permitted(action, arn, None, context)
             for one in policies]
    return (PermissionResult.PERMITTED in found and
            PermissionResult.DENIED not in found)


def _decryption(service, region, key):
    """What else AWS asks for, where the key is one of the account."""
    if not (key or "").startswith("arn:aws:kms:"):
        return []
    via = {"kms:ViaService": f"{service}.{region}.amazonaws.com"}
    return [("kms:Decrypt", key, via)]


def _of_secret(account, region, action, name):
    secret = secretsmanager_backends[account][region].secrets.get(name)
    if not secret:
        arn = f"arn:aws:secretsmanager:{region}:{account}:secret:{name}"
        return [(action, arn, None)]
    return [(action, secret.arn, None),
            *(_decryption("secretsmanager", region, secret.kms_key_id)
              if action == GET else [])]


def _of_parameter(account, region, action, name):
    name = name.split(":")[0]
    arn = f"arn:aws:ssm:{region}:{account}:parameter/{name.lstrip('/')}"
    found = ssm_backends[account][region].get_parameters([name]).get(name)
    return [(action, arn, None),
            *(_decryption("ssm", region, found.keyid) if found else [])]


def _of_call(account, region, action, body, form):
    """(action, ARN, context) of all that a call wants."""
    if action == BATCH:
        return [(action, "*", None)]
    if action == "ssm:GetParameters":
        return [one for name in json.loads(body)["Names"]
                for one in _of_parameter(account, region, action, name)]
    if action.startswith("secretsmanager:"):
        return _of_secret(account, region, action,
                          json.loads(body)["SecretId"])
    if action == "sts:AssumeRole":
        role = form["RoleArn"]
        return [(action, role[0] if isinstance(role, list) else role, None)]
    return [(action, "*", None)]


class _Request(IAMRequest):
    def check_action_permitted(self, resource):
        del resource  # moto says "*" for these services
        policies = self._access_key.collect_policies()
        for action, arn, context in _of_call(self.account_id, self._region,
                                             self._action, self._body,
                                             self._data):
            if not _is_allowed(policies, action, arn, context):
                raise AccessDeniedError(user_arn=self._access_key.arn,
                                        action=action)

    def refused_of(self, names):
        """The secrets of a batch that GetSecretValue would be refused for."""
        policies = self._access_key.collect_policies()
        return [name for name in names
                if not all(_is_allowed(policies, *one) for one in
                           _of_secret(self.account_id, self._region, GET,
                                      name))]


def _batch_get_secret_value(response):
    """Answers for members that are refused as AWS does."""
    names = response._get_param("SecretIdList")
    refused = _Request(
        account_id=response.current_account, method=response.method,
        path=response.raw_path, data=response.data, body=response.raw_body,
        headers=response.headers,
        action=response._get_action()).refused_of(names)
    values, errors = [], []
    allowed = [name for name in names if name not in refused]
    if allowed:
        values, errors, _ = response.backend.batch_get_secret_value(
            secret_id_list=allowed)
    errors += [{"SecretId": name, "ErrorCode": "AccessDeniedException",
                "Message": "not allowed"} for name in refused]
    return json.dumps({"SecretValues": values, "Errors": errors})


access_control.IAMRequest = _Request
IAMPolicyStatement._match = staticmethod(_match)
SecretsManagerResponse.batch_get_secret_value = _batch_get_secret_value

if __name__ == "__main__":
    main(sys.argv[1:])
