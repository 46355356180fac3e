# SPDX-License-Identifier: Apache-2.0
"""An account in moto's server; runs in the virtual environment that has it.

    moto_account.py create      a role and users; prints them as JSON
    moto_account.py put NAME TEXT [KEY]
    moto_account.py put_parameter NAME TEXT TYPE [LABEL [KEY]]
    moto_account.py fill CALLS  the two above, a JSON list of lists
    moto_account.py key         a key of KMS; prints its ARN
    moto_account.py roles POLICIES
                                a role for each policy of a JSON object, named
                                alike; prints keys of each

Where the server is, and with which keys to speak to it, comes by the usual
variables of AWS.
"""

import json
import sys

import boto3


def _allow(*actions):
    return json.dumps({
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}],
    })


READ = _allow("secretsmanager:GetSecretValue", "ssm:GetParameters")
# Not GetSecretValue, so that nothing else can have brought a value: moto lets
# a batch do without.
BATCH = _allow("secretsmanager:BatchGetSecretValue",
               "secretsmanager:DescribeSecret")
WRITE = _allow("secretsmanager:*", "ssm:*")

ASSUME = _allow("sts:AssumeRole")

TRUST = json.dumps({
    "Version": "2012-10-17",
    "Statement": [{
        "Effect": "Allow",
        "Principal": {"Federated": "*"},
        "Action": "sts:AssumeRoleWithWebIdentity",
    }, {
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": "sts:AssumeRole",
    }],
})


def _user(iam, name, policy):
    iam.create_user(UserName=name)
    if policy:
        iam.put_user_policy(UserName=name, PolicyName="read",
                            PolicyDocument=policy)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return {"AWS_ACCESS_KEY_ID": key["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}


def _role(iam, name, policy):
    made = iam.create_role(RoleName=name,
                           AssumeRolePolicyDocument=TRUST)["Role"]
    iam.put_role_policy(RoleName=name, PolicyName="read",
                        PolicyDocument=policy)
    return made["Arn"]


def create():
    iam = boto3.client("iam")
    print(json.dumps({
        "role": _role(iam, "secretsfs", READ),
        "assumer": _user(iam, "assumer", ASSUME),
        "reader": _user(iam, "reader", READ),
        "batcher": _user(iam, "batcher", BATCH),
        "writer": _user(iam, "writer", WRITE),
        "stranger": _user(iam, "stranger", None),
    }))


def put(name, text, key=None):
    client = boto3.client("secretsmanager")
    try:
        client.put_secret_value(SecretId=name, SecretString=text)
    except client.exceptions.ResourceNotFoundException:
        more = {"KmsKeyId": key} if key else {}
        client.create_secret(Name=name, SecretString=text, **more)


def put_parameter(name, text, kind, label=None, key=None):
    client = boto3.client("ssm")
    more = {"KeyId": key} if key else {}
    version = client.put_parameter(Name=name, Value=text, Type=kind,
                                   Overwrite=True, **more)["Version"]
    if label:
        client.label_parameter_version(Name=name, ParameterVersion=version,
                                       Labels=[label])


def fill(calls):
    for verb, *arguments in json.loads(calls):
        {"put": put, "put_parameter": put_parameter}[verb](*arguments)


def key():
    print(boto3.client("kms").create_key()["KeyMetadata"]["Arn"])


def _keys(role):
    keys = boto3.client("sts").assume_role(
        RoleArn=role, RoleSessionName="secretsfs-test")["Credentials"]
    return {"AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
            "AWS_SESSION_TOKEN": keys["SessionToken"]}


def roles(policies):
    iam = boto3.client("iam")
    print(json.dumps({name: _keys(_role(iam, name, json.dumps(policy)))
                      for name, policy in json.loads(policies).items()}))


if __name__ == "__main__":
    {"create": create, "put": put, "put_parameter": put_parameter,
     "fill": fill, "key": key, "roles": roles}[sys.argv[1]](*sys.argv[2:])
