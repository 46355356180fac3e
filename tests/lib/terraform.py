# SPDX-License-Identifier: Apache-2.0
"""contrib/terraform, evaluated by the library that reads Terraform's language.

The program for that is built of tests/terraform by contrib/check;
SECRETSFS_TERRAFORM names it, else it is looked for in the build directory.
"""

import glob
import json
import os
import subprocess

from lib.place import BUILD, SOURCE
from lib.process import PATIENCE, environment
from lib.tap import Skip, check

MODULE = os.path.join(SOURCE, "contrib/terraform")
EXAMPLES = sorted(glob.glob(os.path.join(MODULE, "examples/*/")))
ACCOUNT = "111122223333"
REGION = "eu-central-1"
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/secretsfs"

_PROGRAM = os.environ.get("SECRETSFS_TERRAFORM",
                          os.path.join(BUILD, "terraform-reader"))

# What AWS and its provider would say.
COMPUTED = {
    "aws_iam_policy": {"arn": f"arn:aws:iam::{ACCOUNT}:policy/secretsfs"},
    "aws_iam_role": {"arn": ROLE_ARN},
    "aws_eks_pod_identity_association": {"association_id": "a-1"},
    "aws_secretsmanager_secret": {
        "id": "arn:aws:secretsmanager:eu-central-1:111122223333:secret:"
              "Kontox-secret-AbCdEf",
        "arn": "arn:aws:secretsmanager:eu-central-1:111122223333:secret:"
               "Kontox-secret-AbCdEf"},
}


def whereabouts(partition="aws", region=REGION, suffix="amazonaws.com",
                account=ACCOUNT):
    """What the data sources say there."""
    return {
        "aws_caller_identity.current": {"account_id": account},
        "aws_partition.current": {"partition": partition,
                                  "dns_suffix": suffix},
        "aws_region.current": {"region": region},
    }


def why_not():
    """Why nothing can be evaluated here; None if it can."""
    if os.path.exists(_PROGRAM):
        return None
    return f"{_PROGRAM} is not built (contrib/check does that)"


def ask(verb, *arguments, given=None):
    """What the program answers, from JSON."""
    if why_not():
        raise Skip(why_not())
    done = subprocess.run([_PROGRAM, verb, *arguments], env=environment(),
                          input=json.dumps(given or {}).encode(),
                          capture_output=True, timeout=PATIENCE, check=False)
    check(done.returncode == 0, verb, *arguments, done.stderr.decode())
    return json.loads(done.stdout)


def evaluate(variables, directory=MODULE, data=None):
    """All that the module makes of these variables, and what is wrong."""
    return ask("evaluate", directory, given={
        "variables": variables, "data": data or whereabouts(),
        "computed": COMPUTED})


def evaluate_ok(variables, **keywords):
    made = evaluate(variables, **keywords)
    check(not made["errors"], variables, *made["errors"])
    return made


def policy(variables, **keywords):
    """The policy's statements by their Sid."""
    document = json.loads(
        evaluate_ok(variables, **keywords)["outputs"]["policy_json"])
    return {one["Sid"]: one for one in document["Statement"]}
