# SPDX-License-Identifier: Apache-2.0
"""What the Terraform module allows and whom it trusts: what secretsfs calls, on
what was named, and nothing else."""

import fnmatch
import glob
import json
import os
import re

from lib.place import SOURCE
from lib.tap import case, check, check_equal, main
from lib.terraform import evaluate_ok, policy, whereabouts

KEY = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd"
ROLE = "arn:aws:iam::111122223333:role/shop"
HOST = "oidc.eks.eu-central-1.amazonaws.com/id/EXAMPLE"
ISSUER = f"arn:aws:iam::111122223333:oidc-provider/{HOST}"
ARN = "arn:aws:secretsmanager:us-east-1:444455556666:secret:shop-AbCdEf"
ALL = {
    "secrets": ["Kontox-secret", "team/*", ARN],
    "parameters": ["/team/hosts", "motto", "/team/db/*"],
    "kms_key_arns": [KEY],
    "assume_role_arns": [ROLE],
}
# What services know no resources for (AWS's "Service Authorization Reference").
WITHOUT_RESOURCES = {"secretsmanager:BatchGetSecretValue"}
# AWS decrypts in the name of who asks it for a secret.
NOT_OURS = {"kms:Decrypt"}
# Whoever has the token may call this: it is not signed.
UNSIGNED = {"sts:AssumeRoleWithWebIdentity"}

CHINA = whereabouts("aws-cn", "cn-north-1", "amazonaws.com.cn")
GOVERNMENT = whereabouts("aws-us-gov", "us-gov-west-1")


def _called():
    """The actions of all calls that the program makes."""
    text = ""
    for path in glob.glob(os.path.join(SOURCE, "src/aws/*.[ch]")):
        with open(path, encoding="utf-8") as file:
            text += file.read()
    found = re.findall(r'"(secretsmanager|AmazonSSM|AWSSecurityTokenService\w*)'
                       r'\.(\w+)"', text)
    names = {"AmazonSSM": "ssm"}
    called = {f"{names.get(service, service)}:{name}"
              for service, name in found}
    return called | {f"sts:{name}"
                     for name in re.findall(r'"(AssumeRole\w*)"', text)}


def _actions(statements):
    return {action for one in statements.values() for action in one["Action"]}


@case
def every_call_of_the_program_is_allowed_and_no_other():
    called = _called()
    check(len(called) >= 6, "found only", called)
    check_equal(_actions(policy(ALL)) - NOT_OURS, called - UNSIGNED)


@case
def tags_of_pod_identity_may_go_along_to_roles_of_classes():
    for clusters, more in ([], []), (["production"], ["sts:TagSession"]):
        found = policy({**ALL, "pod_identity_clusters": clusters})
        check_equal(found["AssumeRolesOfClasses"]["Action"],
                    ["sts:AssumeRole", *more], str(clusters))
        check_equal(found["AssumeRolesOfClasses"]["Resource"], [ROLE])


@case
def names_become_ARNs_that_mean_one_secret():
    found = policy(ALL)
    check_equal(found["ReadSecrets"]["Resource"], [
        "arn:aws:secretsmanager:eu-central-1:111122223333:secret:"
        "Kontox-secret-??????",
        "arn:aws:secretsmanager:eu-central-1:111122223333:secret:team/*",
        ARN])
    check_equal(found["ReadParameters"]["Resource"], [
        "arn:aws:ssm:eu-central-1:111122223333:parameter/team/hosts",
        "arn:aws:ssm:eu-central-1:111122223333:parameter/motto",
        "arn:aws:ssm:eu-central-1:111122223333:parameter/team/db/*"])
    for end in ("-??????", "/*"):
        named = ARN.replace("-AbCdEf", end)
        check_equal(policy({"secrets": [named]})["ReadSecrets"]["Resource"],
                    [named])
    pattern = found["ReadSecrets"]["Resource"][0]
    stem = pattern.removesuffix("-??????")
    for suffix, meant in (("-AbCdEf", True), ("-two-AbCdEf", False),
                          ("-AbCdE", False), ("", False)):
        check_equal(fnmatch.fnmatchcase(stem + suffix, pattern), meant, suffix)


@case
def each_region_that_is_named_is_allowed():
    regions = ["eu-west-1", "eu-west-2"]
    found = policy({**ALL, "regions": regions})
    for sid, count in (("ReadSecrets", 5), ("ReadParameters", 6)):
        arns = found[sid]["Resource"]
        check_equal(len(arns), count, sid)
        check_equal({arn.split(":")[3] for arn in arns} - {"us-east-1"},
                    set(regions), sid)
    via = found["DecryptForTheseServices"]["Condition"]["StringEquals"]
    check_equal(sorted(via["kms:ViaService"]), [
        "secretsmanager.eu-west-1.amazonaws.com",
        "secretsmanager.eu-west-2.amazonaws.com",
        "secretsmanager.us-east-1.amazonaws.com",
        "ssm.eu-west-1.amazonaws.com", "ssm.eu-west-2.amazonaws.com"])


@case
def ARNs_and_services_are_those_of_the_partition():
    for data, partition, region in ((CHINA, "aws-cn", "cn-north-1"),
                                    (GOVERNMENT, "aws-us-gov",
                                     "us-gov-west-1")):
        key = f"arn:{partition}:kms:{region}:111122223333:key/1"
        found = policy({"secrets": ["app"], "parameters": ["motto"],
                        "kms_key_arns": [key]}, data=data)
        check_equal(found["ReadSecrets"]["Resource"],
                    [f"arn:{partition}:secretsmanager:{region}:111122223333:"
                     "secret:app-??????"])
        check_equal(found["ReadParameters"]["Resource"],
                    [f"arn:{partition}:ssm:{region}:111122223333:"
                     "parameter/motto"])
        via = found["DecryptForTheseServices"]["Condition"]["StringEquals"]
        services = {f"{service}.{region}.{suffix}"
                    for service in ("secretsmanager", "ssm")
                    for suffix in {"amazonaws.com",
                                   data["aws_partition.current"]["dns_suffix"]}}
        check_equal(set(via["kms:ViaService"]), services)


# Which statements there are for which variables.
STATEMENTS = (
    ({"secrets": ["app"]}, {"ReadSecrets", "ReadSecretsInBatches"}),
    ({"secrets": ["app"], "batch": False}, {"ReadSecrets"}),
    ({"parameters": ["motto"]}, {"ReadParameters"}),
    ({"parameters": ["motto"], "kms_key_arns": [KEY]},
     {"ReadParameters", "DecryptForTheseServices"}),
    ({"assume_role_arns": [ROLE]}, {"AssumeRolesOfClasses"}),
    (ALL, {"ReadSecrets", "ReadSecretsInBatches", "ReadParameters",
           "DecryptForTheseServices", "AssumeRolesOfClasses"}),
)


@case
def what_is_not_named_leaves_no_statement():
    for variables, wanted in STATEMENTS:
        check_equal(set(policy(variables)), wanted, str(variables))
    check_equal(policy({"secrets": ["app"], "describe": False})
                ["ReadSecrets"]["Action"], ["secretsmanager:GetSecretValue"])


@case
def every_statement_is_as_narrow_as_the_service_allows():
    for variables, _ in STATEMENTS:
        for data in (whereabouts(), CHINA, GOVERNMENT):
            for sid, one in policy(variables, data=data).items():
                check_equal(one["Effect"], "Allow", sid)
                check(re.fullmatch(r"[A-Za-z0-9]+", sid), sid)
                check(one["Action"] and one["Resource"], sid, "is empty")
                for action in one["Action"]:
                    check(re.fullmatch(r"[a-z]+:[A-Za-z]+", action), action)
                    if action not in WITHOUT_RESOURCES:
                        check("*" not in one["Resource"], action, "on *")
                    if action.startswith("kms:"):
                        via = one["Condition"]["StringEquals"]
                        check(via["kms:ViaService"], "kms without a service")


def _trust(**variables):
    role = evaluate_ok({"secrets": ["app"], **variables})[
        "resources"]["aws_iam_role.this"][0]
    document = json.loads(role["assume_role_policy"])
    check_equal(document["Version"], "2012-10-17")
    return document["Statement"]


@case
def a_token_is_trusted_for_one_service_account_and_one_audience():
    other = ISSUER.replace("EXAMPLE", "OTHER")
    found = _trust(oidc_provider_arns=[ISSUER, other])
    check_equal(len(found), 2, "statements")
    check_equal(len({one["Sid"] for one in found}), 2, "Sids")
    for one, arn in zip(found, (ISSUER, other)):
        host = arn.split(":oidc-provider/")[1]
        check_equal(one["Principal"], {"Federated": arn})
        check_equal(one["Action"], ["sts:AssumeRoleWithWebIdentity"])
        check_equal(one["Condition"], {"StringEquals": {
            f"{host}:aud": "sts.amazonaws.com",
            f"{host}:sub":
                "system:serviceaccount:secretsfs:secretsfs-worker"}})
    one, = _trust(oidc_provider_arns=[ISSUER], namespace="vault",
                  service_account="reader", oidc_audience="sts.example")
    check_equal(one["Condition"], {"StringEquals": {
        f"{HOST}:aud": "sts.example",
        f"{HOST}:sub": "system:serviceaccount:vault:reader"}})


@case
def pod_identity_is_trusted_for_one_service_account_of_these_clusters():
    one, = _trust(pod_identity_clusters=["blue", "green"])
    check_equal(one["Principal"], {"Service": "pods.eks.amazonaws.com"})
    check_equal(one["Action"], ["sts:AssumeRole", "sts:TagSession"])
    check_equal(one["Condition"], {"StringEquals": {
        "aws:RequestTag/eks-cluster-name": ["blue", "green"],
        "aws:RequestTag/kubernetes-namespace": "secretsfs",
        "aws:RequestTag/kubernetes-service-account": "secretsfs-worker"}})


@case
def both_may_be_trusted_at_a_time():
    found = _trust(oidc_provider_arns=[ISSUER], pod_identity_clusters=["blue"])
    check_equal([list(one["Principal"]) for one in found],
                [["Federated"], ["Service"]])


# Plain files for who has no Terraform, and what they are made of.
PLAIN = {
    "policy.json": lambda made: made["outputs"]["policy_json"],
    "trust-irsa.json": lambda made: json.dumps(
        {"Version": "2012-10-17", "Statement": made["locals"]["trust_irsa"]}),
    "trust-pod-identity.json": lambda made: json.dumps(
        {"Version": "2012-10-17",
         "Statement": made["locals"]["trust_pod_identity"]}),
}


@case
def the_plain_files_are_what_the_module_makes():
    made = evaluate_ok({"secrets": ["Kontox-secret"],
                        "oidc_provider_arns": [ISSUER],
                        "pod_identity_clusters": ["production"]})
    directory = os.path.join(SOURCE, "contrib/iam")
    check_equal(set(os.listdir(directory)), set(PLAIN), "files")
    for name, text in PLAIN.items():
        wanted = json.dumps(json.loads(text(made)), indent=2) + "\n"
        with open(os.path.join(directory, name), encoding="utf-8") as file:
            found = file.read()
        if found != wanted:
            print("\n".join(f"# {line}" for line in wanted.splitlines()))
        check_equal(found, wanted, name)


main(mounts=False)
